"""HTTP/2 with clients: curl, nghttp and h2load as clients, and frames by hand as attackers."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from support import frames
from support.certificates import Authority
from support.frames import Frames, frame
from support.process import until
from support.server import MODULE_DIRECTORY, complete
from support.wire import Connection

MODULE = f"LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so\n"
TLS_MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("socache_shmcb", "ssl")
)


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


@pytest.fixture
def start(server, port, member):
    def begin(more=""):
        text = (MODULE + f"Listen 127.0.0.1:{port.port}\nProtocols h2c http/1.1\n"
                + f"ProxyPass / http://{member.address}/\n" + more)
        server.start(complete(text), [port.port])
        return server

    return begin


def curl(*words, data=None):
    form = '{"code":"%{http_code}","version":"%{http_version}","size":%{size_download}}'
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "30", "-o", os.devnull, "-w", form, *words],
        input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def logged(server):
    return server.read("access.log").splitlines()


def test_by_prior_knowledge_by_upgrade_and_not_at_all(start, port, member):
    server = start()
    url = f"http://127.0.0.1:{port.port}/a?size=3000"
    for how, version in (("--http2-prior-knowledge", "2"), ("--http2", "2"), ("--http1.1", "1.1")):
        assert curl(how, url) == {"code": "200", "version": version, "size": 3000}
    assert all(not each.header("Upgrade") and not each.header("HTTP2-Settings")
               for each in member.received)
    until(lambda: len(logged(server)) == 3)
    assert [re.search(r'"(GET [^"]*)"', line)[1] for line in logged(server)] == [
        "GET /a?size=3000 HTTP/2.0"] * 2 + ["GET /a?size=3000 HTTP/1.1"]


def test_without_the_module_or_the_word_only_http_1_is_spoken(server, port, member):
    text = f"Listen 127.0.0.1:{port.port}\nProtocols h2c http/1.1\n"
    server.start(complete(text + f"ProxyPass / http://{member.address}/\n"), [port.port])
    assert curl("--http2", f"http://127.0.0.1:{port.port}/")["version"] == "1.1"


def test_large_bodies_go_both_ways(start, port, member):
    start()
    body = os.urandom(3_000_000)
    for length in (["--data-binary", "@-"], ["-T", "-"]):
        got = curl("--http2-prior-knowledge", *length,
                   f"http://127.0.0.1:{port.port}/x?size=5000000", data=body)
        assert got == {"code": "200", "version": "2", "size": 5_000_000}
        assert member.received[-1].body == body
    assert [each.chunked for each in member.received] == [False, True]


def test_tls_clients_choose_by_alpn(server, port, member, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("lb.test")
    server.start(complete(MODULE + TLS_MODULES + f"""\
Listen 127.0.0.1:{port.port}
Protocols h2 http/1.1
<VirtualHost 127.0.0.1:{port.port}>
ServerName lb.test
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
ProxyPass / http://{member.address}/
</VirtualHost>
"""), [port.port])
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"),
                            (["http/1.1", "h2"], "h2"), (None, None)):
        context = ssl.create_default_context(cafile=str(authority.certificate))
        if offered:
            context.set_alpn_protocols(offered)
        with socket.create_connection(("127.0.0.1", port.port), 10) as plain:
            with context.wrap_socket(plain, server_hostname="lb.test") as secure:
                assert secure.selected_alpn_protocol() == chosen
    old = ssl.create_default_context(cafile=str(authority.certificate))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("ECDHE-ECDSA-AES128-SHA")  # H2ModernTLSOnly: no record is sealed by it
    old.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", port.port), 10) as plain:
        with old.wrap_socket(plain, server_hostname="lb.test") as secure:
            assert secure.selected_alpn_protocol() == "http/1.1"
    got = curl("--http2", "--cacert", str(authority.certificate), "--connect-to",
               f"lb.test:443:127.0.0.1:{port.port}", "https://lb.test/x?size=100000")
    assert got == {"code": "200", "version": "2", "size": 100_000}


def test_many_streams_at_once(start, port):
    start("H2MaxSessionStreams 200\n")
    done = subprocess.run(
        ["h2load", "-n", "2000", "-c", "2", "-m", "100", f"http://127.0.0.1:{port.port}/a?size=100"],
        capture_output=True, text=True, timeout=60, check=True)
    assert "2000 succeeded, 0 failed, 0 errored" in done.stdout


def test_more_streams_at_once_than_by_default(start, port, member):
    start("H2MaxSessionStreams 200\n")
    client = Frames(port.port)
    for stream in range(1, 401, 2):
        client.headers(stream, frames.request(path=b"/a?hold=go"))
    assert until(lambda: len(member.received) == 200)
    client.headers(401, frames.request(path=b"/a?hold=go"))
    refused_stream = 7
    assert client.end_of(401).code == refused_stream
    member.gates.release("go")
    ended = set()
    while len(ended) < 200:
        got = client.until(lambda each: each.stream and each.flags & frames.END_STREAM
                           and each.kind in (frames.HEADERS, frames.DATA))
        ended.add(got.stream)
    client.close()


def test_reloads_under_load_lose_nothing(start, port, server):
    start()
    load = subprocess.Popen(
        ["h2load", "-n", "20000", "-c", "4", "-m", "10", f"http://127.0.0.1:{port.port}/a?size=100"],
        stdout=subprocess.PIPE, text=True)
    reloads = 0
    while load.poll() is None and reloads < 20:
        server.signal(signal.SIGUSR1)
        reloads += 1
        until(lambda: server.read("error.log").count("resuming normal operations") > reloads
              or load.poll() is not None)
    output = load.communicate(timeout=60)[0]
    assert "20000 succeeded, 0 failed, 0 errored" in output
    assert reloads > 0


def test_a_graceful_stop_lets_streams_end(start, port, member, server):
    start()
    client = Frames(port.port)
    client.headers(1, frames.request(path=b"/a?hold=go"))
    until(lambda: member.received)
    server.signal(signal.SIGWINCH)
    assert client.until(lambda each: each.kind == frames.GOAWAY).code == frames.NO_ERROR
    ping = client.until(lambda each: each.kind == frames.PING)
    client.send(frame(frames.PING, frames.ACK, 0, ping.payload))
    member.gates.release("go")
    assert client.end_of(1).kind in (frames.DATA, frames.HEADERS)
    assert client.until(lambda each: False) is None
    assert server.ended(10)
    client.close()


# --- attackers: the connection or the stream ends, nothing reaches the member, others are served ---


def refused(client, stream=1):
    """The stream was reset, the connection closed, or the answer is an error of ours."""
    end = client.end_of(stream)
    return end is None or end.kind in (frames.RST_STREAM, frames.GOAWAY)


MALFORMED = {
    "a second request in the method": frames.request(
        b"GET /s HTTP/1.1\r\nHost: x\r\n\r\nGET"),
    "a blank in the method": frames.request(b"GET /admin? HTTP/1.1"),
    "no method": frames.request(b""),
    "no path": frames.request(path=b""),
    "a path without a slash": frames.request(path=b"hello"),
    "line ends in the path": frames.request(path=b"/a HTTP/1.1\r\nX: y"),
    "a line end in a value": frames.request(more=[(b"x", b"a\r\nb: c")]),
    "a NUL in a value": frames.request(more=[(b"x", b"a\0b")]),
    "a colon in a name": frames.request(more=[(b"transfer-encoding:chunked", b"x")]),
    "an upper-case name": frames.request(more=[(b"X-Up", b"x")]),
    "an empty name": frames.request(more=[(b"", b"x")]),
    "transfer-encoding": frames.request(more=[(b"transfer-encoding", b"chunked")]),
    "connection": frames.request(more=[(b"connection", b"close")]),
    "te other than trailers": frames.request(more=[(b"te", b"gzip")]),
    "upgrade": frames.request(more=[(b"upgrade", b"websocket")]),
    "an unknown pseudo field": frames.request(more=[(b":x", b"y")]),
    "a pseudo field behind others": frames.block(
        [(b":method", b"GET"), (b"x", b"y"), (b":path", b"/"), (b":scheme", b"http"),
         (b":authority", b"a")]),
    "two paths": frames.request(more=[(b":path", b"/b")]),
    "two lengths": frames.request(more=[(b"content-length", b"0"), (b"content-length", b"0")]),
    "a length without a body": frames.request(more=[(b"content-length", b"5")]),
    "a length that is none": frames.request(more=[(b"content-length", b"+0")]),
    "no host at all": frames.request(authority=None),
}


@pytest.fixture(scope="module")
def lasting(binary, farm, tmp_path_factory):
    """One balancer for all attacks: it outlives them."""
    from support.ports import HeldPort
    from support.server import Scratch, Server
    scratch, held, member = Scratch("steelyard-h2-"), HeldPort(), farm.member("M1")
    one = Server(binary, scratch.path)
    one.start(complete(MODULE + f"""\
Listen 127.0.0.1:{held.port}
Protocols h2c http/1.1
Timeout 3
ProxyPass / http://{member.address}/
"""), [held.port])
    yield one, held, member
    assert one.process.poll() is None
    one.stop()
    held.close()
    farm.retire([member])
    scratch.close()


@pytest.fixture
def target(lasting):
    server, held, member = lasting
    member.received.clear()
    yield held.port, member
    member.gates.reset()
    assert server.process.poll() is None
    plain = Connection("127.0.0.1", held.port)
    plain.send(b"GET /honest HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert plain.read_response().status == "200"
    plain.close()


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_requests_reach_nobody(target, what):
    port, member = target
    client = Frames(port)
    client.headers(1, MALFORMED[what])
    assert refused(client)
    client.close()
    assert member.received == []


def status_of(client, fields):
    client.headers(1, fields)
    head = client.until(lambda each: each.kind in (frames.HEADERS, frames.RST_STREAM))
    return None if head is None or head.kind == frames.RST_STREAM else head.payload


@pytest.mark.parametrize("fields", [
    frames.request(scheme=b"http://x/?"),
    frames.request(path=b"/a#b"),
    frames.request(authority=b"a@b"),
    frames.request(authority=b"a b"),
    frames.request(more=[(b"x%d" % i, b"y") for i in range(101)]),
    frames.request(more=[(b"x", b"y" * 9000)]),
    frames.request(path=b"/" + b"a" * 9000),
], ids=["scheme", "fragment", "user", "blank", "fields", "field", "line"])
def test_requests_that_are_answered_here(target, fields):
    port, member = target
    client = Frames(port)
    client.headers(1, fields)
    client.until(lambda each: each.stream == 1)
    client.close()
    assert member.received == []


def test_a_body_that_is_longer_or_shorter_than_it_said(target):
    port, member = target
    for body in (b"x" * 40, b"x"):
        client = Frames(port)
        client.headers(1, frames.request(b"POST", more=[(b"content-length", b"3")]), ends=False)
        client.send(frame(frames.DATA, frames.END_STREAM, 1, body))
        assert refused(client)
        client.close()
    assert all(not each.complete for each in member.received)


FRAMES_MAX, RESETS_MAX, CONTINUATIONS_MAX, ENTRIES_MAX = 1000, 200, 64, 32  # docs/http2.md
UNANSWERED_MAX = 100  # of those that have to be answered: PING and SETTINGS


def flood(port, piece, times, first):
    """Says it so often, then asks whether somebody is there; None: the connection was closed."""
    client = Frames(port)
    client.send(first)
    for _ in range(times // 10):
        if not client.send(piece * 10):
            break
    client.send(frame(frames.PING, payload=b"there???"))
    end = client.until(lambda each: each.kind == frames.GOAWAY or (
        each.kind == frames.PING and each.payload == b"there???"))
    client.close()
    return end


HELD = frame(frames.HEADERS, 5, 1, frames.request(path=b"/a?hold=never"))
OPEN = frame(frames.HEADERS, 4, 1, frames.request(b"POST", b"/a?hold=never"))


@pytest.mark.parametrize(("piece", "first", "passes"), [
    (frame(frames.PING, payload=b"12345678"), HELD, UNANSWERED_MAX),
    (frame(frames.SETTINGS), HELD, UNANSWERED_MAX),
    (frame(frames.SETTINGS, payload=b"\0\3\0\0\0\1"), HELD, UNANSWERED_MAX),
    (frame(frames.PING, payload=b"12345678") + frame(frames.SETTINGS), HELD, UNANSWERED_MAX // 2),
    (frame(frames.PRIORITY, stream=1, payload=b"\0\0\0\0\1"), HELD, FRAMES_MAX),
    (frame(frames.PRIORITY_UPDATE, payload=b"\0\0\0\1u=7"), HELD, FRAMES_MAX),
    (frame(0x42, stream=0, payload=b""), HELD, FRAMES_MAX),
    (frame(frames.DATA, stream=1), OPEN, FRAMES_MAX),
], ids=["ping", "settings", "settings-values", "ping-and-settings", "priority", "priority-update",
        "unknown", "empty-data"])
def test_floods_of_frames_that_move_nothing_end_at_their_limit(target, piece, first, passes):
    """Few pass, and twice as many as are allowed do not."""
    few = flood(target[0], piece, passes * 9 // 10, first)
    assert few is not None and few.kind == frames.PING
    many = flood(target[0], piece, 2 * FRAMES_MAX, first)
    assert many is None or many.code == frames.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("entries", [ENTRIES_MAX, ENTRIES_MAX + 1])
def test_a_frame_of_settings_holds_so_many(target, entries):
    end = flood(target[0], frame(frames.SETTINGS, payload=b"\0\4\0\0\xff\xff" * entries), 10, HELD)
    assert end.kind == (frames.PING if entries == ENTRIES_MAX else frames.GOAWAY)
    assert end.kind == frames.PING or end.code == frames.ENHANCE_YOUR_CALM


def test_windows_of_nobody_end_the_connection(target):
    end = flood(target[0], frame(frames.WINDOW_UPDATE, stream=99, payload=b"\0\0\0\1"), 10, HELD)
    assert end is None or end.code == frames.PROTOCOL_ERROR


@pytest.mark.parametrize("piece", [b"", frames.block([(b"x", b"y" * 50)])], ids=["empty", "fields"])
def test_continuations_end_at_their_limit(target, piece):
    port, member = target
    for times, passes in ((CONTINUATIONS_MAX - 1, True), (2 * CONTINUATIONS_MAX, False)):
        client = Frames(port)
        client.send(frame(frames.HEADERS, frames.END_STREAM, 1, frames.request()))
        for _ in range(times):
            client.send(frame(frames.CONTINUATION, 0, 1, piece))
        # No word ends the head of those who go too far: the limit does.
        if passes:
            client.send(frame(frames.CONTINUATION, frames.END_HEADERS, 1))
        end = client.until(lambda each: each.kind == frames.GOAWAY or each.stream == 1)
        assert passes == (end is not None and end.kind == frames.HEADERS)
        assert passes or end is None or end.code != frames.NO_ERROR
        client.close()
    assert len(member.received) == 1


def resets(port, count):
    """Streams that are reset at once; the last frame of interest, and how many were sent."""
    client, sent = Frames(port), 0
    for stream in range(1, 2 * count, 2):
        burst = frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream,
                      frames.request(path=b"/reset?hold=never"))
        if not client.send(burst + frame(frames.RST_STREAM, 0, stream, b"\0\0\0\x08")):
            break
        sent += 1
    client.send(frame(frames.PING, payload=b"there???"))
    end = client.until(lambda each: each.kind == frames.GOAWAY or (
        each.kind == frames.PING and each.payload == b"there???"))
    client.close()
    return end


def test_rapid_resets_end_at_their_limit(target):
    port, member = target
    few = resets(port, RESETS_MAX - 20)
    assert few is not None and few.kind == frames.PING
    member.received.clear()
    many = resets(port, 2 * RESETS_MAX)
    assert many is None or many.code == frames.ENHANCE_YOUR_CALM
    assert len(member.received) < 2 * RESETS_MAX


def test_a_server_made_to_reset_holds_off(target):
    """MadeYouReset: mistakes on open streams count like resets."""
    port, _ = target
    client = Frames(port)
    for stream in range(1, 2001, 2):
        client.headers(stream, frames.request(path=b"/mine?hold=never"))
        if not client.send(frame(frames.WINDOW_UPDATE, 0, stream, b"\0\0\0\0")):
            break
    end = client.until(lambda each: each.kind == frames.GOAWAY)
    assert end is None or end.code != frames.NO_ERROR
    client.close()


def test_a_bomb_of_one_indexed_field(target):
    port, member = target
    client = Frames(port)
    # Literal with incremental indexing, then that entry again and again (CVE-2016-1544).
    bomb = b"\x40" + frames.text(b"x") + frames.text(b"y" * 3900) + b"\xbe" * 8000
    client.headers(1, frames.request() + bomb)
    assert refused(client)
    client.close()
    assert member.received == []


def test_a_reader_that_stops_loses_its_stream(target):
    port, _ = target
    client = Frames(port, settings=b"\0\4\0\0\0\0")  # no window at all
    client.headers(1, frames.request(path=b"/slow?size=30000"))
    began = time.monotonic()
    assert client.until(lambda each: each.kind == frames.RST_STREAM, 15) is not None
    assert time.monotonic() - began > 2
    client.close()


def test_frames_of_wrong_size_and_place(target):
    port, _ = target
    for bad in (frame(frames.DATA, 0, 0, b"x"), frame(frames.HEADERS, 4, 2, frames.request()),
                frame(frames.PING, payload=b"1"), frame(frames.SETTINGS, payload=b"1"),
                frame(frames.HEADERS, 0x24, 1, b"\0\0"), frame(frames.DATA, 0, 1, b"x" * 16385),
                frame(frames.WINDOW_UPDATE, payload=b"\0\0\0\0"), frame(frames.CONTINUATION, 4, 1),
                frame(frames.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff")):
        client = Frames(port)
        client.send(bad)
        end = client.until(lambda each: each.kind == frames.GOAWAY)
        assert end is None or end.code != frames.NO_ERROR
        client.close()


def test_resets_at_every_point_of_a_request(target):
    port, member = target
    body = frame(frames.DATA, 0, 1, b"x" * 100)
    whole = (frame(frames.HEADERS, frames.END_HEADERS, 1, frames.request(b"POST", b"/p?size=50000"))
             + body + body)
    for cut in range(1, len(whole), 7):
        client = Frames(port)
        client.send(whole[:cut])
        client.close()
    until(lambda: member.open_connections <= 10)  # the pool's


def test_a_mistake_ends_the_connection_whatever_is_under_way(target):
    """DATA on no stream, while an answer is awaited that never comes: nobody is served on for."""
    port, _ = target
    client = Frames(port)
    client.headers(1, frames.request(path=b"/a?hold=never"))
    client.send(frame(frames.DATA, stream=0, payload=b"x"))
    assert client.until(lambda each: each.kind == frames.GOAWAY).code == frames.PROTOCOL_ERROR
    assert client.until(lambda each: False) is None  # and then the end
    client.close()
