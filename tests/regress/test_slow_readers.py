"""Answers to clients that read slowly arrive whole."""

import socket

from support.attack import Fortress

KIB = 1024


def test_the_end_of_an_answer_is_not_forgotten_when_the_client_was_full(binary):
    """The last bytes came from the member while the client took none: they stayed in the pipe
    between the sockets until the exchange timed out.  How much the sockets take is the system's
    affair (some 3 MiB), so the sizes go up in steps smaller than the pipe."""
    one = Fortress(binary)
    try:
        for size in range(64 * KIB, 5 * KIB * KIB, 176 * KIB):
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
            one.member.next_answer(head + bytes(size))
            client = one.connect(receive_bytes=16 * KIB)
            client.send(b"GET /a HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
            assert one.member.wait_for(lambda seen: seen.requests)
            for _ in range(3):  # the balancer has done what it could for the slow one
                one.honest_exchange()
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * KIB)
            response = client.read_response()
            client.close()
            assert (len(response.body), response.ended) == (size, "length"), f"of {size} bytes"
            one.member.take()
    finally:
        one.close()
