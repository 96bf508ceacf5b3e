"""HTTP/2 over TLS: what one connection may be used for when hosts show and ask for different things."""

import ssl

import pytest
from support.certificates import Authority
from support.haproxy import Haproxy
from support.http2_client import Client
from support.server import MODULE_DIRECTORY, complete

MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("http2", "socache_shmcb", "ssl"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


@pytest.fixture
def start(server, port, member):
    def begin(hosts):
        text = MODULES + f"Listen 127.0.0.1:{port.port}\nProtocols h2 http/1.1\n"
        for name, (certificate, key), more in hosts:
            text += f"""\
<VirtualHost 127.0.0.1:{port.port}>
ServerName {name}
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
{more}
ProxyPass / http://{member.address}/{name}/
</VirtualHost>
"""
        server.start(complete(text), [port.port])
        return server

    return begin


def test_a_connection_serves_hosts_that_show_the_same_and_no_others(start, port, member, authority):
    a, b = authority.issue("a.test", "a2.test"), authority.issue("b.test")
    start([("a.test", a, ""), ("a2.test", a, ""), ("b.test", b, "")])
    client = Client(port, "a.test")
    got = [client.ask(host) for host in ("a.test", "b.test", "a2.test", "a.test")]
    assert got == ["200", "421", "200", "200"]
    client.close()
    # For what was misdirected clients make another connection (RFC 9110 15.5.20).
    client = Client(port, "b.test")
    assert client.ask("b.test") == "200"
    client.close()
    assert [each.target for each in member.received] == [
        b"/a.test/", b"/a2.test/", b"/a.test/", b"/b.test/"]


def test_no_host_that_wants_a_certificate_is_reached_through_one_that_does_not(
        start, port, member, authority):
    files, bob = authority.issue("a.test", "b.test"), authority.issue(subject="/O=Clients/CN=bob")
    start([("a.test", files, ""),
           ("b.test", files, f"SSLVerifyClient require\nSSLCACertificateFile {authority.certificate}")])
    for certificate in (None, bob):
        client = Client(port, "a.test", certificate)
        assert [client.ask("b.test"), client.ask("a.test")] == ["421", "200"]
        client.close()
    client = Client(port, "b.test", bob)
    assert client.ask("b.test") == "200"
    client.close()
    with pytest.raises((ssl.SSLError, AssertionError, OSError)):
        Client(port, "b.test").ask("b.test")
    assert [each.target for each in member.received] == [b"/a.test/", b"/a.test/", b"/b.test/"]


def test_a_path_that_wants_a_certificate_asks_for_none_anew(start, port, authority):
    """HTTP/2 has no second handshake (RFC 8740): who showed none is refused, and the connection goes on."""
    files, bob = authority.issue("a.test"), authority.issue(subject="/O=Clients/CN=bob")
    start([("a.test", files, f"""\
SSLVerifyClient optional
SSLCACertificateFile {authority.certificate}
<Location /secret>
Require ssl-verify-client
</Location>""")])
    for certificate, status in ((None, "403"), (bob, "200")):
        client = Client(port, "a.test", certificate)
        assert [client.ask("a.test", b"/secret"), client.ask("a.test")] == [status, "200"]
        client.close()


def test_TLS_may_end_in_front_of_us(server, port, member, authority, tmp_path):
    """HAProxy passes on the :scheme that it heard, which is not that of its connection to us."""
    certificate, key = authority.issue("a.test")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    server.start(complete(MODULES + f"""Listen 127.0.0.1:{port.port}
Protocols h2c
RequestHeader set X-Seen "expr=%{{REQUEST_SCHEME}} %{{HTTPS}}"
ProxyPass / http://{member.address}/
"""), [port.port])
    front = Haproxy(tmp_path / "haproxy", port, "proto h2", f"ssl crt {both} alpn h2", "http")
    try:
        front.await_listening()
        client = Client(front.held, "a.test")
        assert client.ask("a.test") == "200"
        client.close()
    finally:
        front.close()
    assert member.received[0].header("X-Seen") == b"http off"
