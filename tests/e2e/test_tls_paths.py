"""What a path asks of clients after their handshake: SSLVerifyClient, SSLVerifyDepth and SSLCipherSuite
in sections, and what httpd makes of them."""

import os
import socket
import ssl
import subprocess
import threading

import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import TlsConnection, context_for

MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("socache_shmcb", "ssl", "http2")
)
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=["tls12", "tls13"])
GCM_128, GCM_256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"

PATHS = f"""\
Protocols h2 http/1.1
RequestHeader set X-Who "%{{SSL_CLIENT_S_DN_CN}}s %{{SSL_CLIENT_VERIFY}}s %{{SSL_CIPHER}}s"
<Location /must>
SSLVerifyClient require
</Location>
<LocationMatch ^/may>
SSLVerifyClient optional
</LocationMatch>
<Location /anybody>
SSLVerifyClient optional_no_ca
</Location>
<Location /small>
SSLVerifyClient require
SSLRenegBufferSize 100
</Location>
<Location /none>
SSLVerifyClient require
SSLRenegBufferSize 0
</Location>
<Location /deep>
SSLVerifyClient require
SSLVerifyDepth 2
</Location>
<Location /ciphers>
SSLCipherSuite {GCM_256}
</Location>
<Location /any-of-two>
SSLOptions +OptRenegotiate
SSLCipherSuite {GCM_256}:{GCM_128}
</Location>
<Location /alice>
SSLVerifyClient require
Require expr "%{{SSL_CLIENT_S_DN_CN}} == 'alice'"
</Location>
<Location /ssl-verify>
SSLVerifyClient optional
Require ssl-verify-client
</Location>
<Location /long-enough>
SSLRequire %{{SSL_CIPHER_USEKEYSIZE}} >= 128 and "9" < "10"
</Location>
<Location /too-short>
SSLRequire %{{SSL_CIPHER_USEKEYSIZE}} > "1000"
</Location>
<Location /required>
SSLVerifyClient optional
SSLRequire %{{SSL_CLIENT_S_DN_CN}} eq "alice"
</Location>
<Location /required/and>
SSLRequire %{{SSL_CLIENT_S_DN_O}} in {{"Test", "Other"}} && %{{REQUEST_METHOD}} eq "GET"
</Location>
<If "%{{REQUEST_URI}} == '/if'">
SSLVerifyClient require
</If>
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Certificate and key of everybody; `middle`: behind an authority between."""
    folder = tmp_path_factory.mktemp("people")
    authority, other = Authority(folder / "a"), Authority(folder / "o", "Other")
    middle = authority.lower(folder / "m")
    behind, key = middle.issue(subject="/O=Test/CN=middle")
    behind.write_text(behind.read_text() + middle.certificate.read_text())
    return {"authority": authority, "host": authority.issue("lb.test"),
            "alice": authority.issue(subject="/O=Test/CN=alice"),
            "bob": authority.issue(subject="/O=Test/CN=bob"),
            "mallory": other.issue(subject="/O=Test/CN=mallory"),
            "middle": (behind, key), None: None}


def settings(port, member, people, more=""):
    certificate, key = people["host"]
    return complete(MODULES + f"""\
Listen {port.port}
Timeout 5
LogFormat "%U %>s %{{SSL_CLIENT_VERIFY}}x %{{ssl-renegotiate-forbidden}}n" asked
CustomLog asked.log asked
<VirtualHost 127.0.0.1:{port.port}>
ServerName lb.test
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLCACertificateFile {people["authority"].certificate}
ProxyPass / http://{member.address}/
{PATHS}{more}</VirtualHost>
""")


@pytest.fixture(scope="module")
def sides(binary, farm, people):
    """(name, server, port, member) of apache2 and of steelyard, with the same configuration."""
    one_of_each, scratch = [], Scratch("steelyard-paths-")
    try:
        for name, program in (("httpd", APACHE), ("ours", binary)):
            held, member = HeldPort(), farm.member("M")
            one_of_each.append((name, Server(program, scratch.path / name), held, member))
            one_of_each[-1][1].start(settings(held, member, people), [held.port])
        yield one_of_each
    finally:
        for _, server, held, member in one_of_each:
            server.stop()
            held.close()
            farm.retire([member])
        scratch.close()


@pytest.fixture
def ours(sides):
    return sides[1]


def context(people, who, version, **more):
    made = context_for(None, people[who], (version, version), **more)
    made.post_handshake_auth = True
    return made


def talk(port, shown, *requests):
    """What each of the requests on one connection got: its status, or how it ended instead."""
    results = []
    connection = TlsConnection(port.port, "lb.test", shown)
    try:
        for request in requests:
            path, body = request if isinstance(request, tuple) else (request, b"")
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            connection.send(f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: lb.test\r\n"
                            f"{length}\r\n".encode() + body)
            results.append(connection.read_response().status or "over")
            if results[-1] == "over":
                break
    finally:
        connection.close()
    return results


def who_was_told(member, path):
    told = [each.header("X-Who").decode() for each in member.received
            if each.target.split(b"?")[0] == path.encode()]
    return told[-1] if told else None


CASES = [
    ("alice", ["/open", "/must", "/must", "/open"]),
    (None, ["/open", "/must"]),
    ("mallory", ["/open", "/must"]),
    ("alice", ["/open", "/may", "/may-be"]),
    (None, ["/may", "/open", "/may"]),
    ("mallory", ["/may"]),
    ("mallory", ["/anybody", "/open"]),
    ("alice", ["/alice"]),
    ("bob", ["/alice", "/open"]),
    (None, ["/ssl-verify", "/open"]),
    ("bob", ["/ssl-verify", "/open"]),
    ("middle", ["/must"]),
    ("middle", ["/deep"]),
    ("bob", ["/if", "/open"]),
    (None, ["/if"]),
    ("bob", [("/must", b"x" * 100_000), "/open"]),
    ("bob", [("/must", b"x" * 140_000), "/open"]),
    ("bob", [("/small", b"x" * 100), "/open"]),
    ("bob", [("/small", b"x" * 101), "/open"]),
    ("bob", [("/none", b"x"), "/open"]),
    ("bob", ["/none"]),
    (None, ["/long-enough", "/too-short", "/long-enough"]),
    ("alice", ["/required", "/required/and", ("/required/and", b"x"), "/required"]),
    ("bob", ["/required", "/required/and"]),
    (None, ["/required/and"]),
]


@VERSIONS
@pytest.mark.parametrize("who, requests", CASES,
                         ids=lambda value: value if isinstance(value, str) else None)
def test_a_path_gets_what_it_gets_in_httpd(sides, people, version, who, requests):
    results = {name: talk(port, context(people, who, version), *requests)
               for name, _, port, _ in sides}
    assert results["ours"] == results["httpd"]
    assert len(results["ours"]) >= 1


@VERSIONS
def test_a_path_that_asks_for_more_asks_again(ours, people, version):
    """httpd asks a client of TLS 1.3 only once: docs/tls.md."""
    _, _, port, _ = ours
    assert talk(port, context(people, "alice", version), "/may", "/must", "/deep") == ["200"] * 3
    assert talk(port, context(people, None, version), "/may", "/may", "/must") == [
        "200", "200", "over"]


@VERSIONS
def test_members_are_told_who_it_is_once_it_is_known(sides, people, version):
    for name, _, port, member in sides:
        path = f"/must/{version.name}"
        assert talk(port, context(people, "bob", version), path) == ["200"], name
        assert who_was_told(member, path).startswith("bob SUCCESS"), name
        path = f"/anybody/{version.name}"
        assert talk(port, context(people, "mallory", version), path) == ["200"], name
        assert who_was_told(member, path).startswith("mallory FAILED:unable to verify"), name


@VERSIONS
def test_a_body_that_waited_for_the_handshake_arrives_whole(ours, people, version):
    _, _, port, member = ours
    connection = TlsConnection(port.port, "lb.test", context(people, "bob", version))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                      for piece in (b"first ", b"s" * 50_000, b" last"))
    connection.send(b"POST /must/whole HTTP/1.1\r\nHost: lb.test\r\nTransfer-Encoding: chunked\r\n"
                    b"\r\n" + chunks + b"0\r\n\r\n")
    assert connection.read_response().status == "200"
    body = [each.body for each in member.received if each.target == b"/must/whole"][-1]
    assert body == b"first " + b"s" * 50_000 + b" last"
    connection.close()


def test_a_client_of_tls_1_3_that_cannot_be_asked_is_told_so(sides, people):
    shown = {}
    for name, _, port, _ in sides:
        silent = context_for(None, people["bob"], (TLS_1_3, TLS_1_3))
        connection = TlsConnection(port.port, "lb.test", silent)
        answer = connection.ask("/must")
        shown[name] = (answer.status, answer.body)
        assert connection.ask("/open").status == "200", name
        connection.close()
    assert shown["ours"] == shown["httpd"]
    assert b"Cannot perform Post-Handshake Authentication" in shown["ours"][1]


def test_other_ciphers_are_agreed_on_before_tls_1_3(sides, people):
    for name, _, port, member in sides:
        both = context(people, None, TLS_1_2, ciphers=f"{GCM_128}:{GCM_256}")
        assert talk(port, both, "/open/1", "/ciphers/1", "/open/2") == ["200"] * 3, name
        assert [who_was_told(member, path).split()[-1] for path in
                ("/open/1", "/ciphers/1", "/open/2")] == [GCM_128, GCM_256, GCM_256], name
        only = context(people, None, TLS_1_2, ciphers=GCM_128)
        assert talk(port, only, "/ciphers", "/open") == ["over"], name
        assert talk(port, only, "/any-of-two", "/open") == ["200", "200"], name


def test_who_asks_by_http_2_is_told_to_ask_by_http_1(sides, people):
    certificate, key = people["bob"]
    seen = {}
    for name, server, port, _ in sides:
        for version in (["--tls-max", "1.2"], []):
            done = subprocess.run(
                ["curl", "-sk", "--max-time", "20", "--http2", *version, "--cert", certificate,
                 "--key", key, "-o", os.devnull, "-w", "%{http_code} %{http_version}",
                 "--connect-to", f"lb.test:443:127.0.0.1:{port.port}", "https://lb.test/must/h2"],
                capture_output=True, text=True, check=False)
            seen.setdefault(name, []).append(done.stdout)
        assert until(lambda: server.read("asked.log").count("/must/h2 200") == 2)
        seen[name] += [row for row in server.read("asked.log").splitlines() if "/must/h2" in row]
    assert seen["ours"] == seen["httpd"]
    assert seen["ours"][:2] == ["200 1.1", "200 1.1"]


def test_what_came_in_front_of_a_renegotiation_is_thrown_away(sides, people):
    got = {}
    for version in (TLS_1_2, TLS_1_3):
        for name, _, port, _ in sides:
            connection = TlsConnection(port.port, "lb.test", context(people, "bob", version))
            connection.send(b"GET /must HTTP/1.1\r\nHost: lb.test\r\n\r\n"
                            b"GET /open HTTP/1.1\r\nHost: lb.test\r\n\r\n")
            answers = [connection.read_response().status or "over" for _ in range(2)]
            got[name, version] = answers
            connection.close()
    assert got["ours", TLS_1_2] == got["httpd", TLS_1_2] == ["200", "over"]
    assert got["ours", TLS_1_3] == got["httpd", TLS_1_3] == ["200", "200"]


def test_a_client_may_still_not_begin_a_renegotiation(ours, people):
    _, _, port, _ = ours
    certificate, key = people["bob"]
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port.port}", "-tls1_2", "-cert", certificate,
         "-key", key, "-legacy_renegotiation"],
        input=b"R\n", capture_output=True, timeout=20, check=False)
    assert b"no renegotiation" in done.stderr + done.stdout


@VERSIONS
def test_a_client_that_keeps_silent_is_let_go_in_time_and_holds_up_nobody(
        binary, scratch, port, farm, people, version):
    member = farm.member("M1")
    server = Server(binary, scratch)
    relay = Relay(port.port)
    try:
        server.start(settings(port, member, people).replace(
            "Timeout 5\n", "Timeout 60\nRequestReadTimeout handshake=1\n"), [port.port])
        connection = TlsConnection(relay.port, "lb.test", context(people, "bob", version))
        assert connection.ask("/open").status == "200"
        relay.hold()
        connection.send(b"GET /must HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        # The only shard serves others meanwhile.
        assert talk(port, context(people, "bob", version), "/must") == ["200"]
        assert until(lambda: "it took too long" in server.read("error.log"))
        assert relay.ended_by_server()
        connection.close()
    finally:
        relay.close()
        server.stop()
        farm.retire([member])


class Relay:
    """Passes bytes on; from hold() on the client hears nothing any more."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.held, self.ended = threading.Event(), threading.Event()
        self.sockets = []
        self.thread = threading.Thread(target=self.run, args=(port,), daemon=True)
        self.thread.start()

    def run(self, port):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        self.sockets = [client, server]
        up = threading.Thread(target=self.pump, args=(client, server, False), daemon=True)
        up.start()
        self.pump(server, client, True)
        self.ended.set()
        up.join(10)

    def pump(self, source, sink, may_be_held):
        try:
            while piece := source.recv(65536):
                if not (may_be_held and self.held.is_set()):
                    sink.sendall(piece)
        except OSError:
            pass

    def hold(self):
        self.held.set()

    def ended_by_server(self):
        return self.ended.wait(10)

    def close(self):
        for one in (*self.sockets, self.listener):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.thread.join(10)
