"""Running out of descriptors: nobody is blamed, nothing spins, and it passes."""

import resource

import pytest
from support.process import until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen 127.0.0.1:{port}
PidFile httpd.pid
ErrorLog error.log
SteelyardShards 1
KeepAliveTimeout 60
<Proxy "balancer://app">
    BalancerMember "http://{member}" retry=600
    ProxySet forcerecovery=Off
</Proxy>
ProxyPass "/" "balancer://app/" failonstatus=503
"""


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


def start(server, port, member):
    server.start(CONFIG.format(port=port.port, member=member.address), [port.port])
    # Ports are open before the shards are.
    assert until(lambda: "resuming normal operations" in server.read("error.log"))


# What is open stays open; 0, 1 and 2 are taken.
NO_MORE_FILES = 3


def ask(connection):
    connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    return connection.read_response().status


def allow_files(server, soft):
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_a_member_is_not_blamed_for_our_lack_of_descriptors(server, port, member):
    start(server, port, member)
    connection = Connection("127.0.0.1", port.port)
    # Accepted before descriptors run out, and no connection to the member yet.
    connection.send(b"OPTIONS * HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert connection.read_response().status == "200"
    before, _ = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    allow_files(server, NO_MORE_FILES)
    assert ask(connection) == "503"
    allow_files(server, before)
    connection.close()
    connection = Connection("127.0.0.1", port.port)
    assert ask(connection) == "200"
    assert until(lambda: "Too many open files" in server.read("error.log"))
    log = server.read("error.log")
    assert "disabling worker" not in log and "Forcing worker" not in log
    connection.close()


def test_connections_wait_while_there_are_no_descriptors(server, port, member):
    start(server, port, member)
    before, _ = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    allow_files(server, NO_MORE_FILES)
    connection = Connection("127.0.0.1", port.port)
    assert until(lambda: "could not accept a connection" in server.read("error.log"))
    allow_files(server, before)
    assert ask(connection) == "200"
    assert server.read("error.log").count("could not accept a connection") == 1
    connection.close()


def test_clients_leave_descriptors_for_members_and_logs(server, port, member, scratch):
    """With 60 descriptors 22 clients are served at a time; the others wait until one ends."""
    script = scratch / "few-files"
    script.write_text(f'#!/bin/sh\nulimit -n 60\nexec {server.binary} "$@"\n')
    script.chmod(0o755)
    server.binary = str(script)
    start(server, port, member)
    clients = [Connection("127.0.0.1", port.port) for _ in range(60)]
    try:
        assert until(lambda: "all 22 client connections" in server.read("error.log"))
        assert ask(clients[0]) == "200"
        clients[-1].send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        for connection in clients[:-1]:
            connection.close()
        assert clients[-1].read_response().status == "200"
    finally:
        for connection in clients:
            connection.close()
    assert "disabling worker" not in server.read("error.log")
