"""A member that speaks HTTP/2 (h2c by prior knowledge, or h2 over TLS), one thread a connection.

    with Http2Member() as member:
        ... requests ...
        member.requests      # [Request(connection=1, stream=1, fields={":path": ...}, body=b"")]
        member.connections   # how many there were

What it does tells the path: /hold/NAME waits for member.let_go(NAME); /size/N sends N bytes without
a length; /echo sends the body back as it comes; /trailers ends with some; /hints says 103 first;
/refuse/N refuses the first N such requests unseen, /reset breaks the stream after its head;
/goaway says that the connection takes no more. Everything else tells what came.
`script`: a function (member, connection, socket) that plays a hostile one instead, with raw frames.
"""

import json
import socket
import ssl
import threading
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from .ports import HeldPort

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REFUSED_STREAM, INTERNAL_ERROR = 7, 2


@dataclass
class Request:
    connection: int
    stream: int
    fields: dict
    body: bytes = b""
    trailers: dict = field(default_factory=dict)


@dataclass
class Reply:
    """What is left to be sent on one stream."""

    left: int
    filler: bytes = b"x"
    trailers: tuple = ()


class Http2Member:
    def __init__(self, certificate=None, streams_max=100, protocols=("h2",), script=None,
                 acknowledges_pings=True):
        self.held = HeldPort()
        self.requests, self.faults, self.pings = [], [], 0
        self.resets = []  # codes of streams that the client broke
        self.connections = 0
        self.streams_now = self.streams_most = 0
        self._script, self._streams_max = script, streams_max
        self._acknowledges = acknowledges_pings
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
            if protocols:
                self._context.set_alpn_protocols(list(protocols))
        self._lock = threading.RLock()
        self.heard = threading.Condition(self._lock)
        self._held_streams = {}
        self._refused = 0
        self._sockets = set()
        self._socket = self.held.listening_socket()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self.held.port

    def wait_for(self, condition, timeout_s=10):
        with self.heard:
            assert self.heard.wait_for(condition, timeout_s), (self.requests, self.faults)

    def let_go(self, name):
        self.wait_for(lambda: name in self._held_streams)
        with self._lock:
            conversation, stream = self._held_streams.pop(name)
            conversation.answer(stream, b"held " + name.encode())
            conversation.flush()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain):
        self._sockets.add(plain)
        try:
            one = plain
            if self._context is not None:
                one = self._context.wrap_socket(plain, server_side=True)
                self._sockets.add(one)
            with self.heard:
                self.connections += 1
                number = self.connections
                self.heard.notify_all()
            if self._script is not None:
                self._script(self, number, one)
            else:
                Conversation(self, number, one).run()
        except (OSError, ssl.SSLError, h2.exceptions.ProtocolError) as fault:
            self.faults.append(repr(fault))
        finally:
            plain.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in list(self._sockets):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(5)
        self.held.close()


class Conversation:
    def __init__(self, member, number, connection):
        self.member, self.number, self.socket = member, number, connection
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="latin-1"))
        self.h2.decoder.max_header_list_size = 1 << 20
        self.open, self.replies = {}, {}

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def run(self):
        with self.member._lock:
            self.h2.initiate_connection()
            self.h2.update_settings({
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.member._streams_max})
            self.flush()
        while data := self.socket.recv(65536):
            with self.member.heard:
                for event in self.h2.receive_data(data):
                    self.take(event)
                for stream in list(self.replies):
                    self.go_on(stream)
                self.flush()
                self.member.heard.notify_all()

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.open[event.stream_id] = Request(self.number, event.stream_id, dict(event.headers))
            self.member.streams_now += 1
            self.member.streams_most = max(self.member.streams_most, self.member.streams_now)
            self.begin(event.stream_id)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            request = self.open.get(event.stream_id)
            if request is not None:
                request.body += event.data
        elif isinstance(event, h2.events.TrailersReceived):
            self.open[event.stream_id].trailers = dict(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            self.end(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.replies.pop(event.stream_id, None)
            self.member.resets.append(int(event.error_code))
            self.member.streams_now -= 1
        elif isinstance(event, h2.events.PingReceived):
            self.member.pings += 1

    def begin(self, stream):
        """What does not wait for the body."""
        path = self.open[stream].fields[":path"]
        if path.startswith("/refuse/") and self.member._refused < int(path.rsplit("/", 1)[1]):
            self.member._refused += 1
            self.member.streams_now -= 1
            self.open.pop(stream)
            self.h2.reset_stream(stream, REFUSED_STREAM)
        elif path.startswith("/early"):
            self.answer(stream, b"early")

    def end(self, stream):
        request = self.open.pop(stream, None)
        if request is None:
            return
        self.member.requests.append(request)
        path = request.fields[":path"]
        if path.startswith("/hold/"):
            self.member._held_streams[path.rsplit("/", 1)[1]] = (self, stream)
        elif path.startswith("/size/"):
            self.head(stream)
            self.replies[stream] = Reply(int(path.rsplit("/", 1)[1]))
        elif path == "/echo":
            self.answer(stream, request.body)
        elif path == "/trailers":
            self.head(stream)
            self.replies[stream] = Reply(5, b"y", (("x-sum", "5"),))
        elif path == "/hints":
            self.h2.send_headers(stream, [(":status", "103"), ("link", "</a.css>")])
            self.answer(stream, b"after hints")
        elif path == "/moved":
            self.h2.send_headers(stream, [(":status", "302"), ("location", "http://member.test/x"),
                                          ("set-cookie", "a=1; domain=member.test")], end_stream=True)
            self.done()
        elif path == "/reset":
            self.head(stream)
            self.h2.send_data(stream, b"half")
            self.done()
            self.h2.reset_stream(stream, INTERNAL_ERROR)
        elif path == "/goaway":
            self.answer(stream, b"last one")
            self.h2.close_connection()
        elif not path.startswith("/early"):
            told = {"conversation": self.number, "stream": stream, **request.fields}
            self.answer(stream, json.dumps(told).encode())

    def done(self):
        self.member.streams_now -= 1

    def head(self, stream, *fields):
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "text/plain"), *fields])

    def answer(self, stream, body):
        self.head(stream, ("content-length", str(len(body))), ("alt-svc", 'h2=":1"'))
        if len(body) <= 16384:
            self.h2.send_data(stream, body, end_stream=True)
            self.done()
        else:
            self.replies[stream] = Reply(len(body), body)

    def go_on(self, stream):
        """As much as the window takes."""
        reply = self.replies[stream]
        while reply.left:
            room = min(self.h2.local_flow_control_window(stream), 16384, reply.left)
            if room <= 0:
                return
            begin = len(reply.filler) - reply.left
            piece = reply.filler[begin:begin + room] if begin >= 0 else reply.filler * room
            self.h2.send_data(stream, piece)
            reply.left -= room
        del self.replies[stream]
        self.done()
        if reply.trailers:
            self.h2.send_headers(stream, list(reply.trailers), end_stream=True)
        else:
            self.h2.end_stream(stream)


# --- raw frames, for hostile ones -------------------------------------------------------------------


def frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
            + payload)


DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0, 1, 3, 4, 6, 7, 8, 9)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STATUS_200 = b"\x88"


def literal(name, value):
    """A field without indexing (RFC 7541 6.2.2); both shorter than 127 bytes."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def setting(name, value):
    """One entry of SETTINGS."""
    return name.to_bytes(2, "big") + value.to_bytes(4, "big")


STREAMS_MAX = 3


def frames_of(connection, settings=b"", says_settings=True):
    """The client's frames behind its preface: (kind, flags, stream, payload). Settings and PINGs
    are acknowledged; `settings` are ours, said at once unless the script does it itself."""
    reader = connection.makefile("rb")
    if reader.read(len(PREFACE)) != PREFACE:
        raise ConnectionResetError("not HTTP/2")
    if says_settings:
        connection.sendall(frame(SETTINGS, 0, 0, settings))
    while len(head := reader.read(9)) == 9:
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
        payload = reader.read(int.from_bytes(head[:3], "big"))
        if kind == SETTINGS and not flags & ACK and says_settings:
            connection.sendall(frame(SETTINGS, ACK, 0))
        if kind == PING and not flags & ACK:
            connection.sendall(frame(PING, ACK, 0, payload))
        yield kind, flags, stream, payload


def ends_request(kind, flags):
    return kind in (HEADERS, DATA) and bool(flags & END_STREAM)


def short_answer(stream, body=b"ok", head=STATUS_200):
    return frame(HEADERS, END_HEADERS, stream, head) + frame(DATA, END_STREAM, stream, body)


def read_until_request(connection):
    """The client's preface, settings and the first HEADERS; its stream."""
    data = b""

    def need(count):
        nonlocal data
        while len(data) < count:
            more = connection.recv(65536)
            if not more:
                raise ConnectionResetError("the client left")
            data += more

    need(len(PREFACE))
    assert data.startswith(PREFACE), data[:40]
    data = data[len(PREFACE):]
    connection.sendall(frame(SETTINGS, 0, 0))
    while True:
        need(9)
        size, kind = int.from_bytes(data[:3], "big"), data[3]
        stream = int.from_bytes(data[5:9], "big")
        need(9 + size)
        data = data[9 + size:]
        if kind == HEADERS:
            return stream
