"""Upgraded connections: chosen by route, counted while they last, and longer-lived than generations."""

import re
import shutil
import socket
from contextlib import ExitStack, closing

import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.process import reload, until
from support.server import MODULE_DIRECTORY, complete
from support.tls import context_for
from support.upgrading_member import TunnelClient, UpgradingMember
from support.wire import Connection

CONFIG = f"""
LoadModule proxy_wstunnel_module {MODULE_DIRECTORY}/mod_proxy_wstunnel.so
LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so
""" + """
Listen {clear}
Listen {secure}
<Proxy balancer://app>
    BalancerMember ws://{one} route=one
    BalancerMember ws://{two} route=two
    ProxySet stickysession=sid
</Proxy>
ProxyPass /manager !
ProxyPass /metrics !
<Location /manager>
    SetHandler balancer-manager
</Location>
<Location /metrics>
    SetHandler steelyard-metrics
</Location>
<Location /together>
    SetEnv proxy-nohalfclose 1
</Location>
ProxyPass / balancer://app/
<VirtualHost *:{secure_port}>
    SSLEngine On
    SSLCertificateFile {place}/live.pem
    SSLCertificateKeyFile {place}/live.key
</VirtualHost>
"""


class World:
    def __init__(self, stack, server, place):
        self.stack, self.server, self.place = stack, server, place
        self.members = {name: stack.enter_context(closing(UpgradingMember(name)))
                        for name in ("one", "two")}
        self.clear, self.secure = (stack.enter_context(closing(HeldPort())) for _ in range(2))
        self.authority = Authority(place / "pki")
        self.certify("first.test")
        self.text = CONFIG.format(clear=self.clear, secure=self.secure, place=place,
                                  secure_port=self.secure.port,
                                  **{name: one.address for name, one in self.members.items()})
        server.start(complete(self.text), [self.clear.port, self.secure.port])

    def certify(self, host):
        certificate, key = self.authority.issue(host)
        shutil.copy(certificate, self.place / "live.pem")
        shutil.copy(key, self.place / "live.key")

    def reload(self):
        reload(self.server)

    def secure_stream(self):
        stream = socket.create_connection(("127.0.0.1", self.secure.port), 20)
        return context_for().wrap_socket(stream)

    def tunnel(self, path="/ws", secure=False):
        stream = (self.secure_stream() if secure
                  else socket.create_connection(("127.0.0.1", self.clear.port), 20))
        return self.stack.enter_context(closing(TunnelClient(stream, path)))

    def certified_host(self):
        with closing(self.secure_stream()) as stream:
            return re.search(rb"(\w+)\.test", stream.getpeercert(binary_form=True))[1].decode()

    def page(self, path):
        with closing(Connection("127.0.0.1", self.clear.port)) as client:
            client.send(f"GET {path} HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n".encode())
            return client.read_to_end()[0].decode()

    def has_busy(self, **counts):
        """The manager and the metrics agree on these."""
        rows = re.findall(r"<td>(one|two)</td>" + 4 * "<td>[^<]*</td>" +
                          r"<td>\d+</td><td>(\d+)</td>", self.page("/manager"))
        metrics = self.page("/metrics")
        told = {name: re.search(r"^steelyard_member_busy\{[^}]*ws://%s[^}]*\} (\d+)" % one.address,
                                metrics, re.MULTILINE)[1]
                for name, one in self.members.items()}
        return counts == {name: int(count) for name, count in rows} == {
            name: int(count) for name, count in told.items()}


@pytest.fixture
def world(server, tmp_path):
    with ExitStack() as stack:
        yield World(stack, server, tmp_path)


def test_a_tunnel_goes_where_the_session_is(world):
    for name in ("two", "two", "one", "two", "one", "one"):
        assert world.tunnel(f"/ws?sid=x.{name}").member == name
        assert world.tunnel(f"/ws;sid=x.{name}").member == name


def test_a_tunnel_is_busy_as_long_as_it_lasts(world):
    assert world.has_busy(one=0, two=0)
    tunnels = [world.tunnel("/ws?sid=x.one") for _ in range(3)] + [world.tunnel("/ws?sid=x.two")]
    assert world.has_busy(one=3, two=1)
    for one in tunnels[1:]:
        one.close()
    assert until(lambda: world.has_busy(one=1, two=0))


def test_a_tunnel_survives_reloads_and_other_certificates(world):
    tunnels = [world.tunnel("/ws?sid=x.two", secure) for secure in (False, True)]
    for host in ("second", "third"):
        world.certify(f"{host}.test")
        world.reload()
        assert world.certified_host() == host
        assert all(one.echoes(b"still here") for one in tunnels)
    # Chosen under the first generation, still counted under the last.
    assert world.has_busy(one=0, two=2)


def test_a_tunnel_survives_a_reload_that_drops_its_route(world):
    kept = world.tunnel("/ws?sid=x.one")
    world.server.write(complete(world.text.replace("ProxyPass / balancer://app/\n", "")))
    world.reload()
    # The log tells of the reload before each shard has heard of it.
    assert until(lambda: world.page("/ws").startswith("HTTP/1.1 404 "))
    assert kept.echoes(b"still here")


def test_the_end_of_one_side_is_told_to_the_other(world):
    assert world.tunnel("/ws").ends() == b"bye"


def test_both_sides_end_together_where_a_variable_wants_it(world):
    """httpd: proxy-nohalfclose."""
    assert world.tunnel("/together").ends() == b""
    assert until(lambda: world.has_busy(one=0, two=0))
