"""Bodies of any size, which nobody ever holds as a whole.

What is sent repeats one pattern, from a file in memory by sendfile, and every byte that is received
is compared with it. Clients and members do both with the same two words:

    pour(sock, size, framing, flow)   framing: length, chunked or eof
    drain(reader, size, framing)      the count of bytes that came, all of them right

`Torrent` is a member of that kind:

    GET  /length/N  /chunked/N  /eof/N   answers with a body of N bytes
    POST /now                            reads the body, answers with the count of its bytes
    POST /later                          the same, but not before `go_on` is set

Threads: one for each connection of the member; pour() and drain() run on whoever calls them.
"""

import array
import fcntl
import os
import random
import select
import socket
import termios
import threading
from contextlib import suppress

from .threaded_member import ThreadedMember

PATTERN = random.Random(1).randbytes(1 << 20)
CHUNK_BYTES = 1 << 18
RECEIVE_BYTES = 1 << 20
# A peer that takes nothing for so long has stopped.
STALL_S = 0.25


class Cut(Exception):
    """The stream ended before it was over, or held what was never sent."""


def _memory_file(data):
    number = os.memfd_create("pattern")
    os.write(number, data)
    return number


class Sources:
    """The pattern as it is and cut into chunks, to be sent over and over."""

    def __init__(self):
        pieces = [
            b"%x\r\n%s\r\n" % (CHUNK_BYTES, PATTERN[at : at + CHUNK_BYTES])
            for at in range(0, len(PATTERN), CHUNK_BYTES)
        ]
        self.plain, self.plain_bytes = _memory_file(PATTERN), len(PATTERN)
        framed = b"".join(pieces)
        self.chunked, self.chunked_bytes = _memory_file(framed), len(framed)


SOURCES = Sources()
_TWICE = memoryview(PATTERN + PATTERN)  # RECEIVE_BYTES from anywhere in the pattern


class Flow:
    """How far a stream has come; `rests` is set when its peer takes nothing, or has all of it."""

    def __init__(self, sock):
        self._sock = sock
        self.sent = 0
        self.rests = threading.Event()

    def taken(self):
        """Bytes that the peer's system has confirmed."""
        unconfirmed = array.array("i", [0])
        fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, unconfirmed)
        return self.sent - unconfirmed[0]


def _send_all(sock, send, flow):
    """Calls send() until it has nothing more to do, waiting whenever the peer is slow."""
    while True:
        try:
            count = send()
            if count is None:
                return
            flow.sent += count
        except BlockingIOError:
            if not select.select([], [sock], [], STALL_S)[1]:
                flow.rests.set()
                select.select([], [sock], [])


def _send_bytes(sock, data, flow):
    rest = memoryview(data)

    def send():
        nonlocal rest
        if not rest:
            return None
        count = sock.send(rest)
        rest = rest[count:]
        return count

    _send_all(sock, send, flow)


def _send_file(sock, file, period, size, flow):
    done = 0

    def send():
        nonlocal done
        if done == size:
            return None
        at = done % period
        count = os.sendfile(sock.fileno(), file, at, min(period - at, size - done))
        done += count
        return count

    _send_all(sock, send, flow)


def pour(sock, size, framing, flow):
    """Sends a body of `size` bytes. OSError when the peer hangs up."""
    sock.setblocking(False)
    if framing != "chunked":
        _send_file(sock, SOURCES.plain, SOURCES.plain_bytes, size, flow)
    else:
        rounds, rest = divmod(size, len(PATTERN))
        source, period = SOURCES.chunked, SOURCES.chunked_bytes
        _send_file(sock, source, period, rounds * period, flow)
        last = b"%x\r\n%s\r\n" % (rest, PATTERN[:rest]) if rest else b""
        _send_bytes(sock, last + b"0\r\n\r\n", flow)
    sock.setblocking(True)
    flow.rests.set()


class Reader:
    """Takes lines and heads off a connection without a byte more, and compares bodies."""

    def __init__(self, sock):
        self.sock = sock
        self._buffer = bytearray(RECEIVE_BYTES)

    def line_end(self, mark):
        """Everything up to the mark, and nothing behind it."""
        data = b""
        while not data.endswith(mark):
            seen = self.sock.recv(1 << 16, socket.MSG_PEEK)
            if not seen:
                raise Cut(data)
            found = (data + seen).find(mark)
            count = len(seen) if found < 0 else found + len(mark) - len(data)
            data += self.sock.recv(count)
        return data

    def body_bytes(self, count, at):
        """`count` bytes that are `at` bytes into the body."""
        end = at + count
        while at < end:
            got = self.sock.recv_into(self._buffer, min(RECEIVE_BYTES, end - at))
            if got == 0:
                raise Cut(f"{end - at} bytes before the end")
            start = at % len(PATTERN)
            if not self._buffer.startswith(_TWICE[start : start + got]):
                raise Cut(f"wrong bytes between {at} and {at + got}")
            at += got


def drain(reader, size, framing):
    """The body's bytes, counted; `size` is what a length announced, else None."""
    if framing == "length":
        reader.body_bytes(size, 0)
        return size
    at = 0
    while count := int(reader.line_end(b"\r\n"), 16):
        reader.body_bytes(count, at)
        at += count
        reader.line_end(b"\r\n")
    reader.line_end(b"\r\n")
    return at


def framing_of(head):
    """(length or None, framing) of a message's head; a message here has one of the two."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1]), "length"
        if line.startswith(b"transfer-encoding: chunked"):
            return None, "chunked"
    raise Cut(head)


def frame_line(size, framing):
    return {
        "length": b"Content-Length: %d\r\n" % size,
        "chunked": b"Transfer-Encoding: chunked\r\n",
        "eof": b"Connection: close\r\n",
    }[framing]


class Torrent(ThreadedMember):
    """The member."""

    def __init__(self, listening):
        self.go_on = threading.Event()
        self._flows = []  # one for each answer with a body
        super().__init__(listening)

    def flows_at_rest(self, count, timeout_s):
        """The last `count` answers, once there are so many and none of them moves."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._flows) >= count, timeout_s)
            flows = self._flows[-count:]
        assert all(flow.rests.wait(timeout_s) for flow in flows)
        return flows

    def forget_flows(self):
        with self._changed:
            self._flows.clear()

    def left_with(self, count, timeout_s):
        """True when no more than `count` connections are there (or remain within the time)."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._connections) <= count, timeout_s)

    def close(self):
        self.go_on.set()
        super().close()

    def _converse(self, connection):
        with suppress(Cut):
            while self._exchange(Reader(connection)):
                pass

    def _exchange(self, reader):
        head = reader.line_end(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n")[0].split(b" ")
        words = path.decode().strip("/").split("/")
        if method == b"GET":
            return self._pour(reader.sock, words[0], int(words[1]))
        if words[0] == "later":
            self.go_on.wait()
        text = b"%d" % drain(reader, *framing_of(head))
        reader.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
        return True

    def _pour(self, sock, framing, size):
        flow = Flow(sock)
        with self._changed:
            self._flows.append(flow)
            self._changed.notify_all()
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + frame_line(size, framing) + b"\r\n")
        pour(sock, size, framing, flow)
        return framing != "eof"
