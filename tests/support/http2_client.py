"""A client that speaks HTTP/2 over TLS, one stream after the other."""

import hpack

from . import frames
from .frames import Frames
from .tls import context_for


class Client:
    """One connection; asks for hosts one stream after the other."""

    def __init__(self, port, host, certificate=None):
        context = context_for(certificate=certificate, alpn=["h2"])
        plain = frames.socket.create_connection(("127.0.0.1", port.port), 10)
        self.frames = Frames(port.port, secured=context.wrap_socket(plain, server_hostname=host))
        assert self.frames.socket.selected_alpn_protocol() == "h2"
        self.decoder, self.stream = hpack.Decoder(), -1
        self.farewells = []  # codes of GOAWAY

    def _next(self, wanted):
        """As Frames.until, and polite: pings are answered, farewells noted."""
        def heed(each):
            if each.kind == frames.PING and not each.flags & frames.ACK:
                self.frames.send(frames.frame(frames.PING, frames.ACK, payload=each.payload))
            if each.kind == frames.GOAWAY:
                self.farewells.append(each.code)
            return wanted(each)

        return self.frames.until(heed)

    def ask(self, host, path=b"/"):
        self.stream += 2
        self.frames.headers(self.stream, frames.request(path=path, authority=host.encode(),
                                                        scheme=b"https"))
        head = self._next(lambda each: each.kind == frames.HEADERS)
        assert head is not None and head.stream == self.stream
        status = self.decoder.decode(head.payload)[0][1]
        while not head.flags & frames.END_STREAM:
            head = self._next(lambda each: each.stream == self.stream)
        return status

    def is_sent_away(self):
        """It is told to go, without a complaint, and then the connection ends."""
        assert self._next(lambda each: False) is None
        return set(self.farewells) == {frames.NO_ERROR}

    def close(self):
        self.frames.close()
