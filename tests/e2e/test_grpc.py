"""gRPC through HTTP/2 on both sides, with the library that people use: all four kinds of calls."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.certificates import Authority
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


HTTP2 = (f"LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so\n"
         f"LoadModule proxy_http2_module {MODULE_DIRECTORY}/mod_proxy_http2.so\n")
TLS = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
EVERY_CALL = {
    "unary": "got a",
    "failed": {"code": 5, "details": "no such thing", "why": ["because"]},
    "up": "500000",
    "down": [f"part {n}" for n in range(300)],
    "both": ["echo m0", "echo m1", "echo m2"],
    "deadline": 4,  # DEADLINE_EXCEEDED, and the server was told
    "cancelled": 1,
    "at once": [f"got {n}" for n in range(50)],
}


def told_by(calls, *words, **environment):
    done = subprocess.run(["node", calls, *map(str, words)], capture_output=True, timeout=60,
                          check=True, env={**os.environ, **environment})
    return {one["name"]: one["value"] for one in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def member():
    held = HeldPort()
    yield held
    held.close()


def test_every_kind_of_call_passes(calls, server, port, member):
    server.start(complete(
        f"{HTTP2}Protocols h2c http/1.1\nListen {port.port}\n"
        f"ProxyPass / h2c://127.0.0.1:{member.port}/\n"), [port.port])
    assert told_by(calls, member.port, port.port) == EVERY_CALL


def test_every_kind_of_call_passes_over_tls_on_both_sides(calls, server, port, member, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", "127.0.0.1")
    tmp_path.chmod(0o755)
    server.start(complete(
        f"{HTTP2}{TLS}Protocols h2 http/1.1\nListen {port.port}\nSSLEngine On\n"
        f"SSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}\n"
        f"SSLProxyEngine On\nSSLProxyVerify require\n"
        f"SSLProxyCACertificateFile {authority.certificate}\n"
        f"ProxyPass / h2://localhost:{member.port}/\n"), [port.port])
    assert told_by(calls, member.port, port.port, certificate, key,
                   authority.certificate) == EVERY_CALL


@pytest.mark.parametrize("streams_max", [1, 3])
def test_a_server_that_takes_few_calls_at_a_time(calls, server, port, member, streams_max):
    server.start(complete(
        f"{HTTP2}Protocols h2c http/1.1\nListen {port.port}\n"
        f"ProxyPass / h2c://127.0.0.1:{member.port}/\n"), [port.port])
    assert told_by(calls, member.port, port.port, STREAMS_MAX=str(streams_max)) == EVERY_CALL


def members(*ports):
    lines = "".join(f"BalancerMember h2c://127.0.0.1:{one.port}\n" for one in ports)
    return f"<Proxy balancer://calls>\n{lines}</Proxy>\nProxyPass / balancer://calls/\n"


@pytest.fixture
def second():
    held = HeldPort()
    yield held
    held.close()


def test_no_call_fails_while_servers_end_their_connections(calls, server, port, member, second):
    """Servers say GOAWAY ten times a second, in the middle of calls of every kind."""
    server.start(complete(
        f"{HTTP2}Protocols h2c http/1.1\nListen {port.port}\n{members(member, second)}"), [port.port])
    told = told_by(calls, member.port, port.port, SECOND_PORT=str(second.port), CONNECTION_AGE_MS="100")
    met = told.pop("met")
    assert told.pop("for a while") == ["good"] * 4
    assert told == EVERY_CALL
    assert met["servers"] == 2 and met["connections"] >= 10 and met["calls"] >= 40, met


def test_two_servers_share_the_calls(calls, server, port, member, second):
    server.start(complete(
        f"{HTTP2}Protocols h2c http/1.1\nListen {port.port}\n{members(member, second)}"), [port.port])
    told = told_by(calls, member.port, port.port, SECOND_PORT=str(second.port))
    met = told.pop("met")
    assert told.pop("for a while") == ["good"] * 4
    assert told == EVERY_CALL
    assert met["servers"] == 2 and 2 <= met["connections"] <= 4, met
