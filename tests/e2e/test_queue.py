"""Requests that wait for a member (queue=N/TIME), with real processes and sockets."""

import re
import select
import signal
import time

import pytest
from support.process import until
from support.wire import Connection

PROLOGUE = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen {port}
SteelyardShards {shards}
PidFile httpd.pid
ErrorLog error.log
LogLevel proxy_balancer:debug
CustomLog access.log "%U %>s %{{BALANCER_QUEUED}}e %{{BALANCER_WORKER_NAME}}e"
{more}
<Proxy "balancer://app">
{members}
    ProxySet {parameters}
</Proxy>
ProxyPass "/" "balancer://app/"
"""


@pytest.fixture
def members(farm):
    some = [farm.member(name) for name in ("A", "B")]
    yield some
    farm.retire(some)


class Waiting:
    """Clients of one server, each with a connection of its own, closed at the end."""

    def __init__(self, server, port):
        self.server, self._port, self._clients = server, port, []

    def ask(self, target="/"):
        client = Connection("127.0.0.1", self._port.port)
        self._clients.append(client)
        client.send(f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
        return client

    def log(self):
        return self.server.read("error.log")

    def in_line(self, count):
        """True when so many have joined the line, since the start, behind a first one."""
        return until(lambda: self.log().count("nobody chosen: others wait") >= count)

    def close(self):
        for client in self._clients:
            client.close()


@pytest.fixture
def waiting(server, port):
    one = Waiting(server, port)
    yield one
    one.close()


def text(port, members, parameters, of_members="retry=1", shards=1, more=""):
    lines = [f"    BalancerMember http://{member.address} {of_members}" for member in members]
    return PROLOGUE.format(
        port=port.port, members="\n".join(lines), parameters=parameters, shards=shards, more=more
    )


def answered(client, wait_s=0.0):
    return bool(select.select([client.socket], [], [], wait_s)[0])


@pytest.mark.parametrize("shards", [1, 3])
def test_all_members_are_down_and_one_comes_back(server, port, members, waiting, shards):
    for member in members:
        member.refuse()
    server.start(text(port, members, "queue=100/20", shards=shards), [port.port])
    clients = [waiting.ask(f"/{number}") for number in range(20)]
    assert waiting.in_line(15)
    members[1].listen()
    came_back = time.monotonic()
    for client in clients:
        assert client.read_response().status == "200"
        # retry=1, and the time that twenty exchanges take.
        assert time.monotonic() - came_back < 2.0
    # The lines of the log are written behind the answers.
    assert until(lambda: server.read("access.log").count("\n") == 20)
    for line in server.read("access.log").splitlines():
        assert re.fullmatch(rf"/\d+ 200 \d+ http://{members[1].address}", line), line


def test_a_passed_check_ends_the_wait(server, port, members, waiting):
    members[0].refuse()
    of_members = "retry=600 hcmethod=TCP hcinterval=1"
    server.start(text(port, members[:1], "queue=100/20", of_members), [port.port])
    client = waiting.ask()
    assert until(lambda: "nobody chosen" in waiting.log())
    members[0].listen()
    came_back = time.monotonic()
    assert client.read_response().status == "200"
    assert time.monotonic() - came_back < 2.0


def test_full_members_are_waited_for_in_order_and_only_so_many_wait(server, port, members, waiting):
    server.start(text(port, members[:1], "queue=5/20", "max=1"), [port.port])
    served = [waiting.ask("/0?hold=go")]
    assert members[0].wait_for(1)
    for number in range(1, 6):
        served.append(waiting.ask(f"/{number}"))
        assert until(lambda: "at their max=" in waiting.log())
        assert waiting.in_line(number - 1)
    for _ in range(3):
        refused = waiting.ask("/beyond").read_response()
        assert refused.status == "503"
        assert refused.header("Retry-After") == b"1"
    assert not any(answered(client) for client in served)
    members[0].gates.release("go")
    for client in served:
        assert client.read_response().status == "200"
    targets = [received.target.partition(b"?")[0].decode() for received in members[0].received]
    assert targets == [f"/{number}" for number in range(6)]
    reason = f"line full: 5 waiting; http://{members[0].address} (all 1 connections in use (max=))"
    # The log is written behind the answers; each shard tells it once in a while.
    assert until(lambda: reason in waiting.log()), waiting.log()


def test_shards_call_one_another_when_a_connection_is_free(server, port, members, waiting):
    server.start(text(port, members, "queue=200/30", "max=2", shards=4), [port.port])
    clients = [waiting.ask(f"/{number}?delay=0.005") for number in range(120)]
    for client in clients:
        assert client.read_response().status == "200"
    assert sum(len(member.received) for member in members) == 120


def test_whose_time_is_over_gets_503_and_the_log_tells_why(server, port, members, waiting):
    members[0].refuse()
    lines = f"{members[0].address} retry=40 \n    BalancerMember http://{members[1].address} status=D"
    config = text(port, members[:1], "queue=5/300ms").replace(f"{members[0].address} retry=1", lines)
    server.start(config, [port.port])
    began = time.monotonic()
    response = waiting.ask("/late").read_response()
    assert 0.29 < time.monotonic() - began < 2.0
    assert response.status == "503"
    assert response.header("Retry-After") in (b"39", b"40")
    wanted = (
        r"balancer://app: waited 0\.3\d\d s for a member; "
        rf"http://{members[0].address} \(in error for (39|40) s more: .*[Cc]onnection refused.*\); "
        rf"http://{members[1].address} \(disabled\)"
    )
    assert until(lambda: re.search(wanted, waiting.log())), waiting.log()
    assert until(lambda: re.search(r"^/late 503 3\d\d ", server.read("access.log"), re.M))


@pytest.mark.parametrize("document", ['"busy"', "/sorry"])
def test_an_error_document_carries_retry_after(server, port, members, waiting, document):
    more = f'ErrorDocument 503 {document}\nProxyPass "/sorry" "http://{members[1].address}"'
    parameters = "queue=5/50ms"
    server.start(text(port, members[:1], parameters, "status=D", more=more), [port.port])
    response = waiting.ask("/x").read_response()
    assert response.header("Retry-After") == b"30"
    assert response.body == (b"B\n" if document == "/sorry" else b"busy")


def test_a_client_that_leaves_makes_room_in_the_line(server, port, members, waiting):
    server.start(text(port, members[:1], "queue=1/20", "max=1"), [port.port])
    first = waiting.ask("/first?hold=go")
    assert members[0].wait_for(1)
    gone = waiting.ask("/gone")
    assert until(lambda: "at their max=" in waiting.log())
    assert waiting.ask("/beyond").read_response().status == "503"
    gone.close()

    def joins():
        client = waiting.ask("/joins")
        return None if answered(client, 0.2) else client

    stays = []
    assert until(lambda: stays.append(joins()) or stays[-1])
    members[0].gates.release("go")
    assert first.read_response().status == "200"
    assert stays[-1].read_response().status == "200"
    assert [received.target for received in members[0].received][1:] == [b"/joins"]


def test_a_reload_brings_a_member_to_those_who_wait(server, port, members, waiting):
    members[0].refuse()
    server.start(text(port, members[:1], "queue=100/30", "retry=600"), [port.port])
    clients = [waiting.ask(f"/{number}") for number in range(5)]
    assert waiting.in_line(4)
    server.write(text(port, members, "queue=100/30", "retry=600"))
    server.signal(signal.SIGUSR1)
    for client in clients:
        assert client.read_response().status == "200"
    assert len(members[1].received) == 5


def test_a_graceful_stop_ends_the_wait(server, port, members, waiting):
    server.start(text(port, members[:1], "queue=5/1h", "max=1"), [port.port])
    first = waiting.ask("/first?hold=go")
    assert members[0].wait_for(1)
    second = waiting.ask("/second")
    assert until(lambda: "at their max=" in waiting.log())
    server.signal(signal.SIGWINCH)
    assert second.read_response().status == "503"
    assert not answered(first)
    members[0].gates.release("go")
    assert first.read_response().status == "200"
    for client in (first, second):
        client.close()
    assert server.ended(10)
