"""Upgraded connections."""

import re
import time

from support.attack import Fortress


def test_tunnelled_bytes_stand_in_the_access_log(binary):
    """%I and %O of a tunnel counted the request's head and nothing else."""
    one = Fortress(binary)
    try:
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        one.member.next_answer(head + b"y" * 5000)
        request = b"GET /ws HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        client = one.connect()
        client.send(request)
        assert one.member.wait_for(lambda seen: seen.requests)
        client.send(b"hello")
        client.socket.shutdown(1)
        received, ended = client.read_to_end()
        client.close()
        assert ended and received.endswith(b"\r\n\r\n" + b"y" * 5000)
        deadline = time.monotonic() + 10
        while not (line := one.server.read("access.log")) and time.monotonic() < deadline:
            time.sleep(0.01)
        counts = [int(number) for number in re.search(r" I=(\d+) O=(\d+) ", line).groups()]
        assert counts == [len(request) + 5, len(received)]
        one.member.take()
    finally:
        one.close()
