"""HTTP/2 members of apache2 and of steelyard: the same frames, played by a script.

Compared is what the client got and, where a case says so, what the member was told.
"""

import document
import hpack
import http2_member_cases
import pytest
from support.both import one_side_each
from support.http2_member import HEADERS, Http2Member, ends_request, frames_of
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Server, complete, steelyard_binary
from support.wire import Connection

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
ANSWER_WAIT_S = 8.0


class Side:
    def __init__(self, program, scratch):
        self.says, self.told = None, {}
        self.member, self.port = Http2Member(script=self.play_member), HeldPort()
        self.server = Server(PROGRAMS[program], scratch.path / program)
        modules = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                          for name in ("ssl", "proxy_http2"))
        place = f"127.0.0.1:{self.member.port}"
        self.place = place
        text = (f"Listen 127.0.0.1:{self.port.port}\nTimeout 2\nSSLProxyEngine On\n"
                "ProxyPass /nowhere h2c://no.such.invalid/\n"
                f"ProxyPass /tls h2://{place}/\nProxyPass / h2c://{place}/\n")
        self.server.start(complete(modules + text), [self.port.port])

    def close(self):
        self.server.stop()
        self.member.__exit__()
        self.port.close()

    def play_member(self, _member, _number, connection):
        decoder = hpack.Decoder()
        for kind, flags, stream, payload in frames_of(connection):
            if kind == HEADERS:
                fields = payload[5:] if flags & 0x20 else payload
                self.told = dict(decoder.decode(fields))
            if not ends_request(kind, flags):
                continue
            words = self.says(stream)
            if words is None:
                return
            connection.sendall(words)

    def play(self, case):
        self.says = case.says
        client = Connection("127.0.0.1", self.port.port)
        lines = (f"{case.method} {case.target} HTTP/1.1", "Host: lb.test", *case.fields)
        try:
            client.send("\r\n".join(lines).encode() + b"\r\n\r\n")
            response = client.read_response(case.method, timeout_s=ANSWER_WAIT_S)
        finally:
            client.close()
        if case.tells:
            return self.told.get(case.tells, "-").replace(self.place, "${M}")
        return summary(response)


def summary(response):
    shown = response.body.decode("latin1")
    if "<!DOCTYPE HTML" in shown:
        shown = "(page)"
    elif len(shown) > 40:
        shown = shown[:1] + "..."
    cut = " cut" if response.ended.startswith("cut short") else ""
    return f"{response.status} {shown}{cut}"


@pytest.fixture(scope="module")
def sides():
    with one_side_each(PROGRAMS, Side) as both:
        yield both


def by_name(case):
    return case.name.replace(" ", "_")


@pytest.mark.parametrize("case", http2_member_cases.CASES, ids=by_name)
def test_same(case, sides):
    assert sides["apache2"].play(case) == case.seen, "apache2 itself"
    assert sides["steelyard"].play(case) == case.seen


@pytest.mark.parametrize("different", http2_member_cases.DIFFERENT,
                         ids=lambda different: different.id)
def test_documented_differences_are_real(different, sides):
    assert sides["apache2"].play(different.case) == different.case.seen, "apache2 itself"
    assert sides["steelyard"].play(different.case) == different.steelyard


def test_the_document_tells_the_differences():
    assert document.TARGET.read_text() == document.text()
