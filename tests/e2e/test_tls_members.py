"""TLS with members: who is believed, which host is named, what is kept for reuse, what breaks."""

import os
import signal
import socket

import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete
from support.tls_member import TlsMember
from support.wire import Connection

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("localhost", "127.0.0.1", "app.test")


@pytest.fixture
def start(server, port):
    def begin(text, modules=""):
        server.start(complete(MODULES + modules + f"Listen {port.port}\nSSLProxyEngine On\n" + text),
                     [port.port])
        return server

    return begin


def ask(port, target="/", host="lb.test", connection=None, method="GET", body=b""):
    own = connection is None
    connection = connection or Connection("127.0.0.1", port.port)
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    connection.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n".encode() + body)
    response = connection.read_response(method)
    if own:
        connection.close()
    return response


def test_members_are_asked_over_tls_and_their_connections_are_kept(start, port, certificate, authority):
    with TlsMember(certificate) as member:
        start(f"SSLProxyCACertificateFile {authority.certificate}\nSSLProxyVerify require\n"
              f"<Proxy balancer://app>\nBalancerMember https://localhost:{member.port}/in\n</Proxy>\n"
              "ProxyPass / balancer://app/\n")
        for nth in range(5):
            assert ask(port, f"/{nth}").body == f"secure /in/{nth}".encode()
        body = os.urandom(300_000)
        assert ask(port, "/up", method="POST", body=body).status == "200"
        assert member.requests[-1][1] == body
        size = 3 << 20
        assert len(ask(port, f"/?size={size}").body) == size
        assert len(member.handshakes) == 1, member.handshakes
        assert member.handshakes[0].host == "localhost"
        assert b"Host: localhost:%d" % member.port in member.requests[0][0]


def test_a_session_is_resumed_where_a_connection_was_closed(start, port, certificate):
    with TlsMember(certificate) as member:
        start(f"ProxyPass / https://localhost:{member.port}/\n")
        for nth in range(3):
            assert ask(port, f"/{nth}?close=1").status == "200"
        assert until(lambda: len(member.handshakes) == 3)
        assert [each.resumed for each in member.handshakes] == [False, True, True]


@pytest.mark.parametrize("kind", ["TLSv1.2", "TLSv1.3"])
def test_a_member_that_wants_a_certificate_for_some_paths_gets_it(start, port, authority, certificate,
                                                                  tmp_path, kind):
    """httpd asks for it when it has read the request, in TLS 1.2 by another handshake."""
    own, key = authority.issue(subject="/CN=me")
    both = tmp_path / "both.pem"
    both.write_bytes(own.read_bytes() + key.read_bytes())
    (tmp_path / "member").mkdir()
    held = HeldPort()
    member = Server(APACHE, tmp_path / "member")
    lines = (f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\nListen {held.port}\n"
             f"<VirtualHost *:{held.port}>\nSSLEngine On\nSSLProtocol {kind}\n"
             f"SSLCertificateFile {certificate[0]}\nSSLCertificateKeyFile {certificate[1]}\n"
             f"SSLCACertificateFile {authority.certificate}\n"
             "<Location /secure>\nSSLVerifyClient require\nErrorDocument 404 who\n"
             'Header always set X-Who "%{SSL_CLIENT_S_DN_CN}s"\n</Location>\n</VirtualHost>\n')
    try:
        member.start(complete(lines), [held.port])
        start(f"SSLProxyMachineCertificateFile {both}\nSSLProxyCACertificateFile {authority.certificate}\n"
              f"ProxyPass / https://localhost:{held.port}/\n")
        assert ask(port, "/open").status == "404"
        for response in (ask(port, "/secure"), ask(port, "/secure", method="POST", body=b"x" * 50_000),
                         ask(port, "/secure")):
            assert (response.status, response.header("x-who")) == ("404", b"me")
        assert ask(port, "/open").status == "404"
    finally:
        member.stop()
        held.close()


def test_a_name_that_is_not_the_members_is_an_error(start, port, authority):
    with TlsMember(authority.issue("other.test")) as member:
        server = start(f"ProxyPass /a https://localhost:{member.port}/\n"
                       f"<Proxy https://127.0.0.1:{member.port}/>\nSSLProxyCheckPeerName Off\n"
                       "SSLProxyCheckPeerCN Off\n</Proxy>\n"
                       f"ProxyPass /b https://127.0.0.1:{member.port}/\n")
        response = ask(port, "/a")
        assert response.status == "500"
        assert b"Error during SSL Handshake with remote server" in response.body
        assert member.requests == []
        words = "does not match for hostname localhost"
        assert until(lambda: words in server.read("error.log"))
        assert ask(port, "/b").status == "200"
        assert member.handshakes[-1].host is None  # an address is not named


def test_an_expired_certificate_is_an_error_unless_it_is_not_looked_at(start, port, authority):
    with TlsMember(authority.issue("localhost", "127.0.0.1", days="-1")) as member:
        server = start(f"ProxyPass /a https://localhost:{member.port}/\n"
                       f"<Proxy https://127.0.0.1:{member.port}/>\nSSLProxyCheckPeerExpire Off\n"
                       "</Proxy>\n"
                       f"ProxyPass /b https://127.0.0.1:{member.port}/\n")
        assert ask(port, "/a").status == "500"
        assert until(lambda: "Peer certificate is expired" in server.read("error.log"))
        assert ask(port, "/b").status == "200"


def test_an_unknown_authority_is_an_error_where_one_is_required(
    start, port, certificate, authority, tmp_path
):
    stranger = Authority(tmp_path, "Stranger")
    with TlsMember(certificate) as member:
        start(f"SSLProxyCACertificateFile {stranger.certificate}\nSSLProxyVerify require\n"
              f"ProxyPass /a https://localhost:{member.port}/\n"
              f"<Proxy https://127.0.0.1:{member.port}/>\n"
              f"SSLProxyCACertificateFile {authority.certificate}\n</Proxy>\n"
              f"ProxyPass /b https://127.0.0.1:{member.port}/\n")
        assert ask(port, "/a").status == "500"
        assert ask(port, "/b").status == "200"


def test_the_members_are_shown_a_certificate(start, port, certificate, authority, tmp_path):
    own, key = authority.issue(subject="/CN=balancer")
    both = tmp_path / "both.pem"
    both.write_text(own.read_text() + key.read_text())
    with TlsMember(certificate, clients=authority) as member:
        start(f"SSLProxyMachineCertificateFile {both}\n"
              f"ProxyPass / https://localhost:{member.port}/\n")
        assert ask(port).status == "200"
        assert member.handshakes[0].client == "balancer"


def test_with_preserved_host_each_host_has_connections_of_its_own(start, port, authority):
    with TlsMember(authority.issue("a.test", "b.test")) as member:
        start(f"ProxyPreserveHost On\nProxyPass / https://localhost:{member.port}/\n")
        for name in ("a.test", "b.test", "a.test", "b.test", "a.test"):
            assert ask(port, host=name).status == "200"
        assert [each.host for each in member.handshakes] == ["a.test", "b.test"]
        assert ask(port, host="c.test").status == "500"  # not in the certificate


def test_a_connection_makes_room_for_that_of_another_host(start, port, authority):
    with TlsMember(authority.issue("a.test", "b.test")) as member:
        start("ProxyPreserveHost On\n"
              f"ProxyPass / https://localhost:{member.port}/ max=1 acquire=3000\n")
        for name in ("a.test", "b.test", "a.test"):
            assert ask(port, host=name).status == "200"
        assert [each.host for each in member.handshakes] == ["a.test", "b.test", "a.test"]


def test_without_sslproxyengine_nobody_is_asked(server, port, certificate):
    with TlsMember(certificate) as member:
        server.start(complete(MODULES + f"Listen {port.port}\n"
                              f"ProxyPass / https://localhost:{member.port}/\n"), [port.port])
        assert ask(port).status == "500"
        assert member.handshakes == []
        assert until(lambda: "see SSLProxyEngine" in server.read("error.log"))


def test_the_version_is_that_of_sslproxyprotocol(start, port, certificate):
    with TlsMember(certificate) as member:
        start(f"SSLProxyProtocol -all +TLSv1.2\nProxyPass / https://localhost:{member.port}/\n")
        assert ask(port).status == "200"
        assert member.handshakes[0].version == "TLSv1.2"


def test_what_a_member_says_before_its_handshake_reaches_nobody(start, port, certificate):
    """CVE-2026-1642."""
    injected = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    with TlsMember(certificate, in_the_clear=injected) as member:
        start(f"ProxyPass / https://localhost:{member.port}/\n")
        response = ask(port)
        assert response.status == "500"
        assert b"forged" not in response.body


def test_an_answer_without_a_goodbye_is_cut_and_one_with_it_is_whole(start, port, certificate):
    with TlsMember(certificate) as member:
        start(f"ProxyPass / https://localhost:{member.port}/\n")
        whole = ask(port, "/?whole=1")
        assert (len(whole.body), whole.ended) == (5000, "chunked")
        cut = ask(port, "/?cut=1")
        assert cut.ended != "chunked"


def test_a_reload_keeps_what_is_connected_and_believes_anew(
    start, port, certificate, authority, tmp_path
):
    stranger = Authority(tmp_path, "Stranger")
    believed = tmp_path / "believed.pem"
    believed.write_bytes(authority.certificate.read_bytes())
    with TlsMember(certificate) as member:
        server = start(f"SSLProxyVerify require\nSSLProxyCACertificateFile {believed}\n"
                       f"ProxyPass / https://localhost:{member.port}/\n")

        def reload(times):
            server.signal(signal.SIGUSR1)
            done = "resuming normal operations"
            assert until(lambda: server.read("error.log").count(done) == times)

        assert ask(port).status == "200"
        reload(2)
        assert ask(port).status == "200"
        assert len(member.handshakes) == 1
        believed.write_bytes(stranger.certificate.read_bytes())
        reload(3)
        assert ask(port).status == "500"


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_health_checks_shake_hands_too(start, port, authority, scheme):
    with TlsMember(authority.issue("check.test", "localhost")) as member:
        start(f"SSLProxyVerify require\nSSLProxyCACertificateFile {authority.certificate}\n"
              "<Proxy balancer://app>\n"
              f"BalancerMember {scheme}://localhost:{member.port} hcmethod=GET hcuri=/up "
              "hcinterval=1 hcsni=check.test\n</Proxy>\nProxyPass / balancer://app/\n",
              f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so\n")
        assert until(lambda: any(b"GET /up" in head for head, _ in member.requests))
        assert member.handshakes[0].host == "check.test"
        assert ask(port).status == "200"


@pytest.mark.parametrize("section", ["balancer://app", "balancer://app/", "balancer://app/*", "*"])
def test_health_checks_and_requests_find_the_same_section(server, port, certificate, section):
    with TlsMember(certificate) as member:
        server.start(complete(
            MODULES + f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so\n"
            f"Listen {port.port}\n<Proxy balancer://app>\n"
            f"BalancerMember https://localhost:{member.port} hcmethod=GET hcuri=/up hcinterval=100ms\n"
            f'</Proxy>\n<Proxy "{section}">\nSSLProxyEngine On\n</Proxy>\nProxyPass / balancer://app/\n'),
            [port.port])
        assert until(lambda: sum(b"GET /up" in head for head, _ in member.requests) > 2)
        assert ask(port).status == "200"


def test_statuses_and_pages_are_those_of_apache2(binary, scratch, authority, certificate, tmp_path):
    stranger = Authority(tmp_path, "Stranger")
    seen = []
    with TlsMember(authority.issue("other.test")) as wrong, TlsMember(certificate) as right:
        for name, program in (("httpd", APACHE), ("ours", binary)):
            port = HeldPort()
            one = Server(program, scratch / name)
            try:
                one.start(complete(
                    MODULES + f"Listen {port.port}\nSSLProxyEngine On\n"
                    f"ProxyPass /name https://localhost:{wrong.port}/\n"
                    f"<Proxy https://localhost:{right.port}/strict>\nSSLProxyVerify require\n"
                    f"SSLProxyCACertificateFile {stranger.certificate}\n</Proxy>\n"
                    f"ProxyPass /strict https://localhost:{right.port}/strict\n"
                    f"ProxyPass /fine https://localhost:{right.port}/fine\n"
                    f"<Proxy balancer://app>\nBalancerMember https://localhost:{wrong.port}\n"
                    f"BalancerMember https://localhost:{right.port}\n</Proxy>\n"
                    "ProxyPass /app balancer://app/\n"), [port.port])
                answers = []
                for target in ("/name", "/strict", "/fine", "/app", "/app", "/app"):
                    response = ask(port, target)
                    answers.append((target, response.status, response.body))
                seen.append(answers)
            finally:
                one.stop()
                port.close()
    assert seen[1] == seen[0]


def test_a_websocket_to_a_member_over_tls(start, port, certificate, authority):
    """wss:// in every place that names a member; what is said on both sides passes."""
    with TlsMember(certificate) as member:
        start(f"SSLProxyCACertificateFile {authority.certificate}\nSSLProxyVerify require\n"
              f"ProxyPass /a wss://localhost:{member.port}/in\n"
              f"<Proxy balancer://app>\nBalancerMember wss://localhost:{member.port}/in\n</Proxy>\n"
              "ProxyPass /b balancer://app\n")
        for prefix in ("/a", "/b"):
            with socket.create_connection(("127.0.0.1", port.port), 10) as client:
                client.sendall(f"GET {prefix}/talk HTTP/1.1\r\nHost: lb.test\r\n"
                               "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello".encode())
                heard = b""
                while not heard.endswith(b"HELLO"):
                    heard += client.recv(4096)
            assert heard.startswith(b"HTTP/1.1 101 ")
            assert b"\r\nUpgrade: websocket" in member.requests[-1][0]
        assert ask(port, "/a/plain").body == b"secure /in/plain"


def test_connections_for_ever_other_hosts_are_not_all_kept(start, port, certificate):
    """With ProxyPreserveHost each host has connections of its own, and a client names any."""
    with TlsMember(certificate) as member:
        start("ProxyPreserveHost On\nSSLProxyCheckPeerName Off\nSSLProxyCheckPeerCN Off\n"
              f"ProxyPass / https://localhost:{member.port}/\n")
        for nth in range(50):
            assert ask(port, f"/{nth}", host=f"h{nth}.test").status == "200"
        assert len(member.handshakes) == 50
        assert until(lambda: open_connections_to(member.port) <= 33)
        assert ask(port, "/again", host="h49.test").status == "200"
        assert len(member.handshakes) == 50, "the last one was kept"


def open_connections_to(port):
    """Of this machine's, the client's end alone."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(1 for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "01")
