"""0.0.0.0 and [::] in Listen and <VirtualHost> mean to Steelyard what they mean to apache2.

The programs listen on every address of a network namespace of their own, which has loopback alone.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "support/all_addresses.py"
SEEN = {
    "all of IPv6": ["main", "main"],
    "all of IPv4, then of IPv6": ["main", "main"],
    "all of IPv6, then of IPv4": ["main", "main"],
    "all, then all of IPv4": ["main", "main"],
    "all of IPv4": ["four", None],
    "a host of all of IPv4": ["four", "four"],
    "a host of all of IPv6": ["six", "six"],
    "one host of each": ["six", "six"],
    "a host of all of IPv4 before a star": ["four", "four"],
    "a host of all of IPv4 behind a star": ["star", "star"],
    "a host of one address before all": ["one", "four"],
}


def why_not():
    """Why there can be no such namespace; None when there can."""
    steps = "ip link set lo up && ip -6 addr show dev lo | grep -q ::1"
    tried = subprocess.run(["unshare", "--net", "sh", "-c", steps], capture_output=True, check=False)
    if tried.returncode == 0:
        return None
    return "no network namespace with IPv6: " + (tried.stderr.decode().strip() or "no ::1")


REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


@pytest.fixture(scope="module")
def found(binary):
    said = subprocess.run(
        ["unshare", "--net", sys.executable, "-B", str(SCRIPT), str(binary)],
        capture_output=True, check=False, text=True, timeout=120,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    return json.loads(said.stdout)


@pytest.mark.parametrize("case", SEEN)
def test_all_addresses_are_those_of_httpd(found, case):
    assert found[case] == {"httpd": SEEN[case], "ours": SEEN[case]}
