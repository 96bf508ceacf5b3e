"""A TLS client that keeps what came back as it came, and says how the connection ended.

Like wire.Connection, but over TLS: an end without close_notify is "cut", with it "closed".
"""

import socket
import ssl
import warnings

from .wire import Connection

WAIT_S = 8.0


def context_for(authority=None, certificate=None, versions=None, alpn=None, ciphers=None):
    """Trusts `authority` (an Authority), or whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(authority.certificate)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    if versions is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = versions
    if alpn is not None:
        context.set_alpn_protocols(alpn)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    return context


class TlsConnection(Connection):
    """One TLS connection to a port of this machine, whose handshake is over."""

    def __init__(self, port, host=None, context=None, session=None, timeout_s=WAIT_S,
                 receive_bytes=None):
        super().__init__("127.0.0.1", port, timeout_s, receive_bytes)
        self.ended_in_order = None
        try:
            self.socket = (context or context_for()).wrap_socket(
                self.socket, server_hostname=host, session=session, suppress_ragged_eofs=False
            )
        except BaseException:
            self.socket.close()
            raise

    @property
    def subject(self):
        fields = self.socket.getpeercert().get("subject", ())
        return {name: value for part in fields for name, value in part}.get("commonName")

    @property
    def der(self):
        return self.socket.getpeercert(binary_form=True)

    def ask(self, target="/", host="lb.test", more="", method="GET"):
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"
        self.send(head.encode())
        return self.read_response(method)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass

    def _fill(self, deadline):
        # What the library read ahead is not to be waited for.
        if not self.at_eof and self.socket.pending():
            self._unread += self.socket.recv(1 << 16)
            return
        try:
            super()._fill(deadline)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            self.ended_in_order = False
            self.at_eof = True
            self._raise_end()
        except Exception:
            if self.at_eof and self.ended_in_order is None:
                self.ended_in_order = True
            raise

    @staticmethod
    def _raise_end():
        from .wire import Stopped

        raise Stopped("eof")


def handshake_fault(port, host=None, context=None):
    """What a handshake that has to fail says; None if it does not fail."""
    try:
        connection = TlsConnection(port, host, context)
    except (ssl.SSLError, ConnectionResetError) as fault:
        return str(fault)
    # A client of TLS 1.3 is done before the server has looked at its certificate.
    connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    try:
        connection.socket.settimeout(WAIT_S)
        got = connection.socket.recv(1)
    except (ssl.SSLError, ConnectionResetError) as fault:
        return str(fault)
    finally:
        connection.close()
    return None if got else "ended"


def raw_socket(port):
    plain = socket.create_connection(("127.0.0.1", port), WAIT_S)
    plain.settimeout(WAIT_S)
    return plain
