"""A member that speaks TLS: one thread a connection, and what it was told in each handshake.

    with TlsMember(certificate) as member:
        ... requests ...
        member.handshakes    # [Handshake(host="m.test", resumed=False, client="bob", version=...)]

What it answers tells of the connection; ?cut=1 breaks off an answer without length in the middle,
without saying goodbye; ?whole=1 ends the same answer in order; ?close=1 closes after the answer.
Who asks for a WebSocket hears in capitals what it says.
"""

import socket
import ssl
import threading
from dataclasses import dataclass

from .ports import HeldPort


@dataclass
class Handshake:
    host: str | None
    resumed: bool
    client: str | None
    version: str
    cipher: str


class TlsMember:
    def __init__(self, certificate, clients=None, versions=None, in_the_clear=None):
        """`clients`: an Authority whose certificates are asked for.  `in_the_clear`: these bytes are
        said to whoever connects, instead of a handshake."""
        self.held = HeldPort()
        self.handshakes, self.requests, self.faults = [], [], []
        self._clear = in_the_clear
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._context.sni_callback = self._note_host
        self._hosts = threading.local()
        if clients is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients.certificate)
        if versions is not None:
            self._context.minimum_version, self._context.maximum_version = versions
        self._socket = self.held.listening_socket()
        self._connections = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self):
        return self.held.port

    def _note_host(self, _socket, name, _context):
        self._hosts.name = name

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain):
        self._hosts.name = None
        self._connections.add(plain)
        try:
            if self._clear is not None:
                plain.sendall(self._clear)
                while plain.recv(4096):
                    pass
                return
            secure = self._context.wrap_socket(plain, server_side=True)
            self._connections.add(secure)
            peer = secure.getpeercert() or {}
            names = {k: v for part in peer.get("subject", ()) for k, v in part}
            self.handshakes.append(Handshake(self._hosts.name, secure.session_reused,
                                             names.get("commonName"), secure.version(),
                                             secure.cipher()[0]))
            with secure:
                while self._answer(secure):
                    pass
        except (OSError, ssl.SSLError) as fault:
            self.faults.append(str(fault))
        finally:
            plain.close()

    def _answer(self, secure):
        data = b""
        while b"\r\n\r\n" not in data:
            more = secure.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
                while len(body) < length:
                    body += secure.recv(65536)
        self.requests.append((head, body))
        target = head.split(b" ")[1]
        if b"\r\nUpgrade: websocket" in head:
            secure.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                           b"Upgrade: websocket\r\n\r\n")
            while said := secure.recv(4096):
                secure.sendall(said.upper())
            return False
        if b"cut=1" in target or b"whole=1" in target:
            secure.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000)
            if b"whole=1" in target:
                secure.unwrap()
            else:
                secure.shutdown(socket.SHUT_RDWR)
            return False
        said = b"y" * int(target.split(b"size=")[1]) if b"size=" in target else b"secure " + target
        secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        return b"close=1" not in target

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in list(self._connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(5)
        self.held.close()
