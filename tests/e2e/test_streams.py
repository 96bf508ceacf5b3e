"""Bodies of gigabytes in a few megabytes of memory, and peers that stop in the middle of one.

STEELYARD_STREAM_BYTES sets the size of the largest bodies, for a run by hand with more of it.
"""

import os
import re
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from support.ports import HeldPort
from support.process import until
from support.server import Scratch, Server
from support.torrent import Cut, Flow, Reader, Torrent, drain, frame_line, framing_of, pour

SMALL_BYTES = 16 << 20
STREAM_BYTES = int(os.environ.get("STEELYARD_STREAM_BYTES", 9 << 29))  # more than 32 bits count
# Not spliced but copied, hence slower.
FRAMED_BYTES = STREAM_BYTES // 4

# What the program may need at most for one stream, whatever its size. Measured: 6 MiB, all of it.
PEAK_BYTES_MAX = 16 << 20
# And how much more for a large one than for a small one. Measured: under 20 KiB.
GROWTH_BYTES_MAX = 256 << 10

# A peer that stops: the other side may go on until the buffers between are full. They are the
# system's toward the client, `ProxyReceiveBufferSize` toward the member, and a pipe of 256 KiB.
SYSTEM_SEND_BYTES = int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2])
SYSTEM_RECEIVE_BYTES = int(Path("/proc/sys/net/ipv4/tcp_rmem").read_text().split()[2])
STOPPED_BYTES = 256 << 20
HELD_BYTES_MAX = SYSTEM_SEND_BYTES + (1 << 20)

SLOW_READERS = 200
SLOW_BYTES = HELD_BYTES_MAX + (3 << 20)
SLOW_RECEIVE_BYTES = 1 << 14
# A relay buffer of 32 KiB, heads, the coroutine. Measured: 31 KiB spliced, 62 KiB copied.
SLOW_READER_BYTES_MAX = 80 << 10
# Sizes that end in every part of the way: a pipe holds more than one step.
STEP_BYTES = 100_000
WAIT_S = 10.0
TAIL_WAIT_S = 3.0

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ServerName lb.test
Listen {port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
LogLevel error
ProxyReceiveBufferSize {member_receive_bytes}
ProxyPass / "http://{member}/"
"""
# 0: the system's own, for speed; else what makes a stop come soon.
AS_SYSTEM, SMALL_BUFFER = 0, 1 << 16


class World:
    """One balancer in front of one member."""

    def __init__(self, binary, member_receive_bytes):
        self.scratch = Scratch("steelyard-streams-")
        self.port, self.member_port = HeldPort(), HeldPort()
        self.member = Torrent(self.member_port.listening_socket(backlog=SLOW_READERS))
        self.server = Server(binary, self.scratch.path)
        text = CONFIG.format(
            port=self.port, member=self.member_port, member_receive_bytes=member_receive_bytes
        )
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
        """The most memory the program held while `work` was done, and what came of it."""
        Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")
        came = work()
        return self._status("VmHWM"), came

    def close(self):
        self.server.stop()
        self.member.close()
        self.port.close()
        self.member_port.close()
        self.scratch.close()


@pytest.fixture
def world(binary):
    one = World(binary, AS_SYSTEM)
    yield one
    one.close()


@pytest.fixture
def narrow_world(binary):
    one = World(binary, SMALL_BUFFER)
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
    small, _ = world.peak_of(lambda: transfer(world, framing, SMALL_BYTES))
    large, _ = world.peak_of(lambda: transfer(world, framing, size))
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
def test_a_client_that_stops_reading_stops_the_member(narrow_world, framing):
    world = narrow_world
    usual, _ = world.peak_of(lambda: download(world, framing, SMALL_BYTES))
    world.member.forget_flows()
    with begin_download(world, framing, STOPPED_BYTES) as sock:

        def stop():
            (flow,) = world.member.flows_at_rest(1, WAIT_S)
            others_are_served(world)
            return flow

        peak, flow = world.peak_of(stop)
        report(held=flow.taken(), peak=peak)
        assert flow.taken() <= HELD_BYTES_MAX
        assert peak <= usual + GROWTH_BYTES_MAX
        finish_download(sock, STOPPED_BYTES)


def close_all(socks):
    for sock in socks:
        sock.close()


def ended(threads):
    """True when all of them end within the time: what they send was taken."""
    for thread in threads:
        thread.join(WAIT_S)
    return not any(thread.is_alive() for thread in threads)


def end_uploads(socks, threads):
    """Whatever became of them, no thread goes on waiting for its peer."""
    for sock in socks:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()
    close_all(socks)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_member_that_stops_reading_stops_the_client(world, framing):
    """Nothing bounds the buffer toward clients but the system."""
    usual, _ = world.peak_of(lambda: upload(world, framing, SMALL_BYTES))
    with begin_upload(world, framing, STOPPED_BYTES, "later") as sock:
        flow = Flow(sock)
        thread = threading.Thread(target=pour, args=(sock, STOPPED_BYTES, framing, flow))
        thread.start()
        try:
            peak, _ = world.peak_of(lambda: flow.rests.wait(WAIT_S) and others_are_served(world))
            report(held=flow.taken(), peak=peak)
            assert flow.rests.is_set()
            assert flow.taken() <= HELD_BYTES_MAX + SYSTEM_RECEIVE_BYTES
            assert peak <= usual + GROWTH_BYTES_MAX
            world.member.go_on.set()
            assert ended([thread])
            finish_upload(sock, STOPPED_BYTES)
        finally:
            end_uploads([sock], [thread])


def begin_slow_downloads(world, framing, sizes):
    world.member.forget_flows()
    readers = [begin_download(world, framing, size, SLOW_RECEIVE_BYTES) for size in sizes]
    return readers, world.member.flows_at_rest(len(readers), WAIT_S)


@pytest.mark.parametrize("framing", ["length", "chunked", "eof"])
def test_the_end_of_an_answer_waits_for_a_client_that_is_behind(narrow_world, framing):
    """The member has sent all of it when the client begins to read: no byte stays on the way."""
    sizes = range(STEP_BYTES, HELD_BYTES_MAX, STEP_BYTES)
    readers, flows = begin_slow_downloads(narrow_world, framing, sizes)
    lost = {}
    try:
        for reader, size in zip(readers, sizes):
            reader.settimeout(TAIL_WAIT_S)
            try:
                finish_download(reader, size)
            except (Cut, TimeoutError) as fault:
                lost[size] = repr(fault)
    finally:
        close_all(readers)
    assert not lost


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_end_of_an_upload_waits_for_a_member_that_is_behind(world, framing):
    """The client has sent all of it when the member begins to read."""
    sizes = range(STEP_BYTES, 3 * HELD_BYTES_MAX, 3 * STEP_BYTES)
    socks, flows, threads = [], [], []
    try:
        for size in sizes:
            socks.append(begin_upload(world, framing, size, "later"))
            flows.append(Flow(socks[-1]))
            arguments = (socks[-1], size, framing, flows[-1])
            threads.append(threading.Thread(target=pour, args=arguments))
            threads[-1].start()
        assert all(flow.rests.wait(WAIT_S) for flow in flows)
        world.member.go_on.set()
        assert ended(threads)
        for sock, size in zip(socks, sizes):
            finish_upload(sock, size)
    finally:
        end_uploads(socks, threads)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_many_slow_readers_cost_little_each(narrow_world, framing):
    world = narrow_world
    download(world, framing, SMALL_BYTES)
    before = world.resident()
    readers, flows = begin_slow_downloads(world, framing, [SLOW_BYTES] * SLOW_READERS)
    try:
        others_are_served(world)
        each = (world.resident() - before) / SLOW_READERS
        held = [flow.taken() for flow in flows]
        report(each=each, held_most=max(held))
        assert max(held) <= HELD_BYTES_MAX
        assert each <= SLOW_READER_BYTES_MAX
        for reader in readers[::10]:
            finish_download(reader, SLOW_BYTES)
    finally:
        close_all(readers)


def test_clients_that_leave_in_the_middle_leave_nothing_behind(narrow_world):
    world = narrow_world
    descriptors = Path(f"/proc/{world.server.process.pid}/fd")
    for framing in ("length", "chunked"):
        download(world, framing, SMALL_BYTES)
        before = len(list(descriptors.iterdir()))
        readers, _ = begin_slow_downloads(world, framing, [SLOW_BYTES] * 50)
        close_all(readers)
        assert world.member.left_with(1, WAIT_S)  # the one in the pool
        assert until(lambda: len(list(descriptors.iterdir())) <= before)
