"""Which servers speak TLS without SSLEngine, by their Listen lines and addresses, and what SSLEngine optional means:
beside apache2 with the same file."""

import itertools
import socket

import pytest
from support.both import PROGRAMS, WAIT_S, by_both
from support.certificates import Authority
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
LISTENS = ["%d https", "*:%d https", "0.0.0.0:%d https", "127.0.0.1:%d https", "%d", "%d http"]
ADDRESSES = ["*:%d", "127.0.0.1:%d", "_default_:%d",
             "*:%d 127.0.0.1:%d", "127.0.0.1:%d *:%d"]
NAME = "ServerName x.test\n"
CASES = list(itertools.product(LISTENS, ADDRESSES, (NAME, ""))) + [
    ("%d https", "*:%d", NAME + f"SSLEngine {word}\n") for word in ("on", "off", "optional")]
KNOWN = {
    ("%d https", "*:%d", NAME): "TLS",
    ("%d https", "*:%d", ""): "plain",
    ("%d https", "127.0.0.1:%d", NAME): "plain",
    ("0.0.0.0:%d https", "*:%d", NAME): "TLS",
    ("127.0.0.1:%d https", "127.0.0.1:%d", NAME): "TLS",
    ("%d", "*:%d", NAME): "plain",
    ("%d https", "*:%d", NAME + "SSLEngine optional\n"): "plain",
}


def spoken(port):
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(4096), b""))
    return "TLS" if b"plain HTTP to an SSL-enabled server port" in said else "plain"


@pytest.fixture(scope="module")
def found(binary, tmp_path_factory):
    own, key = Authority(tmp_path_factory.mktemp("authority")).issue("x.test")
    held = {case: HeldPort() for case in CASES}
    text = MODULES
    for (listen, addresses, lines), port in held.items():
        text += (f"Listen {listen.replace('%d', str(port.port))}\n"
                 f"<VirtualHost {addresses.replace('%d', str(port.port))}>\n{lines}"
                 f"SSLCertificateFile {own}\nSSLCertificateKeyFile {key}\n</VirtualHost>\n")
    ports = [port.port for port in held.values()]
    yield by_both(binary, text, ports, lambda: {case: spoken(port.port)
                                                for case, port in held.items()})
    for port in held.values():
        port.close()


def test_who_speaks_tls_without_being_told(found):
    for case in CASES:
        assert found["ours"][case] == found["httpd"][case], case
    for case, expected in KNOWN.items():
        assert {name: found[name][case] for name in PROGRAMS} == dict.fromkeys(PROGRAMS, expected)
