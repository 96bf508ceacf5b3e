"""The cases of test_http2.py: what a client of HTTP/2 says, and where steelyard differs.

`seen` is what apache2 itself shows (test_http2.Side.play), so that no case passes without doing what
its name says: status, body and end of the stream, and what the access log then says.
"""

from dataclasses import dataclass

from support import frames
from support.frames import frame

CONFIG = """\
Protocols h2c http/1.1
H2WebSockets On
Timeout 2
LogFormat "%>s %r %X" short
LogFormat "%>s %I" counts
LogFormat "%m %{Connection}i %{Upgrade}i %{Sec-WebSocket-Version}i" asked
CustomLog short.log short
CustomLog asked.log asked
CustomLog counts.log counts
ProxyPass /ws http://${M}/ws upgrade=websocket
ProxyPass / http://${M}/
"""

CANCEL = b"\0\0\0\x08"


def opening(path=b"/ws", protocol=b"websocket", more=(), scheme=b"http"):
    return frames.block([
        (b":method", b"CONNECT"), (b":protocol", protocol), (b":scheme", scheme),
        (b":path", path), (b":authority", b"lb.test"), (b"sec-websocket-version", b"13"), *more])


def data(text, last=False):
    return frame(frames.DATA, frames.END_STREAM if last else 0, 1, text)


@dataclass
class Case:
    name: str
    fields: bytes
    seen: str
    ends: bool = False  # with its fields
    # What follows: text that has to come on the stream, a frame to be sent behind it.
    then: tuple = ()
    log: str = "short.log"
    upgrades: bool = False  # begins with HTTP/1 that asks for HTTP/2
    shows: str = ""  # a field of the answer that the summary tells, too


@dataclass
class Different:
    id: str
    text: str
    case: Case
    steelyard: str


CASES = [
    Case("a websocket that both end", opening(), "200 hello bye END | 101 GET /ws HTTP/2.0",
         then=((b"", data(b"hello ")), (b"hello ", data(b"bye")), (b"bye", data(b"", last=True)))),
    Case("a websocket that is idle", opening(), "200 END | 101 GET /ws HTTP/2.0"),
    Case("a websocket of one who has said all", opening(), "200 END | 101 GET /ws HTTP/2.0",
         ends=True),
    Case("a websocket as rules see it", opening(), "200 END | GET Upgrade websocket 13", ends=True,
         log="asked.log"),
    Case("a websocket that is not wanted", opening(b"/ws/403"), "403 no END | 403 GET /ws/403 HTTP/2.0"),
    Case("a member that serves a page", opening(b"/ws/page"), "502"),
    Case("a member that takes none", opening(b"/page"), "502"),
    Case("another protocol", opening(protocol=b"connect-udp"),
         "501 (page) END | 501 CONNECT /ws HTTP/2.0"),
    Case("another spelling", opening(protocol=b"WebSocket"),
         "501 (page) END | 501 CONNECT /ws HTTP/2.0"),
    Case("trailers", frames.request(path=b"/trailers"),
         "200 hi x-sum: 7 END | 200 GET /trailers HTTP/2.0", ends=True),
    Case("trailers of a request", frames.request(b"POST", b"/page", [(b"te", b"trailers")]),
         "200 hi END | 200 POST /page HTTP/2.0",
         then=((b"", data(b"body")), (b"", frame(frames.HEADERS, 5, 1, frames.block([(b"x-t", b"y")]))))),
    Case("a length", opening(more=[(b"content-length", b"5")]),
         "400 (page) END | 400 GET /ws HTTP/2.0"),
    Case("TLS that ended in front of us", frames.request(path=b"/page", scheme=b"https"),
         "200 hi END | 200 GET /page HTTP/2.0", ends=True),
    Case("a websocket whose TLS ended in front of us", opening(scheme=b"https"),
         "200 END | 101 GET /ws HTTP/2.0", ends=True),
    Case("a websocket of its own scheme", opening(scheme=b"ws"),
         "400 (page) END | 400 GET ws://lb.test/ws HTTP/2.0", ends=True),
    Case("another protocol and scheme", opening(protocol=b"connect-udp", scheme=b"masque"),
         "501 (page) END | 501 CONNECT /ws HTTP/2.0", ends=True),
    Case("all of another scheme", frames.request(b"OPTIONS", b"*", scheme=b"ftp"),
         "400 (page) END | 400 OPTIONS * HTTP/2.0", ends=True),
    Case("no protocol in a name", opening(protocol=b""), "RST 1"),
    Case("a get with a protocol", frames.request(more=[(b":protocol", b"websocket")]), "RST 1"),
]

DIFFERENT = [
    Different(
        "http2-websocket-refused",
        "A 502 for a WebSocket that no member took has its page, and the log says 502; httpd sends no "
        "page and logs what the member said.",
        Case("unproven", opening(b"/ws/unproven"), "502 END | 101 GET /ws/unproven HTTP/2.0"),
        "502 (page) END | 502 GET /ws/unproven HTTP/2.0"),
    Different(
        "http2-websocket-reset",
        "A member that resets a WebSocket's connection resets the stream with CANCEL (RFC 8441 5), at "
        "once; httpd ends it in order when the tunnel's time is up.",
        Case("reset", opening(), "200 hello END | 101 GET /ws HTTP/2.0",
             then=((b"", data(b"hello")), (b"hello", data(b"rst")))),
        "200 hello RST 8 | 101 GET /ws HTTP/2.0"),
    Different(
        "http2-websocket-first-words",
        "What a member says right behind its 101 reaches the client; httpd keeps it until the member "
        "says more.",
        Case("first words", opening(b"/ws/first"), "200 END | 101 GET /ws/first HTTP/2.0"),
        "200 first! END | 101 GET /ws/first HTTP/2.0"),
    Different(
        "http2-websocket-length",
        "A Content-Length that a member says in its 101 does not reach the client: beside the 200 it "
        "would be the length of the tunnel (RFC 9110 9.3.6). httpd passes it on.",
        Case("length", opening(b"/ws/length"), "200 0 END | 101 GET /ws/length HTTP/2.0",
             shows="content-length"),
        "200 END | 101 GET /ws/length HTTP/2.0"),
    Different(
        "http2-reset-status",
        "A request whose client resets its stream before there is an answer is logged with 400, as one "
        "whose client leaves over HTTP/1; httpd says 502.",
        Case("given up", frames.request(path=b"/hang"), "CLOSED | 502 GET /hang HTTP/2.0 X", ends=True,
             then=((b"", frame(frames.RST_STREAM, 0, 1, CANCEL)),)),
        "CLOSED | 400 GET /hang HTTP/2.0 X"),
    Different(
        "http2-upgrade-line",
        "The 101 that answers `Upgrade: h2c` has no line of its own in the access log: the request has "
        "one, when it was answered over HTTP/2.",
        Case("upgraded", b"", "200 hi END | 101 GET /page HTTP/1.1 + 200 GET /page HTTP/2.0",
             upgrades=True),
        "200 hi END | 200 GET /page HTTP/2.0"),
    Different(
        "http2-counts",
        "`%I` and `%O` of a request over HTTP/2 count what HTTP/1 would have used for the same messages, "
        "so that they mean the same whatever a client speaks; httpd counts frames.",
        Case("counted", frames.request(path=b"/page"), "200 hi END | 200 69", ends=True,
             log="counts.log"),
        "200 hi END | 200 64"),
    Different(
        "http2-blanks",
        "A field whose value begins or ends with a blank or a tab makes its request malformed "
        "(RFC 9113 8.2.1), and the stream is reset; httpd takes them off.",
        Case("blanks", frames.request(path=b"/page", more=[(b"x-a", b"y\t")]),
             "200 hi END", ends=True),
        "RST 1"),
    Different(
        "http2-settings-field",
        "So does `http2-settings`, as any field that is about a connection of HTTP/1 (RFC 9113 8.2.2); "
        "httpd leaves it out.",
        Case("settings", frames.request(path=b"/page", more=[(b"http2-settings", b"AAMAAABk")]),
             "200 hi END", ends=True),
        "RST 1"),
]
