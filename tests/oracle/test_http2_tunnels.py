"""CONNECT over HTTP/2 at apache2 and at steelyard, frame by frame: the same configuration, the same
frames, places that do the same.
"""

import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass

import http2_tunnels
import pytest
from http2_tunnels import ANSWERED, CONFIG, PORTS
from support import frames
from support.both import one_side_each
from support.frames import Frames
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete, steelyard_binary
from support.stream_told import Stream

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("http2", "proxy_connect"))
AGREED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nagreed"
PARENT_SAYS = {
    b"grants.test:443": b"HTTP/1.0 200 Yes\r\nX-Other: y\r\n\r\n",
    b"long.test:443": b"HTTP/1.1 200 Yes\r\nContent-Length: 5\r\n\r\nfirst",
    b"refuses.test:443": b"HTTP/1.0 403 No\r\n\r\nno ",
}


class Listening:
    def __init__(self):
        self.held = HeldPort()
        self._socket = self.held.listening_socket()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._begin, args=(one,), daemon=True).start()

    def _begin(self, one):
        with one, contextlib.suppress(OSError):
            self.serve(one)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        self.held.close()


@dataclass
class Visit:
    heard: bytes = b""
    end: str = ""


class Place(Listening):
    """Says again what it hears, and then acts on it; a request of HTTP/1 is agreed to."""

    def __init__(self):
        self.visits = []
        super().__init__()

    def serve(self, one):
        visit = Visit()
        self.visits.append(visit)
        try:
            while said := one.recv(65536):
                visit.heard += said
                if b" HTTP/1.1\r\n" in said:
                    one.sendall(AGREED)
                    return
                if said == b"rst":
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if said != b"more":
                    one.sendall(said)
                if said == b"fin":
                    return
                if said == b"half":
                    one.shutdown(socket.SHUT_WR)
                if said == b"late":
                    assert not one.recv(1)
                    one.sendall(b" after")
                    return
            visit.end = "EOF"
        except ConnectionResetError:
            visit.end = "RESET"


class Parent(Listening):
    """Another proxy."""

    def serve(self, one):
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := one.recv(65536)):
                return
            head += more
        one.sendall(PARENT_SAYS[head.split(b" ")[1]])
        while said := one.recv(65536):
            one.sendall(said)


class Side:
    def __init__(self, program, scratch):
        self.place, self.parent, self.dead = Place(), Parent(), HeldPort()
        self.ports = {name: HeldPort() for name in PORTS}
        self.server = Server(PROGRAMS[program], scratch.path / program)
        text = CONFIG.replace("PLACE", str(self.place.held)).replace("PARENT", str(self.parent.held))
        for name, held in self.ports.items():
            text = f"Listen 127.0.0.1:{held.port}\n" + text.replace(f"${{{name}}}", str(held.port))
        self.server.start(complete(MODULES + text), [held.port for held in self.ports.values()])
        # What cases call by a word.
        self._words = {
            "PLACE": str(self.place.held), "DEAD": str(self.dead),
            "ODD": str(self.place.held.port + 65536), "BARE": str(self.ports["BARE"].port),
            "PORT": str(self.place.held.port)}

    def close(self):
        self.server.stop()
        for each in (self.place, self.parent, self.dead, *self.ports.values()):
            each.close()

    def _spelt(self, value):
        for word, meaning in self._words.items():
            value = value.replace(word.encode(), meaning.encode())
        return value

    def play(self, case):
        """(the summary, the answer's fields)"""
        port = self.ports[case.at].port
        if case.raw:
            return self._play_raw(port, case), []
        before = len(self._lines())
        self.place.visits.clear()
        client = Frames(port)
        client.headers(1, frames.block([(name, self._spelt(value)) for name, value in case.fields]),
                       case.ends)
        stream = Stream(client)
        for awaited, words in case.then:
            if stream.status and not stream.status.startswith("2"):
                break
            if awaited is ANSWERED:
                stream.until_answered()
            elif awaited:
                stream.until_answered()
                if stream.status == "200":
                    stream.until(awaited)
            client.send(words)
        told = stream.to_end(case.shows, case.within_s)
        parts = case.seen.split(" | ")
        # The first: httpd has another one when it answers for a tunnel that failed.
        if len(parts) > 1:
            assert until(lambda: len(self._lines()) > before, 8)
            told += f" | {self._lines()[before]}"
        if case.hears:
            (visit,) = self.place.visits
            until(lambda: visit.end, 8)
            told += f" | {visit.heard.decode()} {visit.end}"
        client.close()
        for word, meaning in self._words.items():
            told = told.replace(meaning, word)
        return told, stream.fields

    def _play_raw(self, port, case):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(self._spelt(case.raw))
            return re.match(rb"HTTP/1\.[01] (\d+) ", client.recv(65536))[1].decode()

    def _lines(self):
        return self.server.read("short.log").splitlines()


@pytest.fixture(scope="module")
def sides():
    with one_side_each(PROGRAMS, Side) as both:
        yield both


def own(fields):
    return [field for field in fields if field[0] != "proxy-agent"]


@pytest.mark.parametrize("case", http2_tunnels.CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_same(case, sides):
    first, first_fields = sides["apache2"].play(case)
    second, second_fields = sides["steelyard"].play(case)
    assert first == case.seen, "apache2 itself"
    assert second == case.seen
    assert own(second_fields) == own(first_fields)
    assert len(second_fields) == len(first_fields)


@pytest.mark.parametrize("different", http2_tunnels.DIFFERENT, ids=lambda different: different.id)
def test_documented_differences_are_real(different, sides):
    assert sides["apache2"].play(different.case)[0] == different.case.seen
    assert sides["steelyard"].play(different.case)[0] == different.steelyard
