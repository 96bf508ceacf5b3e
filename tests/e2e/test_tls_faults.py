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


FILES = ["SSLCertificateFile", "SSLCertificateKeyFile", "SSLCertificateChainFile",
         "SSLCACertificateFile", "SSLCADNRequestFile", "SSLCARevocationFile",
         "SSLOCSPResponderCertificateFile", "SSLSessionTicketKeyFile", "SSLProxyCACertificateFile",
         "SSLProxyCARevocationFile", "SSLProxyMachineCertificateFile",
         "SSLProxyMachineCertificateChainFile"]
PATHS = ["SSLCACertificatePath", "SSLCADNRequestPath", "SSLCARevocationPath",
         "SSLProxyCACertificatePath", "SSLProxyCARevocationPath", "SSLProxyMachineCertificatePath"]
WRONG = [(name, place) for name in FILES for place in ("{none}", "{empty}", "{directory}")] + \
    [(name, place) for name in PATHS for place in ("{none}", "{own}")]


def refuses(binary, text):
    scratch = Scratch("steelyard-faults-")
    status, said = Server(binary, scratch.path).check(complete(text))
    scratch.close()
    return status != 0, said


@pytest.mark.parametrize("name, place", WRONG)
def test_what_is_named_has_to_be_there_though_nothing_uses_it(binary, places, port, name, place):
    text = whole(port, places, "", f"{name} {place}\n")
    status, said = refuses(APACHE, text)
    assert status, said
    (line, [what]), = check(binary, text).items()
    assert line == line_of(text, name)
    assert what.startswith(str(places[place.strip("{}")])), what


@pytest.mark.parametrize("name", FILES + PATHS)
def test_what_is_named_may_lie_there_unused(binary, places, port, name):
    place = "{directory}" if name in PATHS else "{own}"
    text = whole(port, places, "", f"{name} {place}\n")
    assert not refuses(APACHE, text)[0]
    assert check(binary, text) == {}


@pytest.mark.parametrize("name", ["SSLCACertificateFile", "SSLCARevocationFile",
                                  "SSLCADNRequestFile"])
def test_a_fault_of_what_several_servers_inherit_is_told_once(binary, places, port, name):
    more = f"<VirtualHost *:{port.port}>\nServerName b.test\n{OWN}</VirtualHost>\n"
    text = whole(port, places, f"SSLVerifyClient optional\n{name} {{none}}\n", OWN) + more
    for key, path in places.items():
        text = text.replace("{" + key + "}", str(path))
    (line, whats), = check(binary, text).items()
    assert (line, len(whats)) == (line_of(text, name), 1), whats
