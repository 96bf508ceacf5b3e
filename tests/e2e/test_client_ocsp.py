"""Clients' certificates whose authorities are asked whether they are still good (SSLOCSPEnable): what
httpd makes of the answers and what Steelyard does, with openssl's own OCSP behind both."""

import signal
import ssl
import threading

import pytest
from support.certificates import Authority
from support.http2_client import Client
from support.ocsp import Responder
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete
from support.tls import TlsConnection, context_for
from support.wire import Stopped

MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("socache_shmcb", "ssl"))
VERSIONS = {"tls12": ssl.TLSVersion.TLSv1_2, "tls13": ssl.TLSVersion.TLSv1_3}
SERVED, REFUSED = "200", "refused"
WHOLE = "SSLVerifyClient require\n"
PATH = "<Location /must>\nSSLVerifyClient require\n</Location>\n"


@pytest.fixture(params=["httpd", "ours"])
def program(request, binary, scratch):
    one = Server(APACHE if request.param == "httpd" else binary, scratch)
    yield one
    one.stop()


@pytest.fixture(params=list(VERSIONS))
def version(request):
    return VERSIONS[request.param]


@pytest.fixture(scope="module")
def member(farm):
    one = farm.member("M")
    yield one
    farm.retire([one])


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def responder(authority):
    with Responder(authority) as one:
        yield one


def settings(port, member, authority, ocsp, verify=WHOLE):
    certificate, key = authority.issue("lb.test")
    return complete(MODULES + f"""\
Listen {port.port}
KeepAliveTimeout 60
SSLSessionCache shmcb:sessions(512000)
<VirtualHost 127.0.0.1:{port.port}>
ServerName lb.test
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLCACertificateFile {authority.certificate}
SSLVerifyDepth 3
{verify}{ocsp}ProxyPass / http://{member.address}/
RequestHeader set X-Who "%{{SSL_CLIENT_S_DN_CN}}s"
</VirtualHost>
""", log_level="warn ssl:info")


def shown(files, version=ssl.TLSVersion.TLSv1_3):
    context = context_for(None, files, (version, version))
    context.post_handshake_auth = True
    return context


def outcome(port, files, version=ssl.TLSVersion.TLSv1_3, path="/"):
    """The status of an answer, or that there was none."""
    try:
        connection = TlsConnection(port.port, "lb.test", shown(files, version))
    except (ssl.SSLError, ConnectionResetError):
        return REFUSED
    try:
        return connection.ask(path).status or REFUSED
    except (Stopped, ssl.SSLError, ConnectionResetError):
        return REFUSED
    finally:
        connection.close()


def log_of(server):
    return server.read("error.log")


def test_a_good_client_is_served(program, port, member, authority, responder, version):
    alice = responder.certificate("alice")
    program.start(settings(port, member, authority, "SSLOCSPEnable on\n"), [port.port])
    assert outcome(port, alice, version) == SERVED
    assert member.received[-1].header("X-Who") == b"alice"
    assert responder.asked == 1
    assert "AH03239: OCSP validation completed, certificate status: good (0, -1)" in log_of(program)


@pytest.mark.parametrize("trouble, words", [
    ("revoked", "AH03239: OCSP validation completed, certificate status: revoked"),
    ("unknown", "AH03239: OCSP validation completed, certificate status: unknown"),
    ("dead", "AH01974"), ("garbage", ""), ("try later", "AH01922"), ("error", ""), ("no nonce", "AH01924"),
])
def test_who_is_not_said_to_be_good_is_refused(program, port, member, authority, responder, version,
                                               trouble, words):
    alice = responder.certificate("alice")
    if trouble == "revoked":
        responder.revoke("alice")
    elif trouble == "unknown":
        responder.index.write_text("")
    elif trouble == "dead":
        responder.close()
    elif trouble == "no nonce":
        responder.adds_nonce = False
    else:
        responder.says = {"garbage": (200, b"<html>no</html>"), "error": (503, b""),
                          "try later": (200, b"\x30\x03\x0a\x01\x03")}[trouble]
    program.start(settings(port, member, authority, "SSLOCSPEnable leaf\n"), [port.port])
    before = len(member.received)
    assert outcome(port, alice, version) == REFUSED
    error = 23 if trouble == "revoked" else 50
    assert until(lambda: f"AH02276: Certificate Verification: Error ({error})" in log_of(program))
    assert words in log_of(program)
    assert until(lambda: "certificate verify failed" in log_of(program))
    assert len(member.received) == before


def test_another_authoritys_word_is_none(program, port, member, authority, tmp_path):
    with Responder(authority, Authority(tmp_path, "Stranger")) as stranger:
        alice = stranger.certificate("alice")
        text = settings(port, member, authority, "SSLOCSPEnable leaf\n")
        program.start(text, [port.port])
        assert outcome(port, alice) == REFUSED
        assert until(lambda: "AH01925: failed to verify the OCSP response" in log_of(program))
        program.stop()
        # Unless the configuration trusts it, or nobody looks.
        for trust in (f"SSLOCSPResponderCertificateFile {stranger.signer.certificate}\n",
                      "SSLOCSPNoverify on\n"):
            program.start(settings(port, member, authority, "SSLOCSPEnable leaf\n" + trust),
                          [port.port])
            assert outcome(port, alice) == SERVED
            program.stop()


def test_a_client_without_a_certificate_is_asked_about_by_nobody(program, port, member, authority,
                                                                 responder):
    alice = responder.certificate("alice")
    responder.revoke("alice")
    program.start(settings(port, member, authority, "SSLOCSPEnable on\n",
                           "SSLVerifyClient optional\n"), [port.port])
    assert outcome(port, None) == SERVED
    assert responder.asked == 0
    assert outcome(port, alice) == REFUSED


def test_whom_the_library_let_pass_unverified_nobody_can_be_asked_about(program, port, member,
                                                                        authority, tmp_path):
    mallory = Authority(tmp_path, "Other").issue(subject="/CN=mallory")
    for ocsp, expected in (("off", SERVED), ("on", REFUSED)):
        program.start(settings(port, member, authority, f"SSLOCSPEnable {ocsp}\n",
                               "SSLVerifyClient optional_no_ca\n"), [port.port])
        assert outcome(port, mallory) == expected
        program.stop()
    assert "AH02038: cannot perform OCSP validation for cert" in log_of(program)


def test_on_asks_about_the_chain_and_leaf_about_the_clients_own(program, port, member, authority,
                                                                responder, tmp_path):
    middle = authority.lower(tmp_path / "m")
    responder.knows(77, "Middle")
    with Responder(middle) as lower:
        alice = lower.certificate("alice")
        default = f"SSLOCSPDefaultResponder {responder.url}\n"
        for about, revoked, expected, asked in (
                ("on", False, SERVED, (1, 1)), ("leaf", False, SERVED, (0, 1)),
                ("on", True, REFUSED, (1, 0)), ("leaf", True, SERVED, (0, 1))):
            if revoked:
                responder.revoke("Middle")
            responder.asked = lower.asked = 0
            program.start(settings(port, member, authority, f"SSLOCSPEnable {about}\n" + default),
                          [port.port])
            assert outcome(port, alice) == expected, (about, revoked)
            assert (responder.asked, lower.asked) == asked
            program.stop()


def test_whoever_names_nobody_is_refused_unless_that_is_allowed(program, port, member, authority,
                                                                responder):
    nameless = authority.issue(subject="/CN=nameless")
    for ocsp, expected in (("leaf", REFUSED), ("leaf no_ocsp_for_cert_ok", SERVED)):
        program.start(settings(port, member, authority, f"SSLOCSPEnable {ocsp}\n"), [port.port])
        assert outcome(port, nameless) == expected
        program.stop()
    assert responder.asked == 0


def test_the_configuration_may_say_who_is_asked_and_by_whom(program, port, member, authority,
                                                            responder):
    alice = responder.certificate("alice")
    with Responder(authority) as other:
        other.index.write_text(responder.index.read_text())
        override = f"SSLOCSPDefaultResponder {other.url}\nSSLOCSPOverrideResponder on\n"
        for more, asked in (("", (1, 0)), (override, (0, 1)),
                            # It answers whatever it is asked for.
                            (f"SSLOCSPProxyURL http://127.0.0.1:{other.server.server_port}/\n",
                             (0, 1))):
            responder.asked = other.asked = 0
            program.start(settings(port, member, authority, "SSLOCSPEnable leaf\n" + more),
                          [port.port])
            assert outcome(port, alice) == SERVED
            assert (responder.asked, other.asked) == asked
            program.stop()


def test_an_answer_without_the_nonce_does_where_none_is_sent(program, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.adds_nonce = False
    program.start(settings(port, member, authority,
                           "SSLOCSPEnable leaf\nSSLOCSPUseRequestNonce off\n"), [port.port])
    assert outcome(port, alice) == SERVED


def test_a_path_that_asks_for_a_certificate_has_it_asked_about(program, port, member, authority,
                                                               responder, version):
    alice, bob = responder.certificate("alice"), responder.certificate("bob")
    responder.revoke("bob")
    program.start(settings(port, member, authority, "SSLOCSPEnable leaf\n", PATH), [port.port])
    assert outcome(port, bob, version, "/open") == SERVED
    assert responder.asked == 0
    assert outcome(port, alice, version, "/must") == SERVED
    assert outcome(port, bob, version, "/must") == REFUSED
    assert until(lambda: "Re-negotiation handshake failed" in log_of(program))
    assert [each.header("X-Who") for each in member.received[-2:]] == [b"(null)", b"alice"]


# --- Steelyard's own ways


def test_what_was_good_a_moment_ago_is_not_asked_about_again(server, port, member, authority,
                                                             responder, version):
    alice = responder.certificate("alice")
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\n"), [port.port])
    for _ in range(5):
        assert outcome(port, alice, version) == SERVED
    assert responder.asked == 1


def test_what_was_bad_is_asked_about_again(server, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.says = (503, b"")
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\n"), [port.port])
    assert outcome(port, alice) == REFUSED
    assert until(lambda: "gave no answer: HTTP status 503" in log_of(server))
    responder.says = None
    assert outcome(port, alice) == SERVED


def test_sessions_are_not_resumed_where_authorities_are_asked(server, port, member, authority,
                                                              responder, version):
    """A session is there before the authority has answered, and must not be a way around it."""
    alice = responder.certificate("alice")
    for ocsp, resumes in (("off", True), ("leaf", False)):
        server.start(settings(port, member, authority, f"SSLOCSPEnable {ocsp}\n"), [port.port])
        context = shown(alice, version)
        first = TlsConnection(port.port, "lb.test", context)
        assert first.ask().status == SERVED
        session = first.socket.session
        again = TlsConnection(port.port, "lb.test", context, session=session)
        assert again.ask().status == SERVED
        assert again.socket.session_reused is resumes
        first.close()
        again.close()
        server.stop()


def test_an_answer_that_does_not_end_is_not_read_to_its_end(server, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.says = (200, b"\x30" * (1 << 20))
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\n"), [port.port])
    assert outcome(port, alice) == REFUSED
    assert until(lambda: "the answer is too long" in log_of(server))


def test_an_authority_that_does_not_answer_holds_up_nobody_else(server, port, member, authority,
                                                                responder):
    alice = responder.certificate("alice")
    responder.leave.clear()
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\n", "SSLVerifyClient optional\n"),
                 [port.port])
    results = []
    waiting = threading.Thread(target=lambda: results.append(outcome(port, alice)))
    waiting.start()
    responder.wait_asked(1)
    assert outcome(port, None) == SERVED
    assert not results
    responder.leave.set()
    waiting.join(10)
    assert results == [SERVED]


def crowd_of(count, port, files):
    """So many clients at once; their outcomes when `join` has been called."""
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(outcome(port, files)))
               for _ in range(count)]
    for each in threads:
        each.start()

    def join():
        for each in threads:
            each.join(30)
        return outcomes

    return outcomes, join


def test_an_authority_that_does_not_answer_holds_up_no_clients_of_another(
        server, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.leave.clear()
    with Responder(authority) as well:
        bob = well.certificate("bob")
        server.start(settings(port, member, authority, "SSLOCSPEnable leaf\n"), [port.port])
        outcomes, join = crowd_of(24, port, alice)
        responder.wait_asked(16)
        assert outcome(port, bob) == SERVED
        assert not outcomes
        assert responder.asked == 16
        responder.leave.set()
        assert join() == [SERVED] * 24


def test_nobody_waits_behind_those_who_wait_in_vain(server, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.leave.clear()
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\nSSLOCSPResponderTimeout 2\n"),
                 [port.port])
    _, join = crowd_of(24, port, alice)
    assert join() == [REFUSED] * 24
    assert responder.asked < 24
    assert "gave no answer: it has just left another question without one" in log_of(server)
    # Who comes alone is asked about all the same.
    responder.leave.set()
    assert outcome(port, alice) == SERVED


def test_a_responder_has_its_time(server, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.leave.clear()
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\nSSLOCSPResponderTimeout 1\n"),
                 [port.port])
    assert outcome(port, alice) == REFUSED
    assert until(lambda: "gave no answer" in log_of(server))


def test_the_end_waits_for_no_authority(server, port, member, authority, responder):
    alice = responder.certificate("alice")
    responder.leave.clear()
    server.start(settings(port, member, authority, "SSLOCSPEnable leaf\nSSLOCSPResponderTimeout 60\n"),
                 [port.port])
    waiting = threading.Thread(target=lambda: outcome(port, alice))
    waiting.start()
    responder.wait_asked(1)
    assert server.stop() == 0
    waiting.join(10)
    assert not waiting.is_alive()


def hosts_with_different_rules(port, member, authority):
    certificate, key = authority.issue("lb.test", "open.test")
    hosts = "".join(f"""\
<VirtualHost 127.0.0.1:{port.port}>
ServerName {name}
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLCACertificateFile {authority.certificate}
SSLVerifyClient require
SSLOCSPEnable {ocsp}
ProxyPass / http://{member.address}/
</VirtualHost>
""" for name, ocsp in (("open.test", "off"), ("lb.test", "leaf")))
    return complete(MODULES + f"Listen {port.port}\nSSLSessionCache shmcb:sessions(512000)\n" + hosts)


def test_hosts_with_other_rules_are_not_one_anothers_way_in(server, port, member, authority, responder):
    """A connection that nobody was asked about is no good for a host that asks."""
    alice = responder.certificate("alice")
    responder.revoke("alice")
    server.start(hosts_with_different_rules(port, member, authority), [port.port])
    connection = TlsConnection(port.port, "open.test", shown(alice))
    assert connection.ask("/", "open.test").status == SERVED
    assert connection.ask("/", "lb.test").status == "421"
    connection.close()
    assert responder.asked == 0
    assert outcome(port, alice) == REFUSED


def test_sessions_of_a_host_that_asks_are_in_no_others_cache(server, port, member, authority, responder,
                                                            version):
    alice = responder.certificate("alice")
    server.start(hosts_with_different_rules(port, member, authority), [port.port])
    context = shown(alice, version)
    for host, resumes in (("open.test", True), ("lb.test", False)):
        session = None
        for turn in range(2):
            connection = TlsConnection(port.port, host, context, session=session)
            assert connection.ask("/", host).status == SERVED
            assert connection.socket.session_reused is (resumes and turn == 1)
            session = connection.socket.session
            connection.close()


def test_what_is_wrong_is_said_before_it_counts(server, port, member, authority):
    for line, said in (("SSLOCSPEnable maybe", "SSLOCSPEnable: Invalid argument 'maybe'"),
                       ("SSLOCSPEnable on\nSSLOCSPResponderCertificateFile nowhere.pem",
                        "nowhere.pem cannot be read"),
                       ("SSLOCSPResponseTimeSkew -5", "SSLOCSPResponseTimeSkew: invalid argument")):
        status, text = server.check(settings(port, member, authority, line + "\n"))
        assert status != 0 and said in text
    status, text = server.check(settings(port, member, authority, "SSLOCSPEnable on\n"
                                         "SSLOCSPDefaultResponder https://o.test/\n"))
    assert status == 0 and "is no http:// URL" in text


# --- reloads

ALL = "SSLVerifyClient optional\n"
H2 = f"LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so\nProtocols h2 http/1.1\n"


def reload(server, text, taken):
    """`taken`: whether it counts for new connections, until when it is looked at."""
    server.write(text)
    server.signal(signal.SIGUSR1)
    assert until(taken)


def answer_to(connection, path="/"):
    """REFUSED: the connection ends instead."""
    try:
        return connection.ask(path).status or REFUSED
    except (Stopped, ssl.SSLError, ConnectionResetError):
        return REFUSED


@pytest.mark.parametrize("before", ["off", "leaf\nSSLOCSPNoverify on"])
def test_a_reload_that_asks_for_more_counts_for_connections_that_are_open(
        program, port, member, authority, responder, version, before):
    alice, bob = responder.certificate("alice"), responder.certificate("bob")
    asks = settings(port, member, authority, "SSLOCSPEnable leaf\n", ALL)
    program.start(settings(port, member, authority, f"SSLOCSPEnable {before}\n", ALL), [port.port])
    open_ones = [TlsConnection(port.port, "lb.test", shown(files, version)) for files in (alice, bob)]
    assert [each.ask().status for each in open_ones] == [SERVED, SERVED]
    responder.revoke("bob")
    reload(program, asks, lambda: outcome(port, bob) == REFUSED)
    received = len(member.received)
    for each in open_ones:
        assert answer_to(each) in (REFUSED, "421")
        assert each.closed_by_peer(5)
        each.close()
    assert len(member.received) == received
    assert outcome(port, alice, version) == SERVED


def test_a_reload_that_asks_for_nothing_new_leaves_connections_open(server, port, member, authority,
                                                                    responder, version):
    alice = responder.certificate("alice")
    text = settings(port, member, authority, "SSLOCSPEnable leaf\n", ALL)
    server.start(text, [port.port])
    known = TlsConnection(port.port, "lb.test", shown(alice, version))
    unknown = TlsConnection(port.port, "lb.test", shown(None, version))
    assert [known.ask().status, unknown.ask().status] == [SERVED, SERVED]
    assert until(lambda: "resuming normal operations" in log_of(server))
    for change in ("ErrorDocument 503 changed\n", "SSLOCSPResponderTimeout 9\n"):
        loads = log_of(server).count("resuming normal operations")
        reload(server, text.replace("SSLOCSPEnable", change + "SSLOCSPEnable"),
               lambda: log_of(server).count("resuming normal operations") > loads)
        assert [known.ask().status, unknown.ask().status] == [SERVED, SERVED]
    assert responder.asked == 1
    known.close()
    unknown.close()


def test_who_showed_no_certificate_is_not_sent_away(server, port, member, authority, responder):
    bob = responder.certificate("bob")
    responder.revoke("bob")
    server.start(settings(port, member, authority, "SSLOCSPEnable off\n", ALL), [port.port])
    connection = TlsConnection(port.port, "lb.test", shown(None))
    assert connection.ask().status == SERVED
    reload(server, settings(port, member, authority, "SSLOCSPEnable leaf\n", ALL),
           lambda: outcome(port, bob) == REFUSED)
    assert connection.ask().status == SERVED
    connection.close()


def test_what_a_path_asked_for_before_a_reload_counts_for_no_more_than_another(
        server, port, member, authority, responder, version):
    alice, bob = responder.certificate("alice"), responder.certificate("bob")
    server.start(settings(port, member, authority, "SSLOCSPEnable off\n", PATH), [port.port])
    asked, unasked = (TlsConnection(port.port, "lb.test", shown(files, version))
                      for files in (bob, alice))
    assert [asked.ask("/must").status, unasked.ask("/open").status] == [SERVED, SERVED]
    responder.revoke("bob")
    reload(server, settings(port, member, authority, "SSLOCSPEnable leaf\n", PATH),
           lambda: outcome(port, bob, path="/must") == REFUSED)
    assert asked.ask("/must").status == "421"
    asked.close()
    # Who is asked for one after the reload is asked about, and stays.
    before = responder.asked
    assert [unasked.ask("/must").status, unasked.ask("/must").status] == [SERVED, SERVED]
    assert responder.asked == before + 1
    unasked.close()


def test_http2_connections_older_than_the_rules_end(server, port, member, authority, responder):
    alice, bob = responder.certificate("alice"), responder.certificate("bob")
    server.start(H2 + settings(port, member, authority, "SSLOCSPEnable off\n", ALL), [port.port])
    clients = [Client(port, "lb.test", files) for files in (alice, None)]
    assert [each.ask("lb.test") for each in clients] == [SERVED, SERVED]
    responder.revoke("bob")
    reload(server, H2 + settings(port, member, authority, "SSLOCSPEnable leaf\n", ALL),
           lambda: outcome(port, bob) == REFUSED)
    assert [each.ask("lb.test") for each in clients] == ["421", SERVED]
    assert clients[0].is_sent_away()
    for each in clients:
        each.close()
    assert until(lambda: "the connection is older than what is asked" in log_of(server))
    client = Client(port, "lb.test", alice)
    assert [client.ask("lb.test"), client.ask("lb.test")] == [SERVED, SERVED]
    client.close()
