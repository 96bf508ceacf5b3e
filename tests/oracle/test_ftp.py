"""FTP members of apache2 and of steelyard: the same configuration, the same requests, a scripted
server that behaves alike.  Compared is the conversation that it saw and what the client got.
"""

import re

import document
import ftp_cases
import pytest
from support.both import one_side_each
from support.ftp_member import STAMP, FtpMember
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Server, complete, steelyard_binary
from support.wire import Connection

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
ANSWER_WAIT_S = 8.0
FRAMING = {"content-length", "transfer-encoding", "connection", "date", "server", "keep-alive"}
MODIFIED = b"Thu, 29 Feb 2024 12:34:56 GMT"
assert STAMP == "20240229123456"


class Side:
    def __init__(self, program, scratch):
        self.member = FtpMember(ftp_cases.FILES)
        # Lets only one user in.
        self.other = FtpMember(ftp_cases.FILES, replies={"USER anonymous": "530 no"})
        self.dead = HeldPort()
        self.port = HeldPort()
        self.server = Server(PROGRAMS[program], scratch.path / program)
        text = ftp_cases.CONFIG
        for name, address in (("M", self.member.address), ("OTHER", self.other.address),
                              ("DEAD", self.dead)):
            text = text.replace("${%s}" % name, str(address))
        modules = "".join(
            f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
            for name in ("proxy_ftp", "rewrite", "mime")
        )
        types = "<IfModule !steelyard_module>\nTypesConfig /dev/null\n</IfModule>\n"
        listen = f"Listen 127.0.0.1:{self.port.port}\n"
        self.server.start(complete(modules + types + listen + text), [self.port.port])

    def close(self):
        self.server.stop()
        for held in (self.member, self.other, self.port, self.dead):
            held.close()

    def play(self, case):
        """(what the client got, the commands that the member was sent)"""
        self.member.behave(**case.options)
        lines = [f"{case.method} {case.target} HTTP/1.1", "Host: lb.test:8080", *case.headers]
        client = Connection("127.0.0.1", self.port.port)
        try:
            client.send("\r\n".join(lines).encode("latin1") + b"\r\n\r\n")
            response = client.read_response(case.method, timeout_s=ANSWER_WAIT_S)
        finally:
            client.close()
        self.member.await_end()
        return response, self.member.take()


def links(body):
    """Where the lines of a listing lead to; None for what is none."""
    if b"<h2>Directory of " not in body:
        return None
    entries = body.split(b"<hr />\n\n<pre>\n", 1)[-1].split(b"</pre>", 1)[0]
    return b" ".join(re.findall(rb'href="(.*?)"', entries))


def got(response):
    fields = sorted(
        (name.decode().lower(), value)
        for name, value in response.headers()
        if name.decode().lower() not in FRAMING
    )
    body = re.sub(rb"<address>.*?</address>", b"(signature)", response.body)
    # Where httpd has a plain ampersand in a link of the way, an entity stands here.
    body = re.sub(rb'<a href="/[^"]*">', lambda m: m[0].replace(b"&amp;", b"&"), body)
    words = response.head.split(b"\r\n")[0].split(b" ", 2)[-1]
    if body.startswith(b"<!DOCTYPE HTML") and links(body) is None:
        return response.status, words, [f for f in fields if f[0] == "www-authenticate"], b"(page)"
    return response.status, words, fields, body


def summary(response):
    body = got(response)[3]
    if (named := links(response.body)) is not None:
        body = named
    word = response.header("Content-Type") if named is None else None
    modified = response.header("Last-Modified")
    shown = body if len(body) < 100 or named is not None else body[:1] + b"..."
    parts = [response.status or "none", shown.decode("latin1").strip()]
    if body != b"(page)" and response.body:
        parts += [value.decode() for value in (word, modified) if value not in (None, MODIFIED)]
    if response.ended.startswith("cut short"):
        parts.append("cut")
    return " ".join(part for part in parts if part)


@pytest.fixture(scope="module")
def sides():
    with one_side_each(PROGRAMS, Side) as both:
        yield both


def by_name(case):
    return case.name.replace(" ", "_")


@pytest.mark.parametrize("case", ftp_cases.CASES, ids=by_name)
def test_same(case, sides):
    first, first_asked = sides["apache2"].play(case)
    second, second_asked = sides["steelyard"].play(case)
    if case.seen:
        assert summary(first) == case.seen, "apache2 itself"
    assert got(second) == got(first)
    assert second_asked == ([] if case.asks_less else first_asked)


@pytest.mark.parametrize("different", ftp_cases.DIFFERENT, ids=lambda different: different.id)
def test_documented_differences_are_real(different, sides):
    # What httpd makes of a HEAD depends on when bytes arrive: most of the time it is a 500.
    seen = [summary(sides["apache2"].play(different.case)[0])]
    while seen[-1] != different.case.seen and len(seen) < 5:
        seen.append(summary(sides["apache2"].play(different.case)[0]))
    assert seen[-1] == different.case.seen, seen
    assert summary(sides["steelyard"].play(different.case)[0]) == different.steelyard


def test_the_document_tells_the_differences():
    assert document.TARGET.read_text() == document.text()
