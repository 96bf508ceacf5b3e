"""Which names of a member's certificate are checked: SSLProxyCheckPeerName and SSLProxyCheckPeerCN, at every
level of the configuration, beside apache2 with the same file."""

import itertools

import pytest
from support.both import PROGRAMS, by_both
from support.certificates import Authority
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY
from support.tls_member import TlsMember
from support.wire import Connection

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
NAME, CN = "SSLProxyCheckPeerName", "SSLProxyCheckPeerCN"
WORDS = (None, "On", "Off")
LINES = ["".join(f"{directive} {word}\n" for directive, word in zip((NAME, CN), words) if word)
         for words in itertools.product(WORDS, WORDS)]
# A certificate that names the host in its names, in its subject alone, and nowhere.
KINDS = ("named", "subject", "other")


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    pairs = {"named": authority.issue("localhost", subject="/CN=other"),
             "subject": authority.issue("other.test", subject="/CN=localhost"),
             "address": authority.issue("other.test", subject="/CN=127.0.0.1"),
             "star": authority.issue("*.0.0.1"),
             "entry": authority.issue("127.0.0.1", subject="/CN=other"),
             "other": authority.issue("other.test")}
    running = {kind: TlsMember(pair) for kind, pair in pairs.items()}
    yield running
    for member in running.values():
        member.__exit__()


def label(lines):
    return lines.replace("SSLProxyCheckPeer", "").replace("\n", " ").strip() or "nothing"


def served_of(port, host, kinds):
    found = []
    for kind in kinds:
        connection = Connection("127.0.0.1", port)
        connection.send(f"GET /{kind}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        status = connection.read_response("GET").status
        connection.close()
        assert status in ("200", "500")
        if status == "200":
            found.append(kind)
    return " ".join(found)


@pytest.fixture(scope="module", ids=label, params=[
    "", f"{CN} On\n", f"{CN} Off\n", f"{NAME} On\n", f"{NAME} Off\n"])
def served(request, binary, members):
    """{program: {(where, lines): kinds that are served}} below a main server with some lines."""
    port = HeldPort()
    text = f"{MODULES}Listen {port.port}\nSSLProxyEngine On\n{request.param}"
    wanted = {}
    for nth, lines in enumerate(LINES):
        inside = own = passes = ""
        for kind in KINDS:
            member = members[kind]
            url = f"https://localhost:{member.port}/{nth}"
            inside += f"<Proxy {url}/>\n{lines}</Proxy>\nProxyPass /{kind}/ {url}/\n"
            passes += f"ProxyPass /{kind}/ https://localhost:{member.port}/own/\n"
        for where, own in (("proxy", inside), ("host", lines + passes)):
            name = f"{where}{nth}.test"
            text += f"<VirtualHost *:{port.port}>\nServerName {name}\n{own}</VirtualHost>\n"
            wanted[where, label(lines)] = name

    def ask():
        return {key: served_of(port.port, name, KINDS)
                for key, name in wanted.items()}

    yield label(request.param), by_both(binary, text, [port.port], ask)
    port.close()


# The common name counts beside other names.
EVERY, ALTERNATIVE, SUBJECT = "named subject other", "named subject", "subject"
KNOWN = {
    # main server, host: who is served
    ("nothing", "nothing"): ALTERNATIVE,
    ("nothing", "CN Off"): EVERY,
    ("nothing", "CN On"): ALTERNATIVE,
    ("nothing", "Name Off"): EVERY,
    ("nothing", "Name Off CN On"): SUBJECT,
    ("nothing", "Name Off CN Off"): EVERY,
    ("nothing", "Name On CN Off"): ALTERNATIVE,
    ("CN Off", "nothing"): EVERY,
    ("CN Off", "CN On"): ALTERNATIVE,
    ("CN Off", "Name On"): ALTERNATIVE,
    ("CN On", "Name Off"): SUBJECT,
    ("Name On", "CN Off"): ALTERNATIVE,
}


def test_which_names_are_checked(served):
    main, found = served
    assert found["ours"] == found["httpd"]
    for (around, lines), kinds in KNOWN.items():
        if around == main:
            assert {where: found["ours"][where, lines] for where in ("host", "proxy")} == \
                dict.fromkeys(("host", "proxy"), kinds), lines
    assert tuple(found) == PROGRAMS


def test_an_address_may_be_a_common_name_and_is_no_part_of_one(binary, members, port):
    text = f"{MODULES}Listen {port.port}\nSSLProxyEngine On\n" + "".join(
        f"ProxyPass /{kind}/ https://127.0.0.1:{member.port}/\n"
        for kind, member in members.items())
    found = by_both(binary, text, [port.port], lambda: served_of(port.port, "lb.test", members))
    assert found == {"httpd": "address star", "ours": "address entry"}


# httpd asks the library for names in the certificate's names alone, and compares the common name, too.
@pytest.mark.parametrize("hosts, served", [
    (["ok.test", "member.test"], {"httpd": "200", "ours": "200"}),
    (["ok.test"], {"httpd": "200", "ours": "500"}),
])
def test_a_common_name_is_held_to_what_its_authority_may_name(binary, tmp_path, port, hosts, served):
    root = Authority(tmp_path / "root")
    middle = root.lower(tmp_path / "middle", hosts=hosts)
    certificate, key = middle.issue("ok.test", subject="/CN=member.test")
    certificate.write_text(certificate.read_text() + middle.certificate.read_text())
    with TlsMember((certificate, key)) as member:
        text = (f"{MODULES}Listen {port.port}\nSSLProxyEngine On\nSSLProxyVerify require\n"
                f"SSLProxyVerifyDepth 3\nSSLProxyCACertificateFile {root.certificate}\n"
                f"ProxyPreserveHost On\nProxyPass / https://localhost:{member.port}/\n")

        def ask():
            connection = Connection("127.0.0.1", port.port)
            connection.send(b"GET / HTTP/1.1\r\nHost: member.test\r\nConnection: close\r\n\r\n")
            return connection.read_response("GET").status

        assert by_both(binary, text, [port.port], ask) == served
