"""Upgraded connections (WebSockets) that say one thing and then nothing, and the member behind them.

Threads: the member's answers lie in one of its own; the clients are the caller's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading

from fixture import Failed

REQUEST = (b"GET /ws HTTP/1.1\r\nHost: lb.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
ANSWER = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
WORDS = b"x" * 200
WAIT_SECONDS = 20


class _Echo(asyncio.Protocol):
    """One connection: a request head is answered with 101, what follows it with itself."""

    def __init__(self) -> None:
        self._head: bytes | None = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            self._transport.write(data)
            return
        self._head += data
        if self._head.endswith(b"\r\n\r\n"):
            self._head = None
            self._transport.write(ANSWER)


class EchoMember:
    """Takes every upgrade and says everything back."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(_Echo, "127.0.0.1", 0, backlog=1024))
        self.address = "127.0.0.1:{}".format(self._server.sockets[0].getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def close(self) -> None:
        """After the proxy's end."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


def open_tunnel(address: str, tls: bool) -> socket.socket:
    host, _, port = address.rpartition(":")
    client = socket.create_connection((host, int(port)), WAIT_SECONDS)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = context.wrap_socket(client)
    client.sendall(REQUEST)
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        if not piece:
            raise Failed(f"no tunnel: {head!r}")
        head += piece
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Failed(f"no tunnel: {head!r}")
    client.sendall(WORDS)
    rest = len(WORDS)
    while rest:
        piece = client.recv(rest)
        if not piece:
            raise Failed("the tunnel ended")
        rest -= len(piece)
    return client


def still_open(clients: list[socket.socket]) -> int:
    """How many have nothing to read, their end neither."""
    count = 0
    for client in clients:
        client.setblocking(False)
        try:
            client.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            count += 1
        except OSError:
            pass
    return count
