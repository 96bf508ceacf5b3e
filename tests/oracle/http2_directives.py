"""What the directives of HTTP/2 do to a client: probes for test_http2_directives.py.

Each is a configuration, something that a client does, and what apache2 itself shows then, so that no
probe passes without doing what its name says.
"""

import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass

import hpack
from support import frames
from support.frames import Frames, frame
from support.stream_told import Stream
from support.tls import context_for

UPGRADE = (b"GET /a HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade, HTTP2-Settings\r\n"
           b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
MAX_STREAMS, WINDOW = 3, 4
NO_WINDOW = b"\0\4\0\0\0\0"
WIDE_WINDOW = b"\0\4\0\xff\xff\xff"
WITH_PRIORITY = 0x25  # a head that is whole, all there is, and has a priority
PATIENCE_S = 3.0  # longer than the timeouts of a second below, and no more than needed


def window_update(stream, bytes_more):
    return frame(frames.WINDOW_UPDATE, 0, stream, struct.pack(">I", bytes_more))


def ended(got):
    """A frame that ends a stream or the connection, in a word."""
    if got is None:
        return "closed"
    if got.kind == frames.RST_STREAM:
        return f"RST {got.code}"
    return f"GOAWAY {got.code}" if got.kind == frames.GOAWAY else "END"


def outcome(client, stream=1, wait_s=frames.WAIT_S):
    """Status, and how the stream ended; what has not come after the wait is not told."""
    decoder, seen = hpack.Decoder(), []

    def ends(got):
        if got.stream == stream and got.kind == frames.HEADERS:
            seen.append(decoder.decode(got.payload)[0][1])
        return got.kind == frames.GOAWAY or got.stream == stream and (
            got.kind == frames.RST_STREAM
            or got.kind in (frames.HEADERS, frames.DATA) and got.flags & frames.END_STREAM)

    try:
        seen.append(ended(client.until(ends, wait_s)))
    except AssertionError:
        seen.append("silent")
    client.close()
    return " ".join(seen)


# --- what is asked -------------------------------------------------------------------------------


def told(stage):
    """SETTINGS: streams at a time, and the window of a stream."""
    client = Frames(stage.port.port)
    first = client.take()
    client.close()
    assert first.kind == frames.SETTINGS
    told_values = dict(struct.iter_unpack(">HI", first.payload))
    return f"{told_values.get(MAX_STREAMS)} streams, {told_values.get(WINDOW, 65535)} bytes"


def more_streams_than_allowed(stage):
    """Three, where the second is one too many."""
    client = Frames(stage.port.port)
    for stream in (1, 3):
        client.headers(stream, frames.request(path=b"/a?hold=on"))
    return outcome(client, 3)


def more_than_the_window(stage):
    """One frame of 16,000 bytes.  A window counts once its client has said that it knows it."""
    client = Frames(stage.port.port)
    client.take()
    client.send(frame(frames.SETTINGS, frames.ACK))
    client.headers(1, frames.request(b"POST", b"/a?hold=on"), ends=False)
    client.send(frame(frames.DATA, 0, 1, b"x" * 16000))
    return outcome(client, wait_s=PATIENCE_S)


def what_waits_for_a_client(stage):
    """Whether a member gets rid of 3 MB while the client takes nothing."""
    client = Frames(stage.port.port, settings=NO_WINDOW)
    client.headers(1, frames.request(path=b"/pour/x"))
    through = stage.pourer.got_rid_of_all.wait(PATIENCE_S)
    client.close()
    return "all" if through else "not all"


def longest_frame(stage):
    """In thousands: httpd leaves room for a head in a frame of the longest kind."""
    client = Frames(stage.port.port, settings=WIDE_WINDOW)
    client.send(window_update(0, 10_000_000))
    client.headers(1, frames.request(path=b"/a?size=200000"))
    lengths = []
    client.until(lambda got: got.kind == frames.DATA and (
        lengths.append(len(got.payload)) or got.flags & frames.END_STREAM))
    client.close()
    return f"{max(lengths) // 1000} of {sum(lengths) // 1000}"


def long_head(stage):
    client = Frames(stage.port.port)
    client.headers(1, frames.request(path=b"/a?h=X-Long:" + b"y" * 3000))
    return outcome(client)


def first_word(stream):
    """Which protocol answers."""
    try:
        said = stream.recv(12)
    except TimeoutError:
        return "silent"
    finally:
        stream.close()
    is_frame = len(said) > 3 and said[3] == frames.SETTINGS
    return "HTTP/2" if is_frame else said[:12].decode("latin1")


def begins_at_once(stage):
    plain = socket.create_connection(("127.0.0.1", stage.port.port), 10)
    plain.sendall(frames.PREFACE + frame(frames.SETTINGS))
    secure = context_for().wrap_socket(
        socket.create_connection(("127.0.0.1", stage.secure_port.port), 10))
    secure.sendall(frames.PREFACE + frame(frames.SETTINGS))
    return f"{first_word(plain)}, {first_word(secure)} over TLS"


def asks_to_upgrade(stage):
    plain = socket.create_connection(("127.0.0.1", stage.port.port), 10)
    plain.sendall(UPGRADE)
    return first_word(plain)


def early_hints(stage):
    client, decoder, seen = Frames(stage.port.port), hpack.Decoder(), []
    client.headers(1, frames.request(path=b"/a?interim=103&ih=Link:%20x"))
    client.until(lambda got: got.kind == frames.HEADERS and seen.append(
        decoder.decode(got.payload)[0][1]) or got.stream == 1 and got.flags & frames.END_STREAM)
    client.close()
    return " ".join(seen)


def chosen(stage):
    """Of those who name HTTP/1.1 first, and HTTP/2 first."""
    found = []
    for offered in (["http/1.1", "h2"], ["h2", "http/1.1"]):
        plain = socket.create_connection(("127.0.0.1", stage.secure_port.port), 10)
        with context_for(alpn=offered).wrap_socket(plain) as secure:
            assert isinstance(secure, ssl.SSLSocket)
            found.append(secure.selected_alpn_protocol())
    return ", ".join(found)


def mistakes(make):
    """Up to eight streams with a mistake each: what becomes of them and of the connection."""
    def run(stage):
        client, seen = Frames(stage.port.port), []
        for stream in range(1, 17, 2):
            make(client, stream)
            got = client.until(lambda got: got.kind in (frames.RST_STREAM, frames.GOAWAY))
            seen.append(ended(got))
            if got is None or got.kind == frames.GOAWAY:
                break
        client.close()
        return f"{len(seen)} streams, {seen[-1]}"

    return run


def overflows(client, stream):
    """A window beyond 2^31 - 1."""
    client.headers(stream, frames.request(path=b"/a?hold=on"))
    client.send(window_update(stream, 0x7fffffff))


def says_too_much(client, stream):
    client.headers(stream, frames.request(
        b"POST", b"/a?hold=on", [(b"content-length", b"3")]), ends=False)
    client.send(frame(frames.DATA, frames.END_STREAM, stream, b"12345"))


def spells_badly(client, stream):
    client.headers(stream, frames.request(more=[(b"X-Up", b"x")]))


def upload_that_stops(stage):
    client = Frames(stage.port.port)
    client.headers(1, frames.request(b"POST", b"/a", [(b"content-length", b"100000")]), ends=False)
    client.send(frame(frames.DATA, 0, 1, b"x"))
    return outcome(client, wait_s=PATIENCE_S)


def download_that_stops(stage, path=b"/a?size=3000000"):
    """The window opens when the shorter of the times is over, if the stream has not ended then."""
    client, body = Frames(stage.port.port, settings=NO_WINDOW), 0
    client.headers(1, frames.request(path=path))

    def ends(got):
        nonlocal body
        body += len(got.payload) if got.kind == frames.DATA else 0
        return got.kind == frames.GOAWAY or got.stream == 1 and (
            got.kind == frames.RST_STREAM or got.kind == frames.DATA and got.flags & frames.END_STREAM)

    try:
        end = client.until(ends, PATIENCE_S)
    except AssertionError:
        client.send(window_update(0, 5_000_000) + window_update(1, 5_000_000))
        end = client.until(ends)
    client.close()
    return f"{body} bytes, {ended(end)}"


def tail_that_waits(stage):
    return download_that_stops(stage, b"/a?size=2000")


def priorities(stage):
    """Of either kind (RFC 7540 5.3 and RFC 9218), wherever they may be said."""
    client, decoder, seen = Frames(stage.port.port), hpack.Decoder(), []
    for stream, priority in ((3, (0, 15)), (5, (0x80000003, 1))):
        client.send(frame(frames.PRIORITY, 0, stream, struct.pack(">IB", *priority)))
    client.send(frame(frames.HEADERS, WITH_PRIORITY, 1, struct.pack(">IB", 0x80000003, 200)
                      + frames.request(path=b"/a", more=[(b"priority", b"u=1, i")])))
    client.send(frame(frames.PRIORITY_UPDATE, payload=b"\0\0\0\1u=7"))
    client.send(frame(frames.PRIORITY_UPDATE, payload=b"\0\0\0\x07u=0, i"))
    client.headers(7, frames.request(path=b"/a"))
    client.until(lambda got: got.kind == frames.GOAWAY or got.kind == frames.HEADERS and (
        seen.append(decoder.decode(got.payload)[0][1]) or len(seen) == 2))
    heard = [each.header("Priority") for each in stage.member.received]
    client.close()
    return " ".join([*seen, *sorted(str(value) for value in heard)])


def depends_on_itself(stage):
    client = Frames(stage.port.port)
    client.send(frame(frames.PRIORITY, 0, 1, struct.pack(">IB", 1, 15)))
    client.headers(1, frames.request(path=b"/a"))
    return outcome(client)


def schemes(stage):
    """What REQUEST_SCHEME, HTTPS and a mapped Location are, for what a client says; then its log."""
    seen = []
    path = b"/a?h=Location:http://inner.test/z"
    for port, context in ((stage.port, None), (stage.secure_port, context_for(alpn=["h2"]))):
        for scheme in (b"http", b"https", b"HTTPS", b"ftp", b"x+y", b"ht tp", b"http:", b""):
            secured = context and context.wrap_socket(
                socket.create_connection(("127.0.0.1", port.port), 10), server_hostname="lb.test")
            client = Frames(port.port, secured=secured)
            client.headers(1, frames.request(path=path, scheme=scheme, authority=b"lb.test:81"))
            stream = Stream(client)
            stream.to_end()
            client.close()
            fields = dict(stream.fields)
            told_by = (fields.get("x-seen"), fields.get("location"))
            words = [stream.status, *told_by, stream.end if stream.end != "END" else ""]
            seen.append(" ".join(word for word in words if word))
    return ", ".join(seen)


# --- what comes of it ----------------------------------------------------------------------------


@dataclass
class Probe:
    name: str
    lines: str
    ask: Callable
    seen: str


@dataclass
class Different:
    id: str
    text: str
    case: Probe
    steelyard: str
    also: str = ""  # what a busy apache2 shows instead of `case.seen`, now and then


PATH = "/a?h=Location:http://inner.test/z HTTP/2.0"
SCHEMES = ", ".join(
    answer
    for own, https in (("http", "off"), ("https", "on"))
    for answer in 3 * [f"200 {own} {https} GET {PATH} {own}://lb.test:81/z"] + [
        f"400 {own} {https} GET ftp://lb.test:81{PATH}",
        f"400 {own} {https} GET x+y://lb.test:81{PATH}",
        "RST 1", "RST 1", "RST 1"])

PROBES = [
    Probe("without a line", "", told, "100 streams, 65535 bytes"),
    Probe("streams and window", "H2MaxSessionStreams 7\nH2WindowSize 12345", told,
          "7 streams, 12345 bytes"),
    Probe("one stream", "H2MaxSessionStreams 1", more_streams_than_allowed, "RST 7"),
    Probe("a small window", "H2WindowSize 12345", more_than_the_window, "RST 3"),
    Probe("a large window", "H2WindowSize 20000", more_than_the_window, "silent"),
    Probe("little memory", "H2StreamMaxMemSize 65536", what_waits_for_a_client, "not all"),
    Probe("much memory", "H2StreamMaxMemSize 8000000", what_waits_for_a_client, "all"),
    Probe("short frames", "H2MaxDataFrameLen 1000", longest_frame, "1 of 200"),
    Probe("frames of any length", "H2MaxDataFrameLen 0", longest_frame, "16 of 200"),
    Probe("a long head", "H2MaxHeaderBlockLen 8000", long_head, "200 END"),
    Probe("not at once", "H2Direct off", begins_at_once,
          "HTTP/1.1 400, HTTP/1.1 400 over TLS"),
    Probe("at once", "H2Direct on", begins_at_once, "HTTP/2, HTTP/2 over TLS"),
    Probe("at once where it is the default", "", begins_at_once, "HTTP/2, HTTP/1.1 400 over TLS"),
    Probe("no upgrade", "H2Upgrade off", asks_to_upgrade, "HTTP/1.1 200"),
    Probe("upgrade", "H2Upgrade on", asks_to_upgrade, "HTTP/1.1 101"),
    Probe("hints", "H2EarlyHints on", early_hints, "103 200"),
    Probe("no hints", "H2EarlyHints off", early_hints, "200"),
    Probe("the order of the line", "ProtocolsHonorOrder on", chosen, "h2, h2"),
    Probe("the order of the client", "ProtocolsHonorOrder off", chosen, "http/1.1, h2"),
    Probe("two mistakes", "H2MaxStreamErrors 2", mistakes(overflows), "4 streams, GOAWAY 1"),
    Probe("any number of mistakes", "H2MaxStreamErrors 0", mistakes(overflows), "8 streams, RST 3"),
    Probe("an upload by the time of its stream", "Timeout 30\nH2StreamTimeout 1",
          upload_that_stops, "408 END"),
    Probe("priorities", "", priorities, "200 200 None b'u=1, i'"),
    Probe("schemes", 'Header always set X-Seen "expr=%{REQUEST_SCHEME} %{HTTPS} %{THE_REQUEST}"\n'
          "ProxyPassReverse / http://inner.test/", schemes, SCHEMES),
    Probe("an upload that has more time than others", "Timeout 1\nH2StreamTimeout 30",
          upload_that_stops, "silent"),
    Probe("an upload by the time of all", "Timeout 1", upload_that_stops, "408 END"),
]

DIFFERENT = [
    Different(
        "http2-long-head",
        "A stream whose answer has a longer head than `H2MaxHeaderBlockLen` is reset with INTERNAL_ERROR: "
        "the client made no mistake, and it does not count as one for `H2MaxStreamErrors`. httpd says "
        "PROTOCOL_ERROR.",
        Probe("long", "H2MaxHeaderBlockLen 2000", long_head, "RST 1"), "RST 2"),
    Different(
        "http2-priority-of-itself",
        "Priorities of the dead kind (RFC 7540 5.3) are ignored, as RFC 9113 has it, even those of streams "
        "that depend on themselves. httpd ends the connection then.",
        Probe("itself", "", depends_on_itself, "GOAWAY 1"), "200 END"),
    Different(
        "http2-malformed-requests",
        "`H2MaxStreamErrors` (here 2) counts requests that are malformed, too: each costs a reset, as "
        "other mistakes in streams do. httpd resets them without an end.",
        Probe("malformed", "H2MaxStreamErrors 2", mistakes(spells_badly), "8 streams, RST 1"),
        "4 streams, GOAWAY 1"),
    Different(
        "http2-wrong-length",
        "And those whose body is not as long as their Content-Length.",
        Probe("length", "H2MaxStreamErrors 2", mistakes(says_too_much), "8 streams, RST 1"),
        "4 streams, GOAWAY 1"),
    Different(
        "http2-reader-stops",
        "A stream whose client takes nothing for `H2StreamTimeout` while its member has more is reset at "
        "once, with INTERNAL_ERROR: the client made no mistake. httpd resets it when the client takes "
        "something again, with PROTOCOL_ERROR.",
        Probe("reader", "Timeout 30\nH2StreamTimeout 1", download_that_stops, "0 bytes, RST 1"),
        "0 bytes, RST 2", also="32750 bytes, RST 5"),
    Different(
        "http2-reader-stops-at-the-end",
        "So is one whose member is done, with CANCEL, which frees what waits for the client; httpd keeps "
        "it as long as the connection.",
        Probe("tail", "Timeout 30\nH2StreamTimeout 1", tail_that_waits, "2000 bytes, END"),
        "0 bytes, RST 8"),
    Different(
        "http2-connection-of-a-reader-that-stops",
        "Streams have times of their own: the connection of a client that opens no window goes on. httpd "
        "closes it, with all streams, after `Timeout` (here 1, `H2StreamTimeout` is 30).",
        Probe("connection", "Timeout 1\nH2StreamTimeout 30", download_that_stops, "0 bytes, GOAWAY 0"),
        "3000000 bytes, END"),
]
