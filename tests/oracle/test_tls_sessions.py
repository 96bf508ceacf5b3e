"""For how long sessions are good, at apache2 and at steelyard (SSLSessionCacheTimeout)."""

import ssl

import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete, steelyard_binary
from support.tls import TlsConnection, context_for

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
CONFIG = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                 for name in ("socache_shmcb", "ssl")) + """\
Listen 127.0.0.1:{port}
SSLSessionCache shmcb:sessions(512000)
{lines}
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
Redirect 404 /
"""


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki")).issue("lb.test")


@pytest.fixture(params=PROGRAMS)
def start(request, certified):
    scratch, port = Scratch(), HeldPort()
    server = Server(PROGRAMS[request.param], scratch.path)

    def begin(lines):
        certificate, key = certified
        server.start(complete(CONFIG.format(port=port.port, lines=lines, certificate=certificate,
                                            key=key)), [port.port])
        return port.port

    yield begin
    server.stop()
    port.close()
    scratch.close()


def one_session(port, context, session=None):
    """(whether it was resumed, the session that can be next)"""
    client = TlsConnection(port, "lb.test", context, session)
    assert client.ask().status == "404"
    seen = client.socket.session_reused, client.socket.session
    client.close()
    return seen


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("lines", "seconds"), [("", 300), ("SSLSessionCacheTimeout 77", 77)])
def test_tickets_tell_how_long_they_are_good(start, version, lines, seconds):
    _, session = one_session(start(lines), context_for(versions=(version, version)))
    assert session.has_ticket and session.ticket_lifetime_hint == seconds


def test_sessions_of_the_cache_get_old(start):
    port = start("SSLSessionCacheTimeout 2")
    context = context_for(versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
    context.options |= ssl.OP_NO_TICKET
    _, session = one_session(port, context)
    assert one_session(port, context, session)[0]
    assert until(lambda: not one_session(port, context, session)[0])
