"""Forward proxying: who asks for what is whose is told no, whoever may ask gets it.

The canary is a member that nobody but a client's own wish leads to.
"""

import os
import signal
import socket
import subprocess

import pytest
from support.forwarding import (
    INSIDE,
    OUTSIDE,
    PASSWORDS,
    STATUS,
    TLS,
    forward,
    load,
    who_has_a_password,
)
from support.ftp_member import FtpMember
from support.ports import HeldPort
from support.process import until
from support.server import Server, complete
from support.tls_member import TlsMember
from support.wire import Connection

CONNECT, FTP, REWRITE = load("proxy_connect"), load("proxy_ftp"), load("rewrite")


@pytest.fixture
def start(server, port):
    def begin(text, modules=CONNECT):
        server.start(complete(modules + f"Listen 127.0.0.1:{port.port}\n" + text), [port.port])
        return server

    return begin


def say(port, data, client=INSIDE):
    """The status of what comes back for these bytes, and all of it."""
    with socket.create_connection((INSIDE, port.port), 10, (client, 0)) as connection:
        connection.sendall(data)
        got = b""
        while b"\r\n\r\n" not in got:
            piece = connection.recv(65536)
            if not piece:
                break
            got += piece
    return got.split(b" ")[1].decode() if got else "none", got


def curl(*words, data=None):
    done = subprocess.run(
        ["curl", "-sS", "-k", "--max-time", "30", *words],
        input=data, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def probes(canary):
    """Every way to ask for the canary that open proxies were found by."""
    place = canary.address
    host = place.split(":")[0]
    lines = [
        f"GET http://{place}/ HTTP/1.1",
        f"POST http://{place}/ HTTP/1.1",
        f"GET http://{place}/ HTTP/1.0",
        f"HEAD http://{place}/ HTTP/1.1",
        f"OPTIONS http://{place}/ HTTP/1.1",
        f"TRACE http://{place}/ HTTP/1.1",
        f"UNHEARD http://{place}/ HTTP/1.1",
        f"GET HTTP://{place}/ HTTP/1.1",
        f"GET https://{place}/ HTTP/1.1",
        f"GET ftp://{place}/ HTTP/1.1",
        f"GET ajp://{place}/ HTTP/1.1",
        f"GET fcgi://{place}/etc/passwd HTTP/1.1",
        f"GET unix:/x|http://{place}/ HTTP/1.1",
        f"GET balancer://{place}/ HTTP/1.1",
        f"GET http:{place}/ HTTP/1.1",
        f"GET http:/{place}/ HTTP/1.1",
        f"GET @{place}/ HTTP/1.1",
        f"GET {place}/ HTTP/1.1",
        f"GET :{place.split(':')[1]}/ HTTP/1.1",
        f"GET //{place}/ HTTP/1.1",
        f"GET //http://{place}/ HTTP/1.1",
        f"GET /http://{place}/ HTTP/1.1",
        f"GET /@{place}/ HTTP/1.1",
        f"GET /?unix:/x|http://{place}/ HTTP/1.1",
        f"GET http://lb.test@{place}/ HTTP/1.1",
        f"GET http://lb.test:80@{place}/ HTTP/1.1",
        f"GET http://{place}@lb.test/ HTTP/1.1",
        f"GET http://{place}%2f@lb.test/ HTTP/1.1",
        f"GET http://lb.test%00@{place}/ HTTP/1.1",
        f"CONNECT {place} HTTP/1.1",
        f"CONNECT {place} HTTP/1.0",
        f"CONNECT lb.test@{place} HTTP/1.1",
        f"CONNECT http://{place}/ HTTP/1.1",
        f"CONNECT {host}:443 HTTP/1.1",
        f"CONNECT /{place} HTTP/1.1",
    ]
    for line in lines:
        for named in ("lb.test", place, f"lb.test@{place}"):
            yield line, f"{line}\r\nHost: {named}\r\nConnection: close\r\n\r\n".encode()


def test_a_reverse_proxy_leads_to_its_members_only(start, port, own, canary):
    start(f"ProxyPass / http://{own.address}/\n")
    for line, data in probes(canary):
        status, _ = say(port, data)
        expected = ("400", "405", "200", "501")
        assert status in expected, line
    assert canary.received == []
    assert own.received, "no probe reached the route that all paths have"


def test_who_is_outside_gets_nothing_through_a_forward_proxy(start, port, own, canary):
    start(forward(f"ProxyPass /own http://{own.address}\n"), CONNECT + FTP)
    for line, data in probes(canary):
        status, _ = say(port, data, OUTSIDE)
        assert status in ("400", "403", "404"), line
        if line.startswith(f"GET http://{canary.address}/") and b"Host: lb.test\r" in data:
            assert status == "403", line
    assert canary.received == []
    assert own.received == []


def test_who_is_inside_gets_what_is_really_asked_for(start, port, canary):
    start(forward())
    reached = set()
    for line, data in probes(canary):
        before = len(canary.received)
        say(port, data)
        if len(canary.received) != before:
            reached.add(line)
    place = canary.address
    # A tunnel reaches it, too, but nothing was said through it.
    assert reached == {
        f"{method} {scheme}://{place}/ HTTP/1.1"
        for method, scheme in (("GET", "http"), ("POST", "http"), ("HEAD", "http"),
                               ("OPTIONS", "http"), ("TRACE", "http"), ("UNHEARD", "http"),
                               ("GET", "HTTP"))
    } | {f"GET http://{place}/ HTTP/1.0"}


# A page without Require is for clients on this machine: the proxy must not look like one.
def test_nobody_gets_at_pages_of_this_machine_through_the_proxy(start, port):
    page = "<Location /status>\nRequire all granted\nSetHandler server-status\n</Location>\n"
    start(forward(page, f"Require ip {INSIDE} {OUTSIDE}"), CONNECT + STATUS)
    origin = "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert say(port, origin.encode())[0] == "200"
    for host in ("127.0.0.1", "localhost", "127.0.0.3", "0.0.0.0", "[::ffff:127.0.0.1]"):
        url = f"http://{host}:{port.port}/status"
        data = f"GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert say(port, data.encode(), OUTSIDE)[0] in ("403", "503"), host
        data = f"CONNECT {host}:{port.port} HTTP/1.1\r\nHost: x\r\n\r\n"
        assert say(port, data.encode(), OUTSIDE)[0] in ("403", "503"), host


def test_an_open_proxy_does_not_start(server, port):
    text = complete(CONNECT + f"Listen {port.port}\nProxyRequests On\n")
    status, said = server.check(text)
    assert status != 0
    assert "open proxy" in said and "Require ip" in said, said
    assert "httpd.conf" in said, said
    number = text.splitlines().index("ProxyRequests On") + 1
    assert f"line {number} of" in said, said


def test_curl_over_http(start, port, canary):
    start(forward())
    proxy = f"http://127.0.0.1:{port.port}"
    code, body, fault = curl("-x", proxy, f"http://{canary.address}/a?size=300000")
    assert (code, len(body)) == (0, 300_000), fault
    sent = os.urandom(200_000)
    code, _, fault = curl("-x", proxy, "--data-binary", "@-", f"http://{canary.address}/up",
                          data=sent)
    assert code == 0, fault
    assert canary.received[-1].body == sent
    code, _, fault = curl("-x", proxy, "--interface", OUTSIDE, "-f", f"http://{canary.address}/a")
    assert code == 22, fault
    assert len(canary.received) == 2


def test_curl_over_a_tunnel(start, port, certificate):
    with TlsMember(certificate) as member:
        server = start(forward())
        proxy = f"http://127.0.0.1:{port.port}"
        place = f"https://localhost:{member.port}"
        assert curl("-x", proxy, f"{place}/a")[1] == b"secure /a"
        size = 3 << 20
        assert len(curl("-x", proxy, f"{place}/?size={size}")[1]) == size
        sent = os.urandom(1 << 20)
        assert curl("-x", proxy, "--data-binary", "@-", f"{place}/up", data=sent)[0] == 0
        assert member.requests[-1][1] == sent
        before = len(member.handshakes)
        code, _, fault = curl("-x", proxy, "--interface", OUTSIDE, f"{place}/a")
        assert code != 0 and "403" in fault, fault
        assert len(member.handshakes) == before
        assert until(lambda: server.read("access.log").count("CONNECT localhost:") == 4)


def test_https_urls_need_SSLProxyEngine(start, port, certificate):
    with TlsMember(certificate) as member:
        server = start(forward("SSLProxyEngine On\n"), CONNECT + TLS)
        ask = f"GET https://localhost:{member.port}/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connection = Connection("127.0.0.1", port.port)
        connection.send(ask.encode())
        assert connection.read_response().body == b"secure /x"
        connection.close()
        server.stop()
        server.start(server.read("httpd.conf").replace("SSLProxyEngine On", ""), [port.port])
        assert say(port, ask.encode())[0] == "500"
        assert until(lambda: "SSLProxyEngine is not On" in server.read("error.log"))
        assert len(member.requests) == 1


def test_files_of_ftp_servers(start, port):
    with FtpMember({"/d/a b.txt": b"hello"}) as member:
        start(forward(), CONNECT + FTP)
        ask = "GET ftp://{}/d/a%20b.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert say(port, ask.format(member.address).encode(), OUTSIDE)[0] == "403"
        assert member.sessions == []
        connection = Connection(INSIDE, port.port)
        connection.send(ask.format(member.address).encode())
        response = connection.read_response()
        connection.close()
        assert (response.status, response.body) == ("200", b"hello")
        assert say(port, ask.format("user:word@" + member.address).encode())[0] == "400"
        assert len(member.sessions) == 1


@pytest.fixture
def parent(binary, scratch, farm):
    """Another forward proxy."""
    held = HeldPort()
    one = Server(binary, scratch / "parent")
    one.port = held.port
    one.start(complete(CONNECT + f"Listen 127.0.0.1:{held.port}\n" + forward()), [held.port])
    yield one
    one.stop()
    held.close()


def test_a_password_for_this_proxy_is_nobody_elses(start, server, port, canary):
    start(forward(who=who_has_a_password(server)), CONNECT + PASSWORDS)
    through = ["-x", f"http://127.0.0.1:{port.port}", f"http://{canary.address}/"]
    assert b"407" in curl("-w", "%{http_code}", *through)[1]
    assert curl("-U", "ann:wrong", "-w", "%{http_code}", *through)[1].endswith(b"407"), (
        server.read("error.log"))
    assert canary.received == []
    assert curl("-U", "ann:123456", *through)[1] == b"M2\n"
    (request,) = canary.received
    assert b"proxy-authorization" not in request.head.lower()
    code, body, _ = curl("-p", "-U", "ann:123456", *through)
    assert (code, body) == (0, b"M2\n")


def test_a_connect_with_a_body_is_refused(start, port, canary):
    start(forward())
    status, got = say(port, f"CONNECT {canary.address} HTTP/1.1\r\nHost: x\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\n".encode())
    assert status == "400" and b"close" in got
    assert canary.received == []


def test_members_over_tls_through_another_proxy(start, port, parent, certificate):
    with TlsMember(certificate) as member:
        server = start(
            f"SSLProxyEngine On\nProxyRemote https http://localhost:{parent.port} user:word\n"
            f"ProxyPass / https://localhost:{member.port}/\n", CONNECT + TLS)
        code, body, fault = curl(f"http://127.0.0.1:{port.port}/a")
        assert body == b"secure /a", (fault, server.read("error.log"))
        sent = os.urandom(300_000)
        assert curl("--data-binary", "@-", f"http://127.0.0.1:{port.port}/b", data=sent)[0] == 0
        assert member.requests[-1][1] == sent
        # What lets us in there is not the member's business.
        assert all(b"Proxy-Authorization" not in head for head, _ in member.requests)
        assert until(lambda: parent.read("access.log").count(f"CONNECT localhost:{member.port}") == 2)


@pytest.mark.parametrize("scheme", ["wss", "*"])
def test_a_websocket_over_tls_through_another_proxy(start, port, parent, certificate, scheme):
    with TlsMember(certificate) as member:
        server = start(
            f"SSLProxyEngine On\nProxyRemote {scheme} http://localhost:{parent.port}\n"
            f"ProxyPass / wss://localhost:{member.port}/in/\n", CONNECT + TLS)
        with socket.create_connection(("127.0.0.1", port.port), 10) as client:
            client.sendall(b"GET /talk HTTP/1.1\r\nHost: lb.test\r\n"
                           b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
            heard = b""
            while not heard.endswith(b"HELLO"):
                piece = client.recv(4096)
                assert piece, (heard, server.read("error.log"))
                heard += piece
        assert heard.startswith(b"HTTP/1.1 101 ")
        assert member.requests[-1][0].startswith(b"GET /in/talk ")
        assert until(lambda: parent.read("access.log").count(f"CONNECT localhost:{member.port}") == 1)


@pytest.mark.parametrize("said", [
    b"HTTP/1.0 403 No\r\n\r\n",
    b"HTTP/1.0 200 Yes\r\n\r\nand more",
    b"SSH-2.0-other\r\n",
    b"HTTP/1.0 200 Yes\r\nX: " + 40_000 * b"x",
], ids=["no", "more", "other", "long"])
def test_a_proxy_that_grants_no_tunnel_makes_a_503(start, port, canary, certificate, said):
    with TlsMember(certificate, in_the_clear=said) as refusing:
        server = start(f"SSLProxyEngine On\nProxyRemote * http://127.0.0.1:{refusing.port}\n"
                       f"ProxyPass / https://{canary.address}/\n", CONNECT + TLS)
        status, _ = say(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert status == "503"
        assert until(lambda: "via http CONNECT through 127.0.0.1" in server.read("error.log"))
    assert canary.received == []


def test_tunnels_through_another_proxy(start, port, parent, certificate):
    with TlsMember(certificate) as member:
        start(forward(f"ProxyRemote * http://localhost:{parent.port}\n"))
        code, body, fault = curl("-x", f"http://127.0.0.1:{port.port}",
                                 f"https://localhost:{member.port}/a")
        assert body == b"secure /a", fault
        assert until(lambda: "CONNECT localhost:" in parent.read("access.log"))


def test_names_are_looked_up_for_networks_that_need_no_proxy(start, port, canary):
    dead = HeldPort()
    start(forward(f"ProxyRemote * http://{dead}\nNoProxy 127.0.0.0/8\n"))
    place = canary.address.replace(INSIDE, "localhost")
    ask = f"GET http://{place}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert say(port, ask.encode())[0] == "200"
    ask = "GET http://elsewhere.invalid/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert say(port, ask.encode())[0] == "503"
    dead.close()
    assert len(canary.received) == 1


def test_a_tunnel_outlives_a_reload(start, port, canary):
    server = start(forward())
    with socket.create_connection((INSIDE, port.port), 10) as tunnel:
        tunnel.sendall(f"CONNECT {canary.address} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert tunnel.recv(65536).startswith(b"HTTP/1.0 200 ")
        server.signal(signal.SIGUSR1)
        assert until(lambda: "resuming normal operations" in server.read("error.log")
                     or "configuration" in server.read("error.log"))
        tunnel.sendall(b"GET /in HTTP/1.1\r\nHost: y\r\n\r\n")
        assert tunnel.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert len(canary.received) == 1


# As httpd documents it: a rule that lets the client name the host is a forward proxy, whatever
# ProxyRequests says. What it may be asked for is the rule's to say.
def test_a_rule_that_takes_its_host_from_the_client_does_as_it_says(start, port, canary):
    start("RewriteEngine On\nRewriteRule ^/to/(127\\.0\\.0\\.1:[0-9]+)/(.*)$ http://$1/$2 [P]\n",
          REWRITE)
    ask = f"GET /to/{canary.address}/x HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n"
    assert say(port, ask.encode())[0] == "200"
    ask = f"GET /to/evil.test@{canary.address}/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert say(port, ask.encode())[0] == "404"
    assert len(canary.received) == 1


def test_a_remote_that_leads_back_does_not_start(server, port):
    text = f"Listen {port.port}\nProxyRemote * http://localhost:{port.port}\n"
    status, said = server.check(complete(text))
    assert status != 0 and "leads back to the server that has it" in said, said
