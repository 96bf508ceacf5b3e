"""Every lbmethod= word of our own once, as a whole: configuration, expression, members, answers.

Who is picked with which chance is for tests/sim and the unit tests; here each word must serve, and do
the one thing that it is there for.
"""

import signal
from collections import Counter

import pytest
from support.ask import Ask
from support.process import until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
LoadModule lbmethod_bytraffic_module modules/mod_lbmethod_bytraffic.so
ServerName lb.test
Listen {port}
SteelyardShards 1
MaxKeepAliveRequests 0
PidFile httpd.pid
ErrorLog error.log
LogLevel proxy_balancer:debug
SetEnvIf Cookie "user=([^;]+)" USER=$1
<Proxy "balancer://app">
{members}
    ProxySet {parameters}
</Proxy>
ProxyPass "/" "balancer://app/"
"""


@pytest.fixture
def members(farm):
    some = [farm.member(name) for name in ("A", "B", "C")]
    for member in some:
        member.answer = Ask(body=member.name.encode())
        member.listen()
    yield some
    farm.retire(some)


class Client:
    def __init__(self, port):
        self._connection = Connection("127.0.0.1", port.port)

    def ask(self, path="/", fields=""):
        head = f"GET {path} HTTP/1.1\r\nHost: lb.test\r\n{fields}\r\n"
        self._connection.send(head.encode())
        response = self._connection.read_response()
        assert response.status == "200", response
        return response.body.decode()

    def ask_often(self, count, path="/{number}", fields=""):
        return [
            self.ask(path.format(number=number), fields.format(number=number))
            for number in range(count)
        ]


def text(port, members, parameters, of_first=""):
    lines = [
        f"    BalancerMember http://{member.address} retry=1 {of_first if member is members[0] else ''}"
        for member in members
    ]
    return CONFIG.format(port=port.port, members="\n".join(lines), parameters=parameters)


def start(server, port, members, parameters, of_first=""):
    server.start(text(port, members, parameters, of_first), [port.port])
    return Client(port)


# Of 300: 200 by factor, 100 without it; six standard deviations (8) from either. With two draws the
# member of the answer before may still count as busy, which takes turns from the heavy one.
@pytest.mark.parametrize("word,least", [("random", 150), ("tworandom", 90)])
def test_draws_give_everybody_a_part_by_factor(server, port, members, word, least):
    client = start(server, port, members, f"lbmethod={word}", of_first="loadfactor=4")
    served = Counter(client.ask_often(300))
    assert set(served) == {"A", "B", "C"}
    assert least < served["A"] < 250, served
    assert f": {word} chose http://" in server.read("error.log")


def test_leasttime_measures_and_leaves_a_slow_member_alone(server, port, members):
    members[0].answer = Ask(body=b"A", delay=0.2)
    client = start(server, port, members, "lbmethod=leasttime")
    served = Counter(client.ask_often(60))
    # Once to know it, and hardly again.
    assert 1 <= served["A"] <= 4, served
    assert served["B"] + served["C"] >= 56
    assert " expected " in server.read("error.log")


@pytest.mark.parametrize(
    "word,key,same,different",
    [
        ("hash", "%{REMOTE_ADDR}", ("/{number}", ""), None),
        ("hash", "%{req:X-User}", ("/{number}", "X-User: 7\r\n"), ("/", "X-User: u{number}\r\n")),
        ("maglev", "%{REQUEST_URI}", ("/same", ""), ("/{number}", "")),
        (
            "maglev",
            "%{reqenv:USER}",
            ("/{number}", "Cookie: a=b; user=7; n={number}\r\n"),
            ("/", "Cookie: user=u{number}\r\n"),
        ),
    ],
)
def test_a_key_of_any_expression_finds_its_member_again(server, port, members, word, key, same, different):
    client = start(server, port, members, f'lbmethod={word} "hashkey={key}"')
    assert len(set(client.ask_often(20, *same))) == 1
    if different:
        first = client.ask_often(60, *different)
        assert set(first) == {"A", "B", "C"}
        assert client.ask_often(60, *different) == first


def test_keys_of_a_member_that_dies_move_and_those_of_others_do_not(server, port, members):
    client = start(server, port, members, "lbmethod=hash hashkey=%{REQUEST_URI}")
    before = client.ask_often(60)
    members[0].kill()
    after = client.ask_often(60)
    assert "A" not in after
    assert [new for old, new in zip(before, after, strict=True) if old != "A"] == [
        old for old in before if old != "A"
    ]
    members[0].listen()
    assert until(lambda: client.ask_often(60) == before)


def test_a_hash_bound_spreads_what_one_key_asks_for(server, port, members):
    start(server, port, members, "lbmethod=hash hashkey=%{REQUEST_URI} hashbound=125")
    clients = [Connection("127.0.0.1", port.port) for _ in range(12)]
    for client in clients:
        client.send(b"GET /popular?hold=go HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    try:
        assert until(lambda: sum(len(member.received) for member in members) == 12)
        # The bound for 12 exchanges: 1.25 * 12 / 3.
        assert max(len(member.received) for member in members) <= 5
    finally:
        for member in members:
            member.gates.release("go")
    for client in clients:
        assert client.read_response().status == "200"
        client.close()


def test_a_member_that_was_down_comes_back_slowly(server, port, members):
    members[0].refuse()
    client = start(server, port, members, "lbmethod=byrequests slowstart=1h")
    assert "A" not in client.ask_often(10)
    members[0].listen()
    assert until(lambda: "A" in client.ask_often(40))
    served = Counter(client.ask_often(200))
    # A third by factor; the first of an hour's ramp is 1/32 of that factor.
    assert 1 <= served["A"] <= 8, served
    assert " (now " in server.read("error.log")


def test_bytraffic_does_not_flood_a_new_member_with_reentry_current(server, port, members):
    parameters = "lbmethod=bytraffic reentry=current"
    client = start(server, port, members[1:], parameters)
    client.ask_often(60, "/{number}?size=1000")
    server.write(text(port, members, parameters))
    server.signal(signal.SIGUSR1)
    assert until(lambda: "A" in Client(port).ask_often(3, "/{number}"))
    served = Counter(response[:1] for response in Client(port).ask_often(60))
    assert 15 <= served["A"] <= 25, served
