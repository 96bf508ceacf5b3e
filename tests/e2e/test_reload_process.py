"""A reload changes what it can, and nothing when the new file is not good."""

import signal

import pytest
from support.ports import HeldPort
from support.process import answers, refused, reload, until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ServerName lb.test
{listens}
PidFile httpd.pid
ErrorLog error.log
LogFormat "%U%q %>s" short
CustomLog access.log short
ProxyPass / "http://{member}/"
{more}
"""


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


def text(ports, member, more=""):
    listens = "\n".join(f"Listen {port}" for port in ports)
    return CONFIG.format(listens=listens, member=member.address, more=more)


REFUSED = "the server goes on with the one it has"


def test_a_file_with_faults_changes_nothing_and_says_why(server, port, member):
    server.start(text([port], member), [port.port])
    server.write(text([port], member, "BalancerMembr x"))
    reload(server, words=REFUSED)
    assert "BalancerMembr" in server.read("error.log")
    assert answers(port) == "200"


def test_a_file_that_was_cut_closes_no_port(server, port, member):
    server.start(text([port], member), [port.port])
    for rest in ("", "ServerName lb.test\n"):
        server.write(rest)
        reload(server, words=REFUSED)
        assert "no listening sockets available: there is no Listen line" in server.read("error.log")
        assert answers(port) == "200"


def test_a_new_port_that_is_busy_changes_nothing(server, port, member):
    server.start(text([port], member), [port.port])
    busy = HeldPort()
    listening = busy.listening_socket()
    try:
        server.write(text([port, busy], member, "ProxyPass /gone !"))
        reload(server, words=REFUSED)
        assert f"could not bind to address {busy}" in server.read("error.log")
        assert answers(port) == "200"
    finally:
        listening.close()
        busy.close()


def test_listeners_come_and_go(server, port, member):
    other = HeldPort()
    try:
        server.start(text([port], member), [port.port])
        server.write(text([port, other], member))
        reload(server)
        assert answers(port) == answers(other) == "200"
        server.write(text([other], member))
        reload(server)
        assert until(lambda: refused(port))
        assert answers(other) == "200"
    finally:
        other.close()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_new_rules_count_for_new_requests(server, port, member, number):
    server.start(text([port], member), [port.port])
    assert answers(port) == "200"
    server.write(text([port], member).replace("ProxyPass / ", "ProxyPass /only/ "))
    reload(server, number)
    assert answers(port) == "404"


def test_a_graceful_restart_lets_exchanges_finish_by_their_old_rules(server, port, member, farm):
    server.start(text([port], member), [port.port])
    connection = Connection("127.0.0.1", port.port)
    connection.send(b"GET /?hold=old HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert member.wait_for(1)
    server.write(text([port], member).replace("ProxyPass / ", "ProxyPass /only/ "))
    reload(server)
    member.gates.release("old")
    assert connection.read_response().status == "200"


def test_a_restart_ends_exchanges(server, port, member):
    server.start(text([port], member), [port.port])
    connection = Connection("127.0.0.1", port.port)
    connection.send(b"GET /?hold=never HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert member.wait_for(1)
    reload(server, signal.SIGHUP)
    assert connection.closed_by_peer(5)
    assert answers(port) == "200"


def test_what_a_reload_cannot_change_is_said(server, port, member):
    server.start(text([port], member, "SteelyardShards 2"), [port.port])
    server.write(text([port], member, "SteelyardShards 3"))
    reload(server)
    assert until(lambda: "SteelyardShards has changed" in server.read("error.log"))
