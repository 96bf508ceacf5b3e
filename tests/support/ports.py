"""Addresses that belong to a test for as long as it runs.

A held port is bound but never listens: the kernel gives it to nobody else, connecting to it is
refused at once, and a server started by the test may bind and listen on it (Linux allows that when
both sockets set SO_REUSEADDR and SO_REUSEPORT).  So a member can go down and come back, and two
programs can serve the same port one after the other, without a fixed port anywhere.
"""

import socket


def reusable_socket(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return sock


def any_address_socket(port):
    """Bound to the port at every address; None where somebody has it at some address, as a connection
    that ended a while ago has."""
    sock = None
    try:
        sock = reusable_socket("::")
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", port))
    except OSError:
        if sock is not None:
            sock.close()
        return None
    return sock


class HeldPort:
    """The port is free at every address, since servers are told to listen at all of them."""

    TRIES = 50

    def __init__(self, host="127.0.0.1", port=0):
        """`port`: one that another held port has at another address."""
        self.host = host
        for last in range(self.TRIES):
            self._holder = reusable_socket(host)
            try:
                self._holder.bind((host, port))
            except OSError:
                self._holder.close()
                raise
            self.port = self._holder.getsockname()[1]
            self._everywhere = None if port or not socket.has_ipv6 else any_address_socket(self.port)
            if port or self._everywhere or last == self.TRIES - 1:
                return
            self._holder.close()

    def __str__(self):
        return f"{self.host}:{self.port}"

    def listening_socket(self, backlog=128):
        sock = reusable_socket(self.host)
        sock.bind((self.host, self.port))
        sock.listen(backlog)
        return sock

    def close(self):
        self._holder.close()
        if self._everywhere:
            self._everywhere.close()


class FullPort:
    """An address where a listener takes nobody in: who connects waits, as for a silent host."""

    def __init__(self):
        self._held = HeldPort()
        self._listener = self._held.listening_socket(backlog=0)
        self._only_guest = socket.create_connection((self._held.host, self._held.port), 5)

    def __str__(self):
        return str(self._held)

    def close(self):
        for one in (self._only_guest, self._listener, self._held):
            one.close()
