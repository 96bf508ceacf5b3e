"""TLS with clients: certificates and hosts, versions, variables, reloads, hostile and slow clients."""

import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from urllib.parse import quote

import pytest
from support.certificates import CURVE, RSA, Authority, openssl
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, StartFailed, complete
from support.tls import TlsConnection, context_for, handshake_fault, raw_socket
from support.wire import Connection

MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("socache_shmcb", "ssl")
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def own(authority):
    """The certificate and key of lb.test."""
    return authority.issue("lb.test", "127.0.0.1")


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


def pair(files):
    return f"SSLCertificateFile {files[0]}\nSSLCertificateKeyFile {files[1]}\n"


def host(port, name, member, files, more=""):
    return f"""\
<VirtualHost 127.0.0.1:{port.port}>
ServerName {name}
SSLEngine On
{pair(files)}ProxyPass / http://{member.address}/{name}/
{more}
</VirtualHost>
"""


@pytest.fixture
def start(server, port):
    def begin(text):
        server.start(complete(MODULES + f"Listen {port.port}\n" + text), [port.port])
        return server

    return begin


def test_requests_over_tls_reach_the_member_one_after_the_other(start, port, member, own, authority):
    start(host(port, "lb.test", member, own))
    connection = TlsConnection(port.port, "lb.test", context_for(authority))
    for nth in range(3):
        response = connection.ask(f"/x?n={nth}&size={1000 * nth}")
        assert (response.status, len(response.body)) == ("200", 1000 * nth)
    connection.close()
    assert [each.target for each in member.received] == [
        f"/lb.test/x?n={n}&size={1000 * n}".encode() for n in range(3)
    ]
    assert len({each.connection for each in member.received}) == 1


def test_the_usual_port_of_tls_is_not_told(start, port, member, own):
    start(host(port, "lb.test", member, own, "ProxyVia On\n"))
    for name, told in (("lb.test", b"1.1 lb.test"), ("lb.test:99", b"1.1 lb.test:99")):
        connection = TlsConnection(port.port, "lb.test")
        connection.send(f"GET /x HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        assert connection.read_response().header("via") == told
        connection.close()
        assert member.received[-1].header("via") == told


def test_requests_that_come_in_one_record_are_all_answered(start, port, member, own):
    start(host(port, "lb.test", member, own))
    connection = TlsConnection(port.port, "lb.test")
    connection.send(b"GET /1?body=one HTTP/1.1\r\nHost: lb.test\r\n\r\n"
                    b"POST /2?body=two HTTP/1.1\r\nHost: lb.test\r\nContent-Length: 3\r\n\r\nabc"
                    b"GET /3?body=three HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert [connection.read_response().body for _ in range(3)] == [b"one", b"two", b"three"]
    connection.close()


def test_the_named_host_decides_which_certificate_is_shown(start, port, member, authority):
    files = {name: authority.issue(name) for name in ("a.test", "b.test", "w.test")}
    start(
        host(port, "a.test", member, files["a.test"])
        + host(port, "b.test", member, files["b.test"], "ServerAlias b2.test *.b3.test")
    )
    shown = {}
    for name in ("a.test", "b.test", "B2.test", "x.b3.test", "nobody.test", None):
        context = context_for(authority)
        context.check_hostname = False
        connection = TlsConnection(port.port, name, context)
        shown[name] = connection.subject
        connection.close()
    assert shown == {"a.test": "a.test", "b.test": "b.test", "B2.test": "b.test",
                     "x.b3.test": "b.test", "nobody.test": "a.test", None: "a.test"}


def test_a_host_has_a_certificate_for_each_kind_of_key(start, port, member, authority):
    curve, rsa = authority.issue("lb.test"), authority.issue("lb.test", algorithm=RSA)
    start(host(port, "lb.test", member, curve, pair(rsa)))
    for cipher, files in (("ECDHE-ECDSA-AES128-GCM-SHA256", curve),
                          ("ECDHE-RSA-AES128-GCM-SHA256", rsa)):
        context = context_for(authority, ciphers=cipher,
                              versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
        connection = TlsConnection(port.port, "lb.test", context)
        assert connection.socket.cipher()[0] == cipher
        assert connection.der == ssl.PEM_cert_to_DER_cert(files[0].read_text())
        connection.close()


def test_the_chain_goes_with_the_certificate(start, port, member, authority, tmp_path):
    lower = authority.lower(tmp_path / "lower")
    certificate, key = lower.issue("lb.test")
    whole = tmp_path / "whole.pem"
    whole.write_text(certificate.read_text() + lower.certificate.read_text())
    start(host(port, "lb.test", member, (whole, key)))
    connection = TlsConnection(port.port, "lb.test", context_for(authority))
    assert connection.ask().status == "200"
    connection.close()


def test_only_the_versions_of_sslprotocol_are_spoken(start, port, member, own):
    start(host(port, "lb.test", member, own, "SSLProtocol -all +TLSv1.2"))
    new = context_for(versions=(ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3))
    assert "version" in handshake_fault(port.port, "lb.test", new)
    connection = TlsConnection(port.port, "lb.test")
    assert connection.socket.version() == "TLSv1.2"
    connection.close()


def test_the_versions_of_the_named_host_count_and_not_those_of_the_first(
    start, port, member, authority
):
    a, b = authority.issue("a.test"), authority.issue("b.test")
    start(
        host(port, "a.test", member, a, "SSLProtocol -all +TLSv1.2")
        + host(port, "b.test", member, b, "SSLProtocol -all +TLSv1.3")
    )
    for name, version in (("a.test", "TLSv1.2"), ("b.test", "TLSv1.3")):
        connection = TlsConnection(port.port, name)
        assert connection.socket.version() == version
        connection.close()


def test_http_1_1_is_agreed_on_and_other_protocols_are_refused(start, port, member, own):
    start(host(port, "lb.test", member, own))
    connection = TlsConnection(port.port, "lb.test", context_for(alpn=["h2", "http/1.1"]))
    assert connection.socket.selected_alpn_protocol() == "http/1.1"
    connection.close()
    assert handshake_fault(port.port, "lb.test", context_for(alpn=["h2", "imap"])) is not None
    connection = TlsConnection(port.port, "lb.test")
    assert connection.socket.selected_alpn_protocol() is None
    connection.close()


def test_a_session_is_resumed_by_ticket(start, port, member, own):
    start(host(port, "lb.test", member, own, 'Header set X-Resumed "%{SSL_SESSION_RESUMED}s"'))
    context = context_for()
    first = TlsConnection(port.port, "lb.test", context)
    assert first.ask().header("X-Resumed") == b"Initial"
    session = first.socket.session
    first.close()
    again = TlsConnection(port.port, "lb.test", context, session)
    assert again.socket.session_reused
    assert again.ask().header("X-Resumed") == b"Resumed"
    again.close()


@pytest.mark.parametrize("cache, resumed", [("none", False), ("shmcb:cache(512000)", True)])
def test_without_tickets_sessions_are_resumed_only_from_the_cache(
    start, port, member, own, cache, resumed
):
    start(f"SSLSessionCache {cache}\n"
          + host(port, "lb.test", member, own, "SSLSessionTickets Off\nSSLProtocol TLSv1.2"))
    context = context_for()
    first = TlsConnection(port.port, "lb.test", context)
    assert first.ask().status == "200"
    session = first.socket.session
    first.close()
    again = TlsConnection(port.port, "lb.test", context, session)
    assert again.socket.session_reused is resumed
    assert again.ask().status == "200"
    again.close()


def test_a_session_is_not_resumed_under_the_rules_of_another_host(
    start, port, member, authority, own, tmp_path
):
    """CVE-2025-23048 and its like: a session that was verified for one authority, at a host that
    believes another."""
    other = Authority(tmp_path, "Other Authority")
    files = authority.issue("a.test", "b.test")
    client = authority.issue(subject="/O=Clients/CN=bob")
    start(
        host(port, "a.test", member, files,
             f"SSLVerifyClient require\nSSLCACertificateFile {authority.certificate}")
        + host(port, "b.test", member, files,
               f"SSLVerifyClient require\nSSLCACertificateFile {other.certificate}")
    )
    context = context_for(certificate=client)
    first = TlsConnection(port.port, "a.test", context)
    assert first.ask(host="a.test").status == "200"
    session = first.socket.session
    first.close()
    try:
        second = TlsConnection(port.port, "b.test", context, session)
        status = second.ask(host="b.test").status
        second.close()
    except ssl.SSLError:
        status = ""
    assert status != "200"
    # Nor by asking for the other host on a connection of the first.
    first = TlsConnection(port.port, "a.test", context)
    assert first.ask(host="b.test").status == "421"
    first.close()


def test_plain_http_on_a_tls_port_is_told_to_come_back_with_https(start, port, member, own):
    server = start(host(port, "lb.test", member, own, "CustomLog plain.log \"%r %>s\""))
    connection = Connection("127.0.0.1", port.port)
    connection.send(b"GET /secret HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    response = connection.read_response()
    assert response.status == "400"
    assert b"You're speaking plain HTTP to an SSL-enabled server port.<br />" in response.body
    assert connection.closed_by_peer(5)
    connection.close()
    assert member.received == []
    assert until(lambda: server.read("plain.log") == "GET / HTTP/1.0 400\n"), server.read("plain.log")


def test_a_request_for_another_host_than_the_handshake_named_is_misdirected(
    start, port, member, authority
):
    a, b = authority.issue("a.test"), authority.issue("b.test")
    start(host(port, "a.test", member, a) + host(port, "b.test", member, b)
          + host(port, "a2.test", member, a))
    statuses = {}
    for named in ("a.test", None):
        for asked in ("a.test", "a2.test", "b.test"):
            connection = TlsConnection(port.port, named)
            statuses[named, asked] = connection.ask(host=asked).status
            connection.close()
    assert statuses == {
        ("a.test", "a.test"): "200", ("a.test", "a2.test"): "200", ("a.test", "b.test"): "421",
        (None, "a.test"): "200", (None, "a2.test"): "200", (None, "b.test"): "421",
    }


@pytest.mark.parametrize("policy, status", [("strict", "421"), ("authonly", "200"),
                                            ("insecure", "200")])
def test_the_policy_says_which_other_hosts_may_be_asked_for(
    start, port, member, authority, policy, status
):
    a, b = authority.issue("a.test"), authority.issue("b.test")
    start(f"SSLVHostSNIPolicy {policy}\n" + host(port, "a.test", member, a)
          + host(port, "b.test", member, b))
    connection = TlsConnection(port.port, "a.test")
    assert connection.ask(host="b.test").status == status
    connection.close()


def test_strict_checking_wants_a_named_host(start, port, member, authority):
    a, b = authority.issue("a.test"), authority.issue("b.test")
    start(host(port, "a.test", member, a, "SSLStrictSNIVHostCheck On")
          + host(port, "b.test", member, b))
    connection = TlsConnection(port.port, None)
    response = connection.ask(host="a.test")
    assert response.status == "403"
    assert b"did not provide a hostname using Server Name Indication" in response.body
    connection.close()


def test_what_requires_tls_is_refused_in_the_clear(start, server, port, member, own):
    other = HeldPort()
    try:
        server.start(complete(MODULES + f"Listen {port.port}\nListen {other.port}\n"
                     + host(port, "lb.test", member, own)
                     + f"ProxyPass / http://{member.address}/plain/\n"
                     "<Location /a>\nSSLRequireSSL\n</Location>\n"
                     "<Location /b>\nRequire ssl\n</Location>\n"), [port.port, other.port])
        for target, status in (("/a", "403"), ("/b", "403"), ("/c", "200")):
            plain = Connection("127.0.0.1", other.port)
            plain.send(f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
            assert plain.read_response().status == status
            plain.close()
            secure = TlsConnection(port.port, "lb.test")
            assert secure.ask(target).status == "200"
            secure.close()
    finally:
        other.close()


# --- beside the real apache2 -----------------------------------------------------------------------

VARIABLES = """
    SSL_PROTOCOL SSL_CIPHER SSL_CIPHER_EXPORT SSL_CIPHER_USEKEYSIZE SSL_CIPHER_ALGKEYSIZE
    SSL_SECURE_RENEG SSL_COMPRESS_METHOD SSL_SESSION_RESUMED SSL_TLS_SNI SSL_BOGUS HTTPS
    SSL_SERVER_M_VERSION SSL_SERVER_M_SERIAL SSL_SERVER_V_START SSL_SERVER_V_END
    SSL_SERVER_V_REMAIN SSL_SERVER_S_DN SSL_SERVER_S_DN_C SSL_SERVER_S_DN_O SSL_SERVER_S_DN_OU
    SSL_SERVER_S_DN_OU_0 SSL_SERVER_S_DN_OU_1 SSL_SERVER_S_DN_OU_2 SSL_SERVER_S_DN_CN
    SSL_SERVER_S_DN_cn SSL_SERVER_S_DN_Email SSL_SERVER_S_DN_X SSL_SERVER_I_DN SSL_SERVER_I_DN_CN
    SSL_SERVER_A_SIG SSL_SERVER_A_KEY SSL_SERVER_CERT SSL_SERVER_SAN_DNS_0 SSL_SERVER_SAN_DNS_1
    SSL_SERVER_SAN_DNS_2 SSL_SERVER_SAN_Email_0 ssl_protocol
    SSL_CLIENT_VERIFY SSL_CLIENT_M_SERIAL SSL_CLIENT_S_DN SSL_CLIENT_S_DN_CN SSL_CLIENT_I_DN
    SSL_CLIENT_V_END SSL_CLIENT_A_KEY SSL_CLIENT_CERT SSL_CLIENT_CERT_CHAIN_0
    SSL_CLIENT_CERT_CHAIN_1 SSL_CLIENT_CERT_CHAIN_2
    SSL_CLIENT_CERT_RFC4523_CEA SSL_CLIENT_SAN_DNS_0
""".split()

LOOKING_CLOSE = """
RequestHeader set X-Scheme expr=%{REQUEST_SCHEME}
RequestHeader set X-Expr "expr=%{SSL_PROTOCOL} %{HTTPS} %{SSL_SERVER_S_DN_Email} %{SERVER_PORT}"
RequestHeader set X-Https "%{HTTPS}e"
RequestHeader set X-Sni "%{SSL_TLS_SNI}e"
RequestHeader set X-Env "%{SSL_PROTOCOL}e|%{SSL_SERVER_S_DN_CN}e|%{SSL_SERVER_CERT}e"
ProxyPassReverse / http://internal.test/
<Location /env>
SSLOptions +StdEnvVars
</Location>
<Location /env/cert>
SSLOptions +ExportCertData
</Location>
<Location /env/none>
SSLOptions -StdEnvVars
</Location>
<Location /legacy>
SSLOptions +LegacyDNStringFormat
</Location>
<Location /verified>
Require ssl-verify-client
</Location>
<Location /mine>
Require expr "%{SSL_CLIENT_S_DN_CN} == 'bob'"
</Location>
CustomLog tls.log "%{SSL_PROTOCOL}x %{SSL_CLIENT_S_DN}x %{SSL_BOGUS}x %{HTTPS}x %{version}c \
%{cipher}c %{subjectdn}c %{issuerdn}c %{errcode}c %{HTTPS}e %{SSL_TLS_SNI}e %p %V %>s"
"""


@pytest.fixture
def both(binary, scratch, member, authority):
    """apache2 and steelyard with the same configuration and the same member."""
    files = authority.issue("lb.test", "alias.test",
                            subject="/C=DE/O=Scales/OU=U1/OU=U2/CN=lb.test/emailAddress=ops@lb.test")
    variables = "".join(
        f'RequestHeader set X-Var-{nth} "%{{{name}}}s"\n' for nth, name in enumerate(VARIABLES)
    )
    text = (variables + LOOKING_CLOSE +
            "SSLVerifyClient optional\nSSLVerifyDepth 2\n"
            f"SSLCACertificateFile {authority.certificate}\n")
    sides, ports = [], []
    try:
        for name, program in (("httpd", APACHE), ("ours", binary)):
            held = HeldPort()
            ports.append(held)
            one = Server(program, scratch / name)
            sides.append((one, held))
            one.start(complete(MODULES + f"Listen {held.port}\n"
                               + host(held, "lb.test", member, files, text)), [held.port])
        # In its first second a certificate has a day more to go (SSL_SERVER_V_REMAIN).
        first_second = files[0].stat().st_mtime + 1
        assert until(lambda: time.time() > first_second)
        yield sides
    finally:
        for one, _ in sides:
            one.stop()
        for held in ports:
            held.close()


def seen_by_member(member, side, target, context):
    _, port = side
    before = len(member.received)
    connection = TlsConnection(port.port, "lb.test", context)
    response = connection.ask(target + "?h=Location:%20http://internal.test/there")
    connection.close()
    fields = {}
    for request in member.received[before:]:
        for line in request.head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b": ")
            if name.startswith(b"X-"):
                nth = name[6:].decode()
                known = name.startswith(b"X-Var-")
                fields[VARIABLES[int(nth)] if known else name.decode()] = value.decode("latin1")
    location = (response.header("Location") or b"").decode().replace(str(port.port), "PORT")
    for name in list(fields):
        fields[name] = fields[name].replace(str(port.port), "PORT")
    return response.status, location, fields


@pytest.mark.parametrize("target", ["/", "/env", "/env/cert", "/env/none", "/legacy", "/verified",
                                    "/mine"])
@pytest.mark.parametrize("shows", [True, False])
def test_members_and_rules_see_the_variables_of_apache2(both, member, authority, target, shows):
    client = authority.issue("c.test", subject="/O=Clients/OU=x/CN=bob") if shows else None
    context = context_for(certificate=client)
    theirs, ours = (seen_by_member(member, side, target, context) for side in both)
    assert ours[:2] == theirs[:2]
    assert {k: v for k, v in ours[2].items() if theirs[2].get(k) != v} == {}
    assert ours[2].keys() == theirs[2].keys()


def test_the_certificates_above_a_clients_are_those_of_apache2(both, member, authority, tmp_path):
    lower = authority.lower(tmp_path / "lower")
    certificate, key = lower.issue(subject="/O=Clients/CN=bob")
    whole = tmp_path / "whole.pem"
    whole.write_text(certificate.read_text() + lower.certificate.read_text())
    for shown in ((whole, key), (certificate, key)):
        context = context_for(certificate=shown)
        theirs, ours = (seen_by_member(member, side, "/env/cert", context) for side in both)
        assert ours == theirs
    client = context_for(certificate=(whole, key))
    fields = seen_by_member(member, both[1], "/env/cert", client)[2]
    chain = [fields.get(f"SSL_CLIENT_CERT_CHAIN_{n}", "(null)") for n in range(2)]
    assert "BEGIN CERTIFICATE" in chain[0] and chain[0] != fields["SSL_CLIENT_CERT"]


def test_access_logs_say_what_those_of_apache2_say(both, member, authority):
    client = context_for(certificate=authority.issue(subject="/O=Clients/CN=bob"))
    for context in (client, context_for()):
        for side in both:
            seen_by_member(member, side, "/", context)
            seen_by_member(member, side, "/verified", context)
    logs = []
    for one, port in both:
        assert until(lambda one=one: one.read("tls.log").count("\n") == 4)
        logs.append(one.read("tls.log").replace(str(port.port), "PORT"))
    assert logs[1] == logs[0]


def test_the_page_for_plain_http_is_that_of_apache2(both):
    pages = []
    for _, port in both:
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        response = connection.read_response()
        pages.append((response.status, response.body, response.header("Connection")))
        connection.close()
    assert pages[1] == pages[0]


# --- clients' certificates -------------------------------------------------------------------------


def test_a_certificate_of_a_known_authority_is_required(start, port, member, own, authority, tmp_path):
    start(host(port, "lb.test", member, own,
               f"SSLVerifyClient require\nSSLCACertificateFile {authority.certificate}\n"
               'RequestHeader set X-Client "%{SSL_CLIENT_S_DN_CN}s %{SSL_CLIENT_VERIFY}s"'))
    assert handshake_fault(port.port, "lb.test") is not None
    stranger = Authority(tmp_path, "Stranger").issue(subject="/CN=mallory")
    assert handshake_fault(port.port, "lb.test", context_for(certificate=stranger)) is not None
    assert member.received == []
    known = context_for(certificate=authority.issue(subject="/CN=bob"))
    connection = TlsConnection(port.port, "lb.test", known)
    assert connection.ask().status == "200"
    connection.close()
    assert member.received[-1].header("X-Client") == b"bob SUCCESS"


def test_optional_no_ca_lets_a_stranger_in_and_says_so_also_when_it_comes_back(
    start, port, member, own, authority, tmp_path
):
    start(host(port, "lb.test", member, own,
               f"SSLVerifyClient optional_no_ca\nSSLCACertificateFile {authority.certificate}\n"
               "<Location /verified>\nRequire ssl-verify-client\n</Location>\n"
               'Header set X-Verify "%{SSL_CLIENT_VERIFY}s"'))
    stranger = Authority(tmp_path, "Stranger").issue(subject="/CN=mallory")
    context = context_for(certificate=stranger)
    first = TlsConnection(port.port, "lb.test", context)
    assert first.ask().header("X-Verify").startswith(b"FAILED:")
    session = first.socket.session
    first.close()
    again = TlsConnection(port.port, "lb.test", context, session)
    assert again.ask().header("X-Verify").startswith(b"FAILED:")
    assert again.ask("/verified").status == "403"
    again.close()


@pytest.mark.parametrize("check", ["leaf", "chain"])
def test_a_stranger_stays_one_where_no_list_of_the_revoked_is_asked_for(
    start, port, member, own, authority, tmp_path, check
):
    others = Authority(tmp_path / "others", "Others").list_of_revoked()
    start(host(port, "lb.test", member, own,
               f"SSLVerifyClient optional_no_ca\nSSLCACertificateFile {authority.certificate}\n"
               f"SSLCARevocationCheck {check} no_crl_for_cert_ok\nSSLCARevocationFile {others}\n"
               "<Location /verified>\nRequire ssl-verify-client\n</Location>\n"
               'Header set X-Verify "%{SSL_CLIENT_VERIFY}s"'))
    stranger = Authority(tmp_path, "Stranger").issue(subject="/CN=mallory")
    for certificate, verified, status in ((stranger, b"FAILED:", "403"),
                                          (authority.issue(subject="/CN=bob"), b"SUCCESS", "200")):
        connection = TlsConnection(port.port, "lb.test", context_for(certificate=certificate))
        assert connection.ask().header("X-Verify").startswith(verified)
        assert connection.ask("/verified").status == status
        connection.close()


def test_a_reload_that_asks_for_certificates_turns_old_connections_away(
    start, port, member, own, authority
):
    text = host(port, "lb.test", member, own, "# verification")
    server = start(text)
    old = TlsConnection(port.port, "lb.test")
    assert old.ask().status == "200"
    server.write(server.config_path.read_text().replace(
        "# verification",
        f"SSLVerifyClient require\nSSLCACertificateFile {authority.certificate}"))
    server.signal(signal.SIGUSR1)
    assert until(lambda: handshake_fault(port.port, "lb.test") is not None)
    before = len(member.received)
    answer = old.ask()
    assert (answer.status, answer.header("Connection")) == ("421", b"close")
    old.close()
    assert len(member.received) == before
    known = TlsConnection(port.port, "lb.test",
                          context_for(certificate=authority.issue(subject="/CN=bob")))
    assert known.ask().status == "200"
    known.close()


def test_a_revoked_certificate_is_refused(start, port, member, own, authority, tmp_path):
    good, bad = (authority.issue(subject=f"/CN={name}") for name in ("good", "bad"))
    database = tmp_path / "index"
    database.write_text("")
    (tmp_path / "number").write_text("01")
    config = tmp_path / "ca.cnf"
    config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\ncrlnumber={tmp_path}/number\n"
                      "default_md=sha256\ndefault_crl_days=9\n")
    signing = ["-config", config, "-keyfile", authority.key, "-cert", authority.certificate]
    openssl("ca", *signing, "-revoke", bad[0])
    openssl("ca", *signing, "-gencrl", "-out", tmp_path / "crl.pem")
    start(host(port, "lb.test", member, own,
               f"SSLVerifyClient require\nSSLCACertificateFile {authority.certificate}\n"
               f"SSLCARevocationFile {tmp_path}/crl.pem\nSSLCARevocationCheck leaf"))
    assert handshake_fault(port.port, "lb.test", context_for(certificate=bad)) is not None
    connection = TlsConnection(port.port, "lb.test", context_for(certificate=good))
    assert connection.ask().status == "200"
    connection.close()


# --- key material ----------------------------------------------------------------------------------


def config_with(files, more=""):
    return complete(MODULES + "Listen 127.0.0.1:1\nSSLEngine On\n" + pair(files) + more)


def test_bad_key_material_is_refused_with_the_files_name(server, own, authority, tmp_path):
    other = authority.issue("other.test")
    garbage, empty = (tmp_path / name for name in ("garbage.pem", "empty.pem"))
    garbage.write_text("-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n")
    empty.write_text("")
    for files, fault in (
        ((own[0], other[1]), f"{other[1]} is not the key of {own[0]}"),
        ((own[0], own[0]), f"{own[0]} holds no private key"),
        ((garbage, own[1]), f"{garbage} holds a malformed certificate"),
        ((empty, own[1]), f"{empty} holds no certificate"),
        ((own[0], tmp_path / "none"), f"{tmp_path}/none cannot be read: No such file or directory"),
    ):
        status, said = server.check(config_with(files))
        assert status == 1 and fault in said, said
        assert re.search(r"on line \d+ of .*httpd.conf", said), said
    status, said = server.check(config_with(own))
    assert status == 0, said


def test_every_fault_of_several_hosts_is_said_at_once(server, port, member, own, authority):
    other = authority.issue("other.test")
    text = host(port, "a.test", member, (own[0], other[1])) + host(
        port, "b.test", member, (other[0], own[1])) + host(
        port, "c.test", member, own, "SSLCipherSuite NO-SUCH-CIPHER")
    status, said = server.check(complete(MODULES + "Listen 1\n" + text))
    assert status == 1
    for words in (f"{other[1]} is not the key of {own[0]}", f"{own[1]} is not the key of {other[0]}",
                  "no cipher match"):
        assert words in said, said


def test_a_server_with_bad_keys_does_not_start(server, port, own, authority):
    other = authority.issue("other.test")
    with pytest.raises(StartFailed, match="is not the key of"):
        server.start(config_with((own[0], other[1])), [port.port])


def test_sslengine_without_a_certificate_is_a_fault(server):
    status, said = server.check(complete(MODULES + "Listen 127.0.0.1:1\nSSLEngine On\n"))
    assert status == 1
    assert "Failed to configure at least one certificate and key for lb.test" in said


# --- reloads ---------------------------------------------------------------------------------------


def test_new_certificates_are_shown_after_a_reload_and_no_request_fails(
    start, port, member, authority, tmp_path
):
    """The key is root's alone, as keys are: a server that gave root up gets it by its keeper."""
    shown, key = tmp_path / "shown.pem", tmp_path / "shown.key"
    tmp_path.chmod(0o755)

    def install(files):
        shown.write_bytes(files[0].read_bytes())
        key.write_bytes(files[1].read_bytes())
        key.chmod(0o600)

    old, new = authority.issue("lb.test"), authority.issue("lb.test")
    install(old)
    server = start(host(port, "lb.test", member, (shown, key)))
    lasting = TlsConnection(port.port, "lb.test", context_for(authority))
    assert lasting.ask().status == "200"
    stop, faults, counts = threading.Event(), [], [0, 0]

    def ask_all_the_time(kept):
        connection = None
        try:
            while not stop.is_set():
                if connection is None:
                    connection = TlsConnection(port.port, "lb.test", context_for(authority))
                response = connection.ask("/?size=100", more="" if kept else "Connection: close\r\n")
                if response.status != "200" or len(response.body) != 100:
                    faults.append((kept, response))
                counts[kept] += 1
                if not kept or response.will_close:
                    connection.close()
                    connection = None
        except Exception as fault:  # noqa: BLE001
            faults.append((kept, fault))

    threads = [threading.Thread(target=ask_all_the_time, args=(kept,)) for kept in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        for nth, files in enumerate((new, old, new), 1):
            before = list(counts)
            assert until(lambda b=before: all(n > m + 5 for n, m in zip(counts, b)))
            install(files)
            server.signal(signal.SIGUSR1)
            done = "resuming normal operations"
            assert until(lambda n=nth: server.read("error.log").count(done) == n + 1), (
                server.read("error.log"))
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert faults == []
    fresh = TlsConnection(port.port, "lb.test", context_for(authority))
    assert fresh.der == ssl.PEM_cert_to_DER_cert(new[0].read_text())
    fresh.close()
    assert lasting.der == ssl.PEM_cert_to_DER_cert(old[0].read_text())
    assert lasting.ask().status == "200"
    lasting.close()


def test_a_reload_with_a_bad_key_changes_nothing(start, port, member, authority, tmp_path):
    files, other = authority.issue("lb.test"), authority.issue("other.test")
    key = tmp_path / "key.pem"
    tmp_path.chmod(0o755)
    key.write_bytes(files[1].read_bytes())
    server = start(host(port, "lb.test", member, (files[0], key)))
    key.write_bytes(other[1].read_bytes())
    server.signal(signal.SIGUSR1)
    assert until(lambda: "goes on with the one it has" in server.read("error.log"))
    assert f"{key} is not the key of" in server.read("error.log")
    connection = TlsConnection(port.port, "lb.test", context_for(authority))
    assert connection.ask().status == "200"
    connection.close()


# --- hostile, slow and large -----------------------------------------------------------------------


def test_an_answer_that_was_cut_does_not_look_complete(start, port, member, own):
    """No close_notify behind it: RFC 8446 6.1."""
    start(host(port, "lb.test", member, own))
    whole = TlsConnection(port.port, "lb.test")
    whole.send(b"GET /?eof=1&size=5000 HTTP/1.0\r\nHost: lb.test\r\n\r\n")
    assert len(whole.read_response().body) == 5000
    assert whole.ended_in_order is True
    whole.close()
    cut = TlsConnection(port.port, "lb.test")
    raw = quote("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" + "x" * 5000)
    cut.send(f"GET /?raw={raw} HTTP/1.0\r\nHost: lb.test\r\n\r\n".encode())
    response = cut.read_response()
    assert len(response.body) <= 5000
    cut.read_to_end()
    assert cut.ended_in_order is not True
    cut.close()


def test_a_client_that_does_not_finish_its_handshake_is_left(start, port, member, own):
    start(host(port, "lb.test", member, own, "RequestReadTimeout handshake=1"))
    silent, dripping = raw_socket(port.port), raw_socket(port.port)
    dripping.sendall(b"\x16\x03\x01")
    for one in (silent, dripping):
        assert one.recv(1) == b""
        one.close()


def test_garbage_and_half_handshakes_leave_the_server_well(start, port, member, own):
    server = start(host(port, "lb.test", member, own))
    hello = bytes.fromhex("160301006d01000069")
    for words in (b"\x00" * 100, hello, hello + os.urandom(0x69), b"\x16\x03\x01\xff\xff" + b"x" * 500,
                  b"SSH-2.0-x\r\n", b"\x80\x2e\x01\x00\x02", b"OPTIONS * HTTP/1.1\r\n\r\n"):
        one = raw_socket(port.port)
        try:
            one.sendall(words)
            one.shutdown(socket.SHUT_WR)
            while one.recv(4096):
                pass
        except OSError:
            pass
        one.close()
    connection = TlsConnection(port.port, "lb.test")
    assert connection.ask().status == "200"
    connection.close()
    assert server.process.poll() is None


def test_a_client_cannot_shake_hands_anew(start, port, member, own):
    start(host(port, "lb.test", member, own, "SSLProtocol TLSv1.2"))
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port.port}", "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        client.stdin.write(b"R\n")
        client.stdin.flush()
        said = client.communicate(timeout=10)[0]
    finally:
        client.kill()
        client.wait()
    assert b"no renegotiation" in said.partition(b"RENEGOTIATING")[2], said


def test_parameters_in_the_certificates_file_name_the_curve(start, port, member, own):
    made = subprocess.run(["openssl", "ecparam", "-name", "secp384r1"], capture_output=True, check=True)
    certificate = own[0].parent / "with-curve.pem"
    certificate.write_bytes(own[0].read_bytes() + made.stdout)
    start(host(port, "lb.test", member, (certificate, own[1])))

    def agreed(curve):
        said = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port.port}", "-groups", curve],
            input=b"", capture_output=True, timeout=20, check=False).stdout
        return b"Cipher is TLS_" in said

    assert (agreed("P-384"), agreed("P-256"), agreed("X25519")) == (True, False, False)


def resident_bytes(process):
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_large_bodies_pass_both_ways_in_bounded_memory(start, port, member, own):
    server = start(host(port, "lb.test", member, own))
    connection = TlsConnection(port.port, "lb.test", timeout_s=60)
    assert connection.ask("/?size=10").status == "200"
    before = resident_bytes(server.process)
    size = 12 << 20
    response = connection.ask(f"/?size={size}")
    assert len(response.body) == size
    body = os.urandom(1 << 20) * 30
    connection.send(f"POST /up HTTP/1.1\r\nHost: lb.test\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    connection.send(body)
    assert connection.read_response("POST").status == "200"
    connection.close()
    assert member.received[-1].body == body
    assert resident_bytes(server.process) - before < 6 << 20


def test_a_reader_that_stops_gets_all_of_it_later(start, port, member, own):
    start(host(port, "lb.test", member, own))
    size = 8 << 20
    connection = TlsConnection(port.port, "lb.test", receive_bytes=4096, timeout_s=30)
    other = TlsConnection(port.port, "lb.test")
    connection.send(f"GET /?size={size} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
    # It is under way and stuck once another request, asked later, was served.
    assert until(lambda: member.received and member.received[0].complete)
    assert other.ask("/other").status == "200"
    response = connection.read_response()
    assert len(response.body) == size
    assert connection.ask("/again").status == "200"
    for one in (connection, other):
        one.close()


def test_a_ticket_of_one_machine_counts_on_another(binary, server, port, own, authority, tmp_path):
    """SSLSessionTicketKeyFile: the same 48 bytes; and another key is another key."""
    keys = [tmp_path / name for name in ("shared.key", "other.key")]
    for key in keys:
        key.write_bytes(os.urandom(48))

    def text(held, key):
        return complete(MODULES + f"Listen {held.port}\nServerName lb.test\nSSLEngine On\n"
                        f"SSLSessionTicketKeyFile {key}\n{pair(own)}")

    server.start(text(port, keys[0]), [port.port])
    context = context_for(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for key, resumes in ((keys[0], True), (keys[1], False)):
        other_port, directory = HeldPort(), tmp_path / key.stem
        directory.mkdir()
        other = Server(binary, directory)
        try:
            other.start(text(other_port, key), [other_port.port])
            with socket.create_connection(("127.0.0.1", port.port), 10) as raw, \
                    context.wrap_socket(raw, server_hostname="lb.test") as first:
                session = first.session
            with socket.create_connection(("127.0.0.1", other_port.port), 10) as raw, \
                    context.wrap_socket(raw, server_hostname="lb.test", session=session) as again:
                assert again.session_reused is resumes
        finally:
            other.stop()
            other_port.close()


def test_a_key_of_tickets_has_48_bytes(server, port, own, tmp_path):
    key = tmp_path / "short.key"
    key.write_bytes(b"k" * 47)
    status, said = server.check(complete(
        MODULES + f"Listen {port.port}\nServerName lb.test\nSSLEngine On\n"
        f"SSLSessionTicketKeyFile {key}\n{pair(own)}"))
    assert status == 1 and "has 47 bytes; the key of session tickets has 48" in said


def test_a_key_of_tickets_in_the_first_host_is_no_bar_to_the_others(server, port, own, authority, tmp_path):
    key = tmp_path / "tickets.key"
    key.write_bytes(os.urandom(48))
    other = authority.issue("other.test")
    hosts = (f"<VirtualHost 127.0.0.1:{port.port}>\nServerName lb.test\nSSLEngine On\n"
             f"SSLSessionTicketKeyFile {key}\n{pair(own)}</VirtualHost>\n"
             f"<VirtualHost 127.0.0.1:{port.port}>\nServerName other.test\nSSLEngine On\n"
             f"{pair(other)}</VirtualHost>\n")
    server.start(complete(MODULES + f"Listen {port.port}\n" + hosts), [port.port])
    for name in ("lb.test", "other.test"):
        for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = context_for(authority), None
            context.maximum_version = most
            for _ in range(2):
                with socket.create_connection(("127.0.0.1", port.port), 10) as raw, \
                        context.wrap_socket(raw, server_hostname=name, session=session) as one:
                    one.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
                    assert one.recv(4096).startswith(b"HTTP/1.1 404")
                    session = one.session
