"""WebSockets over HTTP/2 (RFC 8441): Chromium and a real WebSocket server, and frames by hand."""

import signal
import struct
import time

import hpack
import pytest
from browser import Browser
from support import frames
from support.certificates import Authority
from support.frames import Frames, frame
from support.memory import bytes_each
from support.ports import HeldPort
from support.process import until
from support.server import MODULE_DIRECTORY, Scratch, Server, complete
from support.websocket_member import WebsocketMember
from support.wire import Connection

MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("http2", "socache_shmcb", "ssl"))
CANCEL = 8

# What a page does with a WebSocket, told in lines as it happens.
OPEN = """
window.told = [];
window.one = new WebSocket(`wss://${location.host}/ws`, ["chat"]);
one.onmessage = event => told.push(event.data);
one.onclose = event => told.push(`closed ${event.code}`);
return new Promise(done => {
  one.onopen = () => done(`open ${one.protocol}`);
  one.onerror = () => done("failed");
});
"""
SAY = """
const before = told.length;
one.send(%r);
return new Promise(done => {
  const look = () => told.length > before ? done(told.at(-1)) : requestAnimationFrame(look);
  look();
});
"""


@pytest.fixture(scope="module")
def browser():
    one = Browser(trusts_everybody=True)
    yield one
    one.close()


@pytest.fixture
def members():
    with WebsocketMember("M1", "r1") as first, WebsocketMember("M2", "r2") as second:
        yield first, second


@pytest.fixture
def start(server, port, members, tmp_path):
    certificate, key = Authority(tmp_path).issue("127.0.0.1")
    lines = "".join(f"BalancerMember {scheme}://{each.address} route={each.route} {more}\n"
                    for each, scheme, more in zip(members, ("http", "ws"), ("upgrade=websocket", "")))

    def begin(more=""):
        text = MODULES + f"""\
Listen 127.0.0.1:{port.port}
Protocols h2 http/1.1
H2WebSockets On
LogLevel info
<VirtualHost 127.0.0.1:{port.port}>
ServerName lb.test
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
<Proxy balancer://app>
{lines}ProxySet stickysession=session
</Proxy>
ProxyPass / balancer://app/
</VirtualHost>
"""
        server.start(complete(more + text), [port.port])
        return f"https://127.0.0.1:{port.port}/"

    return begin


def requests_of(server):
    return [line.split('"')[1] for line in server.read("access.log").splitlines()]


def test_a_browser_talks_through_a_stream_to_the_member_of_its_session(start, browser, members, server):
    url = start()
    for member in members:
        browser.open(url)
        browser.run(f"document.cookie = 'session=x.{member.route}; path=/'")
        assert browser.run(OPEN) == "open chat"
        assert browser.run(SAY % "hello") == "hello"
        assert browser.run("return told") == [member.name, "hello"]
        assert browser.run(f"const text = 'y'.repeat(3000000); told.length = 0; one.send(text);"
                           "return new Promise(done => {const look = () => told.length ? "
                           "done(told[0] === text) : setTimeout(look, 5); look();})")
        browser.run("one.close()")
        assert until(lambda: member.closed == 1)
        (head,) = member.opened
        assert head["upgrade"] == "websocket" and head["sec-websocket-key"]
    # Ends are logged: each went over HTTP/2, not over a connection of its own.
    assert until(lambda: requests_of(server).count("GET /ws HTTP/2.0") == 2)


def test_a_reload_disturbs_nobody(start, browser, members, server):
    browser.open(start())
    assert browser.run(OPEN) == "open chat"
    for turn in range(1, 3):
        server.signal(signal.SIGUSR1)
        assert until(lambda: server.read("error.log").count("resuming normal operations") == turn + 1)
        assert browser.run(SAY % f"turn {turn}") == f"turn {turn}"
    assert sum(len(each.opened) for each in members) == 1
    browser.run("one.close()")
    assert until(lambda: "GET /ws HTTP/2.0" in requests_of(server))


def test_one_that_is_idle_is_closed_and_others_are_not(start, browser, server):
    browser.open(start("Timeout 2\nProxyTimeout 2\n"))
    assert browser.run(OPEN) == "open chat"
    assert browser.run("return new Promise(done => {one.onclose = event => done(event.code)})") == 1006
    assert until(lambda: "GET /ws HTTP/2.0" in requests_of(server))


def test_a_member_that_goes_away_closes_its_own(start, browser, members):
    browser.open(start())
    assert browser.run(OPEN) == "open chat"
    for member in members:
        member.hang_up()
    assert until(lambda: browser.run("return told").count("closed 1001") == 1)


# --- by hand -------------------------------------------------------------------------------------


def opening(path=b"/ws", protocol=b"websocket", method=b"CONNECT", scheme=b"http",
            authority=b"lb.test", more=()):
    fields = [(b":method", method), (b":protocol", protocol), (b":scheme", scheme),
              (b":path", path), (b":authority", authority)]
    return frames.block([each for each in fields if each[1] is not None]
                        + [(b"sec-websocket-version", b"13"), *more])


@pytest.fixture(scope="module")
def lasting(binary):
    """One balancer in the clear for all that goes wrong: it outlives it."""
    scratch, held, other = Scratch("steelyard-h2-"), HeldPort(), HeldPort()
    with WebsocketMember("M1") as member:
        one = Server(binary, scratch.path)
        one.start(complete(MODULES + f"""\
Listen 127.0.0.1:{held.port}
Listen 127.0.0.1:{other.port}
Protocols h2c http/1.1
Timeout 3
ProxyPass /plain http://{member.address}/
ProxyPass / ws://{member.address}/
<VirtualHost 127.0.0.1:{held.port}>
ServerName lb.test
H2WebSockets On
<Location /metrics>
SetHandler steelyard-metrics
</Location>
ProxyPass /metrics !
ProxyPass /plain http://{member.address}/
ProxyPass / ws://{member.address}/
</VirtualHost>
"""), [held.port, other.port])
        yield one, held.port, other.port, member
        assert one.process.poll() is None
        one.stop()
    held.close()
    other.close()
    scratch.close()


@pytest.fixture
def target(lasting):
    server, port, _, member = lasting
    before = len(member.opened)
    yield port, member
    assert server.process.poll() is None
    plain = Connection("127.0.0.1", port)
    plain.send(b"GET /plain HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert plain.read_response().status == "200"
    plain.close()
    assert until(lambda: member.closed == len(member.opened)), before


def status_of(head):
    """Of the first head on a connection."""
    return dict(hpack.Decoder().decode(head.payload))[":status"]


def masked(text):
    """A WebSocket's text frame, masked with nothing."""
    length = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + struct.pack(">H", len(text))
    return b"\x81" + length + b"\0\0\0\0" + text


def until_text(client, stream, text):
    got = b""
    while text not in got:
        piece = client.until(lambda each: each.stream == stream and each.kind == frames.DATA)
        assert piece is not None
        got += piece.payload
    return got


def test_settings_say_where_it_is_offered(lasting):
    _, with_it, without, member = lasting
    for port, offers in ((with_it, True), (without, False)):
        client = Frames(port)
        settings = client.until(lambda each: each.kind == frames.SETTINGS and not each.flags)
        pairs = dict(struct.iter_unpack(">HI", settings.payload))
        assert pairs.get(8) == (1 if offers else None)
        before = len(member.opened)
        client.headers(1, opening(), ends=False)
        got = client.until(lambda each: each.stream == 1)
        assert (got.kind == frames.HEADERS) == offers
        assert offers or (got.kind, got.code) == (frames.RST_STREAM, frames.PROTOCOL_ERROR)
        # It notes a request once it has answered it.
        assert until(lambda wanted=before + offers: len(member.opened) == wanted)
        client.close()


def test_a_tunnel_by_hand_ends_on_both_sides(target):
    port, member = target
    client = Frames(port)
    client.headers(1, opening(), ends=False)
    assert status_of(client.until(lambda each: each.kind == frames.HEADERS)) == "200"
    until_text(client, 1, b"M1")
    client.send(frame(frames.DATA, 0, 1, masked(b"hello")))
    until_text(client, 1, b"hello")
    client.send(frame(frames.DATA, frames.END_STREAM, 1, b"\x88\x80\0\0\0\0"))  # a close frame
    assert client.end_of(1).kind == frames.DATA
    client.close()


MISTAKES = {
    "no scheme": opening(scheme=None),
    "no path": opening(path=None),
    "an empty path": opening(path=b""),
    "no authority": opening(authority=None),
    "no protocol in a name": opening(protocol=b""),
    "another method": opening(method=b"GET"),
    "two protocols": frames.block([(b":protocol", b"websocket")]) + opening(),
    "an upgrade as well": opening(more=[(b"upgrade", b"websocket")]),
    "a connection": opening(more=[(b"connection", b"upgrade")]),
    "a protocol behind fields": frames.block([
        (b":method", b"CONNECT"), (b":scheme", b"http"), (b":path", b"/ws"),
        (b":authority", b"a"), (b"x", b"y"), (b":protocol", b"websocket")]),
    "a plain CONNECT with a path": opening(protocol=None),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_break_the_stream_and_reach_nobody(target, what):
    port, member = target
    before = len(member.opened)
    client = Frames(port)
    client.headers(1, MISTAKES[what], ends=False)
    end = client.end_of(1)
    assert (end.kind, end.code) == (frames.RST_STREAM, frames.PROTOCOL_ERROR)
    client.close()
    assert len(member.opened) == before


REFUSED = {
    "another protocol": (opening(protocol=b"connect-udp"), "501"),
    "the name in other letters": (opening(protocol=b"WebSocket"), "501"),
    "a length": (opening(more=[(b"content-length", b"5")]), "400"),
    "another scheme": (opening(scheme=b"ftp"), "400"),
    "a bad host": (opening(authority=b"a@b"), "400"),
    "a member that takes none": (opening(path=b"/plain"), "502"),
    "a page of the balancer": (opening(path=b"/metrics"), "502"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_answered(target, what):
    port, member = target
    fields, status = REFUSED[what]
    before = len(member.opened)
    client = Frames(port)
    client.headers(1, fields, ends=False)
    assert status_of(client.until(lambda each: each.stream == 1)) == status
    assert client.until(lambda each: each.kind == frames.RST_STREAM).code == frames.NO_ERROR
    client.close()
    assert len(member.opened) == before


def test_a_reset_ends_the_members_connection(target):
    port, member = target
    client = Frames(port)
    client.headers(1, opening(), ends=False)
    until_text(client, 1, b"M1")
    closed = member.closed
    client.send(frame(frames.RST_STREAM, 0, 1, struct.pack(">I", CANCEL)))
    assert until(lambda: member.closed == closed + 1)
    client.headers(3, opening(), ends=False)  # the connection goes on
    until_text(client, 3, b"M1")
    client.close()


def test_opening_and_resetting_without_end_is_held_off(target):
    port, _ = target
    client = Frames(port)
    for stream in range(1, 1601, 2):
        client.headers(stream, opening(), ends=False)
        if not client.send(frame(frames.RST_STREAM, 0, stream, struct.pack(">I", CANCEL))):
            break
    end = client.until(lambda each: each.kind == frames.GOAWAY)
    assert end is None or end.code == frames.ENHANCE_YOUR_CALM
    client.close()


def test_no_more_than_streams_at_a_time(target):
    port, member = target
    client = Frames(port)
    for stream in range(1, 203, 2):
        client.headers(stream, opening(), ends=False)
    end = client.until(lambda each: each.kind == frames.RST_STREAM)
    assert (end.stream, end.code) == (201, 7)  # REFUSED_STREAM
    client.close()


def test_who_reads_nothing_loses_the_tunnel_not_the_server(target):
    port, _ = target
    client = Frames(port, settings=b"\0\4\0\0\0\0")  # no window at all
    client.headers(1, opening(), ends=False)
    began = time.monotonic()
    end = client.until(lambda each: each.kind == frames.RST_STREAM, 15)
    assert end is not None and time.monotonic() - began > 2
    client.close()


def tunnels_of_http2(port, count):
    """Each has said and heard 10,000 bytes; what keeps them open."""
    words = masked(b"w" * 10_000)
    clients = []
    for begin in range(0, count, 100):
        clients.append(Frames(port))
        for stream in range(1, 2 * min(100, count - begin), 2):
            clients[-1].headers(stream, opening(), ends=False)
            clients[-1].send(frame(frames.DATA, 0, stream, words)
                             + frame(frames.WINDOW_UPDATE, payload=struct.pack(">I", 20_000)))
            until_text(clients[-1], stream, b"w" * 4000)
    return clients


def tunnels_of_http1(port, count):
    words = masked(b"w" * 10_000)
    clients = [Connection("127.0.0.1", port) for _ in range(count)]
    for client in clients:
        client.send(b"GET /ws HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQAAAAAAAAABAAAAAAAAAA==\r\n\r\n")
        got = b""
        while b"\r\n\r\n" not in got:
            got += client.socket.recv(65536)
        client.send(words)
        while not got.endswith(b"w" * 4000):
            got += client.socket.recv(65536)
    return clients


@pytest.mark.parametrize(("open_tunnels", "bytes_max"),
                         [(tunnels_of_http1, 4096), (tunnels_of_http2, 6144)])
def test_a_tunnel_holds_no_buffer_while_it_is_silent(server, port, open_tunnels, bytes_max):
    """Two relay buffers alone would be 64 KiB."""
    with WebsocketMember("M1") as member:
        server.start(complete(MODULES + f"""\
Listen 127.0.0.1:{port.port}
Protocols h2c http/1.1
H2WebSockets On
SteelyardShards 1
ProxyPass / ws://{member.address}/
"""), [port.port])
        kept = []
        grown = bytes_each(server.process,
                           lambda count: kept.extend(open_tunnels(port.port, count)))
        assert grown <= bytes_max, grown
        for one in kept:
            one.close()
