"""The cases of test_http2_tunnels.py: CONNECT over HTTP/2 (RFC 9113 8.5), and where steelyard differs.

`seen` is what apache2 itself shows: status, what came and how the stream ended, what the access log
says then, and, for a case that `hears`, what the place heard.  In all of it PLACE stands for the
address of a place that says again what it hears, and acts on some words (test_http2_tunnels.Place).
"""

from dataclasses import dataclass

from support import frames
from support.frames import frame

# Each port is a server of its own.
CONFIG = """\
Protocols h2c http/1.1
Timeout 2
LogFormat "%>s %r" short
CustomLog short.log short
AllowCONNECT 1-65535
<VirtualHost 127.0.0.1:${FORWARD}>
ProxyRequests On
ProxyBlock 127.0.0.7
CustomLog short.log short
<Proxy "*">
Require ip 127.0.0.0/8
</Proxy>
<Proxy "127.0.0.9:*">
Require all denied
</Proxy>
<Proxy "127.0.0.8:*">
Require method GET
</Proxy>
</VirtualHost>
<VirtualHost 127.0.0.1:${DENYING}>
ProxyRequests On
CustomLog short.log short
ErrorDocument 403 /why
ProxyPass /why http://PLACE/why
<Proxy "*">
Require ip 127.0.0.0/8
</Proxy>
<Proxy "127.0.0.9:*">
Require all denied
</Proxy>
</VirtualHost>
<VirtualHost 127.0.0.1:${REMOTE}>
ProxyRequests On
ProxyRemote * http://PARENT
CustomLog short.log short
<Proxy "*">
Require ip 127.0.0.0/8
</Proxy>
</VirtualHost>
<VirtualHost 127.0.0.1:${REVERSE}>
CustomLog short.log short
ProxyPass / http://PLACE/
</VirtualHost>
<VirtualHost 127.0.0.1:${BARE}>
CustomLog short.log short
</VirtualHost>
"""
PORTS = ("FORWARD", "DENYING", "REMOTE", "REVERSE", "BARE")

CANCEL = frame(frames.RST_STREAM, 0, 1, b"\0\0\0\x08")
TRAILERS = frame(frames.HEADERS, 5, 1, frames.block([(b"x-t", b"y")]))
ANSWERED = None  # awaited: a status


def connect(place="PLACE", more=(), first=()):
    return [(b":method", b"CONNECT"), *first, (b":authority", place.encode()), *more]


def data(text, last=False):
    return frame(frames.DATA, frames.END_STREAM if last else 0, 1, text)


END = data(b"", last=True)


@dataclass
class Case:
    name: str
    fields: list
    seen: str
    at: str = "FORWARD"
    ends: bool = False  # with its fields
    # What follows: what has to come on the stream, bytes to be sent behind it.
    then: tuple = ()
    hears: bool = False
    within_s: float | None = None  # what goes on for longer is silent
    shows: str = ""  # a field of the answer that the summary tells, too
    raw: bytes = b""  # said instead of all that, in HTTP/1


@dataclass
class Different:
    id: str
    text: str
    case: Case
    steelyard: str


def line(status, place="PLACE"):
    return f" | {status} CONNECT {place} HTTP/2.0"


CASES = [
    Case("both end", connect(), "200 hello bye END" + line(200) + " | hello bye EOF", hears=True,
         then=((ANSWERED, data(b"hello ")), (b"hello ", data(b"bye")), (b"bye", END))),
    Case("early words", connect(), "200 early END" + line(200),
         then=((b"", data(b"early")), (b"early", END))),
    Case("last words behind a half", connect(), "200 late after END" + line(200),
         then=((b"", data(b"late")), (b"late", END))),
    Case("a half that ends first", connect(), "200 half END" + line(200) + " | halfmore EOF", hears=True,
         then=((b"", data(b"half")), (b"half", data(b"more")), (b"", END))),
    Case("nobody speaks", connect(), "200 END" + line(200)),
    Case("all said with the head", connect(), "200 END" + line(200), ends=True),
    Case("padding", connect(), "200 hello END" + line(200) + " | hello EOF", hears=True,
         then=((b"", frame(frames.DATA, 8, 1, b"\x05hello" + b"\0" * 5)), (b"hello", END))),
    Case("capitals", connect("LOCALHOST:PORT"), "200 END" + line(200, "LOCALHOST:PORT"),
         then=((ANSWERED, END),)),
    Case("another host field", connect(more=[(b"host", b"other.test")]), "200 END" + line(200),
         then=((ANSWERED, END),)),
    Case("a length of nothing", connect(more=[(b"content-length", b"0")]),
         "200 hello END" + line(200), then=((b"", data(b"hello")), (b"hello", END))),
    Case("te", connect(more=[(b"te", b"trailers")]), "200 END" + line(200), then=((ANSWERED, END),)),
    Case("expect", connect(more=[(b"expect", b"100-continue")]), "200 END" + line(200),
         then=((ANSWERED, END),)),
    Case("expect the unknown", connect(more=[(b"expect", b"x")]), "417 (page) END" + line(417)),
    Case("nobody there", connect("DEAD"), "503 (page) END" + line(503, "DEAD")),
    Case("nobody there, all said", connect("DEAD"), "503 (page) END" + line(503, "DEAD"), ends=True),
    Case("no such name", connect("unknown.invalid:443"),
         "502 (page) END" + line(502, "unknown.invalid:443")),
    Case("denied", connect("127.0.0.9:443"), "403 (page) END" + line(403, "127.0.0.9:443"),
         then=((b"", data(b"hello")),)),
    Case("not this method", connect("127.0.0.8:443"), "403 (page) END" + line(403, "127.0.0.8:443")),
    Case("blocked", connect("127.0.0.7:443"), "403 (page) END" + line(403, "127.0.0.7:443")),
    Case("no forward proxy", connect(), "405 (page) END" + line(405), at="BARE"),
    Case("no forward proxy, own name", connect("lb.test:443"),
         "405 (page) END" + line(405, "lb.test:443"), at="BARE"),
    *(Case(f"at {place}", connect(place), "400 (page) END" + line(400, place))
      for place in ("127.0.0.1", "127.0.0.1:", "a@127.0.0.1:443", "a:b@127.0.0.1:443", "[::1",
                    ":443", "127.0.0.1:443@127.0.0.1:1", "127.1:443", "*")),
    *(Case(f"malformed: {what}", fields, "RST 1")
      for what, fields in (
          ("a path", connect(first=[(b":path", b"/")])),
          ("a scheme", connect(first=[(b":scheme", b"http")])),
          ("both", connect(first=[(b":scheme", b"http"), (b":path", b"/")])),
          ("an empty path", connect(first=[(b":path", b"")])),
          ("no place", [(b":method", b"CONNECT")]),
          ("an empty place", connect("")),
          ("a place in Host alone", [(b":method", b"CONNECT"), (b"host", b"PLACE")]),
          ("two places", connect(more=[(b":authority", b"PLACE")])),
          ("a place with a path", connect("127.0.0.1:443/x")),
          ("a whole URL", connect("http://127.0.0.1:443/")),
          ("a transfer coding", connect(more=[(b"transfer-encoding", b"chunked")])),
          ("small letters", [(b":method", b"connect"), (b":authority", b"PLACE")]))),
    Case("another proxy", connect("grants.test:443"),
         "200 y hello END" + line(200, "grants.test:443"), at="REMOTE", shows="x-other",
         then=((ANSWERED, data(b"hello")), (b"hello", END))),
]

DIFFERENT = [
    Different(
        "http2-connect-end",
        "A place that ends its side of a tunnel ends the stream's at once; httpd says so when the tunnel's "
        "time is up.",
        Case("end", connect(), "200 fin silent", within_s=1, then=((b"", data(b"fin")),)),
        "200 fin END"),
    Different(
        "http2-connect-reset",
        "A place that resets its connection resets the stream with CONNECT_ERROR (RFC 9113 8.5); httpd "
        "ends it in order.",
        Case("reset", connect(), "200 hello END" + line(200),
             then=((b"", data(b"hello")), (b"hello", data(b"rst")))),
        "200 hello RST 10" + line(200)),
    Different(
        "http2-connect-given-up",
        "A client that resets its stream, or is gone, resets the connection to the place (RFC 9113 8.5): "
        "what was cut off there does not look whole. httpd ends it in order.",
        Case("given up", connect(), "200 hello silent" + line(200) + " | hello EOF", hears=True,
             within_s=0.5, then=((b"", data(b"hello")), (b"hello", CANCEL))),
        "200 hello silent" + line(200) + " | hello RESET"),
    Different(
        "http2-connect-trailers",
        "Fields behind the head of a CONNECT are the client's mistake (PROTOCOL_ERROR); httpd says that it "
        "is its own.",
        Case("trailers", connect(), "200 hello RST 2" + line(200),
             then=((b"", data(b"hello")), (b"hello", TRAILERS))),
        "200 hello RST 1" + line(200)),
    Different(
        "http2-connect-length",
        "A CONNECT that announces a body is a 400, as over HTTP/1; httpd makes the tunnel.",
        Case("length", connect(more=[(b"content-length", b"5")]), "200 hello END" + line(200),
             then=((b"", data(b"hello")), (ANSWERED, END))),
        "400 (page) END" + line(400)),
    Different(
        "http2-connect-odd-port",
        "A port that is none is a 400, as over HTTP/1 (`connect-odd-port`); httpd takes the remainder of "
        "65536.",
        Case("odd port", connect("127.0.0.1:ODD"), "200 END" + line(200, "127.0.0.1:ODD"),
             then=((ANSWERED, END),)),
        "400 (page) END" + line(400, "127.0.0.1:ODD")),
    Different(
        "http2-connect-to-itself",
        "Nor does it lead to a port of this server at the machine's own loopback (`forward-to-itself`).",
        Case("itself", connect("127.0.0.1:BARE"), "200 END" + line(200, "127.0.0.1:BARE"),
             then=((ANSWERED, END),)),
        "403 (page) END" + line(403, "127.0.0.1:BARE")),
    Different(
        "http2-connect-to-a-member",
        "Where there is no forward proxy CONNECT is a 405, as over HTTP/1, whatever `ProxyPass` says. httpd "
        "asks the member for `CONNECT /`: if that one agrees, client and httpd are of two minds about "
        "what the stream is.",
        Case("member", connect("other.test:443"),
             "200 agreed END" + line(200, "other.test:443"), at="REVERSE", ends=True),
        "405 (page) END" + line(405, "other.test:443")),
    Different(
        "http2-connect-document",
        "Whoever gets no tunnel is not told of success: if the ErrorDocument for a refusal comes from a "
        "member, the refusal's own page takes its place. httpd sends the member's 200, which is the word "
        "for an open tunnel.",
        Case("document", connect("127.0.0.9:443"), "200 agreed END" + line(200, "127.0.0.9:443"),
             at="DENYING", ends=True),
        "403 (page) END" + line(502, "127.0.0.9:443")),
    Different(
        "http2-connect-refused-elsewhere",
        "When another proxy (ProxyRemote) makes no tunnel, its status is the answer's and the log's, and "
        "nothing more passes: 502 when it wants to know who asks or does not speak HTTP. httpd passes its "
        "answer on, then goes on as a tunnel to it.",
        Case("elsewhere", connect("refuses.test:443"),
             "403 no hello END" + line(200, "refuses.test:443"), at="REMOTE",
             then=((ANSWERED, data(b"hello")), (b"hello", END))),
        "403 (page) END" + line(403, "refuses.test:443")),
    Different(
        "http2-connect-length-elsewhere",
        "A Content-Length in another proxy's agreement does not reach the client: it would be the length of "
        "the tunnel (RFC 9110 9.3.6). httpd passes it on.",
        Case("agreement", connect("long.test:443"), "200 5 first END" + line(200, "long.test:443"),
             at="REMOTE", shows="content-length", then=((b"first", END),)),
        "200 first END" + line(200, "long.test:443")),
    Different(
        "connect-upgrade",
        "A CONNECT over HTTP/1 that also says `Upgrade: h2c` stays there: what follows it is the tunnel's. "
        "httpd changes the protocol and answers 400 in HTTP/2.",
        Case("upgrade", [], "101", raw=(
            b"CONNECT PLACE HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")),
        "200"),
]
