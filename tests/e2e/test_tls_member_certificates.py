"""Which certificate a member is shown: SSLProxyMachineCertificateFile, ...Path and ...ChainFile, beside
apache2, whose choice is the contract.  The member is an apache2, too, that asks for certificates."""

from dataclasses import dataclass

import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete
from support.tls_member import TlsMember
from support.wire import Connection

MODULES = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
SHOWN = ('Header always set X-Shown "%{SSL_CLIENT_S_DN_CN}s"\n'
         'Header always set X-Above "%{SSL_CLIENT_CERT_CHAIN_0}s"\n')


@dataclass
class World:
    root: Authority
    other: Authority
    middle: Authority
    certificate: tuple
    ports: dict  # what the member believes -> where it listens


def one_file(path, *parts):
    path.write_text("".join(part.read_text() for part in parts))
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authorities")
    directory.chmod(0o755)
    root, other = Authority(directory / "root", "Root"), Authority(directory / "other", "Other")
    middle = root.lower(directory / "middle")
    stranger = Authority(directory / "stranger", "Stranger")
    certificate = other.issue("localhost", "127.0.0.1")
    believed = {
        "root": one_file(directory / "root.pem", root.certificate),
        "other": one_file(directory / "other.pem", other.certificate),
        "other, then root": one_file(directory / "both.pem", other.certificate, root.certificate),
        "a stranger": one_file(directory / "stranger.pem", stranger.certificate),
    }
    held = {name: HeldPort() for name in believed}
    text = "".join(
        f"Listen {held[name].port}\n<VirtualHost *:{held[name].port}>\nSSLEngine On\n"
        f"SSLCertificateFile {certificate[0]}\nSSLCertificateKeyFile {certificate[1]}\n"
        f"SSLCACertificateFile {path}\nSSLVerifyClient optional\nSSLVerifyDepth 3\n"
        "SSLOptions +ExportCertData\n"
        f"{SHOWN}<Location /later>\nSSLVerifyClient require\n</Location>\n</VirtualHost>\n"
        for name, path in believed.items())
    later = held["later"] = HeldPort()
    text += (f"Listen {later.port}\n<VirtualHost *:{later.port}>\nSSLEngine On\n"
             f"SSLCertificateFile {certificate[0]}\nSSLCertificateKeyFile {certificate[1]}\n"
             f"SSLCACertificateFile {believed['root']}\n<Location /later>\nSSLVerifyClient require\n"
             f"</Location>\n{SHOWN}</VirtualHost>\n")
    scratch = Scratch("steelyard-member-")
    member = Server(APACHE, scratch.path)
    try:
        member.start(complete(MODULES + text), [one.port for one in held.values()])
        yield World(root, other, middle, certificate,
                    {name: one.port for name, one in held.items()})
    finally:
        member.stop()
        scratch.close()
        for one in held.values():
            one.close()


def told(response):
    """Whom the member saw, and whether somebody stood above; its status when it said nothing."""
    name, above = response.header("X-Shown"), response.header("X-Above")
    if name is None:
        return response.status
    return name.decode() + (" below another" if above != b"(null)" and above else "")


def shown(binary, directory, lines, targets):
    """What the member saw of each of the URLs, asked through a program with these lines."""
    port = HeldPort()
    one = Server(binary, directory)
    routes = "".join(f"ProxyPass /{nth} {url}\n" for nth, url in enumerate(targets))
    try:
        one.start(complete(f"{MODULES}Listen {port.port}\nSSLProxyEngine On\n{lines}{routes}"),
                  [port.port])
        answers = []
        for nth, _ in enumerate(targets):
            connection = Connection("127.0.0.1", port.port)
            connection.send(f"GET /{nth} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
            response = connection.read_response("GET")
            connection.close()
            answers.append(told(response))
        return answers
    finally:
        one.stop()
        port.close()


def both(binary, scratch, lines, targets):
    theirs = shown(APACHE, scratch / "httpd", lines, targets)
    ours = shown(binary, scratch / "ours", lines, targets)
    assert ours == theirs
    return ours


def members(world, *names):
    return [f"https://localhost:{world.ports[name]}/" for name in names]


ALL = ("root", "other", "other, then root", "a stranger")
NOBODY = "(null)"


@pytest.fixture(scope="module")
def own(world, tmp_path_factory):
    """Certificates of three authorities, each with its key in a file of the same directory."""
    folder = tmp_path_factory.mktemp("own")
    folder.chmod(0o755)
    for name, authority in (("a", world.root), ("b", world.other), ("c", world.middle)):
        pair = authority.issue(subject=f"/CN=of-{authority.name}", name=f"own-{name}")
        one_file(folder / f"{name}.pem", *pair)
    (folder / "readme").write_text("Nothing for machines.\n")
    return folder


def test_one_certificate_is_for_members_that_name_who_signed_it(binary, scratch, world, own):
    lines = f"SSLProxyMachineCertificateFile {own}/a.pem\n"
    assert both(binary, scratch, lines, members(world, *ALL)) == [
        "of-Root", NOBODY, "of-Root", NOBODY]


def test_among_several_the_members_order_decides(binary, scratch, world, own):
    lines = f"SSLProxyMachineCertificatePath {own}\n"
    assert both(binary, scratch, lines, members(world, *ALL)) == [
        "of-Root", "of-Other", "of-Other", NOBODY]


def test_without_the_chain_file_nobody_knows_what_stands_above(binary, scratch, world, own):
    lines = f"SSLProxyMachineCertificateFile {own}/c.pem\n"
    assert both(binary, scratch, lines, members(world, *ALL)) == [NOBODY] * 4


@pytest.mark.parametrize("has_root", [False, True], ids=["middle", "middle and root"])
def test_with_the_chain_file_it_leads_further(binary, scratch, world, own, tmp_path, has_root):
    tmp_path.chmod(0o755)
    above = [world.middle.certificate] + [world.root.certificate] * has_root
    chain = one_file(tmp_path / "chain.pem", *above)
    lines = (f"SSLProxyMachineCertificateFile {own}/c.pem\n"
             f"SSLProxyMachineCertificateChainFile {chain}\n")
    assert both(binary, scratch, lines, members(world, *ALL)) == [
        "of-Middle below another", NOBODY, "of-Middle below another", NOBODY]


def test_the_chain_file_is_believed_of_members_too(binary, scratch, world, own):
    """As httpd's manual warns."""
    lines = (f"SSLProxyVerify require\nSSLProxyMachineCertificateFile {own}/a.pem\n"
             f"SSLProxyMachineCertificateChainFile {world.other.certificate}\n")
    assert both(binary, scratch, lines, members(world, "root")) == ["of-Root"]
    lines = (f"SSLProxyVerify require\nSSLProxyMachineCertificateFile {own}/a.pem\n"
             f"SSLProxyCACertificateFile {world.root.certificate}\n")
    assert both(binary, scratch, lines, members(world, "root")) == ["500"]


def test_a_section_has_its_own(binary, scratch, world, own):
    root, other = members(world, "root", "other")
    lines = (f"SSLProxyMachineCertificateFile {own}/a.pem\n"
             f"<Proxy {other}>\nSSLProxyMachineCertificateFile {own}/b.pem\n</Proxy>\n")
    assert both(binary, scratch, lines, [root, other]) == ["of-Root", "of-Other"]


def test_a_member_may_ask_for_it_when_it_knows_the_path(binary, scratch, world, own):
    """TLS 1.3: post-handshake authentication, which the client's end has to offer."""
    later = members(world, "later")[0]
    lines = f"SSLProxyMachineCertificatePath {own}\n"
    assert both(binary, scratch, lines, [later + "x", later + "later"]) == [NOBODY, "of-Root"]
    # Who has none does not offer it, and the member's 403 reaches the client; httpd: 502.
    assert shown(binary, scratch / "without", "", [later + "later"]) == [NOBODY]


def test_a_member_that_names_nobody_gets_the_first(server, port, world, own):
    """That of the file, before those of the directory."""
    with TlsMember(world.certificate, clients=world.other) as member:
        server.start(complete(f"{MODULES}Listen {port.port}\nSSLProxyEngine On\n"
                              f"SSLProxyMachineCertificatePath {own}\n"
                              f"SSLProxyMachineCertificateFile {own}/b.pem\n"
                              f"ProxyPass / https://localhost:{member.port}/\n"), [port.port])
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        assert connection.read_response("GET").status == "200"
        connection.close()
        assert member.handshakes[0].client == "of-Other"


def test_faults_are_told_by_t_with_the_files_name(server, world, own, port, tmp_path):
    tmp_path.chmod(0o755)
    certificate = world.root.issue(subject="/CN=bare")[0]
    (tmp_path / "bare.pem").write_text(certificate.read_text())
    status, said = server.check(complete(
        f"{MODULES}Listen 127.0.0.1:{port.port}\n"
        f"SSLProxyEngine On\nSSLProxyMachineCertificatePath {tmp_path}\n"
        f"SSLProxyMachineCertificateChainFile {own}/readme\n"))
    assert status != 0
    assert f"{tmp_path}/bare.pem holds no private key in PEM" in said
