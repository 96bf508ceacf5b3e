"""The optimised program as a whole, with real sockets, files and processes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.attack import Fortress  # noqa: E402
from support.certificates import Authority  # noqa: E402
from support.member import Farm  # noqa: E402
from support.ports import HeldPort  # noqa: E402
from support.server import Scratch, Server, steelyard_binary  # noqa: E402


@pytest.fixture(scope="session")
def binary():
    path = steelyard_binary()
    assert path.exists(), f"{path} is not built: ./run --build"
    return path


@pytest.fixture(scope="session")
def farm():
    one = Farm()
    yield one
    one.close()


@pytest.fixture
def own(farm):
    """The member that a file leads to."""
    one = farm.member("M1")
    yield one
    farm.retire([one])


@pytest.fixture
def canary(farm):
    """A member that nobody but a client's own wish leads to."""
    one = farm.member("M2")
    yield one
    farm.retire([one])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Certificate and key of this machine."""
    return Authority(tmp_path_factory.mktemp("authority")).issue("localhost", "127.0.0.1")


@pytest.fixture
def port():
    held = HeldPort()
    yield held
    held.close()


@pytest.fixture
def scratch():
    directory = Scratch("steelyard-e2e-")
    yield directory.path
    directory.close()


@pytest.fixture
def server(binary, scratch):
    """A steelyard that is stopped at the end whatever happens."""
    one = Server(binary, scratch)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def lasting_fortress(binary):
    one = Fortress(binary)
    yield one
    one.close()


@pytest.fixture
def fortress(lasting_fortress):
    """The same one for a whole file, whose member has forgotten what a test before it left."""
    lasting_fortress.member.take()
    return lasting_fortress
