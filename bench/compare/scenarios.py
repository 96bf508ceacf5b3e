"""What is sent through a proxy, by name."""

from __future__ import annotations

import http.client
import ssl
import subprocess
from dataclasses import dataclass

from fixture import Failed, Stage
from proxies import Proxy
from tls_members import letters


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
    streams: int = 0  # HTTP/2, so many at a time on each connection; 0: HTTP/1
    ajp: bool = False  # with members
    secured: bool = False  # members speak TLS

    def suits(self, proxy: str) -> bool:
        if proxy.startswith("relay"):  # whose member speaks HTTP/1 without TLS
            return not (self.tls or self.streams or self.ajp or self.secured)
        return not self.ajp or proxy in ("steelyard", "apache2")

    @property
    def member(self) -> str:
        return "ajp_member" if self.ajp else "member"

    def load(self, stage: Stage, address: str, core: int, seconds: float) -> dict:
        """Sends it for so long; what the load generator counted."""
        if self.streams or self.ajp:
            # Answers of AJP members have no length; ours reads no chunks.
            how = ["-m", str(self.streams)] if self.streams else ["--h1"]
            return stage.h2load(address, ["-c", str(self.connections), *how, self.path], core,
                                seconds, self.tls)
        arguments = ["--path", self.path, "--connections", str(self.connections), *self.switches]
        if self.posted_bytes:
            arguments += ["--post", str(self.posted_bytes)]
        if self.rate:
            arguments += ["--rate", str(self.rate)]
        return stage.load(address, arguments, core, seconds, self.tls)


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
    "h2": Scenario("1 KiB over HTTP/2 and TLS 1.3, 16 connections with 10 streams each", "/1k", 1024,
                   connections=16, tls=True, streams=10),
    "h2c": Scenario("1 KiB over HTTP/2 without TLS, 16 connections with 10 streams each", "/1k", 1024,
                    connections=16, streams=10),
    "ajp": Scenario("1 KiB from AJP members, 64 keep-alive connections", "/1k", 1024, ajp=True),
    "https-members": Scenario("1 KiB from members over TLS 1.3, 64 keep-alive connections", "/1k", 1024,
                              secured=True),
    "1000": Scenario("1 KiB, 1,000 members, 64 keep-alive connections", "/1k", 1024, members=1000),
}


def check_answer(proxy: Proxy, scenario: Scenario) -> None:
    """One exchange looked at closely: what is measured afterwards must be the real thing."""
    if scenario.streams:
        return check_http2_answer(proxy, scenario)
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
    if answer.status != 200 or body != expected_body(scenario):
        raise Failed(f"{proxy.name}: {method} {scenario.path} gave {answer.status}, {len(body)} bytes")


def expected_body(scenario: Scenario) -> bytes:
    return letters(scenario.body_bytes)


def check_http2_answer(proxy: Proxy, scenario: Scenario) -> None:
    how = ["--http2", "-k"] if scenario.tls else ["--http2-prior-knowledge"]
    url = f"{'https' if scenario.tls else 'http'}://{proxy.address}{scenario.path}"
    got = subprocess.run(["curl", "-sS", "--max-time", "10", *how, "-w", " %{http_code} %{http_version}",
                          url], capture_output=True, check=False)
    if got.stdout != expected_body(scenario) + b" 200 2":
        raise Failed(f"{proxy.name}: GET {scenario.path} over HTTP/2 gave {len(got.stdout)} bytes that "
                     f"end with {got.stdout[-12:]!r} {got.stderr.decode(errors='replace')}")
