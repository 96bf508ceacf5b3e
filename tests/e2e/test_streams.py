"""Bodies of gigabytes in a few megabytes of memory, and peers that stop in the middle of one.

STEELYARD_STREAM_BYTES sets the size of the largest bodies, for a run by hand with more of it.
"""

import os
import re
import socket
import threading
from pathlib import Path

import pytest
from support.ports import HeldPort
from support.server import Scratch, Server
from support.torrent import Flow, Reader, Torrent, drain, frame_line, framing_of, pour
from support.wire import Connection

SMALL_BYTES = 16 << 20
STREAM_BYTES = int(os.environ.get("STEELYARD_STREAM_BYTES", 4 << 30))
# Not spliced but copied, hence slower.
FRAMED_BYTES = STREAM_BYTES // 4

# What the program may need at most for one stream, whatever its size. Measured: 6 MiB, all of it.
PEAK_BYTES_MAX = 16 << 20
# And how much more for a large one than for a small one.
GROWTH_BYTES_MAX = 256 << 10

# A stopped stream: what the sockets between hold. The system decides; measured: under 4 MiB.
STOPPED_BYTES = 256 << 20
HELD_BYTES_MAX = 16 << 20

SLOW_READERS = 200
SLOW_BYTES = 8 << 20
# A relay buffer of 32 KiB, the workspace, the coroutine. Measured: XX KiB spliced, XX KiB copied.
SLOW_READER_BYTES_MAX = 80 << 10
WAIT_S = 20.0

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ServerName lb.test
Listen {port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
LogLevel error
ProxyPass / "http://{member}/"
"""


class World:
    """One balancer in front of one member."""

    def __init__(self, binary):
        self.scratch = Scratch("steelyard-streams-")
        self.port, self.member_port = HeldPort(), HeldPort()
        self.member = Torrent(self.member_port.listening_socket(backlog=SLOW_READERS))
        self.server = Server(binary, self.scratch.path)
        text = CONFIG.format(port=self.port, member=self.member_port)
        self.server.start(text, [self.port.port])

    def connect(self, receive_bytes=None):
        sock = socket.socket()
        sock.settimeout(WAIT_S)
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.connect(("127.0.0.1", self.port.port))
        return sock

    def _status(self, field):
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) << 10

    def resident(self):
        return self._status("VmRSS")

    def peak_of(self, work):
        """The most memory the program held while `work` was done."""
        Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")
        work()
        return self._status("VmHWM")

    def close(self):
        self.server.stop()
        self.member.close()
        self.port.close()
        self.member_port.close()
        self.scratch.close()


@pytest.fixture
def world(binary):
    one = World(binary)
    yield one
    one.close()


def begin_download(world, framing, size, receive_bytes=None):
    """The request is sent; nothing of the answer is read."""
    sock = world.connect(receive_bytes)
    sock.sendall(f"GET /{framing}/{size} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
    return sock


def finish_download(sock, size):
    reader = Reader(sock)
    head = reader.line_end(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert drain(reader, *framing_of(head)) == size


def begin_upload(world, framing, size, path):
    sock = world.connect()
    head = f"POST /{path} HTTP/1.1\r\nHost: lb.test\r\n".encode()
    sock.sendall(head + frame_line(size, framing) + b"\r\n")
    return sock


def finish_upload(sock, size):
    reader = Reader(sock)
    head = reader.line_end(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    length, _ = framing_of(head)
    assert int(sock.recv(length, socket.MSG_WAITALL)) == size


def download(world, framing, size):
    with begin_download(world, framing, size) as sock:
        finish_download(sock, size)


def upload(world, framing, size):
    with begin_upload(world, framing, size, "now") as sock:
        pour(sock, size, framing, Flow(sock))
        finish_upload(sock, size)


def report(**bytes_by_name):
    """Shown with -s: the figures of a run by hand."""
    print(" ".join(f"{name}={value / (1 << 20):.2f}MiB" for name, value in bytes_by_name.items()))


def check_memory(world, transfer, framing, size):
    small = world.peak_of(lambda: transfer(world, framing, SMALL_BYTES))
    large = world.peak_of(lambda: transfer(world, framing, size))
    report(size=size, small=small, large=large)
    assert large <= PEAK_BYTES_MAX
    assert large <= small + GROWTH_BYTES_MAX


SIZES = [("length", STREAM_BYTES), ("chunked", FRAMED_BYTES)]


@pytest.mark.parametrize("framing, size", [*SIZES, ("eof", FRAMED_BYTES)])
def test_an_answer_needs_no_more_memory_for_being_large(world, framing, size):
    check_memory(world, download, framing, size)


@pytest.mark.parametrize("framing, size", SIZES)
def test_an_upload_needs_no_more_memory_for_being_large(world, framing, size):
    check_memory(world, upload, framing, size)


def others_are_served(world):
    for _ in range(20):
        with begin_download(world, "length", 1000) as sock:
            finish_download(sock, 1000)


@pytest.mark.parametrize("framing", ["length", "chunked", "eof"])
def test_a_client_that_stops_reading_stops_the_member(world, framing):
    peak_before = world.peak_of(lambda: download(world, framing, SMALL_BYTES))
    sock = begin_download(world, framing, STOPPED_BYTES)

    def stop():
        assert world.member.begun.acquire(timeout=WAIT_S)
        assert world.member.begun.acquire(timeout=WAIT_S)
        assert world.member.flows[-1].stalled.wait(WAIT_S)
        others_are_served(world)

    with sock:
        peak = world.peak_of(stop)
        held = world.member.flows[1].taken()
        report(held=held, peak=peak)
        assert held <= HELD_BYTES_MAX
        assert peak <= peak_before + GROWTH_BYTES_MAX
        finish_download(sock, STOPPED_BYTES)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_member_that_stops_reading_stops_the_client(world, framing):
    peak_before = world.peak_of(lambda: upload(world, framing, SMALL_BYTES))
    with begin_upload(world, framing, STOPPED_BYTES, "later") as sock:
        flow = Flow(sock)
        thread = threading.Thread(target=pour, args=(sock, STOPPED_BYTES, framing, flow))
        thread.start()
        try:
            peak = world.peak_of(lambda: (flow.stalled.wait(WAIT_S), others_are_served(world)))
            assert flow.stalled.is_set()
            held = flow.taken()
            report(held=held, peak=peak)
            assert held <= HELD_BYTES_MAX
            assert peak <= peak_before + GROWTH_BYTES_MAX
        finally:
            world.member.go_on.set()
            thread.join()
        finish_upload(sock, STOPPED_BYTES)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_many_slow_readers_cost_little_each(world, framing):
    download(world, framing, SMALL_BYTES)
    before = world.resident()
    world.member.flows.clear()
    readers = []
    try:
        for _ in range(SLOW_READERS):
            readers.append(begin_download(world, framing, SLOW_BYTES, receive_bytes=1 << 14))
        for _ in range(SLOW_READERS):
            assert world.member.begun.acquire(timeout=WAIT_S)
        assert all(flow.stalled.wait(WAIT_S) for flow in world.member.flows[:SLOW_READERS])
        others_are_served(world)
        each = (world.resident() - before) / SLOW_READERS
        taken = sum(flow.taken() for flow in world.member.flows[:SLOW_READERS]) / SLOW_READERS
        report(each=each, held_each=taken)
        assert each <= SLOW_READER_BYTES_MAX
        for reader in readers:
            finish_download(reader, SLOW_BYTES)
    finally:
        for reader in readers:
            reader.close()


def test_clients_that_leave_in_the_middle_leave_nothing_behind(world):
    """Their members' connections end too, and the memory is there for the next."""
    descriptors = Path(f"/proc/{world.server.process.pid}/fd")
    download(world, "length", SMALL_BYTES)
    before = len(list(descriptors.iterdir()))
    for framing in ("length", "chunked"):
        world.member.flows.clear()
        readers = [begin_download(world, framing, SLOW_BYTES, 1 << 14) for _ in range(50)]
        for _ in readers:
            assert world.member.begun.acquire(timeout=WAIT_S)
        assert all(flow.stalled.wait(WAIT_S) for flow in list(world.member.flows))
        for reader in readers:
            reader.close()
        assert world.member.wait_for_connections(1, WAIT_S)
    assert len(list(descriptors.iterdir())) <= before
