"""Small things about TLS in which apache2 does otherwise with the same file (docs/tls.md)."""

import re

import pytest
from support.both import by_both
from support.certificates import Authority
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete
from support.tls import TlsConnection, context_for


@pytest.fixture
def text(port, tmp_path):
    own, key = Authority(tmp_path).issue("lb.test")
    return (f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\nListen {port.port}\nSSLEngine On\n"
            f"SSLCertificateFile {own}\nSSLCertificateKeyFile {key}\n"
            "Header always set X-Interface %{SSL_VERSION_INTERFACE}s\n"
            "Redirect 302 /there http://there.test/\n")


def ask(port):
    connection = TlsConnection(port, "lb.test", context_for())
    answer = connection.ask("/there")
    connection.close()
    return answer


def test_who_speaks_tls(binary, port, text):
    found = by_both(binary, text, [port.port],
                    lambda: ask(port.port).header("X-Interface").partition(b"/")[0])
    assert found == {"httpd": b"mod_ssl", "ours": b"Steelyard"}


@pytest.mark.parametrize("program", ["httpd", "ours"])
def test_bytes_are_counted_before_encryption(binary, scratch, port, text, program):
    server = Server(APACHE if program == "httpd" else binary, scratch)
    server.start(complete(text), [port.port])
    try:
        assert ask(port.port).status == "302"
        counted = r"I=(\d+) O=(\d+)"
        assert until(lambda: re.search(counted + ".* U=/there ", server.read("access.log")))
        line = next(line for line in server.read("access.log").splitlines() if "U=/there" in line)
    finally:
        server.stop()
    came = int(re.search(counted, line)[1])
    message = len("GET /there HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert came == message if program == "ours" else came > message + 100


