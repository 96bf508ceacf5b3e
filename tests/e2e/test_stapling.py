"""The word of its authority goes with a certificate (SSLUseStapling), against openssl's own OCSP."""

import signal

import pytest
from support.certificates import Authority
from support.ocsp import Responder, stapled
from support.process import until
from support.server import MODULE_DIRECTORY, complete

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
GOOD = "Cert Status: good"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def responder(authority):
    with Responder(authority) as one:
        yield one


def text(port, files, more="SSLUseStapling On\n"):
    return complete(MODULES + f"Listen {port.port} https\nSSLEngine On\nSSLCertificateFile {files[0]}\n"
                    f"SSLCertificateKeyFile {files[1]}\n"
                    'SSLStaplingCache "shmcb:ssl_stapling(32768)"\n' + more)


def test_a_client_that_asks_is_shown_what_the_authority_says(server, port, responder):
    files = responder.certificate("lb.test")
    server.start(text(port, files), [port.port])
    assert until(lambda: GOOD in stapled(port.port, "lb.test"))
    assert responder.asked == 1  # not for each handshake
    assert GOOD in stapled(port.port, "lb.test") and responder.asked == 1
    assert server.stop() == 0


def test_without_the_line_nobody_is_asked(server, port, responder):
    server.start(text(port, responder.certificate("lb.test"), ""), [port.port])
    assert stapled(port.port, "lb.test") == ""
    assert responder.asked == 0


def test_each_host_has_its_own(server, port, responder):
    one, two = responder.certificate("one.test"), responder.certificate("two.test")
    hosts = "".join(f"<VirtualHost 127.0.0.1:{port.port}>\nServerName {name}.test\nSSLEngine On\n"
                    f"SSLCertificateFile {files[0]}\nSSLCertificateKeyFile {files[1]}\n"
                    "</VirtualHost>\n" for name, files in (("one", one), ("two", two)))
    server.start(complete(MODULES + f"Listen {port.port}\nSSLUseStapling On\n" + hosts), [port.port])
    serials = {}
    for name in ("one", "two"):
        assert until(lambda host=name: GOOD in stapled(port.port, f"{host}.test"))
        shown = stapled(port.port, f"{name}.test")
        serials[name] = shown[shown.index("Serial Number:"):].split()[2]
    assert serials == {"one": "5001", "two": "5002"}


def test_hosts_with_one_certificate_share_its_answer(server, port, responder):
    files = responder.certificate("lb.test")
    hosts = "".join(f"<VirtualHost 127.0.0.1:{port.port}>\nServerName {name}.test\nSSLEngine On\n"
                    f"SSLCertificateFile {files[0]}\nSSLCertificateKeyFile {files[1]}\n"
                    "</VirtualHost>\n" for name in ("one", "two", "three"))
    config = complete(MODULES + f"Listen {port.port}\nSSLUseStapling On\n" + hosts)
    server.start(config, [port.port])
    assert until(lambda: GOOD in stapled(port.port, "three.test"))
    for name in ("one", "two"):
        assert GOOD in stapled(port.port, f"{name}.test")
    assert responder.asked == 1
    responder.says = (503, b"")
    server.signal(signal.SIGUSR1)
    assert until(lambda: server.read("error.log").count("resuming normal operations") == 2)
    for name in ("one", "two", "three"):
        assert GOOD in stapled(port.port, f"{name}.test")
    assert responder.asked == 1


@pytest.mark.parametrize("trouble", ["revoked", "unknown", "garbage", "try later", "error"])
def test_what_is_not_good_is_not_shown(server, port, responder, trouble):
    files = responder.certificate("lb.test")
    words = {"revoked": "certificate is revoked", "unknown": "certificate is unknown",
             "garbage": "that is no OCSP answer", "try later": "it says trylater", "error": "HTTP status 503"}
    if trouble == "revoked":
        responder.revoke("lb.test")
    elif trouble == "unknown":
        responder.index.write_text("")
    elif trouble == "garbage":
        responder.says = (200, b"<html>no</html>")
    elif trouble == "try later":
        responder.says = (200, b"\x30\x03\x0a\x01\x03")
    else:
        responder.says = (503, b"")
    server.start(text(port, files), [port.port])
    assert until(lambda: "nothing new is stapled" in server.read("error.log"))
    assert words[trouble] in server.read("error.log")
    assert stapled(port.port, "lb.test") == ""


def test_another_authoritys_word_is_none(server, port, authority, tmp_path):
    with Responder(authority, Authority(tmp_path, "Stranger")) as stranger:
        files = stranger.certificate("lb.test")
        server.start(text(port, files), [port.port])
        assert until(lambda: "nothing new is stapled" in server.read("error.log"))
        assert stapled(port.port, "lb.test") == ""


def test_a_reload_goes_on_with_what_there_is(server, port, responder):
    files = responder.certificate("lb.test")
    server.start(text(port, files), [port.port])
    assert until(lambda: GOOD in stapled(port.port, "lb.test"))
    responder.says = (503, b"")
    server.write(text(port, files, "SSLUseStapling On\nServerName other.test\n"))
    server.signal(signal.SIGUSR1)
    assert until(lambda: server.read("error.log").count("resuming normal operations") == 2)
    assert GOOD in stapled(port.port, "lb.test")
    assert responder.asked == 1


def test_after_a_failure_it_is_asked_again(server, port, responder):
    files = responder.certificate("lb.test")
    responder.says = (503, b"")
    server.start(text(port, files, "SSLUseStapling On\nSSLStaplingErrorCacheTimeout 1\n"),
                 [port.port])
    responder.wait_asked(1)
    responder.says = None
    assert until(lambda: GOOD in stapled(port.port, "lb.test"))
    assert "answers about /CN=lb.test again" in server.read("error.log")


def test_a_named_url_counts_more_than_the_certificates(server, port, authority, responder):
    files = responder.certificate("lb.test")
    with Responder(authority) as other:
        other.index.write_text(responder.index.read_text())
        server.start(text(port, files, f"SSLUseStapling On\nSSLStaplingForceURL {other.url}\n"),
                     [port.port])
        assert until(lambda: GOOD in stapled(port.port, "lb.test"))
        assert (responder.asked, other.asked) == (0, 1)


def test_a_certificate_that_can_have_none_is_told(server, port, authority):
    files = authority.issue("lb.test")
    checked = server.check(text(port, files))
    assert "Nothing is stapled to /O=Test/CN=lb.test" in str(checked)
