"""Health checks in the running program: they come and go with reloads and hold up no stop."""

import signal
import time
from pathlib import Path

import pytest
from support import ask
from support.process import reload, until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen {port}
PidFile httpd.pid
ErrorLog error.log
LogLevel info
BalancerMember balancer://c http://{one} {checks}
BalancerMember balancer://c http://{two}
ProxyPass / balancer://c/
"""
CHECKS = "hcmethod=GET hcuri=/health hcinterval=150ms hctimeout=300ms"


@pytest.fixture
def members(farm):
    pair = [farm.member("M1"), farm.member("M2")]
    yield pair
    farm.retire(pair)


def text(port, members, checks=CHECKS):
    return CONFIG.format(port=port, one=members[0].address, two=members[1].address, checks=checks)


def checks_heard(member):
    return sum(1 for request in member.received if request.target == b"/health")


def who_answers(port, count=8):
    """The members that answered, or the statuses of those who did not."""
    seen = set()
    for _ in range(count):
        client = Connection("127.0.0.1", port.port)
        client.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
        response = client.read_response()
        client.close()
        words = response.head.split(b" ")
        seen.add(words[1].decode() if words[1] != b"200" else "ok")
    return seen


def threads(server):
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    return sorted((task / "comm").read_text().strip() for task in tasks)


def silence(member):
    """It accepts, and answers nothing until the end."""
    member.answer = ask.Ask(hold="never")


def test_a_member_that_hangs_is_found_by_checks_and_costs_no_client_anything(
    server, port, members
):
    silence(members[0])
    server.start(text(port, members), [port.port])
    assert until(lambda: "DISABLING" in server.read("error.log")), server.read("error.log")
    began = time.monotonic()
    assert who_answers(port, 50) == {"ok"}
    assert time.monotonic() - began < 5
    assert {request.target for request in members[0].received} == {b"/health"}
    members[0].answer = None
    members[0].gates.release("never")
    assert until(lambda: "ENABLING" in server.read("error.log"))
    before = len(members[0].received)
    assert who_answers(port) == {"ok"}
    assert {b"/"} <= {request.target for request in members[0].received[before:]}


def test_checks_begin_and_end_with_a_reload(server, port, members):
    server.start(text(port, members, ""), [port.port])
    assert "health" not in threads(server), "who checks nobody needs no thread for it"
    server.write(text(port, members))
    reload(server)
    assert until(lambda: "health" in threads(server))
    assert until(lambda: checks_heard(members[0]) >= 3)
    server.write(text(port, members, ""))
    reload(server)
    time.sleep(0.2)  # One that was under way.
    heard = checks_heard(members[0])
    time.sleep(0.5)
    assert checks_heard(members[0]) == heard


def test_a_reload_keeps_a_failed_member_out(server, port, members):
    members[0].refuse()
    server.start(text(port, members), [port.port])
    assert until(lambda: "DISABLING" in server.read("error.log"))
    server.write(text(port, members).replace("ProxyPass / ", "ProxyPass /gone !\nProxyPass / "))
    reload(server)
    members[0].listen()
    silence(members[0])
    assert who_answers(port) == {"ok"}
    assert {request.target for request in members[0].received} <= {b"/health"}
    members[0].gates.release("never")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGWINCH])
def test_a_stop_does_not_wait_for_a_check(server, port, members, number):
    silence(members[0])
    checks = "hcmethod=GET hcuri=/health hcinterval=100ms"
    server.start(text(port, members, checks), [port.port])
    assert until(lambda: checks_heard(members[0]) == 1)
    server.signal(number)
    assert server.ended(5.0)
    members[0].gates.release("never")


def test_two_balancers_that_name_one_url_check_it_each_for_themselves(server, port, members):
    """docs/decisions/0024."""
    told = text(port, members).replace("ProxyPass / ", "ProxyPass /d/ balancer://d/\nProxyPass / ")
    other = f"BalancerMember balancer://d http://{members[0].address} " + CHECKS.replace(
        "hcuri=/health", "hcuri=/?status=503"
    )
    server.start(told + other + "\n", [port.port])
    assert until(lambda: "DISABLING" in server.read("error.log"))
    assert until(lambda: checks_heard(members[0]) >= 2)
    assert server.read("error.log").count("DISABLING") == 1

    def asked(path):
        client = Connection("127.0.0.1", port.port)
        client.send(b"GET %s HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n" % path)
        response = client.read_response()
        client.close()
        return response.body.strip() if response.status == "200" else response.status

    assert asked(b"/d/") == "503", "it is out in the one"
    assert {asked(b"/") for _ in range(4)} == {b"M1", b"M2"}, "and serves in the other"


def test_checks_name_the_host_that_hchost_says_and_traffic_does_not(server, port, members):
    checks = "hcmethod=GET11 hcuri=/health hcinterval=100ms hchost=health.example"
    server.start(text(port, members, checks), [port.port])
    assert until(lambda: checks_heard(members[0]) >= 2)
    assert who_answers(port) == {"ok"}
    hosts = {(request.target, request.header("Host")) for request in members[0].received}
    assert hosts == {(b"/health", b"health.example"), (b"/", members[0].address.encode())}


def test_checks_ask_another_port_and_more_often_while_it_fails(server, port, members, farm):
    beside = farm.member("M3")
    beside.answer = ask.Ask(status=503)
    number = beside.address.rpartition(":")[2]
    # Five checks would take 15 seconds without hcdowninterval.
    checks = f"hcmethod=GET11 hcuri=/health hcinterval=3 hcport={number} hcdowninterval=100ms"
    server.start(text(port, members, checks), [port.port])
    assert until(lambda: "DISABLING" in server.read("error.log"))
    heard = checks_heard(beside)
    assert until(lambda: checks_heard(beside) >= heard + 5, 6.0)
    assert who_answers(port) == {"ok"}
    assert not members[0].received, "the member itself is well, and gets nothing"
    beside.answer = None
    assert until(lambda: "ENABLING" in server.read("error.log"), 2.0)
    assert who_answers(port) == {"ok"}
    assert {request.target for request in members[0].received} == {b"/"}
    assert {request.header("Host") for request in beside.received} == {members[0].address.encode()}
    farm.retire([beside])
