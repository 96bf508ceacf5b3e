"""gRPC through HTTP/2 on both sides, with the library that people use: all four kinds of calls."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY, complete

PROGRAM = Path(__file__).resolve().parents[1] / "grpc"


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """The program with its packages, beside the sources and not among them."""
    place = tmp_path_factory.mktemp("grpc")
    for name in ("package.json", "package-lock.json", "calls.js"):
        shutil.copy(PROGRAM / name, place)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=place, check=True,
                   timeout=300)
    return place / "calls.js"


def test_every_kind_of_call_passes(calls, server, port):
    member = HeldPort()
    server.start(complete(
        f"LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so\n"
        f"LoadModule proxy_http2_module {MODULE_DIRECTORY}/mod_proxy_http2.so\n"
        f"Protocols h2c http/1.1\nListen {port.port}\n"
        f"ProxyPass / h2c://127.0.0.1:{member.port}/\n"), [port.port])
    done = subprocess.run(["node", calls, str(member.port), str(port.port)], capture_output=True,
                          timeout=60, check=True)
    member.close()
    told = {one["name"]: one["value"] for one in map(json.loads, done.stdout.splitlines())}
    assert told == {
        "unary": "got a",
        "failed": {"code": 5, "details": "no such thing", "why": ["because"]},
        "up": "500000",
        "down": [f"part {n}" for n in range(300)],
        "both": ["echo m0", "echo m1", "echo m2"],
        "at once": [f"got {n}" for n in range(50)],
    }
