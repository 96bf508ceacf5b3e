"""A servlet container that speaks AJP13, scripted: a Member of member.py with other words.

It records each packet it gets, decoded, and answers as a request's query (or serve()) asks; besides
what ask.py knows:

    ajp=WORDS     what to do instead of answering properly, words with commas between them:
        body            take the request's body as a container does: the first packet of one with a
                        length comes unasked, every other one is asked for
        ask   data      ask for a packet of the body and take it; take one that was not asked for
        want            ask for one and do not wait
        headers         SEND_HEADERS with what the query says of status and fields
        chunk:TEXT  size:N  flush     SEND_BODY_CHUNK
        end   end0      END_RESPONSE; the connection may be used again, or not
        bytes:HEX       these bytes
        hold:WORD       wait until the test releases WORD
        mark:WORD       release it
        drop  reset     close, or reset, the connection
    pong=WORDS    the same for a CPING (only of serve(): it has no query); `pong` answers properly
"""

import hashlib
import socket
import struct
from dataclasses import dataclass, field

from . import ask as asking
from .member import Member, Received

METHODS = (
    "OPTIONS GET HEAD POST PUT DELETE TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ACL"
    " REPORT VERSION-CONTROL CHECKIN CHECKOUT UNCHECKOUT SEARCH MKWORKSPACE UPDATE LABEL MERGE"
    " BASELINE-CONTROL MKACTIVITY"
).split()
REQUEST_FIELDS = (
    "accept accept-charset accept-encoding accept-language authorization connection content-type"
    " content-length cookie cookie2 host pragma referer user-agent"
).split()
RESPONSE_FIELDS = (
    "content-type content-language content-length date last-modified location set-cookie"
    " set-cookie2 servlet-engine status www-authenticate"
).split()
ATTRIBUTES = {
    0x01: "context",
    0x02: "servlet_path",
    0x03: "remote_user",
    0x04: "auth_type",
    0x05: "query_string",
    0x06: "jvm_route",
    0x07: "ssl_cert",
    0x08: "ssl_cipher",
    0x09: "ssl_session",
    0x0C: "secret",
    0x0D: "stored_method",
}
PACKET_BYTES = 8192
CHUNK_BYTES_MAX = PACKET_BYTES - 8
CPONG = b"AB\0\1\x09"


class BadPacket(ValueError):
    pass


def string(text):
    data = text if isinstance(text, bytes) else text.encode("latin1")
    return struct.pack(">H", len(data)) + data + b"\0"


def reply(payload):
    return b"AB" + struct.pack(">H", len(payload)) + payload


def body_chunk(data):
    return reply(b"\x03" + string(data))


def end(reuse=True):
    return reply(b"\x05" + bytes([reuse]))


def want(size=PACKET_BYTES - 6):
    return reply(b"\x06" + struct.pack(">H", size))


def send_headers(status, reason, fields):
    """`fields`: (name, value) pairs of bytes."""
    payload = b"\x04" + struct.pack(">H", status) + string(reason)
    payload += struct.pack(">H", len(fields))
    for name, value in fields:
        known = name.decode("latin1").lower()
        if known in RESPONSE_FIELDS:
            payload += struct.pack(">H", 0xA001 + RESPONSE_FIELDS.index(known))
        else:
            payload += string(name)
        payload += string(value)
    return reply(payload)


def shown(data):
    return f"{len(data)} {data if len(data) <= 60 else hashlib.sha1(data).hexdigest()[:12]}"


class Payload:
    """A packet, taken apart from its begin."""

    def __init__(self, data):
        self.left = data

    def take(self, count):
        if len(self.left) < count:
            raise BadPacket("the packet ends too early")
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def byte(self):
        return self.take(1)[0]

    def number(self):
        return struct.unpack(">H", self.take(2))[0]

    def string(self):
        """None: the absent string."""
        count = self.number()
        if count == 0xFFFF:
            return None
        text = self.take(count)
        if self.take(1) != b"\0":
            raise BadPacket("no NUL behind a string")
        return text.decode("latin1")


@dataclass
class ForwardRequest:
    """FORWARD_REQUEST.  `fields`: (name, value, whether the name was a number)."""

    method: int = 0
    protocol: str = ""
    path: str = ""
    address: str = ""
    host: str | None = None
    server: str = ""
    port: int = 0
    tls: int = 0
    fields: list = field(default_factory=list)
    attributes: list = field(default_factory=list)

    @classmethod
    def decode(cls, data):
        payload = Payload(data)
        assert payload.byte() == 2
        one = cls(payload.byte(), payload.string(), payload.string(), payload.string())
        one.host, one.server = payload.string(), payload.string()
        one.port, one.tls = payload.number(), payload.byte()
        for _ in range(payload.number()):
            one.fields.append(cls._field(payload))
        while (code := payload.byte()) != 0xFF:
            one.attributes.append(cls._attribute(code, payload))
        if payload.left:
            raise BadPacket(f"{len(payload.left)} bytes behind the end")
        return one

    @staticmethod
    def _field(payload):
        if payload.left[:1] == b"\xa0":
            number = payload.number() & 0xFF
            return REQUEST_FIELDS[number - 1], payload.string(), True
        return payload.string(), payload.string(), False

    @staticmethod
    def _attribute(code, payload):
        if code == 0x0A:
            return payload.string(), payload.string()
        if code == 0x0B:
            return "ssl_key_size", str(payload.number())
        return ATTRIBUTES[code], payload.string()

    @property
    def method_name(self):
        if self.method == 0xFF:
            return dict(self.attributes)["stored_method"]
        return METHODS[self.method - 1]

    def value(self, name):
        return next((v for n, v, _ in self.fields if n.lower() == name.lower()), None)

    def attribute(self, name):
        return dict(self.attributes).get(name)

    def lines(self):
        """What a transcript shows; the client's port is nobody's choice."""
        yield f"{self.method_name} ({self.method:02X}) {self.path} {self.protocol}"
        yield f"from {self.address} host {self.host} to {self.server}:{self.port} tls {self.tls}"
        for name, value, coded in self.fields:
            yield f"({name}): {value}" if coded else f"{name}: {value}"
        for name, value in self.attributes:
            yield f"= {name}: {'(port)' if name == 'AJP_REMOTE_PORT' else value}"


@dataclass
class ReceivedPacket(Received):
    """`data`: the sizes of the body packets that followed.

    `head` is what a transcript shows: of a body its first unasked packet and the whole of it; how
    the rest is cut is a matter of when it came from the client.
    """

    forward: ForwardRequest | None = None
    data: list = field(default_factory=list)

    @property
    def target(self):
        query = self.forward.attribute("query_string") if self.forward else None
        text = self.forward.path if self.forward else ""
        return (text + ("?" + query if query is not None else "")).encode("latin1")

    def header(self, name):
        value = self.forward.value(name) if self.forward else None
        return None if value is None else value.encode("latin1")

    def add_line(self, text):
        self.head += text.encode("latin1") + b"\r\n"

    def add_more(self, data):
        self.data.append(len(data))
        self.body += data

    def add_data(self, data):
        self.add_more(data)
        self.add_line(f"data {shown(data)}")


class Over(Exception):
    """The connection is to be closed."""


class Container(Member):
    """A Member that speaks AJP13.  `pings`: how often it was asked whether it is there."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.pings = 0

    async def _forget(self):
        await super()._forget()
        self.pings = 0

    async def _packet(self, reader):
        magic, size = struct.unpack(">HH", await reader.readexactly(4))
        if magic != 0x1234:
            raise BadPacket(f"magic {magic:04x}")
        if size + 4 > 65536:
            raise BadPacket(f"a packet of {size} bytes")
        return await reader.readexactly(size)

    async def _exchange(self, reader, writer, number, nth):
        payload = await self._packet(reader)
        got = ReceivedPacket(self.name, number, nth, b"")
        if payload == b"\x0a":
            got.add_line("CPING")
            self._record(got)
            self.pings += 1
            ask = asking.from_target(b"", self.name, self.answer)
            return await self._act(ask.pong.split(","), ask, got, reader, writer)
        if payload[:1] != b"\x02":
            got.add_line(f"unexpected {payload[:40].hex()}")
            self._record(got)
            return False
        got.forward = ForwardRequest.decode(payload)
        for line in got.forward.lines():
            got.add_line(line)
        self._record(got)
        ask = asking.from_target(got.target, self.name, self.answer)
        words = ask.ajp.split(",") if ask.ajp else self._honest(ask, got)
        return await self._act(words, ask, got, reader, writer)

    def _honest(self, ask, got):
        yield "body"
        if ask.hold:
            yield "hold:" + ask.hold
        if ask.reset:
            yield "reset"
        if ask.drop or (ask.stale and got.nth > 1):
            yield "drop"
        yield "headers"
        if got.forward.method_name != "HEAD" and ask.status not in (204, 304):
            if ask.size is not None:
                yield f"size:{ask.size}"
            else:
                yield "whole"
        yield "end0" if ask.close else "end"

    async def _act(self, words, ask, got, reader, writer):
        try:
            for word in words:
                await self._do(word, ask, got, reader, writer)
        except Over:
            return False
        await writer.drain()
        return not ask.close

    async def _do(self, word, ask, got, reader, writer):
        name, _, value = word.partition(":")
        if name == "body":
            await self._take_body(got, reader, writer)
        elif name == "ask":
            writer.write(want())
            got.add_data(await self._data(reader))
        elif name == "data":
            got.add_data(await self._data(reader))
        elif name == "want":
            writer.write(want())
        elif name == "headers":
            writer.write(self._headers(ask))
        elif name == "whole":
            writer.write(body_chunk(ask.body if ask.body is not None else f"{self.name}\n"))
        elif name == "chunk":
            writer.write(body_chunk(value))
        elif name == "size":
            await self._send_many(int(value), ask.chunked or CHUNK_BYTES_MAX, writer)
        elif name == "flush":
            writer.write(body_chunk(b""))
        elif name in ("end", "end0"):
            writer.write(end(name == "end"))
        elif name == "bytes":
            writer.write(bytes.fromhex(value))
        elif name == "pong":
            writer.write(CPONG)
        elif name == "hold":
            await writer.drain()
            await self.gates.gate(value).wait()
        elif name == "mark":
            await writer.drain()
            self.gates.gate(value).set()
        elif name == "drop":
            writer.write_eof()
            raise Over
        elif name == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            raise Over
        else:
            raise AssertionError(f"no such word: {word}")

    async def _send_many(self, size, piece_bytes, writer):
        body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        for begin in range(0, size, piece_bytes):
            writer.write(body_chunk(body[begin : begin + piece_bytes]))
            await writer.drain()

    def _headers(self, ask):
        fields = [(b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"), (b"Server", b"member")]
        if ask.plain:
            fields = []
        fields.append((b"X-Member", self.name.encode()))
        if ask.length is not None:
            fields.append((b"Content-Length", b"%d" % ask.length))
        for line in ask.headers:
            name, _, value = line.partition(b":")
            fields.append((name, value.strip()))
        return send_headers(ask.status, ask.reason, fields)

    async def _data(self, reader):
        payload = Payload(await self._packet(reader))
        if not payload.left:
            return b""
        data = payload.take(payload.number())
        if payload.left:
            raise BadPacket("a body packet with something behind its bytes")
        return data

    async def _take_body(self, got, reader, writer):
        length = got.forward.value("content-length")
        if length is not None and int(length) > 0:
            got.add_data(await self._data(reader))
            while len(got.body) < int(length):
                writer.write(want())
                got.add_more(await self._data(reader))
        elif got.forward.value("transfer-encoding"):
            while not got.data or got.data[-1] != 0:
                writer.write(want())
                got.add_more(await self._data(reader))
        else:
            return
        got.add_line(f"body {shown(got.body)}")
        got.complete = True
