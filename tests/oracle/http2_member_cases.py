"""The cases of test_http2_member_cases.py: what a member of HTTP/2 says, and where steelyard differs.

`seen` is what apache2 itself shows: status, how the body ended (`cut` when it is known to be less
than the whole), or what the member was told.
"""

from dataclasses import dataclass

from support.http2_member import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, STATUS_200, frame,
    literal, short_answer,
)

REFUSED_STREAM, INTERNAL_ERROR, HTTP_1_1_REQUIRED = 7, 2, 13


@dataclass
class Case:
    name: str
    says: object  # stream -> what the member says once it heard the request; None: it ends then
    seen: str
    method: str = "GET"
    fields: tuple = ()
    tells: str = ""  # shows this field of what the member was told
    target: str = "/"


@dataclass
class Different:
    id: str
    text: str
    case: Case
    steelyard: str


def reset(stream, code):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def head(stream, *fields, flags=END_HEADERS, status=None):
    first = STATUS_200 if status is None else literal(b":status", status)
    return frame(HEADERS, flags, stream, first + b"".join(literal(*one) for one in fields))


def body(stream, data, flags=END_STREAM):
    return frame(DATA, flags, stream, data)


def length(count):
    return (b"content-length", b"%d" % count)


def trailers(stream, *fields):
    block = b"".join(literal(*one) for one in fields)
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)


def goaway(last):
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + bytes(4))


def large_head(stream):
    """320 KB of fields."""
    block = STATUS_200
    for n in range(2800):
        block += literal(b"x-%d" % n, b"v" * 108)
    pieces = [block[at:at + 16384] for at in range(0, len(block), 16384)]
    kinds = [HEADERS] + [CONTINUATION] * (len(pieces) - 1)
    ends = [0] * (len(pieces) - 1) + [END_HEADERS]
    return b"".join(frame(kind, end, stream, piece)
                    for kind, end, piece in zip(kinds, ends, pieces)) + body(stream, b"ok")


def interim(stream, count):
    hint = frame(HEADERS, END_HEADERS, stream, literal(b":status", b"103"))
    return hint * count + short_answer(stream)


def nothing(_stream):
    return b""


CASES = [
    Case("an answer", short_answer, "200 ok"),
    Case("an answer with its length",
         lambda s: head(s, length(2)) + body(s, b"ok"), "200 ok"),
    Case("an answer without a body", lambda s: head(s, flags=END_HEADERS | END_STREAM), "200 "),
    Case("an error's answer", lambda s: head(s, status=b"404") + body(s, b"no"), "404 no"),
    Case("a stream that is reset", lambda s: reset(s, INTERNAL_ERROR), "502 (page)"),
    Case("a stream that wants http/1", lambda s: reset(s, HTTP_1_1_REQUIRED), "502 (page)"),
    Case("a stream that is refused for ever", lambda s: reset(s, REFUSED_STREAM), "502 (page)"),
    Case("a connection that ends", lambda _s: None, "503 (page)"),
    Case("a method that nobody knows", short_answer, "FOO", method="FOO", tells=":method"),
    Case("the member's authority", short_answer, "${M}", tells=":authority"),
    Case("trailers are welcome", short_answer, "trailers", tells="te"),
    Case("whatever the client says of them", short_answer, "trailers", tells="te",
         fields=("TE: gzip",)),
    Case("a name that leads nowhere", short_answer, "503 (page)", target="/nowhere/"),
    Case("tls with a member that has none", short_answer, "503 (page)", target="/tls/"),
    Case("an answer of another protocol", lambda _s: b"HTTP/1.1 200 OK\r\n\r\n", "503 (page)"),
    Case("goaway for what it did not look at", lambda _s: goaway(0), "502 (page)"),
    Case("a body before its head", lambda s: body(s, b"x"), "503 (page)"),
    Case("a body longer than its length",
         lambda s: head(s, length(2)) + body(s, b"half"), "502 (page)"),
    Case("trailers", lambda s: head(s) + body(s, b"ok", 0) + trailers(s, (b"a", b"b")), "200 ok"),
    Case("a field about the connection",
         lambda s: head(s, (b"connection", b"close")) + body(s, b"ok"), "502 (page)"),
    Case("no status", lambda s: trailers(s, (b"a", b"b")), "502 (page)"),
    Case("switching protocols", lambda s: head(s, status=b"101") + body(s, b"x"), "502 (page)"),
    Case("three interim answers", lambda s: interim(s, 3), "200 ok"),
]

DIFFERENT = [
    Different(
        "http2-member-silence",
        "A member that does not answer in time is a 502, as over HTTP/1: it is in no error (but by"
        " `failontimeout=`), and another one is asked by `repeaton=` alone. httpd says 503, puts it in"
        " error and asks another one, whatever the method.",
        Case("silence", nothing, "503 (page)"),
        "502 (page)",
    ),
    Different(
        "http2-member-breaks-off",
        "What the client got of an answer whose stream is reset cannot be taken for all of it.",
        Case("a reset in the body",
             lambda s: head(s) + body(s, b"half", 0) + reset(s, INTERNAL_ERROR), "200 half"),
        "200 half cut",
    ),
    Different(
        "http2-member-goes-away",
        "Nor can that of one whose connection ends; httpd may put a page of its own behind it.",
        Case("goaway in the body",
             lambda s: head(s) + body(s, b"half", 0) + goaway(s), "200 (page)"),
        "200 half cut",
    ),
    Different(
        "http2-member-trailers",
        "Nor that of one with trailers that RFC 9113 does not allow.",
        Case("a wrong name in trailers",
             lambda s: head(s) + body(s, b"half", 0) + trailers(s, (b"A", b"b")), "200 half"),
        "200 half cut",
    ),
    Different(
        "http2-member-large-head",
        "A head of more than 256 KiB breaks its stream alone, for 502; httpd's library ends the"
        " connection.",
        Case("a head of 320 kilobytes", large_head, "503 (page)"),
        "502 (page)",
    ),
    Different(
        "http2-member-interim",
        "Interim answers without end (more than 16 at a time) break the stream; httpd reads any number.",
        Case("twenty interim answers", lambda s: interim(s, 20), "200 ok"),
        "502 (page)",
    ),
    Different(
        "http2-member-status",
        "A status from 600 to 999 is passed on, as one over HTTP/1 is; httpd makes it 500.",
        Case("a status of 600", lambda s: head(s, status=b"600") + body(s, b"x"), "500 x"),
        "600 x",
    ),
    Different(
        "http2-member-hop-by-hop",
        "A field that the client's Connection names ends here (RFC 9110 7.6.1), as over HTTP/1.",
        Case("a field that connection names", short_answer, "1", tells="x-hop",
             fields=("X-Hop: 1", "Connection: X-Hop")),
        "-",
    ),
    Different(
        "http2-member-trailer-field",
        "And so does Trailer.",
        Case("a field that announces trailers", short_answer, "X-T", tells="trailer",
             fields=("Trailer: X-T",)),
        "-",
    ),
]
