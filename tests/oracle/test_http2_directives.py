"""The directives of HTTP/2 at apache2 and at steelyard: the same lines, the same client, and
what it sees then.
"""

import socket
import threading

import http2_directives
import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete, steelyard_binary
from support.threaded_member import ThreadedMember

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("http2", "socache_shmcb", "ssl"))
CONFIG = """\
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{secure_port}
Protocols h2c http/1.1
{lines}
ProxyPass /pour/ http://{pourer}/
ProxyPass / http://{member}/
<VirtualHost 127.0.0.1:{secure_port}>
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
Protocols h2 http/1.1
ProxyPass / http://{member}/
</VirtualHost>
"""


class Pourer(ThreadedMember):
    """Answers with 3 MB, of which little fits into its own end of a connection."""

    BYTES = 3_000_000

    def __init__(self):
        self.held, self.got_rid_of_all = HeldPort(), threading.Event()
        super().__init__(self.held.listening_socket())

    def _converse(self, one):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := one.recv(65536)):
                return
            head += more
        one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.BYTES
                    + b"x" * self.BYTES)
        self.got_rid_of_all.set()
        one.recv(1)

    def close(self):
        super().close()
        self.held.close()


class Stage:
    def __init__(self, program, farm, certified, lines):
        self.farm, self.member, self.pourer = farm, farm.member("M1"), Pourer()
        self.port, self.secure_port, self.scratch = HeldPort(), HeldPort(), Scratch()
        self.server = Server(PROGRAMS[program], self.scratch.path / program)
        certificate, key = certified
        self.server.start(complete(MODULES + CONFIG.format(
            port=self.port.port, secure_port=self.secure_port.port, lines=lines,
            pourer=self.pourer.held, member=self.member.address, certificate=certificate, key=key)),
            [self.port.port, self.secure_port.port])

    def close(self):
        self.member.gates.reset()
        self.server.stop()
        self.farm.retire([self.member])
        for each in (self.pourer, self.port, self.secure_port, self.scratch):
            each.close()


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki")).issue("lb.test")


@pytest.fixture
def see(farm, certified):
    def run(program, probe):
        stage = Stage(program, farm, certified, probe.lines)
        try:
            return probe.ask(stage)
        finally:
            stage.close()

    return run


@pytest.mark.parametrize(
    "probe", http2_directives.PROBES, ids=lambda probe: probe.name.replace(" ", "_"))
def test_same(probe, see):
    assert see("apache2", probe) == probe.seen, "apache2 itself"
    assert see("steelyard", probe) == probe.seen


@pytest.mark.parametrize(
    "different", http2_directives.DIFFERENT, ids=lambda different: different.id)
def test_documented_differences_are_real(different, see):
    assert see("apache2", different.case) in (different.case.seen, different.also)
    assert see("steelyard", different.case) == different.steelyard
