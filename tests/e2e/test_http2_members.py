"""HTTP/2 to members: shared connections, windows, refusals, ends, and members that lie."""

import json
import os
import re
import signal
import threading

import pytest
from support.certificates import Authority
from support.http2_member import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    STATUS_200, Http2Member, frame, literal, read_until_request,
)
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete
from support.wire import Connection

MODULES = (f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
           f"LoadModule proxy_http2_module {MODULE_DIRECTORY}/mod_proxy_http2.so\n"
           "SteelyardShards 1\n")
NO_ERROR = 0


@pytest.fixture
def start(server, port):
    def begin(text):
        server.start(complete(MODULES + f"Listen {port.port}\n" + text), [port.port])
        return server

    return begin


def ask(port, target="/", method="GET", body=b"", fields="", host="Host: lb.test\r\n"):
    connection = Connection("127.0.0.1", port.port)
    length = f"Content-Length: {len(body)}\r\n" if body or method == "POST" else ""
    connection.send(f"{method} {target} HTTP/1.1\r\n{host}{fields}{length}\r\n".encode() + body)
    response = connection.read_response(method)
    connection.close()
    return response


def is_cut(response):
    return response.ended.startswith("cut short")


class Asking(threading.Thread):
    """A request under way."""

    def __init__(self, port, *what, **more):
        super().__init__(daemon=True)
        self.ask = lambda: ask(port, *what, **more)
        self.response = None
        self.start()

    def run(self):
        self.response = self.ask()

    def result(self):
        self.join(20)
        assert self.response is not None
        return self.response


def route(member, parameters="", scheme="h2c", host="127.0.0.1"):
    return f"ProxyPass / {scheme}://{host}:{member.port}/ {parameters}\n"


def test_a_member_is_told_what_http2_has_words_for(start, port):
    with Http2Member() as member:
        start(route(member))
        response = ask(port, "/a%20b?c=d", fields="Connection: X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\n"
                       "X-Forwarded-For: 10.0.0.1\r\nCookie: a=1\r\nKeep-Alive: 5\r\n")
        told = json.loads(response.body)
        assert told[":method"] == "GET" and told[":scheme"] == "http"
        assert told[":path"] == "/a%20b?c=d" and told[":authority"] == f"127.0.0.1:{member.port}"
        assert told["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
        assert told["x-forwarded-host"] == "lb.test" and told["cookie"] == "a=1"
        assert told["te"] == "trailers"
        assert not {"host", "connection", "x-hop", "keep-alive", "transfer-encoding"} & set(told)
        assert response.header("alt-svc") is None
        assert response.header("content-length") == b"%d" % len(response.body)


def test_requests_share_a_connection_at_the_same_time(start, port):
    with Http2Member() as member:
        start(route(member))
        assert ask(port, "/first").status == "200"
        asking = [Asking(port, f"/hold/{n}") for n in range(20)]
        for n in reversed(range(20)):
            member.let_go(str(n))
        assert [one.result().body for one in asking] == [b"held %d" % n for n in range(20)]
        assert member.connections == 1 and member.streams_most >= 10


def test_no_more_of_them_than_the_member_allows(start, port):
    with Http2Member(streams_max=1) as member:
        start(route(member))
        asking = []
        for n in range(3):  # one by one, so that it is known how many connections that takes
            asking.append(Asking(port, f"/hold/{n}"))
            member.wait_for(lambda count=n + 1: len(member.requests) == count)
        for n in range(3):
            member.let_go(str(n))
        assert {one.result().status for one in asking} == {"200"}
        assert member.connections == 3
        assert ask(port, "/after").status == "200"
        assert member.connections == 3


def test_with_max_1_and_disablereuse_too(start, port):
    with Http2Member() as member:
        start(route(member, "disablereuse=On max=1"))
        asking = [Asking(port, f"/{n}") for n in range(5)]
        assert {one.result().status for one in asking} == {"200"}
        assert member.connections == 5


def test_max_limits_connections_and_not_requests(start, port):
    with Http2Member() as member:
        start(route(member, "max=1"))
        asking = [Asking(port, f"/hold/{n}") for n in range(10)]
        member.wait_for(lambda: member.streams_now == 10)
        for n in range(10):
            member.let_go(str(n))
        assert {one.result().status for one in asking} == {"200"}
        assert member.connections == 1


@pytest.mark.parametrize("acquire, third_status", [(200, "503"), (20_000, "200")])
def test_beyond_max_and_what_the_member_allows_requests_wait_for_a_connection(
        start, port, acquire, third_status):
    with Http2Member(streams_max=2) as member:
        start(route(member, f"max=1 acquire={acquire}"))
        assert ask(port, "/first").status == "200"  # its settings are known now
        held = [Asking(port, f"/hold/{n}") for n in range(2)]
        member.wait_for(lambda: member.streams_now == 2)
        third = Asking(port, "/third")
        if third_status == "503":
            assert third.result().status == "503"
        member.let_go("0")
        member.let_go("1")
        assert third.result().status == third_status
        assert {one.result().status for one in held} == {"200"}
        assert ask(port, "/after").status == "200"
        assert member.streams_most == 2


def test_the_gauges_tell_of_connections_not_of_requests(start, port):
    def gauges():
        text = ask(port, "/metrics").body.decode()
        return [int(re.search(rf"^steelyard_member_connections_{kind}{{[^}}]*}} (\d+)", text, re.M)[1])
                for kind in ("open", "idle")]

    with Http2Member() as member:
        start("<Location /metrics>\nSetHandler steelyard-metrics\n</Location>\n"
              "ProxyPass /metrics !\n" + route(member))
        asking = [Asking(port, f"/hold/{n}") for n in range(3)]
        member.wait_for(lambda: member.streams_now == 3)
        assert gauges() == [1, 0]
        for n in range(2):
            member.let_go(str(n))
            asking[n].result()
        assert gauges() == [1, 0]
        member.let_go("2")
        asking[2].result()
        assert until(lambda: gauges() == [1, 1])


def test_a_head_of_more_than_64_kilobytes_reaches_the_member(start, port):
    with Http2Member() as member:
        start("LimitRequestFieldSize 20000\n" + route(member))
        fields = {f"x-{n}": str(n) * 15_000 for n in range(8)}
        response = ask(port, "/a", fields="".join(f"{k}: {v}\r\n" for k, v in fields.items()))
        assert response.status == "200"
        told = json.loads(response.body)
        assert {name: told[name] for name in fields} == fields


def test_bodies_arrive_whole_both_ways(start, port):
    with Http2Member() as member:
        start(route(member))
        body = os.urandom(1_500_000)
        assert ask(port, "/echo", method="POST", body=body).body == body
        assert member.requests[-1].fields["content-length"] == str(len(body))
        assert len(ask(port, "/size/5000000").body) == 5_000_000
        chunks = b"".join(b"%x\r\n" % 50_000 + b"c" * 50_000 + b"\r\n" for _ in range(8))
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"POST /echo HTTP/1.1\r\nHost: lb.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + chunks + b"0\r\nX-After: yes\r\n\r\n")
        assert connection.read_response("POST").body == b"c" * 400_000
        connection.close()
        assert "content-length" not in member.requests[-1].fields
        assert member.requests[-1].trailers == {"x-after": "yes"}
        assert ask(port, "/size/0").body == b""
        assert ask(port, "/x", method="HEAD").status == "200"


def test_who_reads_slowly_holds_back_nobody_else(start, port):
    with Http2Member() as member:
        start(route(member))
        slow = [Connection("127.0.0.1", port.port, receive_bytes=4096) for _ in range(10)]
        for one in slow:
            one.send(b"GET /size/8000000 HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        member.wait_for(lambda: len(member.requests) == 10)
        for n in range(20):
            assert len(ask(port, f"/size/{200_000 + n}").body) == 200_000 + n
        assert member.connections == 1
        assert len(slow[0].read_response("GET", timeout_s=20).body) == 8_000_000
        for one in slow:
            one.close()
        # Those that left are cancelled; the connection goes on.
        assert until(lambda: member.streams_now == 0)
        assert ask(port, "/after").status == "200" and member.connections == 1


def test_interim_answers_and_trailers_pass(start, port):
    with Http2Member() as member:
        start(route(member))
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET /hints HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        response = connection.read_response("GET")
        assert response.body == b"after hints"
        assert b"103" in response.interim[0] and b"link: </a.css>" in response.interim[0]
        connection.close()
        assert ask(port, "/trailers").body == b"yyyyy"


def test_a_request_that_nobody_looked_at_is_sent_again(start, port):
    """RFC 9113 8.7: REFUSED_STREAM tells so, of a POST as well; and it runs once."""
    with Http2Member() as member:
        start(route(member))
        assert ask(port, "/refuse/1", method="POST", body=b"order").status == "200"
        assert [(one.fields[":path"], one.body) for one in member.requests] == [
            ("/refuse/1", b"order")]
        # Not for ever.
        assert ask(port, "/refuse/100", method="POST", body=b"order").status == "502"


def test_a_broken_stream_breaks_its_own_answer_only(start, port):
    with Http2Member() as member:
        start(route(member))
        held = Asking(port, "/hold/other")
        member.wait_for(lambda: len(member.requests) == 1)
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET /reset HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        response = connection.read_response("GET")
        assert is_cut(response)
        connection.close()
        member.let_go("other")
        assert held.result().body == b"held other"
        assert member.connections == 1


def test_after_goaway_others_go_elsewhere(start, port):
    with Http2Member() as member:
        start(route(member))
        assert ask(port, "/goaway").body == b"last one"
        for n in range(5):
            assert ask(port, f"/{n}", method="POST", body=b"b").status == "200"
        assert member.connections == 2


def test_an_early_answer_ends_the_upload(start, port):
    with Http2Member() as member:
        start(route(member))
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"POST /early HTTP/1.1\r\nHost: lb.test\r\nContent-Length: 9000000\r\n\r\n"
                        + b"u" * 10_000)
        assert connection.read_response("POST").body == b"early"
        # What is left of the body would be sent for nothing (RFC 9113 8.1).
        assert until(lambda: member.resets == [NO_ERROR])
        connection.close()
        assert ask(port, "/next").status == "200" and member.connections == 1


def test_ping_asks_for_a_sign_of_life(start, port):
    with Http2Member() as member:
        start(route(member, "ping=5"))
        assert ask(port, "/a").status == "200"
        assert ask(port, "/b").status == "200"
        assert member.pings == 2


def test_over_tls_by_alpn(start, port, tmp_path):
    authority = Authority(tmp_path)
    certificate = authority.issue("localhost", "127.0.0.1")
    with Http2Member(certificate) as member, Http2Member(certificate, protocols=()) as older:
        server = start("SSLProxyEngine On\n"
                       f"SSLProxyCACertificateFile {authority.certificate}\nSSLProxyVerify require\n"
                       f"ProxyPass /old h2://localhost:{older.port}/\n"
                       + route(member, scheme="h2", host="localhost"))
        for n in range(3):
            told = json.loads(ask(port, f"/{n}").body)
            assert told[":scheme"] == "https" and told[":authority"] == f"localhost:{member.port}"
        assert member.connections == 1
        assert ask(port, "/old").status == "503"
        assert until(lambda: "does not speak HTTP/2" in server.read("error.log"))


@pytest.mark.parametrize("path", ["/b/", "/"])
def test_without_leave_to_speak_tls_nobody_gets_a_lane_of_another_host(start, port, tmp_path, path):
    """SSLProxyEngine is off there: that is an error, though there is a connection with room."""
    authority = Authority(tmp_path)
    with Http2Member(authority.issue("localhost", "127.0.0.1")) as member:
        place = f"h2://localhost:{member.port}"
        server = start(f"<Proxy balancer://b>\nBalancerMember {place}\n</Proxy>\n" + "".join(
            f"<VirtualHost *:{port.port}>\nServerName {host}\n{engine}\n"
            f"ProxyPass /b/ balancer://b/\nProxyPass / {place}/\n</VirtualHost>\n"
            for host, engine in (("may.test", "SSLProxyEngine On"), ("not.test", ""))))
        held = Asking(port, f"{path}hold/a", fields="Host: may.test\r\n", host="")
        member.wait_for(lambda: len(member.requests) == 1)
        for method in ("GET", "POST"):
            assert ask(port, f"{path}x", method, fields="Host: not.test\r\n", host="").status == "500"
        assert until(lambda: server.read("error.log").count("see SSLProxyEngine") >= 2)
        assert ask(port, f"{path}y", fields="Host: may.test\r\n", host="").status == "200"
        member.let_go("a")
        assert held.result().status == "200"
        assert member.connections == 1 and len(member.requests) == 2


def test_a_reload_lets_what_is_under_way_finish(start, port):
    with Http2Member() as member:
        server = start(route(member))
        held = Asking(port, "/hold/long")
        member.wait_for(lambda: len(member.requests) == 1)
        server.write(complete(MODULES + f"Listen {port.port}\nProxyPass /new http://127.0.0.1:1/\n"))
        server.signal(signal.SIGUSR1)
        assert until(lambda: ask(port, "/gone").status == "404")
        member.let_go("long")
        assert held.result().body == b"held long"


# What a hostile one says once it heard a request; the status or "cut", and what is sent. As in httpd
# it is 503 where the connection ended before it brought an answer.
HEAD = frame(HEADERS, END_HEADERS, 1, STATUS_200)
LIES = {
    "no status": ("502", [frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(b"a", b"b"))]),
    "two statuses": ("502", [frame(HEADERS, END_HEADERS, 1, STATUS_200 + STATUS_200)]),
    "upper case": ("502", [frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"A", b"b"))]),
    "line end in a value": (
        "502", [frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"a", b"b\r\nx: y"))]),
    "about the connection": (
        "502", [frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"connection", b"close"))]),
    "chunked": (
        "502",
        [frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"transfer-encoding", b"chunked"))]),
    "interim that ends": (
        "502", [frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(b":status", b"103"))]),
    "switching protocols": (
        "502", [frame(HEADERS, END_HEADERS, 1, literal(b":status", b"101"))]),
    "interim without end": (
        "502", [frame(HEADERS, END_HEADERS, 1, literal(b":status", b"103"))] * 40),
    "body before head": ("503", [frame(DATA, 0, 1, b"body")]),
    "longer than it says": (
        "cut", [frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"content-length", b"3")),
                frame(DATA, END_STREAM, 1, b"four")]),
    "shorter than it says": (
        "cut", [frame(HEADERS, END_HEADERS, 1, STATUS_200 + literal(b"content-length", b"30")),
                frame(DATA, END_STREAM, 1, b"four")]),
    "stops in the middle": ("cut", [HEAD, frame(DATA, 0, 1, b"half"), None]),
    "reset in the middle": ("cut", [HEAD, frame(DATA, 0, 1, b"half"),
                                    frame(RST_STREAM, 0, 1, b"\0\0\0\0")]),
    "more than its window": ("cut", [HEAD] + [frame(DATA, 0, 1, b"w" * 16384)] * 40),
    "a stream of its own": ("503", [frame(HEADERS, END_HEADERS, 2, STATUS_200), None]),
    "another's stream": ("503", [frame(HEADERS, END_HEADERS, 7, STATUS_200), None]),
    "endless head": ("502", [frame(HEADERS, 0, 1, STATUS_200)]
                     + [frame(CONTINUATION, 0, 1, literal(b"a", b"b" * 100) * 150)] * 400 + [None]),
    "empty continuations": ("502", [frame(HEADERS, 0, 1, STATUS_200)]
                            + [frame(CONTINUATION, 0, 1)] * 5000 + [None]),
    "no compression state": ("503", [frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff")]),
    "frame too large": ("503", [frame(DATA, 0, 1, b"x" * 20000)]),
    "not http2": ("503", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", None]),
    "settings without end": ("503", [frame(SETTINGS, 0, 0)] * 20000 + [None]),
    "pings without end": ("503", [frame(PING, 0, 0, b"12345678")] * 20000 + [None]),
    "goaway": ("502", [frame(GOAWAY, 0, 0, bytes(8)), None]),
    "says nothing": ("503", [None]),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lying_member_fools_nobody(start, port, lie):
    """And costs the request that asked it, no other, and not the process."""
    expected, words = lie

    def play(_member, _number, connection):
        assert read_until_request(connection) == 1
        for word in words:
            if word is None:
                return
            connection.sendall(word)
        while connection.recv(65536):
            pass

    with Http2Member(script=play) as liar, Http2Member() as honest:
        start(f"ProxyPass /liar h2c://127.0.0.1:{liar.port}/ timeout=5\n" + route(honest))
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET /liar HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        response = connection.read_response("GET", timeout_s=20)
        connection.close()
        if expected == "cut":  # or known to be broken before its head was passed on
            assert response.status == "502" or (response.status == "200" and is_cut(response))
        else:
            assert response.status == expected
        assert ask(port, "/fine").status == "200"


def test_a_refusal_beyond_the_last_stream_and_the_end_at_once(start, port):
    """GOAWAY and the end of the connection in one piece: the POST was not looked at."""
    def play(_member, number, connection):
        stream = read_until_request(connection)
        if number == 1:
            connection.sendall(frame(GOAWAY, 0, 0, bytes(8)))
            return
        connection.sendall(frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200))
        while connection.recv(65536):
            pass

    with Http2Member(script=play) as member:
        start(route(member))
        assert ask(port, "/order", method="POST", body=b"one").status == "200"
        assert member.connections == 2


def test_a_head_is_not_waited_for_longer_than_it_takes(start, port):
    """An answer without a body whose stream stays open: the client's next request is served."""
    def play(_member, _number, connection):
        stream = read_until_request(connection)
        connection.sendall(frame(HEADERS, END_HEADERS, stream, STATUS_200))
        while connection.recv(65536):
            pass

    with Http2Member(script=play) as member, Http2Member() as other:
        start(f"ProxyPass /head h2c://127.0.0.1:{member.port}/\n" + route(other))
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"HEAD /head HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        assert connection.read_response("HEAD").status == "200"
        connection.send(b"GET /next HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        assert connection.read_response("GET").status == "200"
        connection.close()


def test_a_target_that_nothing_names_may_refuse_too(start, port):
    with Http2Member() as member:
        start(f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\nRewriteEngine On\n"
              f"RewriteRule ^/(.*) h2c://127.0.0.1:{member.port}/$1 [P]\n")
        assert ask(port, "/refuse/1", method="POST", body=b"b").status == "200"
        assert ask(port, "/refuse/100").status == "502"
        assert ask(port, "/fine").status == "200"


@pytest.mark.parametrize("program", ["steelyard", "apache2"])
@pytest.mark.parametrize("preserves, place", [("Off", "lb.test"), ("On", "member.test")])
def test_what_is_mapped_of_a_member_that_knows_the_clients_host(binary, scratch, port, program,
                                                                preserves, place):
    """An HTTP/1 member's Location is mapped in either case."""
    one = Server(binary if program == "steelyard" else APACHE, scratch)
    modules = MODULES.replace("SteelyardShards 1\n", "")
    with Http2Member() as member:
        one.start(complete(modules + f"Listen {port.port}\nProxyPreserveHost {preserves}\n" + route(member)
                           + "ProxyPassReverse / http://member.test/\n"
                           "ProxyPassReverseCookieDomain member.test lb.test\n"), [port.port])
        try:
            response = ask(port, "/moved")
            assert response.header("Location") == f"http://{place}/x".encode()
            assert response.header("Set-Cookie").lower() == f"a=1; domain={place}".encode()
        finally:
            one.stop()
