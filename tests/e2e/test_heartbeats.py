"""Members that tell of their load: datagrams, POST and storage file of the real program."""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.process import until
from support.server import MODULE_DIRECTORY, complete
from support.wire import Connection

NET = Path(__file__).resolve().parent.parent / "support/heartbeat_net.py"
NET_TIME_S = 150

# What mod_heartbeat of Apache/2.4.71 sent (MaxRequestWorkers 50, nothing to do), byte for byte.
CAPTURED = b"v=1&ready=50&busy=0"

CONFIG = """\
LoadModule heartmonitor_module {modules}/mod_heartmonitor.so
LoadModule lbmethod_heartbeat_module {modules}/mod_lbmethod_heartbeat.so
Listen 127.0.0.1:{port}
HeartbeatListen 127.0.0.1:{udp}
{more}
<Location /hb>
    SetHandler heartbeat
</Location>
<Proxy balancer://app>
    BalancerMember http://{one}
    BalancerMember http://{two}
    ProxySet lbmethod=heartbeat
</Proxy>
ProxyPass / balancer://app/
"""


def test_real_members_send_by_multicast_in_a_network_of_their_own(binary, scratch):
    tried = subprocess.run(
        ["unshare", "--net", "ip", "link", "add", "probe", "type", "bridge"],
        capture_output=True,
        text=True,
    )
    if tried.returncode != 0:
        # What their datagrams do is then told by test_replayed_datagrams_... alone.
        pytest.skip(f"no network namespace can be made: {tried.stderr.strip()}")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-B", str(NET), str(binary), str(scratch)],
        capture_output=True,
        text=True,
        timeout=NET_TIME_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)

    assert seen["before"] == "503"
    assert seen["both"]
    # 20 and 60 idle workers, a quarter of them while nothing is busy; a member may be busy with one.
    for shares in (seen["shares"], seen["by_file"]):
        assert set(shares) == {"one", "two"}
        assert shares["two"] > shares["one"] > 0
    assert re.fullmatch(r"v=1&ready=\d+&busy=\d+", seen["own"])
    ready, busy = map(int, re.findall(r"=(\d+)", seen["own"])[1:])
    assert ready + busy == 150
    assert seen["file"] == seen["httpd"]
    assert seen["file"] == [
        f"10.77.0.{number} &ready=N&busy=N&lastseen=N&port=N" for number in (11, 12)
    ]
    assert seen["after"] == {"one": 100}
    assert "malformed" not in seen["log"]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.server_address[0].encode()
        # In one piece: the second of two would wait for the first to be acknowledged.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def log_message(self, *_):
        pass


@pytest.fixture
def members():
    """Two members with addresses of their own on loopback."""
    servers = [ThreadingHTTPServer((f"127.0.0.{number}", 0), Answer) for number in (1, 2)]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    yield ["%s:%d" % server.server_address for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


class Udp:
    """A free UDP port, and datagrams to it from addresses of loopback."""

    def __init__(self):
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        holder.bind(("127.0.0.1", 0))
        self.port = holder.getsockname()[1]
        holder.close()

    def say(self, text, source):
        data = text if isinstance(text, bytes) else text.encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.sendto(data, ("127.0.0.1", self.port))


def ask(port, method="GET", path="/", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port.port, timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
        return text if answer.status == 200 else str(answer.status)
    finally:
        connection.close()


def begin(server, scratch, members, port, udp, more=""):
    one, two = members
    text = CONFIG.format(
        modules=MODULE_DIRECTORY, port=port.port, udp=udp.port, one=one, two=two, more=more
    )
    # The storage file is written with the rights of User.
    (scratch / "run").mkdir()
    (scratch / "run").chmod(0o777)
    server.start(complete(text), [port.port])


def test_replayed_datagrams_steer_requests_and_garbage_changes_nothing(
    server, scratch, members, port
):
    udp = Udp()
    begin(server, scratch, members, port, udp)
    assert ask(port) == "503"
    for text in ("", "\0" * 2000, "v=1&ready=", "v=1&busy=1", "ready=1&busy=1", "&=&&%"):
        udp.say(text, "127.0.0.1")
    udp.say(CAPTURED, "127.0.0.2")
    assert until(lambda: ask(port) == "127.0.0.2")
    udp.say(CAPTURED, "127.0.0.1")
    assert until(lambda: ask(port) == "127.0.0.1")
    shares = Counter(ask(port) for _ in range(200))
    assert min(shares["127.0.0.1"], shares["127.0.0.2"]) > 50
    udp.say("v=1&ready=0&busy=80", "127.0.0.1")
    udp.say("v=1&ready=0&busy=80", "127.0.0.2")
    assert until(lambda: ask(port) == "503")
    log = server.read("error.log")
    assert "malformed message from 127.0.0.1:" in log
    assert log.count("malformed") == 1, "strangers must not fill the log"


def test_heartbeats_survive_a_reload(server, scratch, members, port):
    udp = Udp()
    begin(server, scratch, members, port, udp)
    assert ask(port) == "503"
    udp.say("v=1&ready=80&busy=1", "127.0.0.2")
    assert until(lambda: ask(port) == "127.0.0.2")
    server.signal(10)  # USR1
    assert until(lambda: server.read("error.log").count("resuming normal operations") == 2)
    assert ask(port) == "127.0.0.2"


def test_posts_and_datagrams_meet_in_the_storage_file(server, scratch, members, port):
    udp = Udp()
    begin(server, scratch, members, port, udp, "HeartbeatMaxServers 0\n")
    file = scratch / "run/hb.dat"
    assert until(file.exists)
    assert ask(port, "POST", "/hb", "ready=40&busy=2") == "OK"
    assert ask(port) == "127.0.0.1"
    line = "127.0.0.1 &ready=40&busy=2&lastseen=0&port=80\n"
    assert until(lambda: file.read_text() == line)
    assert file.stat().st_mode & 0o7777 == 0o644
    # The file is written anew from datagrams alone.
    udp.say("v=1&ready=9&busy=1&port=8080", "127.0.0.2")
    assert until(lambda: file.read_text().startswith("127.0.0.2 &ready=9&busy=1&"))
    assert "127.0.0.1" not in file.read_text()
    assert until(lambda: ask(port) == "127.0.0.2")
    # What another program writes counts as well.
    file.write_text("127.0.0.1 &ready=5&busy=1&lastseen=1&port=80\n")
    assert until(lambda: ask(port) == "127.0.0.1")


def test_what_a_heartbeat_says_too_much_is_no_request(server, scratch, members, port):
    begin(server, scratch, members, port, Udp(), "")
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: lb.test\r\n\r\n"
    body = b"ready=40&busy=2&pad=" + b"x" * 980 + smuggled
    connection = Connection("127.0.0.1", port.port)
    connection.send(b"POST /hb HTTP/1.1\r\nHost: lb.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert connection.read_response().status == "200"
    # The next answer is that of the next request, which nothing but POST makes a heartbeat.
    connection.send(b"PUT /hb HTTP/1.1\r\nHost: lb.test\r\nContent-Length: 0\r\n\r\n")
    assert connection.read_response().status == "405"
    connection.close()


def test_a_doubtful_datagram_does_not_keep_a_malformed_one_from_being_told(
    server, scratch, members, port
):
    udp = Udp()
    begin(server, scratch, members, port, udp)
    assert until(lambda: "resuming normal operations" in server.read("error.log"))
    udp.say("v=1&ready=7&busy=x", "127.0.0.2")
    udp.say("v=1&ready=7", "127.0.0.2")
    assert until(lambda: "malformed message from 127.0.0.2" in server.read("error.log"))
    assert "Invalid busy value: x" in server.read("error.log")


def test_a_port_that_cannot_be_listened_to_is_told_and_tried_again(server, scratch, members, port):
    udp = Udp()
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind(("127.0.0.1", udp.port))
    begin(server, scratch, members, port, udp)
    assert until(lambda: "could not bind to 127.0.0.1" in server.read("error.log"))
    assert ask(port) == "503"
    holder.close()

    def heard():
        udp.say("v=1&ready=80&busy=1", "127.0.0.2")
        return ask(port) == "127.0.0.2"

    assert until(heard)


def test_the_graceful_end_is_not_told_as_idleness(server, scratch, members, port):
    told = Udp()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(10)
    sock.bind(("127.0.0.1", told.port))
    more = (
        f"LoadModule heartbeat_module {MODULE_DIRECTORY}/mod_heartbeat.so\n"
        f"HeartbeatAddress 127.0.0.1:{told.port}\n"
    )
    begin(server, scratch, members, port, Udp(), more)
    # MaxRequestWorkers of complete(); the test's own connection may be the busy one.
    assert re.fullmatch(rb"v=1&ready=4[78]&busy=[01]", sock.recv(1000))
    # A client that has not sent its request whole keeps the program alive.
    with socket.create_connection(("127.0.0.1", port.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert until(lambda: sock.recv(1000) == b"v=1&ready=47&busy=1")
        server.signal(28)  # WINCH
        assert until(lambda: "shutting down gracefully" in server.read("error.log"))
        sock.settimeout(2.5)
        with pytest.raises(TimeoutError):
            # One may have been on its way.
            for _ in range(3):
                sock.recv(1000)
        assert server.process.poll() is None
    sock.close()
