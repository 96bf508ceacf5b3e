"""A member that takes every upgrade it is asked for, then says everything back, and bye at the end."""

import re
import socket

from .ports import reusable_socket
from .threaded_member import ThreadedMember

ASKED = re.compile(rb"\r\nUpgrade: ([^\r]+)\r\n", re.IGNORECASE)


class UpgradingMember(ThreadedMember):
    """Plain requests get 200 and a body of its name."""

    def __init__(self, name="member"):
        self.name = name
        self.heads = []
        listening = reusable_socket()
        listening.listen(512)
        self.port = listening.getsockname()[1]
        super().__init__(listening)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _converse(self, connection):
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            head, _, early = head.partition(b"\r\n\r\n")
            self.heads.append(head.decode("latin-1"))
            asked = ASKED.search(head + b"\r\n")
            if asked:
                break
            body = self.name.encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                           b"Upgrade: %s\r\nX-Member: %s\r\n\r\n" %
                           (asked[1], self.name.encode()) + early)
        while piece := connection.recv(65536):
            connection.sendall(piece)
        connection.sendall(b"bye")


class TunnelClient:
    """A client of a balancer that has asked for a tunnel and got one."""

    def __init__(self, stream, path="/ws"):
        """`stream`: a connected socket, with or without TLS."""
        self.stream = stream
        stream.sendall(b"GET %s HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade\r\n"
                       b"Upgrade: websocket\r\n\r\n" % path.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = stream.recv(1)
            assert piece, f"the connection ended within {head!r}"
            head += piece
        self.head = head.decode("latin-1")
        assert self.head.startswith("HTTP/1.1 101 "), self.head

    @property
    def member(self):
        return re.search(r"\r\nX-Member: (\S+)", self.head)[1]

    def echoes(self, text):
        self.stream.sendall(text)
        back = b""
        while len(back) < len(text):
            piece = self.stream.recv(65536)
            assert piece, "the tunnel ended"
            back += piece
        return back == text

    def ends(self):
        """Says no more; what still comes."""
        self.stream.shutdown(socket.SHUT_WR)
        rest = b""
        while piece := self.stream.recv(65536):
            rest += piece
        return rest

    def close(self):
        self.stream.close()
