"""Members that are slow, or few: ejectslow= with its trial, and minactive=, in the running program."""

import pytest
from support import ask
from support.process import until
from support.server import complete
from support.wire import Connection

CONFIG = """\
Listen 127.0.0.1:{port}
<Proxy balancer://app>
    BalancerMember http://{m1} retry=1
    BalancerMember http://{m2} retry=1
    BalancerMember http://{m3} retry=1 {of_m3}
    ProxySet {parameters}
</Proxy>
ProxyPass / balancer://app/
"""


@pytest.fixture
def members(farm):
    three = [farm.member(f"M{number}") for number in (1, 2, 3)]
    yield three
    farm.retire(three)


def start(server, port, members, parameters, of_m3=""):
    m1, m2, m3 = (member.address for member in members)
    text = CONFIG.format(port=port.port, m1=m1, m2=m2, m3=m3, parameters=parameters, of_m3=of_m3)
    server.start(complete(text, "info"), [port.port])


def send(port):
    client = Connection("127.0.0.1", port.port)
    client.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
    return client


def who_answers(client):
    """The member's number, or the status."""
    response = client.read_response()
    client.close()
    return response.body.decode().strip()[1:] if response.status == "200" else response.status


def shares(port, count=12):
    return {who_answers(send(port)) for _ in range(count)}


def held_trial(port, slow):
    """The request that a member which does not answer has got, and the answers to those before."""
    before, others = len(slow.received), set()
    for _ in range(100):
        client = send(port)
        if slow.wait_for(before + 1, 0.1):
            return client, others
        others.add(who_answers(client))
    return None, others


def test_a_slow_member_goes_and_one_request_at_a_time_tries_it(server, port, members):
    slow = members[0]
    slow.answer = ask.Ask(delay=0.03)
    start(server, port, members, "ejectslow=3/1s")
    assert shares(port) == {"1", "2", "3"}
    assert until(lambda: shares(port) == {"2", "3"}), "nobody is slow"
    slow.answer = ask.Ask(hold="trial")
    trial, others = held_trial(port, slow)
    assert trial is not None, "its error ends after a second, and nobody tries it"
    assert others <= {"2", "3"}
    heard = len(slow.received)
    assert shares(port) == {"2", "3"}, "one trial at a time"
    assert len(slow.received) == heard
    slow.answer = None
    slow.gates.release("trial")
    assert who_answers(trial) == "1"
    assert until(lambda: shares(port) == {"1", "2", "3"})


def test_a_standby_comes_before_the_last_active_member_went(server, port, members):
    start(server, port, members, "minactive=2", "status=+H")
    assert shares(port) == {"1", "2"}
    members[0].refuse()
    members[0].hang_up()
    assert until(lambda: shares(port) == {"2", "3"})
    members[0].listen()
    assert until(lambda: shares(port) == {"1", "2"})
