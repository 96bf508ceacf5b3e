"""Upgraded connections."""

import re
import socket
import time
from contextlib import ExitStack, closing

import pytest
from support.attack import Fortress
from support.certificates import Authority
from support.memory import bytes_each
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import context_for
from support.upgrading_member import TunnelClient, UpgradingMember


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


MODULE = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
TLS = """
SSLEngine On
SSLCertificateFile {}
SSLCertificateKeyFile {}
"""


@pytest.mark.parametrize(("over", "bytes_max"), [("tcp", 4096), ("tls", 20480)])
def test_a_silent_tunnel_holds_no_buffers(binary, over, bytes_max):
    """35 KiB each, 58 over TLS; what is left of the latter is the library's own state."""
    with ExitStack() as stack:
        scratch, port = Scratch(), HeldPort()
        stack.callback(scratch.close)
        stack.callback(port.close)
        member = stack.enter_context(closing(UpgradingMember()))
        server = Server(binary, scratch.path / "balancer")
        text = f"Listen {port}\nProxyPass /ws http://{member.address}/ws upgrade=websocket\n"
        if over == "tls":
            text = MODULE + text + TLS.format(*Authority(scratch.path / "pki").issue("lb.test"))
        server.start(complete(text), [port.port])
        stack.callback(server.stop)

        def open_some(count):
            for _ in range(count):
                stream = socket.create_connection(("127.0.0.1", port.port), 20)
                if over == "tls":
                    stream = context_for().wrap_socket(stream)
                client = stack.enter_context(closing(TunnelClient(stream)))
                assert client.echoes(b"x" * 100_000)

        assert bytes_each(server.process, open_some) <= bytes_max
