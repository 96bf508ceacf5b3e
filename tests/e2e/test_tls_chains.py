"""Which certificates a client is shown: the chain beside its own file, that of SSLCertificateChainFile, and what the
library completes out of believed authorities. Beside apache2 with the same file."""

import re
import subprocess

import pytest
from support.both import PROGRAMS, by_both
from support.certificates import RSA, Authority, hashed
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY, Scratch

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
OWN = "SSLCertificateFile {leaf}\nSSLCertificateKeyFile {leaf-key}\n"
FULL = "SSLCertificateFile {full}\nSSLCertificateKeyFile {leaf-key}\n"
TWO = OWN + "SSLCertificateFile {rsa}\nSSLCertificateKeyFile {rsa-key}\n"
CHAIN = "SSLCertificateChainFile {middle}\n"
FILE, BOTH, PATH = (f"SSLCACertificate{where}\n" for where in (
    "File {middle}", "File {both}", "Path {hashed}"))
SECTION = "<Location /x>\nSSLVerifyClient require\n</Location>\n"

CASES = {
    # the main server, the host: the chain that is shown
    "alone": ("", OWN, "leaf"),
    "in the file": ("", FULL, "leaf Middle"),
    "a chain file": ("", OWN + CHAIN, "leaf Middle"),
    "a chain file of the main server": (CHAIN, OWN, "leaf Middle"),
    "everything of the main server": (OWN + CHAIN, "", "leaf Middle"),
    "a chain file of the host's own": (CHAIN, OWN + "SSLCertificateChainFile {root}\n", "leaf Root"),
    "in the file, and a chain file": ("", FULL + "SSLCertificateChainFile {root}\n", "leaf Root"),
    "in the file, and a chain file of the main server": (
        "SSLCertificateChainFile {root}\n", FULL, "leaf Root"),
    "the chain file is the certificate's": (
        "", FULL + "SSLCertificateChainFile {full}\n", "leaf Middle"),
    "the chain file has the certificate, too": (
        "", OWN + "SSLCertificateChainFile {full}\n", "leaf leaf Middle"),
    "a chain file that lacks the root, which is believed": ("", OWN + CHAIN + BOTH, "leaf Middle"),
    "in the file, and the root is believed": ("", FULL + BOTH, "leaf Middle"),
    "the middle is believed": ("", OWN + FILE, "leaf Middle"),
    "middle and root are believed": ("", OWN + BOTH, "leaf Middle Root"),
    "believed by the main server": (BOTH, OWN, "leaf Middle Root"),
    "believed by the main server, its certificate": (OWN + BOTH, "", "leaf Middle Root"),
    "in a directory": ("", OWN + PATH, "leaf Middle Root"),
    "a stranger is believed": ("", OWN + "SSLCACertificateFile {stranger}\n", "leaf"),
    "clients are asked": ("", OWN + BOTH + "SSLVerifyClient optional\n", "leaf Middle Root"),
    "clients are asked for a path": ("", OWN + BOTH + SECTION, "leaf Middle Root"),
    "members' authorities": ("", OWN + "SSLProxyCACertificateFile {both}\n", "leaf"),
    "two kinds of keys": ("", TWO + CHAIN, "leaf Middle"),
    "two kinds of keys, completed": ("", TWO + BOTH, "leaf Middle Root"),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    scratch = Scratch("steelyard-chains-")
    base = scratch.path
    root = Authority(base / "root", "Root")
    stranger = Authority(base / "stranger", "Stranger")
    middle = root.lower(base / "middle")
    leaf, key = middle.issue("lb.test", subject="/CN=leaf")
    rsa, rsa_key = middle.issue("lb.test", subject="/CN=leaf", algorithm=RSA)
    both, full = base / "both.pem", base / "full.pem"
    both.write_text(middle.certificate.read_text() + root.certificate.read_text())
    full.write_text(leaf.read_text() + middle.certificate.read_text())
    yield {"leaf": leaf, "leaf-key": key, "rsa": rsa, "rsa-key": rsa_key, "both": both, "full": full,
           "middle": middle.certificate, "root": root.certificate,
           "stranger": stranger.certificate,
           "hashed": hashed(base / "hashed", middle.certificate, root.certificate)}
    scratch.close()


def fill(lines, places):
    for name, path in places.items():
        lines = lines.replace("{" + name + "}", str(path))
    return lines


def shown(port, signatures):
    """Common names of the chain, or None where there is no certificate of this kind."""
    said = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "lb.test",
         "-showcerts", "-sigalgs", signatures],
        input=b"", capture_output=True, timeout=20, check=False).stdout.decode("latin-1")
    return " ".join(re.findall(r"^ *[0-9] s:CN ?= ?(\w+)", said, re.MULTILINE)) or None


@pytest.mark.parametrize("main", sorted({main for main, _, _ in CASES.values()}),
                         ids=lambda main: main.replace("SSL", "").split("\n")[0] or "nothing")
def test_which_certificates_clients_are_shown(binary, places, main):
    cases = {name: case for name, case in CASES.items() if case[0] == main}
    held = {name: HeldPort() for name in cases}
    text = MODULES + fill(main, places) + "".join(
        f"Listen {held[name].port}\n<VirtualHost *:{held[name].port}>\nSSLEngine On\n"
        f"{fill(lines, places)}</VirtualHost>\n" for name, (_, lines, _) in cases.items())

    def ask():
        return {name: (shown(port.port, "ECDSA+SHA256"), shown(port.port, "RSA-PSS+SHA256"))
                for name, port in held.items()}

    try:
        found = by_both(binary, text, [port.port for port in held.values()], ask)
    finally:
        for port in held.values():
            port.close()
    expected = {name: (chain, chain if TWO in lines else None)
                for name, (_, lines, chain) in cases.items()}
    for name in cases:
        assert {program: found[program][name] for program in PROGRAMS} == \
            dict.fromkeys(PROGRAMS, expected[name]), name
