"""The words scenarios are written in.

    scenario("the URL beats the cookie",
             TWO + "ProxyPass / balancer://c/ stickysession=sid",
             2 * [get("/?sid=a.r2", "Cookie: sid=a.r1")],
             sees="2 2")

The configuration is httpd.conf text at server level.  In it and in the steps these names are filled
in: ${M1}..${M4} a member's host:port (${M1.port}: the port alone), ${DEAD} an address where nobody
listens, ${FULL} one where who connects waits for ever, ${PORT} the port that both programs listen
on, ${U1} a member's unix socket path, ${J1}..${J4} the host:port of a container (support/ajp.py).
`Listen ${PORT}` and the modules come from the runner.  `sees` is what apache2 must do, so that a
scenario cannot pass without doing what its name says: one word an answer -- the digit of the member
that gave a 200, else the status, else `none`.
"""

import re
from dataclasses import dataclass, field
from typing import Callable

SCENARIOS = {}


@dataclass(frozen=True)
class Step:
    """One step; `act(run)` carries it out on a runner.Run."""

    text: str
    act: Callable


@dataclass
class Scenario:
    name: str
    conf: str
    steps: list
    sees: str = ""
    topic: str = ""
    log_level: str = "warn"
    logs: tuple = ()
    mask: tuple = ()
    without_modules: tuple = ()
    files: dict = field(default_factory=dict)
    check_only: bool = False
    without_listen: bool = False
    ignore: frozenset = frozenset()
    # Why httpd itself does not always do the same: then one of several plays has to agree.
    httpd_varies: str = ""

    @property
    def slug(self):
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")


def scenario(name, conf, steps=(), **options):
    """Registers one.  Options: see Scenario; `mask`: (regex, replacement) pairs for both texts."""
    import sys

    topic = sys._getframe(1).f_globals.get("__name__", "").rpartition(".")[2]
    options["ignore"] = frozenset(options.get("ignore", ()))
    one = Scenario(name, conf, flatten(steps), topic=topic, **options)
    assert one.slug not in SCENARIOS, f"two scenarios are called {one.slug}"
    SCENARIOS[one.slug] = one
    return one


def flatten(steps):
    flat = []
    for step in steps if isinstance(steps, (list, tuple)) else [steps]:
        flat.extend(flatten(step) if isinstance(step, (list, tuple)) else [step])
    return flat


@dataclass
class Request:
    """A request to write; raw bytes win over the parts."""

    method: str = "GET"
    target: str = "/"
    headers: tuple = ()
    host: str | None = "lb.test"
    version: str = "1.1"
    body: bytes | None = None
    chunks: list | None = None
    trailers: tuple = ()
    raw: bytes | None = None
    expect_responses: int = 1
    logged: bool = True

    def bytes(self, fill):
        if self.raw is not None:
            return fill(self.raw.decode("latin1")).encode("latin1")
        lines = [f"{self.method} {self.target} HTTP/{self.version}"]
        if self.host is not None:
            lines.append(f"Host: {self.host}")
        lines.extend(self.headers)
        body = b""
        if self.chunks is not None:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in self.chunks)
            body += b"0\r\n" + b"".join(t.encode() + b"\r\n" for t in self.trailers) + b"\r\n"
        elif self.body is not None:
            if not any(line.lower().startswith("content-length:") for line in self.headers):
                lines.append(f"Content-Length: {len(self.body)}")
            body = self.body
        return (fill("\r\n".join(lines)) + "\r\n\r\n").encode("latin1") + body

    @property
    def shown(self):
        if self.raw is not None:
            return repr(self.raw[:100])
        return f"{self.method} {self.target[:120]}"

    @property
    def wire_method(self):
        return self.raw.split(b" ", 1)[0].decode("latin1") if self.raw else self.method


def request(method, target="/", *headers, on=None, **parts):
    """One exchange on a fresh connection, or on the connection called `on`."""
    return exchange(Request(method, target, tuple(headers), **parts), on)


def get(target="/", *headers, on=None, **parts):
    return request("GET", target, *headers, on=on, **parts)


def post(target="/", body=b"hello", *headers, on=None, **parts):
    return request("POST", target, *headers, on=on, body=body, **parts)


def raw(data, responses=1, on=None, logged=True):
    """These bytes; then this many responses are read (pipelining, broken requests)."""
    return exchange(Request(raw=data, expect_responses=responses, logged=logged), on)


def exchange(made, on=None):
    label = f"{made.shown}" + (f" on {on}" if on else "")
    return Step(label, lambda run: run.exchange(made, on))


def send(target_or_request="/", *headers, on, reaches=None, **parts):
    """Sends without reading.  With `reaches` ("M1") returns when that member has the request."""
    made = target_or_request
    if not isinstance(made, Request):
        made = Request(parts.pop("method", "GET"), made, tuple(headers), **parts)
    return Step(f"send {made.shown} on {on}", lambda run: run.send(made, on, reaches))


def send_bytes(data, on):
    return Step(f"send bytes {data[:60]!r} on {on}", lambda run: run.send_bytes(data, on))


def receive(on, method="GET", logged=True, wait_s=None):
    return Step(f"receive on {on}", lambda run: run.receive(on, method, logged, wait_s))


def receive_interim(on):
    return Step(f"receive an interim answer on {on}", lambda run: run.receive_interim(on))


def half_close(on):
    return Step(f"half close {on}", lambda run: run.half_close(on))


def hang_up(on):
    """The client closes its connection."""
    return Step(f"close {on}", lambda run: run.hang_up(on))


def release(word):
    return Step(f"release {word}", lambda run: run.release(word))


def down(name):
    return Step(f"{name} goes down", lambda run: run.member(name).kill())


def refuse(name):
    return Step(f"{name} refuses new connections", lambda run: run.member(name).refuse())


def up(name):
    return Step(f"{name} comes back", lambda run: run.member(name).listen())


def closes_its_connections(name):
    return Step(f"{name} closes its connections", lambda run: run.member(name).hang_up())


def serve(name, **answer):
    """From now on the member answers like this when the request does not say otherwise."""
    return Step(f"{name} answers {answer}", lambda run: run.serve(name, answer))


def edit(old, new):
    """Changes the configuration file under the running program."""
    return Step(f"edit {old} -> {new}", lambda run: run.edit(old, new))


def reload(signal, until=None):
    """Sends HUP or USR1.  With `until` waits until GET /generation is answered with that Location
    (a Redirect in the configuration); without, tells whether the program survives."""
    return Step(f"{signal}", lambda run: run.reload(signal, until))


def manage(form):
    """An order to the balancer-manager; only its status is told (its page: test_manager.py)."""
    return Step(f"the manager is told {form}", lambda run: run.manage(form))


def pass_time(seconds):
    return Step(f"{seconds} s pass", lambda run: run.pass_time(seconds))


# The balancers most scenarios need.
TWO = """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2
"""
THREE = TWO + "BalancerMember balancer://c http://${M3} route=r3\n"
STICKY = TWO + "ProxyPass / balancer://c/ stickysession=sid\n"
PLAIN = TWO + "ProxyPass / balancer://c/\n"
ONE = "ProxyPass /a http://${M1}\n"
DIRECT = "ProxyPass / http://${M1}/\n"
