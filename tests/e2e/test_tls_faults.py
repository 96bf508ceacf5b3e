"""Lines about TLS with which a server does not start: beside apache2 with the same file.  apache2 says some of it
only when it starts, steelyard all of it at -t, with the line and once."""

import re

import pytest
from support.both import starts
from support.certificates import Authority
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
OWN = "SSLEngine On\nSSLCertificateFile {own}\nSSLCertificateKeyFile {key}\n"
CHECK, MEMBER_CHECK = "SSLCARevocationCheck", "SSLProxyCARevocationCheck"
SECTION = "<Proxy https://localhost/>\n%s</Proxy>\n"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    directory = tmp_path_factory.mktemp("faults")
    authority = Authority(directory)
    own, key = authority.issue("lb.test")
    empty = directory / "empty"
    empty.touch()
    yield {"own": own, "key": key, "root": authority.certificate,
           "list": authority.list_of_revoked(own), "empty": empty, "none": directory / "none",
           "directory": directory}


def whole(port, places, main, host):
    text = (f"{MODULES}{main}Listen {port.port}\n<VirtualHost *:{port.port}>\nServerName lb.test\n"
            f"{host}</VirtualHost>\n")
    for name, path in places.items():
        text = text.replace("{" + name + "}", str(path))
    return text


def check(binary, text):
    """{line: [what -t complains of]}"""
    scratch = Scratch("steelyard-faults-")
    status, said = Server(binary, scratch.path).check(complete(text))
    scratch.close()
    found = {}
    for line, what in re.findall(r"^Syntax error on line (\d+) of .*:\n(.*)", said, re.MULTILINE):
        found.setdefault(int(line), []).append(what)
    assert (status == 0) == (not found), said
    return found


def line_of(text, beginning):
    return 1 + next(nth for nth, line in enumerate(complete(text).splitlines())
                    if line.startswith(beginning))


LISTS = {
    # main server, host: the directive that asks for a list, or none
    "chain": ("", OWN + f"{CHECK} chain\n", "SSLCARevocation"),
    "leaf": ("", OWN + f"{CHECK} leaf\n", "SSLCARevocation"),
    "none": ("", OWN + f"{CHECK} none\n", None),
    "a list may be missing": ("", OWN + f"{CHECK} chain no_crl_for_cert_ok\n", "SSLCARevocation"),
    "inherited": (f"{CHECK} leaf\n", OWN, "SSLCARevocation"),
    "inherited with a list": (f"{CHECK} leaf\nSSLCARevocationFile {{list}}\n", OWN, None),
    "a list in the host": (f"{CHECK} leaf\n", OWN + "SSLCARevocationFile {list}\n", None),
    "no TLS": ("", f"{CHECK} chain\n", None),
    "members": ("", f"SSLProxyEngine On\n{MEMBER_CHECK} chain\n", "SSLProxyCARevocation"),
    "members that nobody speaks TLS with": ("", f"{MEMBER_CHECK} chain\n", None),
    "members, inherited": (f"{MEMBER_CHECK} leaf\n", "SSLProxyEngine On\n", "SSLProxyCARevocation"),
    "members, with a list": (
        "", f"SSLProxyEngine On\n{MEMBER_CHECK} leaf\nSSLProxyCARevocationFile {{list}}\n", None),
    "members of a section": (
        "", "SSLProxyEngine On\n" + SECTION % f"{MEMBER_CHECK} chain\n", "SSLProxyCARevocation"),
    "a section with a list of the server's": (
        "", "SSLProxyEngine On\nSSLProxyCARevocationFile {list}\n"
        + SECTION % f"{MEMBER_CHECK} chain\n", None),
    "a section that speaks TLS": (
        "", SECTION % f"SSLProxyEngine On\n{MEMBER_CHECK} chain\n", "SSLProxyCARevocation"),
    "a section without TLS": ("", SECTION % f"{MEMBER_CHECK} chain\n", None),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_of_revoked_certificates_that_nobody_names(binary, places, port, case):
    main, host, directive = LISTS[case]
    text = whole(port, places, main, host)
    complaints = check(binary, text)
    assert [starts(program, text, port.port) for program in (APACHE, binary)] == \
        [directive is None] * 2
    if directive is None:
        assert complaints == {}
        return
    (line, [what]), = complaints.items()
    assert line == line_of(text, f"{directive}Check")
    assert f"neither {directive}File nor {directive}Path is configured" in what
