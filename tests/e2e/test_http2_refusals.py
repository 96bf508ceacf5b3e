"""HTTP/2 members that have room for few streams, refuse them, or break: who is asked then."""

import re
import socket
import threading
import time

import pytest
from support.http2_member import (
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS,
    Http2Member, ends_request, frame, frames_of, literal, short_answer,
)
from support.process import until
from support.server import MODULE_DIRECTORY, complete
from support.wire import Connection

MODULES = (f"LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so\n"
           f"LoadModule proxy_http2_module {MODULE_DIRECTORY}/mod_proxy_http2.so\n"
           "SteelyardShards 1\n")
REFUSED = (7).to_bytes(4, "big")


@pytest.fixture
def start(server, port):
    def begin(text, log_level="warn"):
        server.start(complete(f"{MODULES}Listen {port.port}\n{text}", log_level), [port.port])
        return server

    return begin


def route(member, parameters=""):
    return f"ProxyPass / h2c://127.0.0.1:{member.port}/ {parameters}\n"


def balancer(*members):
    lines = "".join(f"BalancerMember h2c://127.0.0.1:{one.port}\n" for one in members)
    return f"<Proxy balancer://b>\n{lines}</Proxy>\nProxyPass / balancer://b/\n"


def ask(port, target="/", method="GET", body=b"", timeout_s=20):
    connection = Connection("127.0.0.1", port.port)
    length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    connection.send(f"{method} {target} HTTP/1.1\r\nHost: lb.test\r\n{length}\r\n".encode() + body)
    response = connection.read_response(method, timeout_s=timeout_s)
    connection.close()
    return response


def at_once(port, count, method="POST"):
    """The statuses of so many requests under way together."""
    got = []
    threads = [threading.Thread(target=lambda n=n: got.append(
        ask(port, f"/{n}", method, b"order" if method == "POST" else b"").status), daemon=True)
        for n in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    return got


class Script:
    """A member's part: what it heard, under one lock, and what it does for each frame."""

    def __init__(self, act, **options):
        self.heard = threading.Condition()
        self.paths = []   # one entry a HEADERS: (connection, stream)
        self.act, self.options = act, options

    def __call__(self, _member, number, connection):
        for word in frames_of(connection, **self.options):
            with self.heard:
                if word[0] == HEADERS:
                    self.paths.append((number, word[2]))
                self.heard.notify_all()
                ends = self.act(number, connection, *word) is False
            if ends:
                # Closing over unread bytes would be a reset, which takes the last words along.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
                return

    @property
    def asked(self):
        return len(self.paths)


def test_a_new_connection_has_one_stream_until_the_member_said_how_many(start, port):
    told = threading.Event()

    def act(_number, connection, kind, flags, stream, _payload):
        if ends_request(kind, flags):
            waiting.append((connection, stream))
            if len(waiting) == 4:
                told.set()
        if told.is_set():
            while waiting:
                one, its = waiting.pop()
                one.sendall(frame(SETTINGS, 0, 0) + short_answer(its))

    waiting = []
    script = Script(act, says_settings=False)
    with Http2Member(script=script) as member:
        start(route(member))
        first = threading.Thread(target=ask, args=(port,), daemon=True)
        first.start()
        with script.heard:
            assert script.heard.wait_for(lambda: script.asked == 1, 10)
        # Its connection is waited for, but not for ever.
        assert at_once(port, 3) == ["200"] * 3
        first.join(10)
        assert sorted(number for number, _ in script.paths) == [1, 2, 3, 4]


def test_a_burst_meets_no_refusal_of_a_member_that_allows_few(start, port):
    """The member ends a connection with more than two streams, as RFC 9113 5.1.2 lets it."""
    with Http2Member(streams_max=2) as member:
        start(route(member))
        for _ in range(3):
            assert at_once(port, 24) == ["200"] * 24
        assert member.faults == []
        assert sorted(one.body for one in member.requests) == [b"order"] * 72


def test_max_holds_a_burst_within_the_connections(start, port):
    with Http2Member(streams_max=2) as member:
        start(route(member, "max=2"))
        assert at_once(port, 24) == ["200"] * 24
        # One that rests makes room for who waits; most of them share what there is.
        assert member.faults == [] and member.connections <= 6


def test_each_shard_has_its_turn_with_the_only_connection(start, port):
    """Requests without a pause from all sides: none waits until another shard has no more."""
    count, each = 12, 60
    answered = [0] * count

    def go_on(number):
        connection = Connection("127.0.0.1", port.port)
        connection.send(f"GET /{number} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode() * each)
        for _ in range(each):
            answered[number] += connection.read_response("GET", timeout_s=60).status == "200"
        connection.close()

    with Http2Member(streams_max=2) as member:
        start("SteelyardShards 2\n" + route(member, "max=1"))
        threads = [threading.Thread(target=go_on, args=(n,), daemon=True) for n in range(count)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        assert answered == [each] * count and member.faults == []
        clients = [one.fields[":path"] for one in member.requests]
        half = next(n for n in range(len(clients))
                    if clients[:n].count(clients[n]) == each // 2)
        assert len(set(clients[:half])) == count


@pytest.mark.parametrize("limit", [1, 2])
def test_who_is_refused_beside_others_is_asked_on_another_connection(start, port, limit):
    """Settings that allow a hundred, and a member that looks at fewer: nothing was done, nobody
    is told of it, and each order runs once."""
    wanted = 30
    waiting, bodies, whole = [], {}, []

    def act(_number, connection, kind, flags, stream, payload):
        open_here = [one for one in waiting if one[0] is connection]
        if kind == HEADERS and len(open_here) >= limit:
            connection.sendall(frame(RST_STREAM, 0, stream, REFUSED))
        elif kind == HEADERS:
            waiting.append((connection, stream))
        elif kind == DATA and (connection, stream) in waiting:
            bodies[connection, stream] = bodies.get((connection, stream), b"") + payload
            whole.extend([(connection, stream)] if flags & END_STREAM else [])
        if len(whole) == wanted:
            for one, its in whole:
                one.sendall(short_answer(its))
            whole.clear()

    script = Script(act)
    with Http2Member(script=script) as member:
        start(route(member))
        assert at_once(port, wanted) == ["200"] * wanted
        assert list(bodies.values()) == [b"order"] * wanted


def refuses(_number, connection, kind, _flags, stream, _payload):
    if kind == HEADERS:
        connection.sendall(frame(RST_STREAM, 0, stream, REFUSED))


def says_goaway(_number, connection, kind, flags, _stream, _payload):
    if ends_request(kind, flags):
        connection.sendall(frame(GOAWAY, 0, 0, bytes(8)))
        return False
    return None


@pytest.mark.parametrize("act", [refuses, says_goaway])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_member_refuses_alone_goes_to_another_one(start, port, act, method):
    script = Script(act)
    with Http2Member(script=script) as shy, Http2Member() as other:
        start(balancer(shy, other))
        assert [ask(port, f"/{n}", method, b"b").status for n in range(4)] == ["200"] * 4
        assert len(other.requests) == 4
        # Twice at most for each, and it is in no error: it is asked for later requests as well.
        assert 3 <= script.asked <= 8


def test_who_is_refused_by_all_gets_502(start, port):
    script = Script(refuses)
    with Http2Member(script=script) as one, Http2Member(script=Script(refuses)) as other:
        start(balancer(one, other))
        assert ask(port, "/", "POST", b"b").status == "502"
        assert script.asked == 2


def closes(_number, _connection, kind, flags, _stream, _payload):
    return False if ends_request(kind, flags) else None


def test_a_member_that_breaks_is_left_and_what_may_run_twice_goes_on(start, port):
    """httpd: 503, in error, another member. Here a POST runs once at most."""
    script = Script(closes)
    with Http2Member(script=script) as broken, Http2Member() as good:
        start(balancer(broken, good))
        assert [ask(port, f"/{n}").status for n in range(4)] == ["200"] * 4
        assert script.asked == 1 and len(good.requests) == 4


def test_a_post_that_a_member_broke_on_is_not_sent_twice(start, port):
    script = Script(closes)
    with Http2Member(script=script) as broken, Http2Member() as good:
        start(balancer(broken, good))
        assert [ask(port, f"/{n}", "POST", b"b").status for n in range(3)] == ["503", "200", "200"]
        assert script.asked == 1 and len(good.requests) == 2


def test_a_connection_that_served_others_puts_nobody_in_error(start, port):
    """It may have been closing just then; a new one shows whether the member lives."""
    def act(number, connection, kind, flags, stream, _payload):
        if not ends_request(kind, flags):
            return None
        if number == 1 and stream > 1:
            return False
        connection.sendall(short_answer(stream))
        return None

    script = Script(act)
    with Http2Member(script=script) as member, Http2Member() as other:
        start(balancer(member, other).replace(f":{other.port}\n", f":{other.port} status=+H\n"))
        assert ask(port, "/").status == "200"
        assert ask(port, "/", "POST", b"b").status == "502"
        assert ask(port, "/").status == "200"
        assert other.requests == []  # a hot standby


def test_an_upload_that_nobody_reads_holds_up_no_other(start, port):
    """It may take all of the connection's window: others with a body get another connection."""
    def act(_number, connection, kind, flags, stream, _payload):
        if ends_request(kind, flags):
            connection.sendall(short_answer(stream))

    script = Script(act)  # no WINDOW_UPDATE, ever
    with Http2Member(script=script) as member:
        start("Timeout 20\n" + route(member))
        stuck = Connection("127.0.0.1", port.port)
        stuck.send(b"POST /stuck HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
                   + b"x" * 100_000)
        with script.heard:
            assert script.heard.wait_for(lambda: script.asked == 1, 10)
        until_full = time.monotonic() + 10
        while time.monotonic() < until_full:
            if ask(port, "/small", "POST", b"y" * 10, timeout_s=5).status == "200":
                break
        assert [ask(port, "/small", "POST", b"y" * 10, timeout_s=5).status for _ in range(3)] == [
            "200"] * 3
        assert ask(port, "/read").status == "200"
        stuck.close()
        assert len({number for number, _ in script.paths}) == 2


SECRET = b"a session's key"  # what a member's fields say is nobody's who reads logs
REASONS = {
    "reset": (lambda stream: frame(RST_STREAM, 0, stream, (13).to_bytes(4, "big")),
              "it reset the stream: HTTP_1_1_REQUIRED"),
    "refused": (lambda stream: frame(RST_STREAM, 0, stream, REFUSED),
                "it reset the stream: REFUSED_STREAM"),
    "goaway": (lambda stream: frame(GOAWAY, 0, 0, stream.to_bytes(4, "big")
                                    + (11).to_bytes(4, "big") + b'too_many_"pings\n' + b"x" * 5000),
               r'it said GOAWAY: ENHANCE_YOUR_CALM "too_many_\\"pings\\nx{184}"'),
    "connection field": (
        lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream,
                             b"\x88" + literal(b"connection", SECRET)), r"name: \[connection"),
    "field's name": (
        lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream,
                             b"\x88" + literal(b"A\x1b[2J", SECRET)), r"name: \[A\\u001b\[2J"),
    "end": (lambda _stream: b"", "it ended the connection"),
}


@pytest.mark.parametrize("words, reason", REASONS.values(), ids=REASONS)
def test_the_error_log_tells_what_the_member_said(start, port, words, reason):
    def act(_number, connection, kind, flags, stream, _payload):
        if not ends_request(kind, flags):
            return None
        connection.sendall(words(stream))
        return False

    with Http2Member(script=Script(act)) as member:
        server = start(route(member))
        assert ask(port, "/").status in ("502", "503")
        assert until(lambda: re.search(f"error with backend [^ ]*: .*({reason})",
                                       server.read("error.log"))), server.read("error.log")
        assert SECRET.decode()[-5:] not in server.read("error.log")
        assert "too_many" not in ask(port, "/").body.decode()


def test_a_member_that_speaks_http_1_is_named(start, port):
    def play(_member, _number, connection):
        assert connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with Http2Member(script=play) as member:
        server = start(route(member))
        assert ask(port, "/").status == "503"
        assert until(lambda: "peer does not support HTTP/2" in server.read("error.log")), (
            server.read("error.log"))


def test_a_ping_without_an_answer_is_named(start, port):
    def play(_member, _number, connection):
        assert connection.recv(65536)
        connection.sendall(frame(SETTINGS, 0, 0))
        while connection.recv(65536):
            pass

    with Http2Member(script=play) as member:
        server = start(route(member, "ping=1"))
        assert ask(port, "/").status == "503"
        assert until(lambda: "no answer to a PING came in time" in server.read("error.log"))
