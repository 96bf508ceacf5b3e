"""What is sent through a proxy, by name."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass

from fixture import Failed
from proxies import Proxy


@dataclass(frozen=True)
class Scenario:
    title: str
    path: str
    body_bytes: int
    connections: int = 64
    members: int = 4
    log: bool = False
    switches: tuple[str, ...] = ()
    posted_bytes: int = 0
    rate: int = 0
    tls: bool = False

    def load_arguments(self) -> list[str]:
        arguments = ["--path", self.path, "--connections", str(self.connections), *self.switches]
        if self.posted_bytes:
            arguments += ["--post", str(self.posted_bytes)]
        return arguments + (["--rate", str(self.rate)] if self.rate else [])


SCENARIOS = {
    "1k": Scenario("1 KiB, 64 keep-alive connections", "/1k", 1024),
    "1k-log": Scenario("1 KiB, 64 keep-alive connections, with an access log", "/1k", 1024, log=True),
    "paced": Scenario("1 KiB, 5,000 requests a second whatever the answers do, 64 connections", "/1k",
                      1024, rate=5000),
    "64k": Scenario("64 KiB, 64 keep-alive connections", "/64k", 64 * 1024),
    "1m": Scenario("1 MiB, 16 keep-alive connections", "/1m", 1024 * 1024, connections=16),
    "new": Scenario("1 KiB, a new connection for each request, 64 at once", "/1k", 1024,
                    switches=("--fresh",)),
    "post": Scenario("POST of 4 KiB answered by 1 KiB, 64 keep-alive connections", "/1k", 1024,
                     posted_bytes=4096),
    "tls-1k": Scenario("1 KiB over TLS 1.3, 64 keep-alive connections", "/1k", 1024, tls=True),
    "tls-64k": Scenario("64 KiB over TLS 1.3, 64 keep-alive connections", "/64k", 64 * 1024, tls=True),
    "tls-new": Scenario("1 KiB, a new TLS 1.3 handshake (ECDSA P-256) for each request, 64 at once",
                        "/1k", 1024, switches=("--fresh",), tls=True),
    "1000": Scenario("1 KiB, 1,000 members, 64 keep-alive connections", "/1k", 1024, members=1000),
}


def check_answer(proxy: Proxy, scenario: Scenario) -> None:
    """One exchange looked at closely: what is measured afterwards must be the real thing."""
    if scenario.tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(proxy.address, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(proxy.address, timeout=10)
    method = "POST" if scenario.posted_bytes else "GET"
    connection.request(method, scenario.path, body=b"b" * scenario.posted_bytes or None)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    letters = bytes(range(ord("a"), ord("z") + 1))
    if answer.status != 200 or body != (letters * (scenario.body_bytes // 26 + 1))[:scenario.body_bytes]:
        raise Failed(f"{proxy.name}: {method} {scenario.path} gave {answer.status}, {len(body)} bytes")
