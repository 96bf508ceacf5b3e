"""Members that speak FastCGI, SCGI or uwsgi, read strictly, and answer what a test lays down.

    member = CgiMember("fcgi")
    ... GET /a through the balancer ...
    member.take() -> [Asked(variables=[("PATH", ...), ...], body=b"", ...)]
    member.next_answer(records(b"Status: 404 None\\r\\n\\r\\nnothing"))

Without a next answer each request is answered by `honest`, which names the member.  Where the bytes
are no request by the protocol's text, the fault is noted and the connection ends.

Threads: one that accepts, one a connection; public methods may be called from any thread.
"""

import os
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

from .ports import HeldPort
from .process import until
from .threaded_member import ThreadedMember

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
RESPONDER = 1
WAIT_S = 5.0


class Broken(Exception):
    """What came is no request."""


@dataclass
class Asked:
    """One whole request."""

    variables: list
    body: bytes = b""
    keep: bool = False
    connection: int = 0
    raw: bytes = b""

    @property
    def named(self):
        assert len(dict(self.variables)) == len(self.variables), "a variable came twice"
        return dict(self.variables)


@dataclass
class Answer:
    """Bytes for the next request; `then_close`: the connection ends behind them; `reset`:
    by a reset."""

    data: bytes
    then_close: bool = True
    reset: bool = False


def record(kind, content=b"", padding=0, identity=1, version=1):
    head = struct.pack(">BBHHBB", version, kind, identity, len(content), padding, 0)
    return head + content + b"p" * padding


def end_request(status=0, protocol_status=0, identity=1):
    return record(END, struct.pack(">IB3x", status, protocol_status), identity=identity)


def records(out, errors=b"", padding=0, piece=65535):
    """An answer as an application would send it."""
    pieces = [out[at : at + piece] for at in range(0, len(out), piece)]
    told = b"".join(record(STDOUT, one, padding) for one in pieces)
    told = (record(STDERR, errors) if errors else b"") + told
    return told + record(STDOUT) + end_request()


def cgi_answer(protocol, body, *fields, status="200 OK"):
    """The same answer in the words of any of the three."""
    first = f"HTTP/1.1 {status}" if protocol == "uwsgi" else f"Status: {status}"
    text = "\r\n".join([first, *fields]).encode("latin1") + b"\r\n\r\n" + body
    return records(text) if protocol == "fcgi" else text


def read_name_value_pairs(data):
    found, at = [], 0

    def length(at):
        if at >= len(data):
            raise Broken("a length is missing")
        if data[at] < 0x80:
            return data[at], at + 1
        if at + 4 > len(data):
            raise Broken("half a length")
        return struct.unpack_from(">I", data, at)[0] & 0x7FFFFFFF, at + 4

    while at < len(data):
        name_bytes, at = length(at)
        value_bytes, at = length(at)
        if at + name_bytes + value_bytes > len(data):
            raise Broken("a pair is longer than its stream")
        name = data[at : at + name_bytes].decode("latin1")
        at += name_bytes
        found.append((name, data[at : at + value_bytes].decode("latin1")))
        at += value_bytes
    return found


class Reader:
    """Takes bytes off a connection and keeps all of them."""

    def __init__(self, connection):
        self._connection = connection
        self.raw = b""

    def exactly(self, count):
        told = b""
        while len(told) < count:
            piece = self._connection.recv(count - len(told))
            if not piece:
                raise Broken("the request breaks off" if self.raw or told else "")
            told += piece
            self.raw += piece
        return told


def read_fcgi(reader):
    asked, params, body = None, b"", b""
    params_end = False
    while True:
        version, kind, identity, size, padding, reserved = struct.unpack(
            ">BBHHBB", reader.exactly(8)
        )
        if version != 1 or reserved or not identity:
            raise Broken(f"record of version {version} and id {identity}")
        content = reader.exactly(size)
        if reader.exactly(padding).strip(b"\0"):
            raise Broken("the padding says something")
        if kind == BEGIN and asked is None:
            role, flags = struct.unpack(">HB5x", content)
            if role != RESPONDER or content[3:].strip(b"\0"):
                raise Broken(f"role {role}")
            asked = Asked([], keep=bool(flags & 1))
        elif kind == PARAMS and asked and not params_end:
            params += content
            params_end = not size
        elif kind == STDIN and params_end:
            if not size:
                break
            body += content
        else:
            raise Broken(f"record {kind} is out of place")
    asked.variables, asked.body = read_name_value_pairs(params), body
    return asked


def read_scgi(reader):
    digits = b""
    while not digits.endswith(b":"):
        digits += reader.exactly(1)
        if not digits.rstrip(b":").isdigit() or len(digits) > 8:
            raise Broken(f"netstring {digits}")
    content = reader.exactly(int(digits[:-1]))
    if reader.exactly(1) != b"," or content[-1:] != b"\0":
        raise Broken("netstring without its end")
    words = content[:-1].decode("latin1").split("\0")
    pairs = list(zip(words[::2], words[1::2], strict=True))
    if pairs[0][0] != "CONTENT_LENGTH" or ("SCGI", "1") not in pairs:
        raise Broken("no SCGI request")
    return Asked(pairs, reader.exactly(int(pairs[0][1])))


def read_uwsgi(reader):
    modifier, size, modifier2 = struct.unpack("<BHB", reader.exactly(4))
    if modifier or modifier2:
        raise Broken(f"modifiers {modifier} and {modifier2}")
    content, pairs, at = reader.exactly(size), [], 0
    while at < size:
        words = []
        for _ in range(2):
            if at + 2 > size:
                raise Broken("half a length")
            (length,) = struct.unpack_from("<H", content, at)
            if at + 2 + length > size:
                raise Broken("a word is longer than the packet")
            words.append(content[at + 2 : at + 2 + length].decode("latin1"))
            at += 2 + length
        pairs.append(tuple(words))
    length = dict(pairs).get("CONTENT_LENGTH") or "0"
    return Asked(pairs, reader.exactly(int(length)))


READERS = {"fcgi": read_fcgi, "scgi": read_scgi, "uwsgi": read_uwsgi}


@dataclass
class Notes:
    asked: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    connections: int = 0


class CgiMember(ThreadedMember):
    """One member; `path`: it listens on a unix socket there."""

    def __init__(self, protocol, name="one", path=None):
        self.protocol, self.name, self.path = protocol, name, path
        self.held = None if path else HeldPort()
        self._read = READERS[protocol]
        self._answers = []
        self._notes = Notes()
        if path:
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listening.bind(path)
            listening.listen()
            os.chmod(path, 0o666)
        else:
            listening = self.held.listening_socket()
        super().__init__(listening)

    @property
    def url(self):
        if self.path:
            return f"unix:{self.path}|{self.protocol}://localhost"
        return f"{self.protocol}://{self.held}"

    def next_answer(self, data, then_close=True, reset=False):
        with self._changed:
            self._answers.append(Answer(data, then_close, reset))

    def take(self, count=1):
        """The requests since the last look, once there are so many."""
        assert until(lambda: len(self._notes.asked) + len(self._notes.faults) >= count, WAIT_S)
        with self._changed:
            asked, self._notes.asked = self._notes.asked, []
        assert not self._notes.faults, self._notes.faults
        return asked

    def forget_answers(self):
        """The next request gets the usual answer."""
        with self._changed:
            self._answers.clear()

    def faults(self):
        """What was no request since the last look."""
        with self._changed:
            faults, self._notes.faults = self._notes.faults, []
        return faults

    @property
    def connections(self):
        return self._notes.connections

    def close(self):
        super().close()
        if self.held:
            self.held.close()

    def honest(self, asked):
        told = cgi_answer(self.protocol, self.name.encode(), "Content-Type: text/plain")
        return Answer(told, then_close=not asked.keep)

    def _converse(self, connection):
        with self._changed:
            self._notes.connections += 1
            number = self._notes.connections
        while True:
            reader = Reader(connection)
            try:
                asked = self._read(reader)
            except Broken as fault:
                with self._changed:
                    self._notes.faults += [str(fault)] if str(fault) else []
                return
            asked.connection, asked.raw = number, reader.raw
            with self._changed:
                self._notes.asked.append(asked)
                answer = self._answers.pop(0) if self._answers else self.honest(asked)
            connection.sendall(answer.data)
            if answer.reset:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return
            if answer.then_close:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                return
