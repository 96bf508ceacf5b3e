"""Who is believed, by every directive that says so, and which ciphers are agreed on: with clients and with
members, beside apache2 with the same file."""

import ssl
import subprocess

import pytest
from support.both import PROGRAMS, by_both
from support.certificates import Authority, hashed
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY, Scratch
from support.tls import TlsConnection, context_for, handshake_fault
from support.tls_member import TlsMember
from support.wire import Connection

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
TLS_1_2, TLS_1_3 = (ssl.TLSVersion.TLSv1_2,) * 2, (ssl.TLSVersion.TLSv1_3,) * 2
GCM_128, GCM_256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"


class Family:
    """An authority, one below it, a stranger, and what they signed."""

    def __init__(self, directory):
        directory.chmod(0o755)
        self.directory = directory
        self.root = Authority(directory / "root", "Root")
        self.stranger = Authority(directory / "stranger", "Stranger")
        self.middle = self.root.lower(directory / "middle")
        self.own = self.root.issue("lb.test")
        self.good = self.root.issue("localhost", subject="/CN=good")
        self.bad = self.root.issue("localhost", subject="/CN=bad")
        below = self.middle.issue("localhost", subject="/CN=below")
        self.below = self._with_middle(below)
        self.list_of_root = self.root.list_of_revoked(self.bad[0])
        self.list_of_middle = self.middle.list_of_revoked()
        self.list_with_middle = self.root.list_of_revoked(self.bad[0], self.middle.certificate)

    def _with_middle(self, pair):
        both = self.directory / "below-middle.pem"
        both.write_text(pair[0].read_text() + self.middle.certificate.read_text())
        return both, pair[1]


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    return Family(tmp_path_factory.mktemp("family"))


# --- with clients ----------------------------------------------------------------------------------

CLIENT_CASES = {
    # lines: who of (good, bad, below) comes in
    "a directory of authorities": ("SSLCACertificatePath {roots}", "good bad"),
    "a directory of others": ("SSLCACertificatePath {strangers}", ""),
    "a file, and a directory beside it": (
        "SSLCACertificateFile {stranger}\nSSLCACertificatePath {roots}", "good bad"),
    "two steps": ("SSLCACertificatePath {roots}\nSSLVerifyDepth 2", "good bad below"),
    "lists in a directory": (
        "SSLCACertificatePath {roots}\nSSLCARevocationPath {lists}\nSSLCARevocationCheck leaf",
        "good"),
    "lists that nobody asks for": (
        "SSLCACertificatePath {roots}\nSSLCARevocationPath {lists}", "good bad"),
    "a list for each step": (
        "SSLCACertificatePath {roots}\nSSLVerifyDepth 2\nSSLCARevocationPath {lists}\n"
        "SSLCARevocationCheck chain", "good below"),
    "a list for the lowest step alone": (
        "SSLCACertificatePath {roots}\nSSLVerifyDepth 2\nSSLCARevocationPath {lists-middle}\n"
        "SSLCARevocationCheck leaf", "good below"),
    "the middle is revoked": (
        "SSLCACertificatePath {roots}\nSSLVerifyDepth 2\nSSLCARevocationPath {lists-middle}\n"
        "SSLCARevocationCheck chain", "good"),
    "a list is missing": (
        "SSLCACertificatePath {roots}\nSSLVerifyDepth 2\nSSLCARevocationPath {lists-of-root}\n"
        "SSLCARevocationCheck chain", "good"),
    "a list may be missing": (
        "SSLCACertificatePath {roots}\nSSLVerifyDepth 2\nSSLCARevocationPath {lists-of-root}\n"
        "SSLCARevocationCheck chain no_crl_for_cert_ok", "good below"),
}


@pytest.fixture(scope="module")
def places(family):
    """httpd looks into directories when a certificate comes, as the user that it runs as."""
    scratch = Scratch("steelyard-places-")
    base = scratch.path
    yield {
        "roots": hashed(base / "roots", family.root.certificate),
        "strangers": hashed(base / "strangers", family.stranger.certificate),
        "lists": hashed(base / "lists", family.list_of_root, family.list_of_middle),
        "lists-middle": hashed(base / "lists-middle", family.list_with_middle,
                               family.list_of_middle),
        "lists-of-root": hashed(base / "lists-of-root", family.list_of_root),
        "stranger": family.stranger.certificate,
        "root": family.root.certificate,
        "list": family.list_of_root,
    }
    scratch.close()


def fill(lines, places):
    for name, path in places.items():
        lines = lines.replace("{" + name + "}", str(path))
    return lines


def host(port, family, lines):
    return (f"Listen {port}\n<VirtualHost *:{port}>\nServerName lb.test\nSSLEngine On\n"
            f"SSLCertificateFile {family.own[0]}\nSSLCertificateKeyFile {family.own[1]}\n{lines}\n"
            "</VirtualHost>\n")


@pytest.fixture(scope="module")
def clients(binary, family, places):
    """{case: {program: who came in}}"""
    held = {case: HeldPort() for case in CLIENT_CASES}
    text = MODULES + "".join(
        host(held[case].port, family, "SSLVerifyClient require\n" + fill(lines, places))
        for case, (lines, _) in CLIENT_CASES.items())
    pairs = {"good": family.good, "bad": family.bad, "below": family.below}

    def ask():
        return {case: " ".join(name for name, pair in pairs.items() if handshake_fault(
            port.port, "lb.test", context_for(family.root, pair)) is None)
            for case, port in held.items()}

    found = by_both(binary, text, [port.port for port in held.values()], ask)
    yield {case: {name: found[name][case] for name in PROGRAMS} for case in CLIENT_CASES}
    for port in held.values():
        port.close()


@pytest.mark.parametrize("case", CLIENT_CASES)
def test_which_clients_come_in(clients, case):
    assert clients[case] == dict.fromkeys(PROGRAMS, CLIENT_CASES[case][1])


def names_told(port):
    """The authorities that a client is told of, in the order of their names."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], input=b"",
                           capture_output=True, timeout=20, check=False).stdout.decode("latin-1")
    told = shown.partition("Acceptable client certificate CA names\n")[2]
    return sorted(line for line in told.partition("Requested")[0].splitlines()
                  if line.startswith("CN"))


@pytest.mark.parametrize("lines, expected", [
    ("SSLCACertificateFile {root}", ["CN = Root"]),
    ("SSLCACertificatePath {roots}", ["CN = Root"]),
    ("SSLCACertificateFile {root}\nSSLCADNRequestFile {stranger}", ["CN = Stranger"]),
    ("SSLCACertificateFile {root}\nSSLCADNRequestPath {strangers}", ["CN = Stranger"]),
    ("SSLCACertificateFile {root}\nSSLCADNRequestFile {root}\nSSLCADNRequestPath {strangers}",
     ["CN = Root", "CN = Stranger"]),
], ids=["file", "path", "request file", "request path", "both"])
def test_which_authorities_clients_are_told_of(binary, family, places, port, lines, expected):
    text = MODULES + host(port.port, family, "SSLVerifyClient optional\n" + fill(lines, places))

    def ask():
        comes_in = handshake_fault(port.port, "lb.test", context_for(family.root, family.good))
        return names_told(port.port), comes_in

    assert by_both(binary, text, [port.port], ask) == dict.fromkeys(PROGRAMS, (expected, None))


@pytest.mark.parametrize("honors, expected", [("On", GCM_128), ("Off", GCM_256)])
def test_whose_order_of_ciphers_counts(binary, family, port, honors, expected):
    text = MODULES + host(port.port, family,
                          f"SSLCipherSuite {GCM_128}:{GCM_256}\nSSLHonorCipherOrder {honors}")

    def ask():
        context = context_for(family.root, versions=TLS_1_2, ciphers=f"{GCM_256}:{GCM_128}")
        connection = TlsConnection(port.port, "lb.test", context)
        agreed = connection.socket.cipher()[0]
        connection.close()
        return agreed

    assert by_both(binary, text, [port.port], ask) == dict.fromkeys(PROGRAMS, expected)


# --- with members ----------------------------------------------------------------------------------

FINE, REFUSED = "200", "500"
MEMBER_CASES = {
    # member, lines: the status
    "a directory of authorities": ("good", "SSLProxyCACertificatePath {roots}", FINE),
    "a directory of others": ("good", "SSLProxyCACertificatePath {strangers}", REFUSED),
    "one step, and there are two": ("below", "SSLProxyCACertificatePath {roots}", REFUSED),
    "two steps": ("below", "SSLProxyCACertificatePath {roots}\nSSLProxyVerifyDepth 2", FINE),
    "no step": ("good", "SSLProxyCACertificatePath {roots}\nSSLProxyVerifyDepth 0", REFUSED),
    "a list": ("bad", "SSLProxyCACertificateFile {root}\nSSLProxyCARevocationFile {list}\n"
               "SSLProxyCARevocationCheck leaf", REFUSED),
    "a list without it": ("good", "SSLProxyCACertificateFile {root}\n"
                          "SSLProxyCARevocationFile {list}\nSSLProxyCARevocationCheck leaf", FINE),
    "a list that nobody asks for": ("bad", "SSLProxyCACertificateFile {root}\n"
                                    "SSLProxyCARevocationFile {list}", FINE),
    "lists in a directory": ("bad", "SSLProxyCACertificateFile {root}\n"
                             "SSLProxyCARevocationPath {lists}\nSSLProxyCARevocationCheck chain",
                             REFUSED),
    "lists in a directory without it": (
        "good", "SSLProxyCACertificateFile {root}\nSSLProxyCARevocationPath {lists}\n"
        "SSLProxyCARevocationCheck chain", FINE),
    "the middle is revoked": (
        "below", "SSLProxyCACertificateFile {root}\nSSLProxyVerifyDepth 2\n"
        "SSLProxyCARevocationPath {lists-middle}\nSSLProxyCARevocationCheck chain", REFUSED),
    "the middle is not looked at": (
        "below", "SSLProxyCACertificateFile {root}\nSSLProxyVerifyDepth 2\n"
        "SSLProxyCARevocationPath {lists-middle}\nSSLProxyCARevocationCheck leaf", FINE),
    "a list is missing": (
        "below", "SSLProxyCACertificateFile {root}\nSSLProxyVerifyDepth 2\n"
        "SSLProxyCARevocationFile {list}\nSSLProxyCARevocationCheck chain", REFUSED),
    "a list may be missing": (
        "below", "SSLProxyCACertificateFile {root}\nSSLProxyVerifyDepth 2\n"
        "SSLProxyCARevocationFile {list}\nSSLProxyCARevocationCheck chain no_crl_for_cert_ok", FINE),
}


@pytest.fixture(scope="module")
def answers(binary, family, places):
    """{case: {program: status}}"""
    port = HeldPort()
    pairs = {"good": family.good, "bad": family.bad, "below": family.below}
    members = {name: TlsMember(pair) for name, pair in pairs.items()}
    text = f"{MODULES}Listen {port.port}\nSSLProxyEngine On\nSSLProxyVerify require\n"
    for nth, (member, lines, _) in enumerate(MEMBER_CASES.values()):
        url = f"https://localhost:{members[member].port}/{nth}"
        text += f"<Proxy {url}/>\n{fill(lines, places)}\n</Proxy>\nProxyPass /{nth}/ {url}/\n"

    def ask():
        statuses = []
        for nth in range(len(MEMBER_CASES)):
            connection = Connection("127.0.0.1", port.port)
            connection.send(f"GET /{nth}/ HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
            statuses.append(connection.read_response("GET").status)
            connection.close()
        return statuses

    try:
        found = by_both(binary, text, [port.port], ask)
        yield {case: {name: found[name][nth] for name in PROGRAMS}
               for nth, case in enumerate(MEMBER_CASES)}
    finally:
        for member in members.values():
            member.__exit__()
        port.close()


@pytest.mark.parametrize("case", MEMBER_CASES)
def test_which_members_are_believed(answers, case):
    assert answers[case] == dict.fromkeys(PROGRAMS, MEMBER_CASES[case][2])


@pytest.mark.parametrize("versions, line, expected", [
    (TLS_1_2, f"SSLProxyCipherSuite {GCM_256}", GCM_256),
    (TLS_1_2, f"SSLProxyCipherSuite {GCM_128}", GCM_128),
    (TLS_1_3, "SSLProxyCipherSuite TLSv1.3 TLS_CHACHA20_POLY1305_SHA256",
     "TLS_CHACHA20_POLY1305_SHA256"),
    (TLS_1_3, "SSLProxyCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
], ids=["1.2 long", "1.2 short", "1.3 chacha", "1.3 aes"])
def test_which_cipher_members_are_offered(binary, family, port, versions, line, expected):
    with TlsMember(family.good, versions=versions) as member:
        text = (f"{MODULES}Listen {port.port}\nSSLProxyEngine On\n{line}\n"
                f"ProxyPass / https://localhost:{member.port}/\n")

        def ask():
            connection = Connection("127.0.0.1", port.port)
            connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
            status = connection.read_response("GET").status
            connection.close()
            return status, member.handshakes[-1].cipher

        assert by_both(binary, text, [port.port], ask) == dict.fromkeys(
            PROGRAMS, (FINE, expected))
