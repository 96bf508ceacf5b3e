"""CONNECT over HTTP/2: it leads nowhere where HTTP/1's does not, and what it carries arrives whole.

The canary is a member that nobody but a client's own wish leads to.
"""

import hashlib
import os
import re
import signal
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.events
import pytest
from support import frames
from support.forwarding import (
    INSIDE,
    OUTSIDE,
    PASSWORDS,
    STATUS,
    TLS,
    forward,
    load,
    who_has_a_password,
)
from support.frames import Frames
from support.ports import HeldPort
from support.process import until
from support.server import complete
from support.stream_told import Stream
from support.tls import context_for
from support.tls_member import TlsMember

MODULES = load("http2", "proxy_connect")


@pytest.fixture
def start(server, port):
    def begin(text, modules=MODULES):
        before = f"Listen 127.0.0.1:{port.port}\nProtocols h2c h2 http/1.1\nH2WebSockets On\n"
        server.start(complete(modules + before + text), [port.port])
        return server

    return begin


def dial(port, client=INSIDE):
    return socket.create_connection((INSIDE, port.port), 10, (client, 0))


def connect(place, *more):
    return [(b":method", b"CONNECT"), (b":authority", place.encode()), *more]


def probes(canary):
    place = canary.address.encode()
    port = place.split(b":")[1]
    scheme, path = (b":scheme", b"http"), (b":path", b"/")
    whole = (b":path", b"http://" + place + b"/")
    get, ask = (b":method", b"GET"), (b":method", b"CONNECT")
    for authority in (place, b"lb.test@" + place, b"u:p@" + place, place + b"/", place + b"@lb.test:80",
                      b"lb.test:80@" + place, b"http://" + place, place + b"#@lb.test:80",
                      b"LOCALHOST:" + port, b"[::ffff:127.0.0.1]:" + port, b"127.1:" + port,
                      b"127.0.0.1:0" + port, b"127.0.0.1:%d" % (int(port) + 65536), b"*", b"/",
                      b"127.0.0.1", b":" + port, b"lb.test:" + port, b"lb.test"):
        named = (b":authority", authority)
        yield [ask, named]
        yield [ask, named, (b"host", place)]
        yield [ask, scheme, named, path]
        yield [ask, scheme, named, whole]
        yield [ask, (b":protocol", b"websocket"), scheme, named, path, (b"sec-websocket-version", b"13")]
        yield [ask, (b":protocol", b"connect-tcp"), scheme, named, path]
        yield [ask, (b":protocol", b"websocket"), scheme, named, whole]
        yield [get, scheme, named, whole]
        yield [get, (b":scheme", b"ftp"), named, path]
    yield [ask, (b"host", place)]
    yield [ask, (b":authority", b"lb.test"), (b":authority", place)]
    yield [ask, whole, scheme, (b":authority", b"lb.test")]
    yield [(b":method", b"connect"), (b":authority", place)]


def outcome(port, fields, client=INSIDE):
    """Status and end of a stream; where it is a tunnel, what a request through it gets."""
    one = Frames(port.port, secured=dial(port, client))
    one.headers(1, frames.block(fields), ends=False)
    stream = Stream(one)
    stream.until_answered()
    if stream.status == "200":
        one.send(frames.frame(frames.DATA, 0, 1, b"GET /through HTTP/1.0\r\n\r\n"))
    told = stream.to_end()
    one.close()
    return told


def test_a_reverse_proxy_leads_to_its_members_only(start, port, own, canary):
    for text in (f"ProxyPass / http://{own.address}/\n", f"ProxyPass / ws://{own.address}/\n",
                 f"ProxyRequests Off\nProxyPass / http://{own.address}/ upgrade=websocket\n"):
        server = start(text)
        for fields in probes(canary):
            asked = len(own.received)
            told = outcome(port, fields)
            is_tunnel = fields[0][1] == b"CONNECT" and len(own.received) == asked
            assert not (is_tunnel and told.startswith("2")), (told, fields)
            # A plain one never leads to a member, either.
            assert dict(fields).get(b":path") or len(own.received) == asked, fields
        server.stop()
    assert canary.received == []
    assert own.received, "no probe reached the route that all paths have"
    assert not any(request.head.startswith(b"CONNECT") for request in own.received)


def test_who_is_outside_gets_nothing_through_a_forward_proxy(start, port, canary):
    start(forward())
    for fields in probes(canary):
        told = outcome(port, fields, OUTSIDE)
        assert told.startswith(("400 ", "403 ", "404 ", "501 ", "RST 1")), (told, fields)
    assert outcome(port, connect(canary.address), OUTSIDE).startswith("403 (page)")
    assert canary.received == []


def test_who_is_inside_gets_what_is_really_asked_for(start, port, canary):
    start(forward())
    reached = []
    for fields in probes(canary):
        before = len(canary.received)
        told = outcome(port, fields)
        if len(canary.received) != before:
            reached.append(fields[1][1])
            assert [name for name, _ in fields if name.startswith(b":")] == [b":method", b":authority"]
            assert told.startswith("200 ") and canary.received[-1].target == b"/through"
    number = canary.address.split(":")[1]
    # With a Host field of another kind, and without.
    assert reached == [each.encode() for each in (
        canary.address, f"LOCALHOST:{number}", f"[::ffff:127.0.0.1]:{number}", f"127.0.0.1:0{number}")
        for _ in range(2)]


def test_nobody_gets_at_pages_of_this_machine_through_the_proxy(start, port):
    page = "<Location /status>\nRequire all granted\nSetHandler server-status\n</Location>\n"
    start(forward(page, f"Require ip {INSIDE} {OUTSIDE}"), MODULES + STATUS)
    for host in ("127.0.0.1", "localhost", "127.0.0.3", "0.0.0.0", "[::ffff:127.0.0.1]", "[::1]"):
        told = outcome(port, connect(f"{host}:{port.port}"), OUTSIDE)
        assert told.startswith(("403 (page)", "503 (page)")), (told, host)


def status_over_http1(secured, target):
    with secured:
        secured.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        return re.match(rb"HTTP/1\.[01] (\d+) ", secured.recv(65536))[1].decode()


def status_over_http2(secured, target):
    with secured:
        one = Frames(0, secured=secured)
        one.headers(1, frames.block(connect(target)), ends=False)
        stream = Stream(one)
        stream.until_answered()
        return stream.status


# Whose rules hold is :authority's to say, as over HTTP/1 the target's; and hosts that ask for other TLS
# are not reached by a connection that was made for another one.
def test_a_host_of_the_connection_gives_no_right_at_another_one(start, port, certificate, canary):
    key = "SSLEngine On\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n".format(*certificate)
    hosts = "".join(f"<VirtualHost *:{port.port}>\nServerName {name}\n{key}{text}</VirtualHost>\n"
                    for name, text in (
                        ("site.test", ""),
                        ("proxy.test", forward()),
                        ("other.test", forward(who="Require ip 192.0.2.1")),
                        ("strict.test", "SSLVerifyClient require\n"
                         f"SSLCACertificateFile {certificate[0]}\n" + forward())))
    start(hosts, MODULES + TLS)
    seen = {}
    for shown in ("site.test", "proxy.test", "other.test", None):
        for target in (canary.address, "site.test:1", "proxy.test:1", "other.test:1", "strict.test:1"):
            statuses = []
            for protocol, status_over in (("http/1.1", status_over_http1), ("h2", status_over_http2)):
                context = context_for(alpn=[protocol])
                secured = context.wrap_socket(dial(port), server_hostname=shown)
                statuses.append(status_over(secured, target))
            assert statuses[0] == statuses[1], (shown, target, statuses)
            seen[shown, target] = statuses[1]
    # No host has that name, so the first one's rules hold: it is no forward proxy.
    assert {seen[shown, canary.address] for shown in ("site.test", "proxy.test", "other.test")} == {"405"}
    assert seen["proxy.test", "site.test:1"] == "405"
    assert seen["proxy.test", "other.test:1"] == "403"
    assert seen["proxy.test", "strict.test:1"] == "421"
    assert seen["proxy.test", "proxy.test:1"] == "502"  # nobody knows the name
    assert canary.received == []


def test_a_password_opens_it_and_goes_no_further(start, server, port, canary):
    start(forward(who=who_has_a_password(server)), MODULES + PASSWORDS)
    right, wrong = b"Basic YW5uOjEyMzQ1Ng==", b"Basic YW5uOnh4eHh4eA=="
    assert outcome(port, connect(canary.address)).startswith("407 (page) END")
    assert outcome(port, connect(canary.address, (b"proxy-authorization", wrong))).startswith("407 ")
    assert outcome(port, connect(canary.address, (b"authorization", right))).startswith("407 ")
    assert canary.received == []
    assert outcome(port, connect(canary.address, (b"proxy-authorization", right))).startswith("200 ")
    assert [request.head for request in canary.received] == [b"GET /through HTTP/1.0\r\n\r\n"]


class Tunnel:
    """A CONNECT by a client with windows of its own; TLS may be spoken through it."""

    def __init__(self, port, place):
        self.socket = dial(port)
        # Older versions of the library want a path of every request.
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.h2.send_headers(1, [(":method", "CONNECT"), (":authority", place)])
        self.got, self.status, self.end = b"", "", ""
        self.flush()
        while not self.status:
            self.pump()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def pump(self):
        data = self.socket.recv(65536)
        assert data, "the connection ended"
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.status = dict(event.headers)[b":status"].decode()
            elif isinstance(event, h2.events.DataReceived):
                self.got += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, 1)
            elif isinstance(event, h2.events.StreamEnded):
                self.end = "END"
            elif isinstance(event, h2.events.StreamReset):
                self.end = f"RST {event.error_code}"
        self.flush()

    def say(self, data, pad=None):
        while data:
            room = min(self.h2.local_flow_control_window(1), self.h2.max_outbound_frame_size)
            room = min(room if pad is None else room - pad - 1, len(data))
            if room <= 0:
                self.pump()
                continue
            self.h2.send_data(1, data[:room], pad_length=pad)
            data = data[room:]
            self.flush()

    def end_half(self):
        self.h2.end_stream(1)
        self.flush()

    def to_end(self):
        while not self.end:
            self.pump()
        return self.end

    def close(self):
        self.socket.close()


@pytest.fixture
def echo():
    """A place that says again what it hears, and ends when its client does."""
    held = HeldPort()
    listening = held.listening_socket()

    def serve():
        while True:
            try:
                one, _ = listening.accept()
            except OSError:
                return
            with one:
                while data := one.recv(65536):
                    one.sendall(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield held
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)
    held.close()


@pytest.mark.parametrize("pad", [None, 0, 255])
def test_megabytes_pass_both_ways_at_once(start, port, echo, pad):
    server = start(forward())
    sent = os.urandom(3 << 20)
    tunnel = Tunnel(port, str(echo))
    for begin in range(0, len(sent), 100_000):
        tunnel.say(sent[begin:begin + 100_000], pad)
    tunnel.end_half()
    assert tunnel.to_end() == "END"
    assert hashlib.sha256(tunnel.got).digest() == hashlib.sha256(sent).digest()
    tunnel.close()
    # As over HTTP/1: heads as that would have them, and what passed.
    assert until(lambda: f'"CONNECT {echo} HTTP/2.0"' in server.read("access.log"))
    found = re.search(r" I=(\d+) O=(\d+) ", server.read("access.log"))
    assert 0 < int(found[1]) - len(sent) < 100 and 0 < int(found[2]) - len(sent) < 200


def test_TLS_within_a_tunnel(start, port, certificate):
    with TlsMember(certificate) as member:
        start(forward())
        tunnel = Tunnel(port, f"localhost:{member.port}")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = context_for().wrap_bio(incoming, outgoing, server_hostname="localhost")

        def through(step):
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    result = None
                if words := outgoing.read():
                    tunnel.say(words)
                if result is not None:
                    return result
                while not tunnel.got:
                    tunnel.pump()
                incoming.write(tunnel.got)
                tunnel.got = b""

        through(lambda: inner.do_handshake() or True)
        through(lambda: inner.write(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        answer = b""
        while not answer.endswith(b"secure /a"):
            answer += through(lambda: inner.read(65536))
        tunnel.close()


def test_a_tunnel_outlives_a_reload_that_takes_the_right_away(start, port, canary):
    server = start(forward())
    tunnel = Tunnel(port, canary.address)
    assert tunnel.status == "200"
    server.write(server.read("httpd.conf").replace("ProxyRequests On", "ProxyRequests Off"))
    server.signal(signal.SIGUSR1)
    assert until(lambda: outcome(port, connect(canary.address)).startswith("405 (page)"))
    tunnel.say(b"GET /in HTTP/1.0\r\n\r\n")
    assert tunnel.to_end() == "END"
    assert b"M2\n" in tunnel.got and canary.received[-1].target == b"/in"
    tunnel.close()


def test_a_server_that_goes_waits_for_its_tunnels(start, port, canary):
    server = start(forward())
    client = Frames(port.port)
    client.headers(1, frames.block(connect(canary.address)), ends=False)
    stream = Stream(client)
    stream.until_answered()
    server.signal(signal.SIGWINCH)
    assert client.until(lambda each: each.kind == frames.GOAWAY).code == frames.NO_ERROR
    client.send(frames.frame(frames.DATA, 0, 1, b"GET /in HTTP/1.0\r\n\r\n"))
    assert stream.to_end().startswith("200 HTTP/1.1 200 Fine") and stream.end == "END"
    client.send(frames.frame(frames.DATA, frames.END_STREAM, 1))
    client.close()
    assert server.ended(10)
