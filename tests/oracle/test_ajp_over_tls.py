"""What a container is told of a client's TLS: packets of apache2 and of steelyard, byte by byte.

The same certificates and the same clients.  Two things differ by their nature: the client's port and
the id of its session; both are masked where they stand, with their lengths.
"""

import re
import ssl
import struct

import pytest
from support.ajp import CPONG, end, send_headers
from support.certificates import RSA, Authority
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete, steelyard_binary
from support.threaded_member import ThreadedMember
from support.tls import TlsConnection, context_for

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("proxy_ajp", "socache_shmcb", "ssl"))
CONFIG = """\
Listen 127.0.0.1:{port}
SSLSessionCache shmcb:sessions(512000)
<VirtualHost 127.0.0.1:{port}>
ServerName lb.test
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLCACertificateFile {authority}
SSLVerifyClient optional
{lines}
ProxyPass / ajp://{member}/t/ secret=s3
</VirtualHost>
"""
TLS_1_2 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
TLS_1_3 = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)
FORWARD_REQUEST, CPING = b"\x02", b"\x0a"


class Recorder(ThreadedMember):
    """A container that keeps the requests' packets as they are and answers 200 to all."""

    def __init__(self):
        self.held, self.packets = HeldPort(), []
        super().__init__(self.held.listening_socket())

    def _converse(self, one):
        with one.makefile("rb") as stream:
            while len(head := stream.read(4)) == 4:
                packet = stream.read(struct.unpack(">H", head[2:])[0])
                if packet[:1] == CPING:
                    one.sendall(CPONG)
                elif packet[:1] == FORWARD_REQUEST:
                    self.packets.append(packet)
                    one.sendall(send_headers(200, b"OK", []) + end())

    def close(self):
        super().close()
        self.held.close()


def masked(packet, port):
    """Without chance: the client's port, the session's id, and where this very program listens."""
    packet = re.sub(rb"AJP_REMOTE_PORT\0\0.\d+", b"AJP_REMOTE_PORT (port)", packet)
    packet = re.sub(rb"\x09\0([\x20\x40])[0-9a-fA-F]+\0",
                    lambda found: b"\x09\0%s(%d hex digits)" % (found[1], found[1][0]), packet)
    return packet.replace(struct.pack(">H", port) + b"\x01", b"(port)\x01")


class Side:
    def __init__(self, program, authority, certified, lines):
        self.scratch, self.port, self.member = Scratch(), HeldPort(), Recorder()
        self.server = Server(PROGRAMS[program], self.scratch.path / program)
        certificate, key = certified
        self.server.start(complete(MODULES + CONFIG.format(
            port=self.port.port, member=self.member.held, certificate=certificate, key=key,
            authority=authority.certificate, lines=lines)), [self.port.port])

    def packets(self, contexts):
        for context in contexts:
            client = TlsConnection(self.port.port, "lb.test", context)
            assert client.ask("/x?q=1").status == "200"
            assert client.ask("/again").status == "200"
            client.close()
        return [masked(packet, self.port.port) for packet in self.member.packets]

    def close(self):
        self.server.stop()
        for each in (self.member, self.port, self.scratch):
            each.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def clients(authority):
    """By name: contexts of clients that differ in what a container could be told of."""
    plain = authority.issue("client.test", subject="/O=Test, Inc./CN=Ann")
    rsa = authority.issue("rsa.test", algorithm=RSA)
    with_id = context_for(authority, versions=TLS_1_2)
    with_id.options |= ssl.OP_NO_TICKET  # only then the server gives its session an id
    return {
        "a session with an id": with_id,
        "TLS 1.3": context_for(authority, versions=TLS_1_3),
        "TLS 1.2": context_for(authority, versions=TLS_1_2),
        "256 bits": context_for(authority, versions=TLS_1_2, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"),
        "128 bits": context_for(authority, versions=TLS_1_2, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"),
        "a certificate": context_for(authority, plain, TLS_1_3),
        "a certificate by TLS 1.2": context_for(authority, plain, TLS_1_2),
        "an RSA certificate": context_for(authority, rsa, TLS_1_3),
    }


@pytest.mark.parametrize("lines", ["", "SSLOptions +StdEnvVars +ExportCertData",
                                   "SSLUserName SSL_CLIENT_S_DN_CN"],
                         ids=["plain", "variables", "user"])
def test_what_containers_are_told_of_tls(authority, clients, lines):
    certified = authority.issue("lb.test")
    seen = {}
    for program in PROGRAMS:
        side = Side(program, authority, certified, lines)
        try:
            seen[program] = side.packets(clients.values())
        finally:
            side.close()
    assert len(seen["apache2"]) == 2 * len(clients)
    told = dict(zip(clients, seen["apache2"][::2], strict=True))
    # What apache2 itself tells, or this would compare nothing with nothing.
    assert b"AJP_SSL_PROTOCOL\0\0\x07TLSv1.3\0" in told["TLS 1.3"]
    assert b"AJP_SSL_PROTOCOL\0\0\x07TLSv1.2\0" in told["TLS 1.2"]
    assert b"\x08\0\x1dECDHE-ECDSA-AES128-GCM-SHA256\0" in told["128 bits"]
    assert b"\x0b\0\x80" in told["128 bits"] and b"\x0b\x01\0" in told["256 bits"]
    assert b"hex digits" in told["a session with an id"]
    for name, packet in told.items():
        assert (b"-----BEGIN CERTIFICATE-----" in packet) == ("certificate" in name), name
        # auth_type behind remote_user
        named = b"\x03\0\x03Ann\0\x04\0\x0aClientCert\0" in packet
        assert named == ("a certificate" in name and "SSLUserName" in lines), name
    for nth, (first, second) in enumerate(zip(*seen.values(), strict=True)):
        assert second == first, [*clients][nth // 2]
