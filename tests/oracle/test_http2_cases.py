"""Clients of HTTP/2 at apache2 and at steelyard, frame by frame: the same configuration, the same
frames, a member that does the same.  (Whole requests by curl: tests/e2e/test_http2_like_httpd.py.)
"""

import base64
import hashlib
import re
import socket
import struct

import document
import http2_cases
import pytest
from support import frames
from support.both import one_side_each
from support.frames import Frames, frame
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete, steelyard_binary
from support.stream_told import Stream
from support.threaded_member import ThreadedMember

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
SETTINGS = frame(frames.SETTINGS)


class Member(ThreadedMember):
    """Says what its request's path asks for, one request a connection; heads are kept."""

    def __init__(self):
        self.held = HeldPort()
        self.heads = []
        super().__init__(self.held.listening_socket())

    def _converse(self, one):
        with one:
            head = b""
            while b"\r\n\r\n" not in head:
                more = one.recv(65536)
                if not more:
                    return
                head += more
            self.heads.append(head)
            path = head.split(b" ", 2)[1]
            if path == b"/hang":
                while one.recv(65536):
                    pass
            elif path in (b"/ws", b"/ws/unproven", b"/ws/first", b"/ws/length"):
                self._switch(one, head, path)
            elif path == b"/trailers":
                one.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                            b"Trailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")
            else:
                status, body = (b"403 No", b"no") if path.endswith(b"403") else (b"200 OK", b"hi")
                one.sendall(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 2\r\n\r\n%s"
                            % (status, body))

    @staticmethod
    def _switch(one, head, path):
        key = re.search(rb"(?im)^sec-websocket-key: (\S+)", head)[1]
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        one.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    b"X-Mine: y\r\nSec-WebSocket-Accept: "
                    + (b"x" if path == b"/ws/unproven" else base64.b64encode(digest)) + b"\r\n"
                    + (b"Content-Length: 0\r\n" if path == b"/ws/length" else b"") + b"\r\n"
                    + (b"first!" if path == b"/ws/first" else b""))
        while said := one.recv(65536):
            if said == b"rst":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            one.sendall(said)

    def close(self):
        super().close()
        self.held.close()


class Side:
    def __init__(self, program, scratch):
        self.member, self.port = Member(), HeldPort()
        self.server = Server(PROGRAMS[program], scratch.path / program)
        modules = f"LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so\n"
        text = http2_cases.CONFIG.replace("${M}", f"127.0.0.1:{self.member.held.port}")
        self.server.start(complete(modules + f"Listen 127.0.0.1:{self.port.port}\n" + text),
                          [self.port.port])

    def close(self):
        self.server.stop()
        self.member.close()
        self.port.close()

    def play(self, case):
        """(the summary, the answer's fields, the head that the member heard)"""
        before = len(self.server.read(case.log).splitlines())
        self.member.heads.clear()
        client = self._upgraded() if case.upgrades else Frames(self.port.port)
        if not case.upgrades:
            client.headers(1, case.fields, case.ends)
        stream = Stream(client)
        for awaited, words in case.then:
            stream.until(awaited)
            if not awaited and words[3] == frames.RST_STREAM:
                until(lambda: self.member.heads)
            client.send(words)
        closes = case.then and case.then[-1][1][3] == frames.RST_STREAM
        told = "CLOSED" if closes else stream.to_end(case.shows)
        lines = case.seen.count(" + ") + 1 if " | " in case.seen else 0
        until(lambda: len(self._lines(case, before)) >= lines, 8)
        client.close()
        # Sorted: httpd's threads write the lines of one connection in either order.
        seen = " + ".join(sorted(self._lines(case, before)))
        shown = f"{told} | {seen}" if lines else told
        heads = [sorted(head.split(b"\r\n")) for head in self.member.heads]
        return shown, stream.fields, self._plain(heads)

    def _lines(self, case, before):
        lines = self.server.read(case.log).splitlines()[before:]
        # Whether the connection went on is compared where a case is about it.
        return [line if line.endswith(" X") and "/hang" in line else re.sub(r" [-+X]$", "", line)
                for line in lines]

    def _plain(self, heads):
        """Without what is this very side's, chance, and the body of no bytes that httpd tells of."""
        key = re.compile(rb"(?i)^sec-websocket-key: ")
        port = b":%d" % self.member.held.port
        return [[line.replace(port, b":PORT") for line in head
                 if not key.match(line) and line != b"Content-Length: 0"] for head in heads]

    def _upgraded(self):
        client = Frames(self.port.port, preface=(
            b"GET /page HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + frames.PREFACE))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        return client


@pytest.fixture(scope="module")
def sides():
    with one_side_each(PROGRAMS, Side) as both:
        yield both


def seen_of(case, shown):
    """Of a refusal that only the status of is the same (http2-websocket-refused)."""
    return shown[:3] if case.seen == "502" else shown


@pytest.mark.parametrize("case", http2_cases.CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_same(case, sides):
    first, first_fields, first_heads = sides["apache2"].play(case)
    second, second_fields, second_heads = sides["steelyard"].play(case)
    assert seen_of(case, first) == case.seen, "apache2 itself"
    assert seen_of(case, second) == case.seen
    assert second_heads == first_heads
    if case.seen != "502":
        assert second_fields == first_fields


@pytest.mark.parametrize("different", http2_cases.DIFFERENT, ids=lambda different: different.id)
def test_documented_differences_are_real(different, sides):
    assert sides["apache2"].play(different.case)[0] == different.case.seen
    assert sides["steelyard"].play(different.case)[0] == different.steelyard


def test_the_document_tells_the_differences():
    assert document.TARGET.read_text() == document.text()
