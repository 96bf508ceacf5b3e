"""A disk that does not answer keeps operators waiting, and nobody else."""

import subprocess

import pytest
from support.process import until
from support.server import MODULE_DIRECTORY, complete
from support.slow_disk import SlowDisk
from support.wire import Connection

CONFIG = """\
LoadModule status_module {modules}/mod_status.so
Listen 127.0.0.1:{port}
SteelyardShards 2
BalancerPersist On
<Proxy balancer://app>
    BalancerMember http://{m1} route=m1
    BalancerMember http://{m2} route=m2
</Proxy>
ProxyPass /status !
ProxyPass /metrics !
ProxyPass / balancer://app/
<Location /status>
    SetHandler server-status
</Location>
<Location /metrics>
    SetHandler steelyard-metrics
</Location>
"""
WAIT_S = 20


class World:
    def __init__(self, server, port, farm, scratch):
        self.server, self.port = server, port
        self.members = [farm.member(name) for name in ("M1", "M2")]
        self.disk = SlowDisk(scratch)
        server.environment = self.disk.environment()
        m1, m2 = (member.address for member in self.members)
        text = CONFIG.format(port=port.port, m1=m1, m2=m2, modules=MODULE_DIRECTORY)
        server.start(complete(text), [port.port])
        assert self.get() == "M1"  # the start itself has waited for the disk

    def ctl(self, *words):
        command = [self.server.binary, "ctl", "-d", str(self.server.root), "-f",
                   str(self.server.config_path), *words]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def get(self, target="/"):
        connection = Connection("127.0.0.1", self.port.port)
        connection.send(f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
        got = connection.read_response()
        connection.close()
        assert got.status == "200"
        return got.body.decode("latin1").strip()


@pytest.fixture
def world(server, port, farm, scratch):
    one = World(server, port, farm, scratch)
    yield one
    server.stop()
    farm.retire(one.members)


def test_requests_and_pages_do_not_wait_for_the_journal(world):
    with world.disk.stuck() as held:
        change = world.ctl("set", "app", "m1", "+D")
        assert until(held, WAIT_S)
        # 40 connections of their own: both shards get some.
        assert {world.get() for _ in range(40)} == {"M1", "M2"}
        assert "steelyard_member_usable" in world.get("/metrics")
        assert "Server Status" in world.get("/status")
        assert change.poll() is None
    said, _ = change.communicate(timeout=WAIT_S)
    assert change.returncode == 0, said
    assert {world.get() for _ in range(8)} == {"M2"}


def test_a_change_that_the_disk_has_not_confirmed_does_not_count(world):
    with world.disk.stuck() as held:
        change = world.ctl("set", "app", "m1", "+D")
        assert until(held, WAIT_S)
        assert {world.get() for _ in range(8)} == {"M1", "M2"}
        world.server.process.kill()
        world.server.process.wait(WAIT_S)
    change.communicate(timeout=WAIT_S)
    assert change.returncode != 0
