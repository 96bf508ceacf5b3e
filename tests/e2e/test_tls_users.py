"""Users whose names come from their certificates: SSLUserName and SSLOptions +FakeBasicAuth, beside
apache2."""

import base64
import subprocess

import pytest
from support.certificates import Authority
from support.member import Farm
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import TlsConnection, context_for
from support.wire import Connection

MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in "ssl authn_core authn_file auth_basic authz_user authz_groupfile rewrite".split()
)
BASIC = "AuthType Basic\nAuthName place\nAuthUserFile users\nAuthGroupFile groups\n"
NAME = "SSLUserName SSL_CLIENT_S_DN_CN\n"
FAKE = "SSLOptions +FakeBasicAuth\n"

SECTIONS = {
    "/name": NAME,
    "/user": NAME + "Require user alice\n",
    "/valid": NAME + "Require valid-user\n",
    "/else": NAME + BASIC + "Require user bob\n",
    "/basic": NAME + BASIC + "Require valid-user\n",
    "/group": NAME + BASIC + "Require group admins\n",
    "/group-alone": NAME + "AuthGroupFile groups\nRequire group admins\n",
    "/expr": NAME + "Require expr \"%{REMOTE_USER} == 'alice'\"\n",
    "/type": NAME + "Require expr \"%{AUTH_TYPE} == 'ClientCert'\"\n",
    "/nothing": "SSLUserName SSL_CLIENT_S_DN_OU\n",
    "/nothing-valid": "SSLUserName SSL_CLIENT_S_DN_OU\n" + BASIC + "Require valid-user\n",
    "/protocol": "SSLUserName SSL_PROTOCOL\n",
    "/address": "SSLUserName REMOTE_ADDR\n",
    "/no-variable": "SSLUserName NONSENSE\n",
    "/fake": FAKE + BASIC + "Require valid-user\n",
    "/fake-name": FAKE + NAME + BASIC + "Require valid-user\n",
    "/fake-group": FAKE + NAME + BASIC + "Require group admins\n",
    "/fake-nothing": FAKE + "SSLUserName SSL_CLIENT_S_DN_OU\n" + BASIC + "Require valid-user\n",
    "/fake-open": FAKE + BASIC + "Require all granted\n",
    "/fake-alone": FAKE,
    "/fake-no-auth": FAKE + "Require valid-user\n",
    "/fake-off": FAKE + BASIC + "SSLOptions -FakeBasicAuth\nRequire valid-user\n",
    "/plain": BASIC + "Require valid-user\n",
    "/behind": "Require all denied\nErrorDocument 403 /fake/\n",
    "/needed": NAME + "SSLVerifyClient require\nRequire user alice\n",
    "/sslrequire": NAME + 'SSLRequire %{REMOTE_USER} eq "alice"\n',
    "/rule": NAME + BASIC + "Require valid-user\nRewriteEngine On\n"
             "RewriteRule . - [E=who:%{REMOTE_USER}]\nRequestHeader set X-Rule %{who}e\n",
}


# What is said beside the certificate.
SAID = {
    "nothing": "",
    "a password": ("bob", "bobpw"),
    "a wrong password": ("bob", "x"),
    "a certificate's name": ("/CN=alice", "password"),
    "a certificate's name, with another password": ("/CN=alice", "other"),
    "another scheme": "Authorization: Bearer x\r\n",
}
WHO = ("alice", "a stranger", "alice later", "without TLS")
# Who has no such certificate, or showed none.
SPOOFS_BEHIND = [("/behind", who, "a certificate's name") for who in WHO if who != "alice"]
SHA_OF_PASSWORD = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
NOTED = ("X-User", "X-Type", "X-Rule", "Authorization")


def header(said):
    if isinstance(said, str):
        return said
    return "Authorization: Basic " + base64.b64encode(":".join(said).encode()).decode() + "\r\n"


def text_for(ports, authority, certificate, member):
    """The hosts: one asks everybody for a certificate, one where a section does, one has no TLS."""
    common = (f"ProxyPass / http://{member.address}/\n"
              'RequestHeader set X-User "expr=%{REMOTE_USER}"\n'
              'RequestHeader set X-Type "expr=%{AUTH_TYPE}"\n'
              + "".join(f"<Location {path}/>\n{lines}</Location>\n"
                        for path, lines in SECTIONS.items()))
    tls = (f"SSLEngine On\nSSLCertificateFile {certificate[0]}\n"
           f"SSLCertificateKeyFile {certificate[1]}\n"
           f"SSLCACertificateFile {authority.certificate}\n")
    lines = {"at once": tls + "SSLVerifyClient optional\n", "later": tls, "plain": ""}
    return (f"{MODULES}LogFormat \"%U %u %>s\" users\nCustomLog users.log users\n"
            + "".join(f"Listen {port}\n<VirtualHost *:{port}>\n{lines[name]}{common}"
                      "</VirtualHost>\n" for name, port in ports.items()))


class Asking:
    """Each section, by each client, with each thing said: what came of it."""

    def __init__(self, program, member, directory):
        self.member = member
        self.scratch = Scratch("steelyard-users-")
        self.authority = Authority(directory)
        self.own = self.authority.issue("lb.test")
        self.alice = self.authority.issue(subject="/CN=alice")
        self.held = {name: HeldPort() for name in ("at once", "later", "plain")}
        ports = {name: held.port for name, held in self.held.items()}
        users = self.scratch.path / "users"
        users.write_text(f"alice:{SHA_OF_PASSWORD}\n/CN=alice:{SHA_OF_PASSWORD}\n")
        subprocess.run(["htpasswd", "-b", "-s", users, "bob", "bobpw"], check=True,
                       capture_output=True)
        (self.scratch.path / "groups").write_text("admins: alice\n")
        self.server = Server(program, self.scratch.path)
        self.found = {}
        try:
            self.server.start(
                complete(text_for(ports, self.authority, self.own, member), log_level="info"),
                ports.values())
            for who in WHO:
                self._ask_all(who)
            count = len(self.found)
            assert until(lambda: self.server.read("users.log").count("\n") >= count)
            self.users = sorted(self.server.read("users.log").splitlines())
            self.errors = self.server.read("error.log")
        finally:
            self.server.stop()
            self.scratch.close()
            for held in self.held.values():
                held.close()

    def _connect(self, who):
        if who == "without TLS":
            return Connection("127.0.0.1", self.held["plain"].port)
        context = context_for(self.authority, None if who == "a stranger" else self.alice)
        context.post_handshake_auth = who == "alice later"
        held = self.held["later" if who == "alice later" else "at once"]
        return TlsConnection(held.port, "lb.test", context)

    def _ask_all(self, who):
        for path in SECTIONS:
            for said, words in SAID.items():
                self.member.forget()
                connection = self._connect(who)
                connection.send(f"GET {path}/ HTTP/1.1\r\nHost: lb.test\r\n{header(words)}\r\n"
                                .encode())
                response = connection.read_response("GET")
                connection.close()
                heard = self.member.received[0] if self.member.received else None
                noted = {name: heard.header(name) for name in NOTED} if heard else {}
                self.found[path, who, said] = (
                    response.status, response.header("WWW-Authenticate"),
                    {name: value.decode() for name, value in noted.items() if value is not None})


@pytest.fixture(scope="module")
def both(binary, tmp_path_factory):
    farm = Farm()
    member = farm.member("M1")
    try:
        yield [Asking(program, member, tmp_path_factory.mktemp(name))
               for name, program in (("httpd", APACHE), ("ours", binary))]
    finally:
        farm.close()


@pytest.mark.parametrize("path", SECTIONS)
def test_each_section_is_open_to_the_same_people_as_in_httpd(both, path):
    theirs, ours = ({key: value for key, value in one.found.items()
                     if key[0] == path and key not in SPOOFS_BEHIND} for one in both)
    assert ours == theirs


@pytest.mark.parametrize("spoof", SPOOFS_BEHIND, ids=lambda spoof: spoof[1])
def test_a_spoof_gets_nowhere_behind_an_internal_redirect_either(both, spoof):
    """httpd looks for it before the redirect only."""
    theirs, ours = (one.found[spoof] for one in both)
    assert theirs[0] == "200" and theirs[2]["X-User"] == "/CN=alice"
    assert ours == ("403", None, {})


def test_users_are_logged_as_in_httpd(both):
    theirs, ours = ([line for line in one.users if not line.startswith(("/behind", "/fake/ "))]
                    for one in both)
    assert ours == theirs
    ours = both[1].users
    assert "/name/ alice 200" in ours and "/fake/ /CN=alice 200" in ours


@pytest.mark.parametrize("words", [
    "[ssl:warn] AH02227: Failed to set r->user to 'SSL_CLIENT_S_DN_OU'",
    "[ssl:error] AH02035: Encountered FakeBasicAuth spoof: /CN=alice",
    '[ssl:info] AH02036: Faking HTTP Basic Auth header: "Authorization: Basic '
    'L0NOPWFsaWNlOnBhc3N3b3Jk"',
], ids=["no name", "spoof", "fake"])
def test_what_the_error_log_says(both, words):
    level, _, text = words.partition(" ")
    for one in both:
        lines = [line for line in one.errors.splitlines() if text in line]
        assert lines and all(level in line for line in lines), one.errors[-2000:]
    theirs, ours = (one.errors.count(text) for one in both)
    assert ours == theirs + (len(SPOOFS_BEHIND) if "spoof" in text else 0)


# What the tables above come down to, said once in plain words.
@pytest.mark.parametrize("path, who, said, status, user", [
    ("/name", "alice", "nothing", "200", "alice"),
    ("/name", "a stranger", "nothing", "200", ""),
    ("/user", "alice", "nothing", "200", "alice"),
    ("/basic", "alice", "nothing", "200", "alice"),
    ("/basic", "a stranger", "a password", "200", "bob"),
    ("/group", "alice", "nothing", "200", "alice"),
    ("/else", "alice", "a password", "403", None),
    ("/needed", "alice later", "nothing", "200", "alice"),
    ("/fake", "alice", "nothing", "200", "/CN=alice"),
    ("/fake", "alice", "a password", "200", "/CN=alice"),
    ("/fake", "a stranger", "a certificate's name", "403", None),
    ("/plain", "without TLS", "a certificate's name", "403", None),
    ("/fake-name", "alice", "nothing", "200", "/CN=alice"),
])
def test_who_is_who(both, path, who, said, status, user):
    got_status, _, noted = both[1].found[path, who, said]
    assert (got_status, noted.get("X-User")) == (status, user)


@pytest.mark.parametrize("path, who, said, kind", [
    ("/name", "alice", "nothing", "ClientCert"),
    ("/name", "a stranger", "nothing", ""),
    ("/type", "alice", "nothing", "ClientCert"),
    ("/basic", "alice", "nothing", "ClientCert"),
    ("/basic", "a stranger", "a password", "Basic"),
    ("/fake", "alice", "nothing", "Basic"),
    ("/protocol", "without TLS", "nothing", ""),
])
def test_what_said_who_is_who(both, path, who, said, kind):
    assert both[1].found[path, who, said][2]["X-Type"] == kind
