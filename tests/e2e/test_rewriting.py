"""RewriteRules in the whole program: tunnels, files that change under it, logs, and attacks."""

import os
import socket
import threading

import pytest
from support.attack import Fortress
from support.process import until
from support.wire import Connection

LOAD = "LoadModule rewrite_module modules/mod_rewrite.so\nRewriteEngine On\n"
CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule rewrite_module modules/mod_rewrite.so
ServerName lb.test
Listen 127.0.0.1:{port}
PidFile httpd.pid
ErrorLog error.log
DocumentRoot {root}
RewriteEngine On
{more}
"""
HANDSHAKE = b"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def start(server, port, more):
    server.start(CONFIG.format(port=port.port, root=server.root, more=more), [port.port])


def ask(port, path, *fields):
    connection = Connection("127.0.0.1", port.port)
    lines = [f"GET {path} HTTP/1.1", "Host: lb.test", *fields, "", ""]
    connection.send("\r\n".join(lines).encode())
    response = connection.read_response()
    connection.close()
    return response


class Echo:
    """A WebSocket server in as much as it agrees to change protocols and sends back what comes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.head = b""
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        try:
            peer, _ = self.listener.accept()
        except OSError:
            return
        with peer:
            while b"\r\n\r\n" not in self.head:
                got = peer.recv(4096)
                if not got:
                    return
                self.head += got
            peer.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\n\r\n"
            )
            while got := peer.recv(4096):
                peer.sendall(got)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


@pytest.fixture
def echo():
    one = Echo()
    yield one
    one.close()


@pytest.mark.parametrize(
    "way",
    [
        "RewriteCond %{{HTTP:Upgrade}} websocket [NC]\n"
        "RewriteRule ^/chat/(.*) ws://127.0.0.1:{0}/rooms/$1 [P,L]",
        "ProxyPass /chat ws://127.0.0.1:{0}/rooms",
        "BalancerMember balancer://c ws://127.0.0.1:{0}/rooms\nProxyPass /chat balancer://c",
    ],
    ids=["rule", "route", "balancer"],
)
def test_a_WebSocket_runs_through_ws(server, port, echo, way):
    balancers = (
        "LoadModule proxy_balancer_module modules/mod_proxy_balancer.so\n"
        "LoadModule slotmem_shm_module modules/mod_slotmem_shm.so\n"
        "LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so\n"
    )
    start(server, port, balancers + way.format(echo.port))
    with socket.create_connection(("127.0.0.1", port.port), 10) as client:
        client.sendall(
            b"GET /chat/one?k=v HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade\r\n"
            + HANDSHAKE
            + b"\r\n"
        )
        got = b""
        while b"\r\n\r\n" not in got:
            got += client.recv(4096)
        assert got.startswith(b"HTTP/1.1 101 ")
        for frame in (b"\x81\x05hello", b"\x82\x7e" + bytes(5000)):
            client.sendall(frame)
            back = b""
            while len(back) < len(frame):
                back += client.recv(65536)
            assert back == frame
    lines = echo.head.split(b"\r\n")
    assert lines[0] == b"GET /rooms/one?k=v HTTP/1.1"
    assert b"Upgrade: websocket" in lines and b"Connection: Upgrade" in lines


def test_a_file_switches_maintenance_on_and_off(server, port):
    start(
        server,
        port,
        "RewriteCond %{DOCUMENT_ROOT}/maintenance.html -f\nRewriteRule ^ - [R=503]\n"
        "RewriteRule ^/here - [G]",
    )
    switch = server.root / "maintenance.html"
    assert ask(port, "/here").status == "410"
    switch.write_text("soon")
    assert ask(port, "/here").status == "503"
    switch.unlink()
    assert ask(port, "/here").status == "410"


def test_a_map_is_read_again_when_its_file_changes(server, port):
    server.place({"moved.txt": "/old /new\n"})
    start(
        server,
        port,
        "RewriteMap moved txt:moved.txt\nRewriteRule ^ ${moved:%{REQUEST_URI}|/lost} [R,L]",
    )
    where = lambda: ask(port, "/old").header("Location")  # noqa: E731
    assert where() == b"http://lb.test/new"
    (server.root / "next.txt").write_text("/old /newer\n")
    os.replace(server.root / "next.txt", server.root / "moved.txt")
    assert where() == b"http://lb.test/newer"
    (server.root / "moved.txt").unlink()
    assert where() == b"http://lb.test/lost"
    assert until(lambda: "RewriteMap moved" in server.read("error.log"))


def test_a_random_map_gives_every_part(server, port):
    server.place({"parts.txt": "all a|b|c\n"})
    start(server, port, "RewriteMap part rnd:parts.txt\nRewriteRule ^ /${part:all} [R,L]")
    seen = set()
    for _ in range(400):
        seen.add(ask(port, "/").header("Location")[-1:])
        if len(seen) == 3:
            break
    assert seen == {b"a", b"b", b"c"}


def test_the_log_tells_what_rules_did(server, port):
    start(server, port, "LogLevel warn rewrite:trace3\nRewriteRule ^/a(.*) /b$1 [R,L]")
    assert ask(port, "/a/x").status == "302"
    assert until(lambda: "redirect to http://lb.test/b/x" in server.read("error.log"))
    log = server.read("error.log")
    assert "pattern '^/a(.*)' is asked about '/a/x'" in log
    assert "'/a/x' becomes '/b/x'" in log


def test_a_rule_may_name_a_page_about_the_server(server, port):
    status = "LoadModule status_module modules/mod_status.so\n"
    start(server, port, status + "RewriteRule ^/how-are-you$ - [H=server-status]")
    page = ask(port, "/how-are-you?auto")
    assert (page.status, page.body[:12]) == ("200", b"lb.test\nServ") or b"Total Accesses" in page.body


RULES = (
    LOAD
    + "RewriteRule (?s)^/rule-query/(.*)$ http://{member}/?x=$1 [P]\n"
    + "RewriteRule (?s)^/rule-path/(.*)$ http://{member}/$1 [P]\n"
    + "RewriteRule (?s)^/rule-raw/(.*)$ http://{member}/$1 [P,NE]\n"
    + "RewriteRule (?s)^/rule-moved/(.*)$ /x/$1 [R]\n"
    + "RewriteRule (?s)^/rule-moved-raw/(.*)$ /x/$1 [R,NE]\n"
    + "RewriteRule (?s)^/rule-cookie/(.*)$ - [CO=n:$1:d]\n"
    + "RewriteRule (?s)^/rule-any/(.*)$ $1\n"
)


@pytest.fixture(scope="module")
def ruled(binary):
    one = Fortress(binary, RULES)
    yield one
    one.close()


def ask_raw(fortress, target):
    connection = fortress.connect()
    connection.send(b"GET " + target + b" HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    response = connection.read_response()
    connection.close()
    return response


@pytest.mark.parametrize("way", [b"moved", b"moved-raw", b"cookie"])
@pytest.mark.parametrize("break_line", [b"%0d%0a", b"%0a", b"%0d"])
def test_83_a_line_end_never_reaches_a_field(ruled, way, break_line):
    """CVE-2020-1927, CVE-2019-10098."""
    response = ask_raw(ruled, b"/rule-" + way + b"/a" + break_line + b"Evil:%20yes")
    assert response.header("Evil") is None
    assert response.status in ("302", "500")
    if response.status == "302":
        assert b"%0" in response.header("Location").lower()


@pytest.mark.parametrize("way", [b"query", b"path", b"raw"])
@pytest.mark.parametrize("break_line", [b"%0d%0a", b"%0a", b"%0d"])
def test_5_a_request_is_not_split_by_a_rule(ruled, way, break_line):
    """CVE-2023-25690."""
    target = break_line.join([b"/rule-" + way + b"/a%20HTTP/1.1", b"X:%20y", b"", b"GET%20/smuggled"])
    response = ask_raw(ruled, target)
    honest = ruled.honest_exchange()
    seen = ruled.member.take()
    assert (seen.faults, seen.leftovers, seen.lines[-1]) == ([], [], honest)
    assert response.status == ("200" if way == b"path" else "403")
    assert len(seen.requests) == (2 if way == b"path" else 1)
    assert all(request.all(b"x") == [] for request in seen.requests)


def test_78_an_encoded_question_mark_makes_no_query(ruled):
    """CVE-2024-38474, CVE-2024-38475."""
    assert ask_raw(ruled, b"/rule-path/a%3fb").status == "403"
    honest = ruled.honest_exchange()
    ruled.expect_only([honest])


@pytest.mark.parametrize("scheme", [b"http://127.0.0.1/", b"balancer://c/", b"unix:/x|http://h/"])
def test_81_a_client_names_no_backend_without_P(ruled, scheme):
    """CVE-2024-39573."""
    response = ask_raw(ruled, b"/rule-any/" + scheme)
    assert response.status in ("302", "400", "404", "500")
    honest = ruled.honest_exchange()
    ruled.expect_only([honest])
