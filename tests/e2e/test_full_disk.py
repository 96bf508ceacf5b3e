"""A journal on a disk without room: changes are refused with the reason, and the server serves."""

import subprocess

import pytest
from support.process import until
from test_operators import World

SIZE_KIB = 128


@pytest.fixture
def disk(server):
    """A file system of 128 KiB where the journal lies."""
    folder = server.root / "disk"
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_KIB}k,mode=1777", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield folder
    server.stop()
    subprocess.run(["umount", str(folder)], check=True, timeout=20)


@pytest.fixture
def world(server, port, farm, disk):
    one = World(server, port, farm)
    one.start(persist=f"SteelyardJournal {disk}/journal\nBalancerPersist On")
    yield one
    farm.retire(one.members)


def fill(disk):
    """Until nothing fits."""
    with open(disk / "rest", "wb", buffering=0) as rest:
        try:
            while True:
                rest.write(b"x" * 512)
        except OSError:
            return disk / "rest"


def test_a_full_disk_refuses_changes_and_nothing_else(world, disk):
    status, said = world.ctl("set", "app", "m1", "lbset=1")
    assert status == 0, said + world.server.read("error.log")
    rest = fill(disk)
    status, said = world.ctl("set", "app", "m1", "+D")
    assert status == 1 and said.startswith("steelyard ctl: the journal could not be written: "), said
    status, problem, _ = world.api("PATCH", "member", {"status": "D"}, balancer="app", member="m1")
    assert status == 503 and "the journal could not be written" in problem["detail"]
    # What was not kept was not done, and what was done is shown.
    shown = world.api("GET", "member", balancer="app", member="m1")[1]
    assert shown["status"] == "Init Ok" and shown["settings"]["lbset"] == "1"
    assert world.ctl("set", "app", "m1", "lbset=0")[0] == 1
    assert set(world.answers()) == {"M2"}
    assert "The last change was refused: the journal could not be written" in world.ctl("members")[1]
    rest.unlink()
    assert until(lambda: world.ctl("set", "app", "m1", "+D")[0] == 0)
    world.server.process.kill()
    world.server.process.wait(20)
    world.server.stop()
    world.start(persist=f"SteelyardJournal {disk}/journal\nBalancerPersist On")
    shown = world.api("GET", "member", balancer="app", member="m1")[1]
    assert shown["status"] == "Init Dis" and shown["settings"]["lbset"] == "1"
