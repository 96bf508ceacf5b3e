"""HTTP/2 by hand: frames as they are, without anything that would keep a test from sending nonsense.

Fields go out as literals that no table keeps (RFC 7541 6.2.2). Answers' fields are not decoded:
their status is found where the balancer's library puts it.
"""

import socket
import struct
import time
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
PRIORITY_UPDATE = 16  # RFC 9218 7.1
END_STREAM, END_HEADERS, ACK = 1, 4, 1
NO_ERROR, PROTOCOL_ERROR, ENHANCE_YOUR_CALM = 0, 1, 11
WAIT_S = 10.0


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(
        ">I", stream) + payload


def text(value):
    """A string literal of at most 16,510 bytes (RFC 7541 5.2)."""
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest, out = len(value) - 127, b"\x7f"
    while rest >= 128:
        out += bytes((rest % 128 + 128,))
        rest //= 128
    return out + bytes((rest,)) + value


def block(fields):
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def request(method=b"GET", path=b"/", more=(), authority=b"lb.test", scheme=b"http"):
    fields = [(b":method", method), (b":scheme", scheme), (b":path", path)]
    if authority is not None:
        fields.append((b":authority", authority))
    return block(fields + list(more))


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """Of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[-4:] if self.kind == RST_STREAM
                             else self.payload[4:8])[0]


class Frames:
    """A connection whose preface has been said: without TLS, or `secured`, which has shaken hands."""

    def __init__(self, port, settings=b"", preface=PREFACE, secured=None):
        self.socket = secured or socket.create_connection(("127.0.0.1", port), WAIT_S)
        self._buffer = b""
        self.send(preface + frame(SETTINGS, payload=settings))

    def send(self, data):
        """As much as the balancer takes: it may close in the middle."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def headers(self, stream, fields, ends=True):
        return self.send(frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, fields))

    def take(self, wait_s=WAIT_S):
        """The next frame; None: the connection has ended."""
        deadline = time.monotonic() + wait_s
        while True:
            if len(self._buffer) >= 9:
                length = int.from_bytes(self._buffer[:3], "big")
                if len(self._buffer) >= 9 + length:
                    kind, flags = self._buffer[3], self._buffer[4]
                    stream = int.from_bytes(self._buffer[5:9], "big")
                    payload = self._buffer[9 : 9 + length]
                    self._buffer = self._buffer[9 + length :]
                    return Frame(kind, flags, stream, payload)
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError("no frame came") from None
            except OSError:
                return None
            if not more:
                return None
            self._buffer += more

    def until(self, wanted, wait_s=WAIT_S):
        """The first frame that is `wanted`; None: the connection ended before."""
        deadline = time.monotonic() + wait_s
        while True:
            got = self.take(deadline - time.monotonic())
            if got is None or wanted(got):
                return got

    def end_of(self, stream):
        """How a stream ended: its RST_STREAM, its last frame, GOAWAY with an error, or None."""
        return self.until(lambda each: (
            each.stream == stream and (each.kind == RST_STREAM or (
                each.kind in (HEADERS, DATA) and each.flags & END_STREAM))
            or each.kind == GOAWAY and each.code != NO_ERROR))

    def close(self):
        self.socket.close()
