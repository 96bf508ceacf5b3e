"""Requests made to be read in two ways: smuggling, splitting and the parsing beneath them.

One case a row of the known attacks on HTTP/1 proxies since 2015 (CVE or the name it goes by); the
case's id begins with the row's number.  In each, raw bytes go to the balancer, and behind them a
second request that nobody may ever see; the member records every byte it gets.

Not here: what needs TLS, HTTP/2, AJP, FastCGI or uWSGI, none of which the program
speaks; a configuration that asks for them is refused, which has tests of its own.  Row 5 is
played with ProxyPassMatch; rows about RewriteRules are in test_rewriting.py.
"""

from dataclasses import dataclass

import pytest
from support.attack import SMUGGLED, Fortress, each_row

HOST = b"Host: lb.test\r\n"
NUMBER = b"Content-Length: %d\r\n"
HIDDEN = NUMBER % len(SMUGGLED)
assert len(SMUGGLED) == 0x29
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@dataclass(frozen=True)
class Case:
    """`bytes` of one attack.  `status`: what the client gets (several: any of them)."""

    row: int
    name: str
    bytes: bytes
    status: tuple = ("400",)
    line: bytes = b""  # of the one request that the member is to see
    body: bytes = b""


def head(line, *fields):
    """A head with Host; fields end with CR LF by themselves."""
    return line + b"\r\n" + HOST + b"".join(fields) + b"\r\n"


def get(*fields, line=b"GET /a HTTP/1.1"):
    return head(line, *fields)


def post(*fields, body=b""):
    return head(b"POST /a HTTP/1.1", *fields) + body


def chunks(body):
    return post(CHUNKED, body=body)


REFUSED = [
    # 1: CVE-2015-3183
    Case(1, "vertical tab behind a chunk size", chunks(b"5 \x0b;x\r\nhello\r\n0\r\n\r\n")),
    Case(1, "control byte in a chunk extension", chunks(b"5;a\x01\r\nhello\r\n0\r\n\r\n")),
    Case(1, "blank before a chunk size", chunks(b" 5\r\nhello\r\n0\r\n\r\n")),
    Case(1, "two chunk sizes on a line", chunks(b"5 5\r\nhello\r\n0\r\n\r\n")),
    # 2: CVE-2016-8743
    Case(2, "tab behind the method", get(line=b"GET\t/a HTTP/1.1")),
    Case(2, "blank before a colon", get(b"Foo : bar\r\n")),
    Case(2, "bare CR in a field", get(b"Foo: a\rb\r\n")),
    Case(2, "word behind the version", get(line=b"GET /a HTTP/1.1 x")),
    Case(2, "two blanks behind the method", get(line=b"GET  /a HTTP/1.1")),
    Case(2, "blank behind the version", get(line=b"GET /a HTTP/1.1 ")),
    Case(2, "form feed for a blank", get(line=b"GET\x0c/a HTTP/1.1")),
    # 3: CVE-2020-13950
    Case(
        3, "length and coding in a PUT",
        head(b"PUT /a HTTP/1.1", NUMBER % 5, CHUNKED) + b"0\r\n\r\n",
    ),
    Case(
        3, "coding and length in a PUT",
        head(b"PUT /a HTTP/1.1", CHUNKED, NUMBER % 5) + b"0\r\n\r\n",
    ),
    # 4: CVE-2022-22720
    Case(4, "a field of 70 kB", get(b"X: " + b"x" * 70_000 + b"\r\n", HIDDEN)),
    Case(
        4, "a request line of 70 kB",
        get(HIDDEN, line=b"GET /" + b"x" * 70_000 + b" HTTP/1.1"),
        ("414",),
    ),
    Case(4, "a bad line with a body", get(HIDDEN, line=b"GET /a b HTTP/1.1")),
    # 7: CVE-2023-25725
    Case(7, "an empty field name", get(b":x\r\n", HIDDEN)),
    Case(7, "an empty field name first", b"GET /a HTTP/1.1\r\n: x\r\n" + HOST + HIDDEN + b"\r\n"),
    # 8: CVE-2023-40225
    Case(8, "an empty length first", get(b"content-length: \r\n", b"content-length: 42\r\n")),
    Case(8, "an empty length last", get(b"content-length: 42\r\n", b"content-length: \r\n")),
    Case(8, "an empty length alone", get(b"content-length:\r\n")),
    # 9: CVE-2023-45539
    Case(9, "a fragment in the target", get(line=b"GET /index.html#.png HTTP/1.1")),
    # 10: CVE-2019-18277
    Case(10, "vertical tab before chunked", post(b"Transfer-Encoding: \x0bchunked\r\n", HIDDEN)),
    Case(10, "vertical tab without a length", post(b"Transfer-Encoding: \x0bchunked\r\n")),
    Case(10, "form feed behind chunked", post(b"Transfer-Encoding: chunked\x0c\r\n", HIDDEN)),
    # 11: CVE-2024-53008
    Case(11, "a target without a slash", get(line=b"GET secret HTTP/1.1")),
    Case(11, "an authority as a target", get(line=b"GET lb.test:80 HTTP/1.1")),
    Case(11, "user information in the target", get(line=b"GET http://a@lb.test/secret HTTP/1.1")),
    # 13: CVE-2018-8004
    Case(13, "blank before the colon of the length", post(b"Content-Length : 42\r\n")),
    Case(13, "two lengths", post(b"Content-Length: 3\r\n", HIDDEN)),
    Case(13, "two equal lengths", post(HIDDEN, HIDDEN)),
    Case(13, "a bad request and a good one", b"GET /a HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n"),
    # 14: CVE-2019-17559, -17565
    Case(14, "chunked misspelt", post(b"Transfer-Encoding: chunkedd\r\n")),
    Case(14, "chunked in quotes", post(b'Transfer-Encoding: "chunked"\r\n')),
    Case(14, "xchunked and a length", post(b"Transfer-Encoding: xchunked\r\n", HIDDEN)),
    Case(14, "chunk size with a prefix", chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    Case(14, "chunk size with a sign", chunks(b"+5\r\nhello\r\n0\r\n\r\n")),
    Case(14, "chunk size with an underscore", chunks(b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n")),
    Case(14, "no chunk size", chunks(b"\r\nhello\r\n0\r\n\r\n")),
    # 15: CVE-2020-1944
    Case(15, "length before coding", post(NUMBER % 6, CHUNKED, body=b"0\r\n\r\nG")),
    Case(
        15, "coding before length",
        post(CHUNKED, NUMBER % 4, body=b"29\r\n" + SMUGGLED + b"\r\n0\r\n\r\n"),
    ),
    # 16: CVE-2021-32565
    Case(16, "a length of two numbers", post(b"Content-Length: 5 5\r\n", body=b"hello")),
    Case(16, "a length with a plus", post(b"Content-Length: +5\r\n", body=b"hello")),
    Case(16, "a length with a minus", post(b"Content-Length: -5\r\n", body=b"hello")),
    Case(16, "a length in hexadecimal", post(b"Content-Length: 0x5\r\n", body=b"hello")),
    Case(16, "a list of lengths", post(b"Content-Length: 5, 5\r\n", body=b"hello")),
    Case(16, "a length with a fraction", post(b"Content-Length: 5.0\r\n", body=b"hello")),
    Case(
        16, "a length beyond 64 bits",
        post(b"Content-Length: 18446744073709551621\r\n", body=b"hello"),
    ),
    # 17: CVE-2021-37147
    Case(
        17, "fields that end with LF", b"GET /a HTTP/1.1\r\nHost: lb.test\nContent-Length: 42\n\r\n"
    ),
    Case(17, "a request line that ends with LF", b"GET /a HTTP/1.1\n" + HOST + HIDDEN + b"\r\n"),
    Case(17, "a head that ends with LF", b"GET /a HTTP/1.1\r\n" + HOST + HIDDEN + b"\n"),
    # 18: CVE-2021-37148, -37149
    Case(
        18, "chunked and a coding nobody knows",
        post(b"Transfer-Encoding: chunked, cow\r\n"),
        ("400", "501"),
    ),
    Case(18, "chunked twice", post(b"Transfer-Encoding: chunked, chunked\r\n"), ("400", "501")),
    Case(18, "chunked on two lines", post(CHUNKED, CHUNKED), ("400", "501")),
    Case(
        18, "a coding before chunked", post(b"Transfer-Encoding: gzip, chunked\r\n"), ("400", "501")
    ),
    Case(18, "a byte above ASCII in a name", get(b"Foo\x85: x\r\n")),
    # 19: CVE-2021-44040, -44759
    Case(19, "a target without a host", get(line=b"GET http:///x HTTP/1.1")),
    Case(19, "a method that is no token", get(line=b"G(T /a HTTP/1.1")),
    Case(19, "a control byte in the method", get(line=b"GE\x01T /a HTTP/1.1")),
    Case(19, "a scheme that is none", get(line=b"GET ht!tp://lb.test/a HTTP/1.1")),
    # 20: CVE-2024-35161
    Case(20, "blank before a trailer's colon", chunks(b"5\r\nhello\r\n0\r\nX : y\r\n\r\n")),
    Case(20, "a trailer without a colon", chunks(b"5\r\nhello\r\n0\r\nnothing\r\n\r\n")),
    Case(20, "a trailer that ends with LF", chunks(b"5\r\nhello\r\n0\r\nX: y\n\r\n")),
    Case(20, "a folded trailer", chunks(b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n")),
    # 21: CVE-2024-53868
    Case(21, "no line end behind chunk data", chunks(b"5\r\nhello0\r\n\r\n")),
    Case(21, "LF behind chunk data", chunks(b"5\r\nhello\n0\r\n\r\n")),
    Case(21, "CR behind chunk data", chunks(b"5\r\nhello\r0\r\n\r\n")),
    # 22: CVE-2020-15810, -15811
    Case(22, "vertical tab before a length", post(b"Content-Length:\x0b5\r\n", body=b"hello")),
    Case(22, "blank before the colon of a coding", post(b"Transfer-Encoding : chunked\r\n")),
    Case(22, "tab before the colon of a coding", post(b"Transfer-Encoding\t: chunked\r\n", HIDDEN)),
    # 23: CVE-2019-18678, CVE-2023-46846
    Case(23, "blank before the colon of Host", b"GET /a HTTP/1.1\r\nHost : lb.test\r\n\r\n"),
    Case(23, "two CR behind a chunk size", chunks(b"5\r\r\nhello\r\n0\r\n\r\n")),
    # 24: CVE-2016-10711
    Case(24, "two hosts", get(b"Host: other.test\r\n")),
    Case(
        24, "two lengths around another field", post(b"Content-Length: 0\r\n", b"X: y\r\n", HIDDEN)
    ),
    # 26: llhttp, CVE-2021-22959 to CVE-2024-27982
    Case(26, "CR before the colon", post(b"Content-Length\r: 5\r\n", body=b"hello")),
    Case(26, "CR as a line end before a coding", post(b"Foo: a\rTransfer-Encoding: chunked\r\n")),
    Case(
        26, "a folded first field", b"POST /a HTTP/1.1\r\n Content-Length: 1\r\n" + HOST + b"\r\n"
    ),
    Case(26, "a coding on a folded line", post(b"Transfer-Encoding:\r\n chunked\r\n")),
    Case(
        26, "a length behind a folded line", post(b"Foo: a\r\n b\r\n", b"Content-Length : 42\r\n")
    ),
    Case(
        26, "codings on two lines",
        post(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n"),
    ),
    # 27: CVE-2019-16276, CVE-2022-1705, CVE-2025-22871
    Case(27, "blank in a name", post(b"Content Length: 42\r\n")),
    Case(27, "identity and a length", post(b"Transfer-Encoding: identity\r\n", HIDDEN)),
    Case(27, "identity alone", post(b"Transfer-Encoding: identity\r\n")),
    Case(27, "LF behind a chunk extension", chunks(b"5;\nhello\r\n0\r\n\r\n")),
    Case(27, "LF behind a chunk size", chunks(b"5\nhello\r\n0\r\n\r\n")),
    Case(27, "LF behind the last chunk", chunks(b"5\r\nhello\r\n0\n\r\n")),
    # 28: CVE-2023-39326
    Case(
        28, "an extension of 70 kB",
        chunks(b"5;" + b"x" * 70_000 + b"\r\nhello\r\n0\r\n\r\n"),
        ("400", "413"),
    ),
    Case(
        28, "many chunks with long extensions",
        chunks(b"1;%s\r\nx\r\n" % (b"e" * 900) * 50 + b"0\r\n\r\n"),
        ("400", "413"),
    ),
    # 30: CVE-2025-47905
    Case(30, "two bytes for a chunk's line end", chunks(b"5\r\nhelloXX0\r\n\r\n")),
    # 32: CVE-2025-32094
    Case(
        32, "a folded expectation",
        head(b"OPTIONS /a HTTP/1.1", b"Expect:\r\n 100-continue\r\n", HIDDEN),
    ),
    Case(
        32, "a folded expectation with chunks",
        head(b"OPTIONS /a HTTP/1.1", b"Expect:\r\n 100-continue\r\n", CHUNKED) + b"0\r\n\r\n",
    ),
    # 33: "HTTP/1.1 must die"
    Case(33, "a length on a folded line", get(b"Content-Length:\r\n 42\r\n")),
    Case(
        33, "a length on a line that begins with a blank",
        get(b"X: y\r\n", b" Content-Length: 42\r\n"),
    ),
    Case(33, "a length behind NUL", get(b"X: y\0\r\n", HIDDEN)),
    Case(
        33, "an expectation with a word before it",
        get(b"Expect: y 100-continue\r\n", HIDDEN),
        ("417",),
    ),
    # 34: "funky chunks"
    Case(34, "TERM.EXT", chunks(b"2;\nxx\r\n40\r\n" + b"x" * 64 + b"\r\n0\r\n\r\n")),
    Case(34, "EXT.TERM", chunks(b"2;a\rxx\r\n0\r\n\r\n")),
    Case(34, "ONE.TWO", chunks(b"5\r\nhello\r\r0\r\n\r\n")),
    Case(34, "SPILL", chunks(b"5\r\nhello\n\r\n0\r\n\r\n")),
    Case(34, "TWO.ONE", chunks(b"5\r\nhelloX\n0\r\n\r\n")),
    # 38: CVE-2013-4547
    Case(38, "a blank in the target", get(line=b"GET /a /../b HTTP/1.1")),
    Case(38, "a blank and NUL in the target", get(line=b"GET /a \0.b HTTP/1.1")),
    Case(38, "CR in the target", get(line=b"GET /a\r/b HTTP/1.1")),
    # 84, 91 of the same family: paths above the root
    Case(38, "a path above the root", get(line=b"GET /a/../../b HTTP/1.1")),
    # 71: CVE-2011-3368
    Case(71, "a target of user and host", get(line=b"GET @127.0.0.1:80/x HTTP/1.1")),
    Case(71, "a target of a port", get(line=b"GET :8080/x HTTP/1.1")),
    # 118, 119
    Case(119, "a chunk size of 16 times f", chunks(b"ffffffffffffffff\r\nhello"), ("400", "413")),
    Case(
        119, "a chunk size of 2 to the 63rd", chunks(b"8000000000000000\r\nhello"), ("400", "413")
    ),
    Case(
        119, "a chunk size of 17 digits",
        chunks(b"00000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("400", "413"),
    ),
]


@each_row(REFUSED)
def test_it_is_refused_and_nothing_behind_it_is_read(fortress, case):
    reply = fortress.ask_until_closed(case.bytes + SMUGGLED)
    assert reply.status in case.status
    assert (reply.rest, reply.closed) == (b"", True)
    honest = fortress.honest_exchange()
    fortress.expect_only([honest])


@each_row([case for case in REFUSED if b" /a HTTP" in case.bytes])
def test_it_is_refused_where_no_member_is_asked(fortress, case):
    """Row 116: a path that the balancer answers by itself; it may, before it looks at a body."""
    data = case.bytes.replace(b" /a HTTP", b" /local HTTP")
    reply = fortress.ask_until_closed(data + SMUGGLED)
    assert reply.status in (*case.status, "404")
    assert (reply.rest, reply.closed) == (b"", True)
    honest = fortress.honest_exchange()
    fortress.expect_only([honest])


def one(row, name, data, line=b"GET /a HTTP/1.1", body=b""):
    return Case(row, name, data, ("200",), line, body)


POSTED = b"POST /a HTTP/1.1"
LONG_NAME = b"Content-Length0" + b"a" * 255 + b": \r\n"

PASSED_ONCE = [
    one(6, "a name of 270 bytes before a length", get(LONG_NAME, HIDDEN) + SMUGGLED, body=SMUGGLED),
    one(
        6, "a name of 256 bytes before a length",
        get(b"x" * 256 + b": 1\r\n", HIDDEN) + SMUGGLED,
        body=SMUGGLED,
    ),
    one(25, "a GET with a body", get(NUMBER % 10) + b"0123456789", body=b"0123456789"),
    one(25, "a GET whose body is a request", get(HIDDEN) + SMUGGLED, body=SMUGGLED),
    one(25, "a GET with a chunked body", get(CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n", body=b"hello"),
    one(
        25, "a DELETE whose body is a request",
        head(b"DELETE /a HTTP/1.1", HIDDEN) + SMUGGLED,
        b"DELETE /a HTTP/1.1",
        SMUGGLED,
    ),
    one(
        28, "fifty chunks with extensions",
        chunks(b"1;%s\r\nx\r\n" % (b"e" * 200) * 50 + b"0\r\n\r\n"),
        POSTED,
        b"x" * 50,
    ),
    one(
        34, "chunk sizes with zeros before them",
        chunks(b"0005\r\nhello\r\n000\r\n\r\n"),
        POSTED,
        b"hello",
    ),
    one(20, "a good trailer", chunks(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"), POSTED, b"hello"),
    one(
        20, "a length as a trailer",
        chunks(b"5\r\nhello\r\n0\r\nContent-Length: 42\r\n\r\n"),
        POSTED,
        b"hello",
    ),
    one(
        36, "an upgrade to h2c",
        get(b"Connection: Upgrade, HTTP2-Settings\r\n", b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
    ),
    one(
        36, "an upgrade to h2c that Connection does not name",
        get(b"Upgrade: h2c\r\n", b"HTTP2-Settings: AAMAAABk\r\n"),
    ),
    one(
        40, "an upgrade to TLS in cleartext",
        get(b"Connection: Upgrade\r\n", b"Upgrade: TLS/1.0\r\n"),
    ),
    one(
        39, "a query nobody can decode",
        get(line=b"GET /a?a=%zz&b;c=1 HTTP/1.1"),
        b"GET /a?a=%zz&b;c=1 HTTP/1.1",
    ),
    one(
        39, "a semicolon in the query",
        get(line=b"GET /a?x=1;y=2&z HTTP/1.1"),
        b"GET /a?x=1;y=2&z HTTP/1.1",
    ),
    one(
        72, "a socket's name in the query",
        get(line=b"GET /a?unix:" + b"A" * 4000 + b"|http://127.0.0.1:1/ HTTP/1.1"),
        b"GET /a?unix:" + b"A" * 4000 + b"|http://127.0.0.1:1/ HTTP/1.1",
    ),
    one(
        115, "a cookie that begins with a semicolon",
        get(b"Cookie: ;a=b\r\n", line=b"GET /sticky/ HTTP/1.1"),
        b"GET /sticky/ HTTP/1.1",
    ),
    one(
        115, "a cookie without a name",
        get(b"Cookie: =\r\n", line=b"GET /sticky/ HTTP/1.1"),
        b"GET /sticky/ HTTP/1.1",
    ),
    one(
        115, "a cookie of separators",
        get(b"Cookie: ;;=;sid;sid=;sid=.;,\r\n", line=b"GET /sticky/ HTTP/1.1"),
        b"GET /sticky/ HTTP/1.1",
    ),
    one(118, "a list of nothing", get(b"Connection: ,,,,\r\n")),
    one(118, "a list of nothing and blanks", get(b"Connection: , ;,\t,\r\n")),
    one(118, "a field just below its limit", get(b"X: " + b"x" * 8179 + b"\r\n")),
]


@each_row(PASSED_ONCE)
def test_it_reaches_the_member_once_and_both_connections_stay_in_step(fortress, case):
    connection = fortress.connect()
    try:
        connection.send(case.bytes)
        response = connection.read_response()
        assert response.status == "200"
        assert response.body == b"answer to %s\n" % case.line.split(b" ")[1]
        again = fortress.honest_exchange(connection)
    finally:
        connection.close()
    other = fortress.honest_exchange()
    seen = fortress.expect_only([case.line, again, other])
    assert seen.requests[0].body == case.body
    for hop in (b"upgrade", b"http2-settings", b"te", b"keep-alive", b"trailer"):
        assert seen.requests[0].all(hop) == []
    assert seen.requests[0].trailers == b""


def test_118_a_field_just_above_its_limit_is_refused(fortress):
    for size, status in ((8191, "200"), (8192, "400")):
        data = get(b"Connection: close\r\n", b"X: " + b"x" * (size - 3) + b"\r\n")
        assert fortress.ask_until_closed(data).status == status


@pytest.mark.parametrize(
    "target",
    [
        b"http://lb.test/secret",
        b"HTTP://LB.TEST/secret",
        b"http://other.test/secret",
        b"http://lb.test:99/secret/x",
        b"//secret",
        b"/x/../secret",
        b"/%73ecret",
        b"/./secret",
        b"/%2e/secret",
        b"/secret?x=/public",
    ],
)
def test_11_every_way_to_write_a_path_meets_its_rule(fortress, target):
    connection = fortress.connect()
    connection.send(get(line=b"GET " + target + b" HTTP/1.1"))
    assert connection.read_response().status == "403"
    connection.close()
    honest = fortress.honest_exchange()
    fortress.expect_only([honest])


@pytest.mark.parametrize("break_line", [b"%0d%0a", b"%0a", b"%0D"])
def test_5_a_line_end_in_a_matched_path_stays_encoded(fortress, break_line):
    """CVE-2023-25690."""
    target = break_line.join([b"/here/a%20HTTP/1.1", b"X:%20y", b"", b"GET%20/smuggled"])
    connection = fortress.connect()
    connection.send(get(line=b"GET " + target + b" HTTP/1.1"))
    status = connection.read_response().status
    connection.close()
    honest = fortress.honest_exchange()
    seen = fortress.member.take()
    assert (seen.faults, seen.leftovers, seen.lines[-1]) == ([], [], honest)
    if status == "200":
        first, _ = seen.requests
        assert first.target.startswith((b"/?x=a", b"/%3Fx=a"))
        assert first.all(b"x") == []
    else:
        assert status in ("400", "403", "404") and len(seen.requests) == 1


ANSWERED_WITHOUT_ITS_BODY = [
    Case(12, "a redirect", get(HIDDEN, line=b"GET /moved HTTP/1.1") + SMUGGLED, ("302",)),
    Case(
        12, "a page of its own for an error",
        get(HIDDEN, line=b"GET /paged HTTP/1.1") + SMUGGLED,
        ("200",),
    ),
    Case(31, "a refusal", get(HIDDEN, line=b"GET /secret HTTP/1.1") + SMUGGLED, ("403",)),
    Case(
        31, "a refusal of chunks",
        head(b"POST /secret HTTP/1.1", CHUNKED) + b"29\r\n" + SMUGGLED + b"\r\n0\r\n\r\n",
        ("403",),
    ),
    Case(
        33, "a redirect with an expectation",
        get(b"Expect: 100-continue\r\n", HIDDEN, line=b"GET /moved HTTP/1.1") + SMUGGLED,
        ("302",),
    ),
    Case(
        33, "a refusal with an expectation",
        get(b"Expect: 100-continue\r\n", HIDDEN, line=b"GET /secret HTTP/1.1") + SMUGGLED,
        ("403",),
    ),
]


@each_row(ANSWERED_WITHOUT_ITS_BODY)
def test_a_body_that_nobody_wants_is_never_the_next_request(fortress, case):
    connection = fortress.connect()
    lines = []
    connection.send(case.bytes)
    response = connection.read_response()
    assert response.status in case.status
    if response.will_close:
        assert connection.read_to_end() == (b"", True)
    else:
        lines.append(fortress.honest_exchange(connection))
    connection.close()
    lines.append(fortress.honest_exchange())
    seen = fortress.member.take()
    assert [line for line in seen.lines if b"page-of-403" not in line] == lines
    assert (seen.faults, seen.leftovers) == ([], [])


def test_29_a_body_that_ends_early_closes_the_connection(fortress):
    connection = fortress.connect()
    connection.send(post(NUMBER % 500, body=SMUGGLED))
    connection.half_close()
    assert connection.read_response("POST").status in ("400", "")
    assert connection.read_to_end() == (b"", True)
    honest = fortress.honest_exchange()
    fortress.expect_only([honest])


BREAKS_LATE = [
    Case(21, "a chunk that does not end", b"4e20\r\n" + b"x" * 20_000 + b"XX0\r\n\r\n" + SMUGGLED),
    Case(
        21, "a bad size behind a large chunk",
        b"4e20\r\n" + b"x" * 20_000 + b"\r\nzz\r\n" + SMUGGLED,
    ),
    Case(
        20, "a bad trailer behind a large chunk",
        b"4e20\r\n" + b"x" * 20_000 + b"\r\n0\r\nX : y\r\n\r\n" + SMUGGLED,
    ),
    Case(34, "LF behind a large chunk", b"4e20\r\n" + b"x" * 20_000 + b"\n0\r\n\r\n" + SMUGGLED),
]


@each_row(BREAKS_LATE)
def test_a_body_that_breaks_under_way_is_never_completed(fortress, case):
    """The member has part of it already: its request must break off, and not look finished."""
    reply = fortress.ask_until_closed(chunks(case.bytes), "POST")
    assert reply.status in ("400", "")
    assert (reply.rest, reply.closed) == (b"", True)
    assert fortress.member.wait_for(lambda seen: seen.leftovers)
    honest = fortress.honest_exchange()
    seen = fortress.member.take()
    assert (seen.lines, seen.faults, len(seen.leftovers)) == ([honest], [], 1)
    assert seen.leftovers[0].startswith(b"POST /a HTTP/1.1\r\n")
    assert b"smuggled" not in seen.leftovers[0]
    assert not seen.leftovers[0].endswith(b"0\r\n\r\n")


def test_113_a_client_that_leaves_in_its_upload_breaks_it_at_the_member(fortress):
    connection = fortress.connect()
    connection.send(post(NUMBER % 300_000, body=b"x" * 100_000))
    connection.close()
    assert fortress.member.wait_for(lambda seen: seen.leftovers)
    honest = fortress.honest_exchange()
    seen = fortress.member.take()
    assert (seen.lines, seen.faults) == ([honest], [])


EARLY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"


@pytest.mark.parametrize("expects", [False, True])
def test_30_33_what_follows_an_early_answer_is_no_request(fortress, expects):
    """The member answers before it has the body; what the client still sends stays a body."""
    fields = [NUMBER % 40_000] + [b"Expect: 100-continue\r\n"] * expects
    fortress.member.next_answer(EARLY, early=True)
    connection = fortress.connect()
    connection.send(post(*fields, body=b"" if expects else b"x" * 20_000))
    response = connection.read_response("POST")
    connection.send(SMUGGLED)
    assert (response.status, response.body) == ("200", b"early")
    assert connection.read_to_end() == (b"", True)
    connection.close()
    honest = fortress.honest_exchange()
    seen = fortress.member.take()
    assert (seen.lines, seen.faults) == ([honest], [])


WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: %s\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
PRIVATE = get(line=b"GET /secret HTTP/1.1")


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("status", [b"426 Upgrade Required", b"200 OK", b"400 Bad Request"])
def test_35_37_a_refused_upgrade_opens_no_tunnel(fortress, status, pipelined):
    """CVE-2019-17567."""
    fortress.member.next_answer(b"HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nno" % status)
    connection = fortress.connect()
    upgrade = get(WEBSOCKET % b"1337", line=b"GET /ws HTTP/1.1")
    connection.send(upgrade + PRIVATE * pipelined)
    response = connection.read_response()
    assert (response.status.encode(), response.body) == (status[:3], b"no")
    if not response.will_close:
        connection.send(PRIVATE * (not pipelined))
        assert connection.read_response().status == "403"
    connection.close()
    honest = fortress.honest_exchange()
    fortress.expect_only([b"GET /ws HTTP/1.1", honest])


SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
UNASKED = [
    Case(
        37, "a switch that nobody asked for",
        get(line=b"GET /ws HTTP/1.1"),
        line=SWITCH % b"websocket",
    ),
    Case(37, "a switch where none is allowed", get(WEBSOCKET % b"13"), line=SWITCH % b"websocket"),
    Case(
        37, "a switch to another protocol",
        get(WEBSOCKET % b"13", line=b"GET /ws HTTP/1.1"),
        line=SWITCH % b"h2c",
    ),
    Case(
        37, "a switch without a protocol",
        get(WEBSOCKET % b"13", line=b"GET /ws HTTP/1.1"),
        line=b"HTTP/1.1 101 S\r\n\r\n",
    ),
]


@each_row(UNASKED)
def test_a_switch_of_protocols_that_does_not_fit_is_a_502(fortress, case):
    fortress.member.next_answer(case.line)
    connection = fortress.connect()
    connection.send(case.bytes)
    response = connection.read_response()
    assert response.status == "502"
    if not response.will_close:
        connection.send(PRIVATE)
        assert connection.read_response().status == "403"
    connection.close()
    honest = fortress.honest_exchange()
    seen = fortress.member.take()
    assert (len(seen.requests), seen.lines[-1], seen.faults, seen.leftovers) == (2, honest, [], [])


def test_37_a_switch_that_fits_opens_a_tunnel(fortress):
    """The cases above could pass where no tunnel ever opens."""
    fortress.member.next_answer(SWITCH % b"websocket" + b"from the member", keep=False)
    connection = fortress.connect()
    connection.send(get(WEBSOCKET % b"13", line=b"GET /ws HTTP/1.1"))
    response = connection.read_response()
    assert (response.status, response.header("Upgrade")) == ("101", b"websocket")
    assert (response.body, response.ended) == (b"from the member", "eof")
    connection.close()
    fortress.honest_exchange()
    fortress.member.take()


def test_120_slow_clients_hold_nobody_up_and_are_cut_off(binary):
    one = Fortress(binary, "RequestReadTimeout header=1 body=1\n")
    try:
        slow = [one.connect() for _ in range(60)]
        for number, connection in enumerate(slow):
            connection.send(get()[:-2] if number % 2 else post(NUMBER % 50, body=b"x"))
        lines = [one.honest_exchange() for _ in range(5)]
        for connection in slow:
            assert connection.read_response().status in ("408", "")
            assert connection.closed_by_peer(1.0)
            connection.close()
        one.expect_only(lines)
    finally:
        one.close()


def test_pooled_connections_were_shared_all_along(fortress):
    """Without them no smuggled request could have reached another client's connection."""
    before = fortress.member.connections
    lines = [fortress.honest_exchange() for _ in range(10)]
    seen = fortress.expect_only(lines)
    assert fortress.member.connections - before <= 1
    assert len({heard.connection for heard in seen.requests}) == 1
