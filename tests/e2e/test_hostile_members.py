"""Members that answer what they should not: split answers, two framings, surplus, floods.

Rows of the known attacks on HTTP/1 proxies as in test_attacks.py; an id begins with its row.  In
each, a member sends raw bytes; the client gets one answer that reads in one way, or a cut
connection, and the next client gets its own answer.  AJP, uWSGI and HTTP/2 members are not spoken
to, so their rows have no case.
"""

import re
import select
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.attack import Fortress, each_row
from support.ports import HeldPort

OK = b"HTTP/1.1 200 OK\r\n"
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Poison: 1\r\n\r\npoison"


@dataclass(frozen=True)
class Case:
    """`bytes` a member answers with.  `status`: what the client may get; `body`: then, exactly."""

    row: int
    name: str
    bytes: bytes
    status: tuple = ("502",)
    body: bytes | None = None
    method: bytes = b"GET"


def ask(fortress, case, target=b"/a"):
    """One request; (response, everything behind it, the client's connection was closed)."""
    connection = fortress.connect()
    try:
        connection.send(case.method + b" " + target + b" HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        response = connection.read_response(case.method.decode())
        if response.will_close:
            return response, *connection.read_to_end()
        lines = [fortress.honest_exchange(connection)]
        assert fortress.member.take().lines[-1:] == lines
        return response, b"", False
    finally:
        connection.close()


def fields(*lines, body=b"ok"):
    joined = b"".join(line + b"\r\n" for line in lines)
    return OK + joined + b"Content-Length: %d\r\n\r\n" % len(body) + body


# httpd answers 500 where a field's bytes are wrong, and so does this program.
BROKEN = ("500", "502")
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

ANSWERS = [
    # 101: CVE-2022-37436, CVE-2023-38709, CVE-2024-24795, CVE-2024-42516
    Case(101, "bare CR in a field", fields(b"X: a\rX-Poison: 1"), BROKEN),
    Case(101, "NUL in a field", fields(b"X: a\0b"), BROKEN),
    Case(
        101, "a control byte in Content-Type",
        fields(b"Content-Type: text/html\x0b; X-Poison: 1"),
        BROKEN,
    ),
    Case(101, "CR in Content-Type", fields(b"Content-Type: text/html\rX-Poison: 1"), BROKEN),
    Case(101, "a blank before a colon", fields(b"X-Poison : 1"), BROKEN),
    Case(101, "a name that is no token", fields(b"X(Poison): 1"), BROKEN),
    Case(101, "an empty name", fields(b": 1"), BROKEN),
    Case(101, "a line without a colon", fields(b"X-Poison"), BROKEN),
    Case(101, "DEL in a field", fields(b"X: a\x7fb"), BROKEN),
    # 102: CVE-2026-33523
    Case(
        102, "CR in the reason",
        b"HTTP/1.1 200 OK\rX-Poison: 1\r\nContent-Length: 2\r\n\r\nok",
        ("200", "502"),
    ),
    Case(
        102, "a control byte in the reason",
        b"HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok",
        ("200", "502"),
    ),
    Case(102, "a status below 100", b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok"),
    Case(102, "another protocol's version", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    # Two framings, or one that can be read in two ways.
    Case(15, "two lengths", OK + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\nok"),
    Case(15, "a list of lengths", OK + b"Content-Length: 2, 40\r\n\r\nok"),
    Case(16, "a length with a plus", OK + b"Content-Length: +2\r\n\r\nok"),
    Case(16, "a length with a minus", OK + b"Content-Length: -2\r\n\r\nok"),
    Case(16, "a length in hexadecimal", OK + b"Content-Length: 0x2\r\n\r\nok"),
    Case(16, "a length beyond 64 bits", OK + b"Content-Length: 18446744073709551618\r\n\r\nok"),
    Case(8, "an empty length", OK + b"Content-Length:\r\n\r\nok"),
    Case(
        10, "vertical tab before chunked",
        OK + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 2\r\n\r\nok",
        BROKEN,
    ),
    Case(18, "a coding nobody knows", OK + b"Transfer-Encoding: cow\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    Case(
        18, "a coding before chunked",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ),
    Case(
        18, "chunked twice",
        OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n2\r\nok\r\n0\r\n\r\n",
    ),
    Case(
        15, "length and coding",
        OK + b"Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ("200", "502"),
        b"ok",
    ),
    Case(
        15, "coding and length",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ("200", "502"),
        b"ok",
    ),
    # 107: CVE-2026-34356, 108: CVE-2022-0711
    Case(
        107, "a cookie with a long path",
        fields(b"Set-Cookie: a=b; Path=/inner" + b"/x" * 3900),
        ("200",),
        b"ok",
    ),
    Case(
        107, "a cookie with many paths",
        fields(b"Set-Cookie: a=b" + b"; Path=/inner; Domain=inner.test" * 200),
        ("200",),
        b"ok",
    ),
    Case(
        107, "many cookies with paths",
        fields(*[b"Set-Cookie: a=b; Path=/inner; Domain=inner.test"] * 80),
        ("200",),
        b"ok",
    ),
    Case(
        107, "a cookie of separators",
        fields(b"Set-Cookie: ;;path=;domain=;=;path;;"),
        ("200",),
        b"ok",
    ),
    Case(108, "a cookie of the second kind", fields(b"Set-Cookie2: a"), ("200",), b"ok"),
    # 110: CVE-2008-2364, CVE-2024-53271
    Case(110, "a thousand interim answers", b"HTTP/1.1 102 Processing\r\n\r\n" * 1000 + fields()),
    Case(
        110, "a switch of protocols that nobody asked for",
        b"HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n" + fields(),
    ),
    # 112: CVE-2017-7529, CVE-2018-8005
    Case(
        112, "an endless range",
        fields(b"Content-Range: bytes 0-18446744073709551615/*"),
        ("200",),
        b"ok",
    ),
    Case(
        112, "a negative range",
        fields(b"Content-Range: bytes -9223372036854775808-1/1"),
        ("200",),
        b"ok",
    ),
]


@each_row(ANSWERS)
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "closed"])
def test_the_client_gets_one_answer_that_reads_in_one_way(fortress, case, keep):
    target = b"/cookies/a" if case.row == 107 else b"/a"
    fortress.member.next_answer(case.bytes, keep=keep)
    response, rest, _ = ask(fortress, case, target)
    assert (response.status in case.status, rest) == (True, b""), response
    assert response.header("X-Poison") is None
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n", response.head)
    if case.body is not None and response.status == "200":
        assert response.body == case.body
    fortress.honest_exchange()


def test_107_cookies_are_rewritten_at_all(fortress):
    """The cases above could pass where nothing ever is."""
    fortress.member.next_answer(fields(b"Set-Cookie: a=b; Path=/inner; Domain=inner.test"))
    response, _, _ = ask(fortress, Case(107, "", b""), b"/cookies/a")
    assert response.header("Set-Cookie") == b"a=b; Path=/cookies; Domain=outer.test"


# 111: an answer too many. (method, an answer that leaves something behind it)
SURPLUS = [
    Case(111, "an answer behind an answer", fields() + POISON, ("200",), b"ok"),
    Case(
        111, "an answer behind chunks", CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + POISON, ("200",), b"ok"
    ),
    Case(111, "one byte behind an answer", fields() + b"\n", ("200",), b"ok"),
    Case(
        111, "a body behind a HEAD",
        OK + b"Content-Length: 2\r\n\r\n" + POISON,
        ("200",),
        b"",
        b"HEAD",
    ),
    Case(111, "chunks behind a HEAD", CHUNKED + b"2\r\nok\r\n0\r\n\r\n", ("200",), b"", b"HEAD"),
    Case(111, "a body behind a 204", b"HTTP/1.1 204 N\r\n\r\n" + POISON, ("204",), b""),
    Case(
        111, "a body behind a 204 with a length",
        b"HTTP/1.1 204 N\r\nContent-Length: 6\r\n\r\npoison",
        ("204",),
        b"",
    ),
    Case(
        111, "a body behind a 304",
        b"HTTP/1.1 304 N\r\nContent-Length: 6\r\n\r\npoison",
        ("304",),
        b"",
    ),
    Case(
        111, "chunks behind a 304",
        b"HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n",
        ("304",),
        b"",
    ),
    Case(
        111, "a body longer than its length",
        OK + b"Content-Length: 2\r\n\r\nok" + b"poison" * 100,
        ("200",),
        b"ok",
    ),
    Case(111, "a body longer than none", OK + b"Content-Length: 0\r\n\r\npoison", ("200",), b""),
    Case(
        111, "a large body and an answer",
        fields(body=b"x" * 200_000) + POISON,
        ("200",),
        b"x" * 200_000,
    ),
]


@each_row(SURPLUS)
def test_what_is_too_much_reaches_nobody(fortress, case):
    fortress.member.next_answer(case.bytes)
    response, rest, _ = ask(fortress, case)
    assert (response.status in case.status, response.body, rest) == (True, case.body, b"")
    for _ in range(3):
        fortress.honest_exchange()


@each_row([case for case in SURPLUS if POISON in case.bytes])
def test_what_comes_too_late_reaches_nobody(fortress, case):
    """The same, when the member's connection lies in the pool already."""
    at = case.bytes.index(POISON)
    fortress.member.next_answer(case.bytes[:at], then=case.bytes[at:])
    connection = fortress.connect()
    connection.send(case.method + b" /a HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    response = connection.read_response(case.method.decode())
    assert (response.status in case.status, response.body) == (True, case.body)
    fortress.member.go_on()
    assert fortress.member.take().lines == [case.method + b" /a HTTP/1.1"]  # all of it was sent
    for own in (connection, None, None):
        fortress.honest_exchange(own)
    connection.close()


BREAKS = [
    Case(14, "a chunk size out of grammar", CHUNKED + b"2\r\nok\r\nzz\r\n"),
    Case(14, "a chunk size with a sign", CHUNKED + b"2\r\nok\r\n-2\r\nok\r\n0\r\n\r\n"),
    Case(21, "no line end behind chunk data", CHUNKED + b"2\r\nokXX0\r\n\r\n"),
    Case(34, "LF behind a chunk size", CHUNKED + b"2\nok\r\n0\r\n\r\n"),
    Case(34, "CR behind chunk data", CHUNKED + b"2\r\nok\r\r0\r\n\r\n"),
    Case(119, "a chunk size of 2 to the 64th less one", CHUNKED + b"ffffffffffffffff\r\nok"),
    Case(20, "a trailer without a colon", CHUNKED + b"2\r\nok\r\n0\r\nX-Poison\r\n\r\n"),
    Case(29, "a body that ends before its length", OK + b"Content-Length: 9\r\n\r\nok"),
    Case(29, "chunks that end before the last", CHUNKED + b"2\r\nok\r\n"),
]


@each_row(BREAKS)
def test_a_body_that_breaks_never_looks_complete(fortress, case):
    """The head has gone out perhaps, so the client is told by the end of its connection."""
    fortress.member.next_answer(case.bytes, keep=False)
    connection = fortress.connect()
    connection.send(b"GET /a HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    response = connection.read_response()
    assert response.header("X-Poison") is None
    if response.status == "502":
        fortress.honest_exchange(None if response.will_close else connection)
    else:
        told = (response.status, response.ended)
        assert told in (("200", "cut short, eof"), ("", "nothing, eof"))
    connection.close()
    fortress.honest_exchange()


def test_101_an_empty_line_in_the_head_ends_it(fortress):
    """What follows is the body of this answer or nobody's."""
    behind = b"X-Poison: 1\r\nContent-Length: 2\r\n\r\nok"
    fortress.member.next_answer(OK + b"X: a\r\n\r\n" + behind, keep=False)
    response, rest, _ = ask(fortress, Case(101, "", b""))
    assert (response.status, response.header("X-Poison"), rest) == ("200", None, b"")
    assert response.body == behind


@pytest.mark.parametrize(
    "wanted",
    [
        b"bytes=0-18446744073709551615",
        b"bytes=9223372036854775807-9223372036854775808",
        b"bytes=-18446744073709551615",
        b"bytes=" + b"0-," * 1000,
        b"bytes=-1,-9223372036854775608",
        b"bytes=1-0",
        b"=",
    ],
    ids=["last byte", "first byte", "suffix", "many", "negative", "backwards", "no unit"],
)
def test_112_an_extreme_range_is_the_members_business(fortress, wanted):
    connection = fortress.connect()
    connection.send(b"GET /a HTTP/1.1\r\nHost: lb.test\r\nRange: " + wanted + b"\r\n\r\n")
    response = connection.read_response()
    assert (response.status, response.body) == ("200", b"answer to /a\n")
    honest = fortress.honest_exchange(connection)
    connection.close()
    seen = fortress.expect_only([b"GET /a HTTP/1.1", honest])
    assert seen.requests[0].all(b"range") == [wanted]


FLOOD_BYTES = 96 << 20


def memory_kib(process):
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1))


def send_until_stuck(sock, count):
    """How many of `count` bytes go out before the peer has taken nothing for a while."""
    piece, sent = bytes(1 << 16), 0
    while sent < count and select.select([], [sock], [], 0.4)[1]:
        sent += sock.send(piece[: count - sent], socket.MSG_DONTWAIT)
    return sent


def test_114_a_fast_member_waits_for_a_slow_client(binary):
    held = HeldPort()
    flood = held.listening_socket()
    one = Fortress(binary, f"ProxyPass /flood http://{held}/flood\n")
    try:
        client = one.connect()
        client.socket.settimeout(10)
        client.send(b"GET /flood HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        member, _ = flood.accept()
        assert member.recv(1 << 16).startswith(b"GET /flood HTTP/1.1\r\n")
        before = memory_kib(one.server.process)
        member.sendall(OK + b"Content-Length: %d\r\n\r\n" % FLOOD_BYTES)
        sent = send_until_stuck(member, FLOOD_BYTES)
        assert 0 < sent < FLOOD_BYTES / 2
        # Requests behind it wait too, and others are served meanwhile.
        client.send(b"GET /honest?behind HTTP/1.1\r\nHost: lb.test\r\n\r\n" * 50)
        lines = [one.honest_exchange() for _ in range(3)]
        one.expect_only(lines)
        assert memory_kib(one.server.process) - before < 8 * 1024
        client.close()
        while select.select([member], [], [], 5.0)[0]:
            try:
                if not member.recv(1 << 16):
                    break
            except ConnectionResetError:
                break
        else:
            pytest.fail("the member was not told that its client is gone")
        member.close()
    finally:
        flood.close()
        one.close()
        held.close()
