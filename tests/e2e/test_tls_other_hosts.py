"""Which other hosts a connection may ask for than its handshake named (SSLVHostSNIPolicy): what two virtual hosts
differ in, beside apache2 with the same file."""

import ssl

import pytest
from support.both import PROGRAMS, by_both
from support.certificates import RSA, Authority, hashed
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY, Scratch
from support.tls import TlsConnection, context_for

MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("socache_shmcb", "ssl"))
OWN = "SSLCertificateFile {own}\nSSLCertificateKeyFile {key}\n"
ROOT, OTHER = "SSLCACertificateFile {root}\n", "SSLCACertificateFile {other}\n"
ASKS = ROOT + "SSLVerifyClient optional\n"
LIST = "SSLCARevocationFile {list}\n"
OCSP = "SSLOCSPEnable on\n"

PAIRS = {
    "nothing": ("", ""),
    "certificate": (OWN, "SSLCertificateFile {own2}\nSSLCertificateKeyFile {key2}\n"),
    "the same certificate elsewhere": (
        OWN, "SSLCertificateFile {copy}\nSSLCertificateKeyFile {key}\n"),
    "the same key elsewhere": (OWN, "SSLCertificateFile {own}\nSSLCertificateKeyFile {key-copy}\n"),
    "one certificate more": (
        OWN, OWN + "SSLCertificateFile {rsa}\nSSLCertificateKeyFile {rsa-key}\n"),
    "chain file": ("", "SSLCertificateChainFile {root}\n"),
    "protocol": ("SSLProtocol all", "SSLProtocol TLSv1.2"),
    "protocol in other words": (
        "SSLProtocol all -TLSv1 -TLSv1.1", "SSLProtocol +TLSv1.2 +TLSv1.3"),
    "ciphers": ("", "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256"),
    "suites": ("", "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"),
    "order of ciphers": ("", "SSLHonorCipherOrder on"),
    "tickets": ("", "SSLSessionTickets off"),
    "ticket key": ("", "SSLSessionTicketKeyFile {tickets}"),
    "life of sessions": ("", "SSLSessionCacheTimeout 30"),
    "the library's words": ("", "SSLOpenSSLConfCmd Groups P-384"),
    "the library's words, the same": (
        "SSLOpenSSLConfCmd Groups P-384", "SSLOpenSSLConfCmd Groups P-384"),
    "variables": ("", "SSLOptions +StdEnvVars"),
    "strict host": ("", "SSLStrictSNIVHostCheck on"),
    "members": ("", "SSLProxyEngine on"),
    "members' authorities": ("", "SSLProxyCACertificateFile {root}"),
    "verification": (ROOT, ASKS),
    "kind of verification": (ASKS, ROOT + "SSLVerifyClient optional_no_ca"),
    "verification in a section": (
        ROOT, ROOT + "<Location /x>\nSSLVerifyClient require\n</Location>"),
    "depth in a section": ("", "<Location /x>\nSSLVerifyDepth 4\n</Location>"),
    "ciphers in a section": ("", "<Location /x>\nSSLCipherSuite HIGH\n</Location>"),
    "depth": ("", "SSLVerifyDepth 4"),
    "depth, asking": (ASKS, ASKS + "SSLVerifyDepth 4"),
    "depth, as it is anyway": ("", "SSLVerifyDepth 1"),
    "authorities": (ROOT, OTHER),
    "authorities, asking": (ASKS, OTHER + "SSLVerifyClient optional"),
    "the same authorities elsewhere": (ROOT, "SSLCACertificateFile {root-copy}"),
    "the same authorities elsewhere, asking": (
        ASKS, "SSLCACertificateFile {root-copy}\nSSLVerifyClient optional"),
    "authorities of one": ("", ROOT),
    "authorities in a directory": ("", "SSLCACertificatePath {hashed}"),
    "authorities that are told": ("", "SSLCADNRequestFile {root}"),
    "authorities that are told, asking": (ASKS, ASKS + "SSLCADNRequestFile {other}"),
    "directory of authorities that are told": ("", "SSLCADNRequestPath {hashed}"),
    "lists": ("", LIST),
    "lists, asking": (ASKS, ASKS + LIST),
    "check of lists": (LIST, LIST + "SSLCARevocationCheck chain"),
    "check of lists, asking": (ASKS + LIST, ASKS + LIST + "SSLCARevocationCheck chain"),
    "lists that may be missing": (
        ASKS + LIST + "SSLCARevocationCheck chain",
        ASKS + LIST + "SSLCARevocationCheck chain no_crl_for_cert_ok"),
    "ocsp": ("", OCSP),
    "ocsp, asking": (ASKS, ASKS + OCSP),
    "ocsp of the leaf": (ASKS + OCSP, ASKS + "SSLOCSPEnable leaf"),
    "ocsp, responder": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPDefaultResponder http://127.0.0.1:9/"),
    "ocsp, responder without asking": ("", "SSLOCSPDefaultResponder http://127.0.0.1:9/"),
    "ocsp, override": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPOverrideResponder on"),
    "ocsp, nonce": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPUseRequestNonce off"),
    "ocsp, skew": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPResponseTimeSkew 10"),
    "ocsp, age": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPResponseMaxAge 10"),
    "ocsp, time": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPResponderTimeout 3"),
    "ocsp, responders": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPResponderCertificateFile {root}"),
    "ocsp, anybody": (ASKS + OCSP, ASKS + OCSP + "SSLOCSPNoverify on"),
    "stapling": ("", "SSLUseStapling on"),
    "ocsp, asking in a section": (
        OCSP + ROOT, OCSP + ROOT + "<Location /x>\nSSLVerifyClient require\n</Location>"),
    "ocsp, nonce without asking": (OCSP, OCSP + "SSLOCSPUseRequestNonce off"),
    "ocsp, override without asking": ("", "SSLOCSPOverrideResponder on"),
    "user name": ("", "SSLUserName SSL_CLIENT_S_DN_CN"),
}
SERVED, REFUSED = "302 302", "421 421"
# How strictly an authority is asked about clients decides who comes in, so it has to be the same.
STRICTER = {"ocsp, nonce", "ocsp, skew", "ocsp, age", "ocsp, responders", "ocsp, anybody",
            "ocsp, asking in a section"}
KNOWN = {
    # case: (secure, authonly)
    "nothing": (SERVED, SERVED),
    "certificate": (REFUSED, SERVED),
    "the same certificate elsewhere": (REFUSED, SERVED),
    "ciphers": (REFUSED, SERVED),
    "order of ciphers": (SERVED, SERVED),
    "the library's words": (REFUSED, REFUSED),
    "verification": (REFUSED, REFUSED),
    "verification in a section": (SERVED, SERVED),
    "depth": (REFUSED, REFUSED),
    "authorities": (REFUSED, REFUSED),
    "authorities that are told": (REFUSED, REFUSED),
    "ocsp": (REFUSED, REFUSED),
    "ocsp, nonce": (SERVED, SERVED),
    "ocsp, time": (SERVED, SERVED),
}


@pytest.fixture(scope="module")
def places():
    scratch = Scratch("steelyard-hosts-")
    base = scratch.path
    root, other = Authority(base / "root", "Root"), Authority(base / "other", "Other")
    own, key = root.issue("a.test", "b.test", name="own")
    own2, key2 = root.issue("a.test", "b.test", name="own2")
    rsa, rsa_key = root.issue("a.test", "b.test", algorithm=RSA, name="rsa")
    paths = {"own": own, "key": key, "own2": own2, "key2": key2, "rsa": rsa, "rsa-key": rsa_key,
             "root": root.certificate, "other": other.certificate, "list": root.list_of_revoked(),
             "hashed": hashed(base / "hashed", root.certificate)}
    for name, source in (("copy", own), ("key-copy", key), ("root-copy", root.certificate)):
        paths[name] = base / f"{name}.pem"
        paths[name].write_bytes(source.read_bytes())
    paths["tickets"] = base / "tickets"
    paths["tickets"].write_bytes(bytes(range(48)))
    yield paths
    scratch.close()


def fill(lines, places):
    for name, path in places.items():
        lines = lines.replace("{" + name + "}", str(path))
    return lines


def status(port, shaken, asked):
    context = context_for(versions=(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
    connection = TlsConnection(port, shaken, context)
    found = connection.ask(host=asked).status
    connection.close()
    return found


@pytest.fixture(scope="module", params=["secure", "authonly", "strict", "insecure"])
def served(request, binary, places):
    held = {case: HeldPort() for case in PAIRS}
    text = (MODULES + f"SSLVHostSNIPolicy {request.param}\n"
            "SSLStaplingCache shmcb:staples(32768)\n")
    for case, pair in PAIRS.items():
        text += f"Listen {held[case].port}\n"
        for name, lines in zip(("a.test", "b.test"), pair):
            own = "" if "SSLCertificateFile" in lines else OWN
            text += (f"<VirtualHost *:{held[case].port}>\nServerName {name}\nSSLEngine On\n"
                     f"{fill(own + lines, places)}\nRedirect 302 / http://there.test/\n"
                     "</VirtualHost>\n")

    def ask():
        return {case: f"{status(port.port, 'a.test', 'b.test')} "
                      f"{status(port.port, 'b.test', 'a.test')}"
                for case, port in held.items()}

    yield request.param, by_both(binary, text, [port.port for port in held.values()], ask)
    for port in held.values():
        port.close()


def test_which_other_hosts_may_be_asked_for(served):
    policy, found = served
    if policy in ("strict", "insecure"):
        everything = dict.fromkeys(PAIRS, SERVED if policy == "insecure" else REFUSED)
        assert found == dict.fromkeys(PROGRAMS, everything)
        return
    for case, expected in KNOWN.items():
        assert found["httpd"][case] == expected[policy == "authonly"], case
    for case in PAIRS:
        expected = REFUSED if case in STRICTER else found["httpd"][case]
        assert found["ours"][case] == expected, case
    assert {found["httpd"][case] for case in STRICTER} == {SERVED}
