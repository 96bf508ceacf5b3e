"""What a check says to members that do not speak HTTP/1, by apache2 and by steelyard.

The rows of docs/deviations.md about these come from here.
"""

import pytest
from support.cgi_member import CgiMember
from support.http2_member import Http2Member
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete, steelyard_binary
from support.wire import Connection

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("proxy_hcheck", "proxy_fcgi", "proxy_scgi", "proxy_uwsgi", "proxy_http2")
)
PATIENCE_S = 20.0


def status(port):
    client = Connection("127.0.0.1", port.port)
    client.send(b"GET /x HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
    response = client.read_response()
    client.close()
    return response.status


@pytest.fixture(params=PROGRAMS)
def checking(request):
    """Starts the program with one member, which is checked by GET."""
    scratch, port = Scratch("steelyard-checks-"), HeldPort()
    server = Server(PROGRAMS[request.param], scratch.path / "server")

    def start(url):
        text = (
            f"{MODULES}Listen 127.0.0.1:{port.port}\nTimeout 2\nBalancerMember balancer://app {url} "
            "hcmethod=GET hcuri=/up hcinterval=200ms\nProxyPass / balancer://app/\n"
        )
        server.start(complete(text, "info"), [port.port])
        return request.param, server, port

    yield start
    server.stop()
    port.close()
    scratch.close()


@pytest.mark.parametrize("protocol", ["fcgi", "scgi", "uwsgi"])
def test_a_member_of_the_cgi_family(checking, protocol):
    member = CgiMember(protocol)
    try:
        name, server, port = checking(member.url)
        if name == "steelyard":
            asked = member.take(2)
            assert {one.named["REQUEST_URI"] for one in asked} == {"/up"}
            assert "DISABLING" not in server.read("error.log")
            assert status(port) == "200"
        else:
            assert until(lambda: "DISABLING" in server.read("error.log"), PATIENCE_S)
            assert member.faults() and not member.take(0)
            assert status(port) == "503"
    finally:
        member.close()


def test_a_member_that_speaks_http_2(checking):
    with Http2Member() as member:
        name, server, port = checking(f"h2c://127.0.0.1:{member.port}")
        if name == "steelyard":
            member.wait_for(lambda: len(member.requests) >= 2)
            assert {one.fields[":path"] for one in member.requests} == {"/up"}
            assert "DISABLING" not in server.read("error.log")
            assert status(port) == "200"
        else:
            assert until(lambda: "DISABLING" in server.read("error.log"), PATIENCE_S)
            assert not member.requests
            assert status(port) == "503"
