"""A member that keeps every byte it was sent and reads requests as strictly as HTTP/1.1 allows.

Where a lenient server would guess, it notes a fault and hangs up: a request that two servers could
read in two ways never counts as one request.  It answers each whole request with its target,

    recorder = Recorder()
    ... GET /a through the balancer ...
    recorder.take() -> Seen(requests=[Heard(line=b"GET /a HTTP/1.1", ...)], faults=[], leftovers=[])

or with what `next_answer` was given: bytes as they are, so that a broken member can be played.

Threads: one for accepting and one a connection; public methods may be called from any thread.
"""

import re
import select
import socket
import threading
from dataclasses import dataclass, field

from .ports import HeldPort

WAIT_S = 5.0
LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+ HTTP/1\.1")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)")
CHUNK = re.compile(rb"[0-9a-f]{1,16}")


class Ambiguous(Exception):
    """The bytes are no request that every server reads alike."""


@dataclass
class Heard:
    """One whole request."""

    line: bytes
    fields: list
    body: bytes = b""
    trailers: bytes = b""
    connection: int = 0

    @property
    def target(self):
        return self.line.split(b" ")[1]

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]


@dataclass
class Seen:
    """What came since the last look.  `leftovers`: requests that broke off before their end."""

    requests: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    leftovers: list = field(default_factory=list)

    @property
    def lines(self):
        return [one.line for one in self.requests]


@dataclass
class Answer:
    """Bytes for the next request; `early`: as soon as its head is there; `then`: what the
    connection gets once the test calls Recorder.go_on."""

    data: bytes
    keep: bool = True
    early: bool = False
    then: bytes = b""


def split_head(data):
    """(line, fields, bytes of the head) or None when it is not complete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    line, *rows = data[:end].split(b"\r\n")
    if not LINE.fullmatch(line):
        raise Ambiguous(b"request line " + line)
    fields = []
    for row in rows:
        found = FIELD.fullmatch(row)
        if not found:
            raise Ambiguous(b"field " + row)
        fields.append((found[1].lower(), found[2].rstrip(b" \t")))
    return line, fields, end + 4


def one_value(fields, name):
    values = [value for key, value in fields if key == name]
    if len(values) > 1:
        raise Ambiguous(name + b" twice")
    return values[0] if values else None


def read_chunks(data, at):
    """(body, trailers, end) or None."""
    body = b""
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        if not CHUNK.fullmatch(data[at:end]):
            raise Ambiguous(b"chunk size " + data[at:end])
        size = int(data[at:end], 16)
        at = end + 2
        if size == 0:
            break
        if len(data) < at + size + 2:
            return None
        if data[at + size : at + size + 2] != b"\r\n":
            raise Ambiguous(b"chunk end " + data[at + size : at + size + 2])
        body += data[at : at + size]
        at += size + 2
    if data[at : at + 2] == b"\r\n":
        return body, b"", at + 2
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    for row in data[at:end].split(b"\r\n"):
        if not FIELD.fullmatch(row):
            raise Ambiguous(b"trailer " + row)
    return body, data[at : end + 2], end + 4


def read_request(data):
    """(Heard, bytes used) or None when more is to come."""
    head = split_head(data)
    if head is None:
        return None
    line, fields, at = head
    if one_value(fields, b"host") is None:
        raise Ambiguous(b"no Host")
    length, coding = one_value(fields, b"content-length"), one_value(fields, b"transfer-encoding")
    heard = Heard(line, fields)
    if coding is not None:
        if length is not None or coding != b"chunked":
            raise Ambiguous(b"framing of " + line)
        found = read_chunks(data, at)
        if found is None:
            return None
        heard.body, heard.trailers, at = found
    elif length is not None:
        if not re.fullmatch(rb"[0-9]{1,18}", length):
            raise Ambiguous(b"length " + length)
        if len(data) < at + int(length):
            return None
        heard.body = data[at : at + int(length)]
        at += int(length)
    return heard, at


class Recorder:
    """One listening member; connections are numbered from 1."""

    def __init__(self):
        self.held = HeldPort()
        self.connections = 0
        self._listening = self.held.listening_socket()
        self._changed = threading.Condition()
        self._seen = Seen()
        self._answers = []
        self._open = {}
        self._busy = 0
        self._may_go_on = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def address(self):
        return str(self.held)

    def next_answer(self, data, **more):
        """Bytes for the next request that comes (several are a queue)."""
        with self._changed:
            self._may_go_on.clear()
            self._answers.append(Answer(data, **more))

    def go_on(self):
        """Sends what answers held back (`then`)."""
        self._may_go_on.set()

    def wait_for(self, claim, timeout_s=WAIT_S):
        """True when the claim about what was seen holds."""
        with self._changed:
            return self._changed.wait_for(lambda: claim(self._seen), timeout_s)

    def take(self):
        """All that was seen, once no connection is in the middle of something; then forgets it."""
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, WAIT_S)
            seen, self._seen = self._seen, Seen()
            self._answers.clear()
            return seen

    def hang_up(self):
        """Closes every connection that exists."""
        with self._changed:
            for sock in self._open.values():
                sock.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listening.close()
        self._may_go_on.set()
        with self._changed:
            served = list(self._open.values())
        for sock in served:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.held.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is sent has arrived
            with self._changed:
                self.connections += 1
                number = self.connections
                self._open[number] = sock
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _note(self, act):
        with self._changed:
            act(self._seen)
            self._changed.notify_all()

    def _serve(self, sock, number):
        wire = Wire(sock, number)
        try:
            while wire.reads and (piece := sock.recv(1 << 16)):
                wire.data += piece
                self._begin()
                try:
                    self._take_requests(wire)
                finally:
                    self._end()
        except Ambiguous as fault:
            self._note(lambda seen: seen.faults.append(fault.args[0]))
        except OSError:
            pass
        finally:
            if wire.data:
                self._note(lambda seen: seen.leftovers.append(wire.data))
            with self._changed:
                del self._open[number]
            sock.close()

    def _begin(self):
        with self._changed:
            self._busy += 1

    def _end(self):
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def _take_requests(self, wire):
        """Answers every whole request; what is left over stays in wire.data."""
        while wire.data and wire.reads:
            found = read_request(wire.data)
            if found is None:
                self._act_on_head(wire)
                return
            heard, used = found
            heard.connection = wire.number
            wire.data = wire.data[used:]
            self._note(lambda seen: seen.requests.append(heard))
            if not wire.answered:
                self._send(wire, self._pop_answer() or Answer(own_answer(heard)))
            wire.answered = wire.told_to_go_on = False

    def _act_on_head(self, wire):
        """The head is there, the body is not."""
        head = split_head(wire.data)
        if head is None or wire.answered:
            return
        if self._next_is_early():
            self._send(wire, self._pop_answer())
        elif one_value(head[1], b"expect") == b"100-continue" and not wire.told_to_go_on:
            wire.told_to_go_on = True
            wire.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _next_is_early(self):
        with self._changed:
            return bool(self._answers) and self._answers[0].early

    def _pop_answer(self):
        with self._changed:
            return self._answers.pop(0) if self._answers else None

    def _send(self, wire, answer):
        wire.answered = True
        wire.sock.sendall(answer.data)
        if answer.then:
            self._may_go_on.wait(WAIT_S)
            wire.sock.sendall(answer.then)
        if not answer.keep:
            wire.sock.shutdown(socket.SHUT_WR)
            wire.reads = False
            _read_out(wire.sock)


@dataclass
class Wire:
    """One connection: the bytes that are no whole request yet."""

    sock: socket.socket
    number: int
    data: bytes = b""
    answered: bool = False  # the request that `data` begins with was answered early
    told_to_go_on: bool = False
    reads: bool = True


def _read_out(sock):
    """Until the peer closes: a close with unread bytes would reset what was sent."""
    while select.select([sock], [], [], WAIT_S)[0]:
        if not sock.recv(1 << 16):
            return


def own_answer(heard):
    """200 with the target as the body: whose answer it is can be seen."""
    body = b"" if heard.line.startswith(b"HEAD ") else b"answer to %s\n" % heard.target
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
