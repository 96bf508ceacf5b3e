"""A raw HTTP/1 client that keeps what came back exactly as it came.

It never repairs, repeats or follows: one Connection is one socket, and read_response() returns the
bytes of one response, cut where its framing says it ends.
"""

import select
import socket
import time
from dataclasses import dataclass, field

WAIT_S = 8.0


@dataclass
class Response:
    """One final response with the interim ones before it; `ended` says why reading stopped:
    length, chunked, bodiless, eof, or a fault (cut short, timed out, nothing, garbled)."""

    interim: list = field(default_factory=list)
    head: bytes = b""
    body: bytes = b""
    trailers: bytes = b""
    framing: str = ""
    ended: str = ""

    @property
    def status(self):
        words = self.head.split(b" ", 2)
        return words[1].decode("latin1") if len(words) > 1 and self.head[:5] == b"HTTP/" else ""

    def headers(self):
        for line in self.head.split(b"\r\n")[1:]:
            if line:
                name, _, value = line.partition(b":")
                yield name, value.strip()

    def header(self, name):
        for key, value in self.headers():
            if key.lower() == name.lower().encode():
                return value
        return None

    @property
    def will_close(self):
        if self.framing == "eof" or self.ended not in ("length", "chunked", "bodiless"):
            return True
        words = (self.header("Connection") or b"").lower()
        if self.head.startswith(b"HTTP/1.0"):
            return b"keep-alive" not in words
        return b"close" in words


class Stopped(Exception):
    """Reading cannot go on; `why` becomes Response.ended."""

    def __init__(self, why):
        super().__init__(why)
        self.why = why


class Connection:
    def __init__(self, host, port, timeout_s=WAIT_S, receive_bytes=None):
        """`receive_bytes`: how much the system takes for us while we do not read."""
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(timeout_s)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local_port = self.socket.getsockname()[1]
        self.timeout_s = timeout_s
        self.at_eof = False
        self._unread = b""

    def send(self, data):
        """Sends all of it; a peer that closed meanwhile is seen when reading."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.socket.close()

    def _fill(self, deadline):
        if self.at_eof:
            raise Stopped("eof")
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.socket], [], [], left)[0]:
            raise Stopped("timed out")
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self.at_eof = True
            raise Stopped("eof")
        self._unread += data

    def await_data(self):
        """Returns once something has come that was not read yet."""
        if not self._unread:
            self._fill(time.monotonic() + self.timeout_s)

    def _take_until(self, mark, deadline):
        while mark not in self._unread:
            self._fill(deadline)
        cut = self._unread.index(mark) + len(mark)
        taken, self._unread = self._unread[:cut], self._unread[cut:]
        return taken

    def _take(self, count, deadline):
        while len(self._unread) < count:
            self._fill(deadline)
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken

    def _take_rest(self, deadline):
        try:
            while True:
                self._fill(deadline)
        except Stopped as stop:
            taken, self._unread = self._unread, b""
            return taken, stop.why

    def read_response(self, method="GET", timeout_s=None, interim_only=False):
        """One response.  With interim_only the first interim one is enough (the wait for a 100)."""
        deadline = time.monotonic() + (timeout_s or self.timeout_s)
        response = Response()
        try:
            self._read_head(response, deadline, interim_only)
            if not (interim_only and response.ended):
                self._read_body(response, method, deadline)
        except Stopped as stop:
            nothing = not response.head and not response.interim and not self._unread
            response.ended = ("nothing, " if nothing else "cut short, ") + stop.why
            response.body += self._unread
            self._unread = b""
        return response

    def _read_head(self, response, deadline, interim_only):
        while True:
            while len(self._unread) < 5:
                self._fill(deadline)
            if not self._unread.startswith(b"HTTP/"):
                response.framing = "eof"
                return
            head = self._take_until(b"\r\n\r\n", deadline)
            if head.split(b" ", 2)[1][:1] == b"1" and b" 101 " not in head[:14]:
                response.interim.append(head)
                if interim_only:
                    response.ended = "interim"
                    return
                continue
            response.head = head
            return

    def _read_body(self, response, method, deadline):
        encoding = response.header("Transfer-Encoding")
        length = response.header("Content-Length")
        if method == "HEAD" or response.status in ("204", "304"):
            response.framing = response.ended = "bodiless"
        elif response.head and encoding is not None:
            response.framing = "chunked"
            self._read_chunks(response, deadline)
            response.ended = "chunked"
        elif response.head and length is not None and length.isdigit():
            response.framing = f"length {length.decode()}"
            self._read_length(response, int(length), deadline)
            response.ended = "length"
        else:
            response.framing = "eof"
            response.body, why = self._take_rest(deadline)
            response.ended = why

    def _read_length(self, response, count, deadline):
        response.body = self._take(count, deadline)

    def _read_chunks(self, response, deadline):
        while True:
            size = int(self._take_until(b"\n", deadline).split(b";")[0], 16)
            if size == 0:
                break
            response.body += self._take(size + 2, deadline)[:-2]
        while (line := self._take_until(b"\n", deadline)) != b"\r\n":
            response.trailers += line

    def read_to_end(self, timeout_s=None):
        """Everything up to the end of the connection: (bytes, whether the end was seen)."""
        data, why = self._take_rest(time.monotonic() + (timeout_s or self.timeout_s))
        return data, why == "eof"

    def closed_by_peer(self, wait_s=0.0):
        """True when the peer has closed (or closes within the wait)."""
        if self.at_eof:
            return True
        deadline = time.monotonic() + wait_s
        try:
            while True:
                self._fill(max(deadline, time.monotonic() + 0.0005))
        except Stopped as stop:
            return stop.why == "eof"
