"""FastCGI, SCGI and uwsgi members of apache2 and of steelyard: the same configuration, the same
requests, members that answer alike.  Compared is what the member was told and what the client got.
"""

import re

import cgi_cases
import document
import pytest
from support.both import one_side_each
from support.cgi_member import CgiMember, records
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Server, complete, steelyard_binary
from support.wire import Connection

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
ANSWER_WAIT_S = 8.0
# Of the moment or the program; PATH is the server process's in httpd, which also notes there that a
# connection serves one request alone.
OWN = {"REMOTE_PORT", "SERVER_SOFTWARE", "PATH", "proxy-nokeepalive"}
FRAMING = {"content-length", "transfer-encoding", "connection", "date", "server", "keep-alive"}
# httpd unescapes in place what it tells uwsgi members as SCRIPT_FILENAME, or not, see below.
DECODED = {"uwsgi": {"SCRIPT_FILENAME"}}


def in_words_of(protocol, script):
    """A script's answer as a member of that protocol gives it."""
    if script is None or protocol == "scgi":
        return script
    if protocol == "fcgi":
        return records(script)
    status = b"200 OK"
    if found := re.match(rb"Status: (.*?)\r?\n", script):
        status, script = found[1], script[found.end() :]
    return b"HTTP/1.1 " + status + b"\r\n" + script


class Side:
    def __init__(self, program, scratch):
        self.root = scratch.path / "root"
        self.root.mkdir(exist_ok=True)
        (self.root / "sub").mkdir(exist_ok=True)
        (self.root / "if").mkdir(exist_ok=True)
        self.socket = scratch.path / f"{program}.sock"
        self.members = {name: CgiMember(name, name) for name in cgi_cases.PROTOCOLS}
        self.members["unix"] = CgiMember("fcgi", "unix", str(self.socket))
        self.port = HeldPort()
        self.server = Server(PROGRAMS[program], scratch.path / program)
        text = cgi_cases.CONFIG.replace("${ROOT}", str(self.root))
        text = text.replace("${SOCKET}", str(self.socket))
        for name in cgi_cases.PROTOCOLS:
            text = text.replace("${%s}" % name.upper(), self.members[name].url)
        modules = "".join(
            f"LoadModule proxy_{name}_module {MODULE_DIRECTORY}/mod_proxy_{name}.so\n"
            for name in cgi_cases.PROTOCOLS
        )
        modules += f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\n"
        modules += "".join(
            f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
            for name in ("authn_core", "authn_file", "auth_basic", "authz_user")
        )
        self.server.place(cgi_cases.USERS)
        listen = f"Listen 127.0.0.1:{self.port.port}\n"
        self.server.start(complete(modules + listen + text), [self.port.port])

    def close(self):
        self.server.stop()
        for member in self.members.values():
            member.close()
        self.port.close()

    def play(self, case, protocol):
        """(what the client got, what the members were told)"""
        member = self.members[protocol]
        answer = case.raw if case.raw is not None else in_words_of(protocol, case.answer)
        if answer is not None:
            member.next_answer(answer)
        target = case.target.replace("{}", protocol)
        lines = [f"{case.method} {target} HTTP/{case.version}"]
        lines += ["Host: lb.test:8080"] if case.version == "1.1" else []
        lines += case.headers
        body = case.body or b""
        if case.body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if case.chunks:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in case.chunks) + b"0\r\n\r\n"
        client = Connection("127.0.0.1", self.port.port)
        try:
            client.send("\r\n".join(lines).encode("latin1") + b"\r\n\r\n" + body)
            response = client.read_response(case.method, timeout_s=ANSWER_WAIT_S)
        finally:
            client.close()
        member.forget_answers()
        asked = [(name, one) for name, each in self.members.items() for one in each.take(0)]
        return response, [(name, self.normal(name, one), one.body) for name, one in asked]

    def normal(self, name, asked):
        """The variables without what is each program's own."""
        hidden = OWN | DECODED.get(name, set())
        address = str(self.members[name].held)
        return {
            key: value.replace(address, "MEMBER").replace(str(self.socket), "SOCKET")
            for key, value in asked.named.items()
            if key not in hidden
        }


def got(response):
    """The client's view: status, words, fields without framing, body."""
    fields = sorted(
        (name.decode().lower(), value)
        for name, value in response.headers()
        if name.decode().lower() not in FRAMING
    )
    body = response.body
    words = response.head.split(b"\r\n")[0].split(b" ", 2)[-1]
    if body.startswith(b"<!DOCTYPE HTML"):
        body, fields = b"(page)", []
    return response.status, words, fields, body


def summary(response):
    if not response.status or response.status.startswith("1"):
        return "none"
    upgrade = " Upgrade" if response.header("Upgrade") else ""
    body = got(response)[3].decode("latin1").replace("\r\n", " ")
    cut = " (cut)" if response.ended.startswith("cut short") else ""
    return f"{response.status} {body}{upgrade}{cut}".strip()


@pytest.fixture(scope="module")
def sides():
    with one_side_each(PROGRAMS, Side) as both:
        yield both


def every_case():
    for case in cgi_cases.CASES:
        for protocol in case.protocols:
            yield pytest.param(case, protocol, id=f"{case.name} ({protocol})".replace(" ", "_"))


@pytest.mark.parametrize("case,protocol", every_case())
def test_same(case, protocol, sides):
    (first, first_asked), (second, second_asked) = (
        sides[name].play(case, protocol) for name in PROGRAMS
    )
    if case.seen:
        assert summary(first) == case.seen, "apache2 itself"
    assert second_asked == first_asked
    assert got(second) == got(first)


@pytest.mark.parametrize("different", cgi_cases.DIFFERENT, ids=lambda d: d.id)
def test_documented_differences_are_real(different, sides):
    protocol = different.case.protocols[0]
    assert summary(sides["apache2"].play(different.case, protocol)[0]) == different.case.seen
    assert summary(sides["steelyard"].play(different.case, protocol)[0]) == different.steelyard


def test_the_document_tells_the_differences():
    assert document.TARGET.read_text() == document.text()


