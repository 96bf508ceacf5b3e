"""Runs one scenario against one program and writes down everything that could be observed.

The transcript is text, step by step:

    -- 2 GET /?sid=a.r2
    > M2 connection 1 request 1          what a member received, bytes as they came
    > GET /?sid=a.r2 HTTP/1.1
    > ...
    < HTTP/1.1 200 Fine                  what the client received
    < ...
    < open                               and what became of its connection
    | 127.0.0.1 - - "GET ...             the access-log line

Two programs behave alike when their transcripts are equal; nothing is compared behind the reader's
back.  What may differ is normalised in one place, `Normal`, and listed there.
"""

import hashlib
import os
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace

from scenario import Request
from support import ask as asking
from support.ajp import Container
from support.member import Farm, Gates, Member
from support.ports import FullPort, HeldPort
from support.server import APACHE, Scratch, Server, StartFailed, complete, steelyard_binary
from support.wire import Connection, Response

LOG_WAIT_S = 6.0
CLOSE_WAIT_S = 3.0
RELOAD_S = 8.0
RELOAD_WAIT_S = 1.0

sys.setswitchinterval(0.0005)  # Client and members share one interpreter; hand over quickly.


# How the end of a generated page is told (httpd has four ways, depending on the step that failed).
PAGE_FRAMING = (b"content-length", b"transfer-encoding", b"expires")
REFUSED = re.compile(r" k=\d+ s=(400|408|414|501) .* R=- ")


class Normal:
    """The only differences between the two programs that a transcript hides."""

    PAGE = re.compile(rb"^<!DOCTYPE HTML.*?<title>(.*?)</title>.*<h1>(.*?)</h1>", re.S | re.I)
    DATE = re.compile(rb"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")

    @staticmethod
    def header(name, value):
        lower = name.lower()
        if lower in (b"date", b"expires") and value != b"Sun, 06 Nov 1994 08:49:37 GMT":
            return b"(now)" if Normal.DATE.match(value) else value
        if (lower == b"server" and value != b"member") or lower == b"proxy-agent":
            return b"(own banner)"
        if lower == b"allow":  # httpd's order changes from start to start.
            return b",".join(sorted(value.replace(b" ", b"").split(b",")))
        if lower == b"via":
            return re.sub(rb" \(.*\)", b" (banner)", value)
        return value

    @staticmethod
    def page(body):
        """A page the program itself generates: its wording is its own, its title is not."""
        found = Normal.PAGE.match(body)
        return b"generated page: %s / %s" % found.groups() if found else None

    @staticmethod
    def log_line(line, generated, banner):
        """Byte counts that a page's wording or the program's own Server banner changes."""
        if generated:
            line = re.sub(r" B=\d+ b=[\d-]+", " B=(page) b=(page)", line)
            # A body that is refused is read more or less far, and httpd may count the answer twice.
            line = re.sub(r" I=\d+", " I=(refused)", line)
            line = re.sub(r" k=\d+ s=502", " k=(refused) s=502", line)
        if banner:
            line = re.sub(r" O=\d+", " O=(banner)", line)
        if REFUSED.search(line):  # Of a request nobody could read only the status is sure.
            return re.sub(r'".*" k=.*( s=\d+ >s=\d+) .*', r"(refused)\1", line)
        # What was not forwarded has no target, and there is no document root to name a file in.
        return re.sub(r" f=.*? X=" if generated else r" f=/.*? X=", " f=- X=", line)


@dataclass
class Received:
    """What one step saw on the client's side."""

    label: str
    responses: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    log_keys: list = field(default_factory=list)
    members: list = field(default_factory=list)
    seconds: float = 0.0


class Refused:
    """Stands for a connection that the program did not accept."""

    local_port = 0
    at_eof = True

    def send(self, data):
        pass

    def read_response(self, method="GET", timeout_s=None, interim_only=False):
        return Response(ended="refused")

    def closed_by_peer(self, wait_s=0.0):
        return True

    def half_close(self):
        pass

    def close(self):
        pass


def kind_of(name):
    return Container if name.startswith("J") else Member


@dataclass
class Stage:
    """What a scenario plays on: the same members and ports for every program."""

    farm: Farm
    gates: Gates
    port: HeldPort
    dead: HeldPort
    full: FullPort
    members: dict

    @classmethod
    def build(cls, farm, scratch, names, unix_names=()):
        gates = Gates(farm)
        members = {name: farm.member(name, None, gates, kind_of(name)) for name in names}
        for name in unix_names:
            path = str(scratch.path / f"{name.lower()}.sock")
            members[name] = farm.member(name, path, gates)
        return cls(farm, gates, HeldPort(), HeldPort(), FullPort(), members)

    def fill(self, text):
        for name, member in self.members.items():
            text = text.replace("${%s}" % name, member.address)
            text = text.replace("${%s.port}" % name, member.address.rpartition(":")[2])
        text = text.replace("${DEAD}", str(self.dead)).replace("${FULL}", str(self.full))
        return text.replace("${PORT}", str(self.port.port))

    def reset(self):
        self.gates.reset()
        for member in self.members.values():
            member.forget()

    def close(self):
        self.farm.retire(list(self.members.values()))
        for held in (self.port, self.dead, self.full):
            held.close()


class Run:
    """The steps of one scenario against one running program."""

    def __init__(self, stage, server):
        self.stage = stage
        self.server = server
        self.steps = []
        self.clients = {}
        self.retired = []
        self._seen = {name: 0 for name in stage.members}
        self._current = None
        self._only_sent = False

    def member(self, name):
        return self.stage.members[name]

    def play(self, steps):
        for step in steps:
            self._current = Received(step.text)
            self.steps.append(self._current)
            self._only_sent = False
            begun = time.monotonic()
            step.act(self)
            self._current.seconds = time.monotonic() - begun
            if not self._only_sent:
                self._collect_requests(self._current)
        for name in list(self.clients):
            client = self.clients.pop(name)
            state = "closed" if client.closed_by_peer() else "open"
            self._current.notes.append(f"at the end {name} is {state}")
            client.close()
        if self._current:
            self._collect_requests(self._current)

    def _collect_requests(self, into):
        """What members received since the last time belongs to this step.  Not asked of a step that
        sends and waits for nobody: whether a member has it by then is chance."""
        for name, member in self.stage.members.items():
            fresh = member.received[self._seen[name] :]
            self._seen[name] += len(fresh)
            into.members.extend(fresh)

    def _client(self, on):
        if on in self.clients and not self.clients[on].at_eof:
            return self.clients[on]
        try:
            client = Connection("127.0.0.1", self.stage.port.port)
        except ConnectionRefusedError:
            client = Refused()
        if on:
            self.clients[on] = client
        return client

    def exchange(self, made, on):
        client = self._client(on)
        client.send(made.bytes(self.stage.fill))
        for _ in range(made.expect_responses):
            self._read(client, made.wire_method, made.logged)
        if on is None:
            client.close()

    def _read(self, client, method, logged=True, wait_s=None):
        response = client.read_response(method, wait_s)
        self._current.responses.append(response)
        if response.head or response.framing == "eof":
            if logged:
                key = (self.stage.port.port, client.local_port)
                self._current.log_keys.append(key)
        if wait_s and response.ended == "nothing, timed out":
            self._current.notes.append("no answer yet")
        elif response.will_close:
            closed = client.closed_by_peer(CLOSE_WAIT_S)
            self._current.notes.append("closed" if closed else "should close but is open")
        else:
            self._current.notes.append("open")
        return response

    def send(self, made, on, reaches):
        client = self._client(on)
        member = self.member(reaches) if reaches else None
        before = len(member.received) if member else 0
        client.send(made.bytes(self.stage.fill))
        if member and not member.wait_for(before + 1):
            self._current.notes.append(f"never reached {reaches}")
        self._only_sent = not member

    def send_bytes(self, data, on):
        self._only_sent = True
        self._client(on).send(self.stage.fill(data.decode("latin1")).encode("latin1"))

    def receive(self, on, method, logged, wait_s):
        self._read(self._client(on), method, logged, wait_s)

    def receive_interim(self, on):
        response = self._client(on).read_response(interim_only=True)
        self._current.responses.append(response)
        self._current.notes.append("interim")

    def half_close(self, on):
        self._client(on).half_close()

    def hang_up(self, on):
        self.clients.pop(on).close()

    def release(self, word):
        self.stage.gates.release(word)

    def serve(self, name, answer):
        base = asking.Ask()
        for key, value in answer.items():
            for one in value if isinstance(value, list) else [value]:
                data = one if isinstance(one, bytes) else self.stage.fill(str(one)).encode("latin1")
                asking.apply(base, key, data)
        self.member(name).answer = base if answer else None

    def edit(self, old, new):
        text = self.server.config_path.read_text()
        old, new = self.stage.fill(old), self.stage.fill(new)
        assert old in text, f"{old} is not in the configuration"
        self.server.write(text.replace(old, new))

    def reload(self, name, until):
        self.server.signal(getattr(signal, "SIG" + name))
        if until is None:
            ended = self.server.ended(RELOAD_WAIT_S)
            self._current.notes.append("the program ended" if ended else "the program goes on")
            return
        deadline = time.monotonic() + RELOAD_S
        while self._generation() != until:
            if time.monotonic() > deadline:
                self._current.notes.append(f"never saw {until}")
                return
            time.sleep(0.005)

    def _generation(self):
        """The Location of GET /generation, on a connection that no transcript shows."""
        try:
            probe = Connection("127.0.0.1", self.stage.port.port)
        except OSError:
            return None
        probe.send(b"GET /generation HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
        response = probe.read_response()
        probe.close()
        return (response.header("Location") or b"").decode() if response.head else None

    def manage(self, form):
        made = Request(
            "POST",
            "/balancer-manager",
            ("Referer: http://lb.test/", "Connection: close"),
            body=self.stage.fill(form).encode("latin1"),
        )
        manager = Connection("127.0.0.1", self.stage.port.port)
        manager.send(made.bytes(self.stage.fill))
        self._current.notes.append(f"the manager answers {manager.read_response().status}")
        manager.close()

    def pass_time(self, seconds):
        time.sleep(seconds)


def settle(runs, server, wait_s=LOG_WAIT_S):
    """Waits until the access log has a line for every response that was read.

    Returns {(listening port, client port): [lines in order]}: what names a connection.  (%k would
    not name the request on it: httpd gives a request that closes the number of the one before.)
    """
    wanted = Counter(key for run in runs for step in run.steps for key in step.log_keys)
    deadline = time.monotonic() + wait_s
    while True:
        lines = log_lines(server.read("access.log"))
        short = any(len(lines.get(key, ())) < count for key, count in wanted.items())
        if not short or time.monotonic() > deadline:
            return lines
        time.sleep(0.002)


def log_lines(text):
    lines = {}
    for line in text.split("\n")[:-1]:
        head, bar, rest = line.partition(" | ")
        words = head.split(" ")
        if bar and len(words) == 2 and all(word.isdigit() for word in words):
            lines.setdefault((int(words[0]), int(words[1])), []).append(rest)
    return lines


def transcript(run, lines, ignore=frozenset()):
    """The text that is compared; takes the log lines it uses out of `lines`."""
    out = []
    seen = set()
    for number, step in enumerate(run.steps, 1):
        out.append(f"-- {number} {step.label}")
        for got in step.members:
            out.extend(request_lines(got, ignore))
        pages = []
        for i, response in enumerate(step.responses):
            out.extend(response_lines(response))
            pages.append(Normal.page(response.body) is not None or headless_page(response))
            if i < len(step.notes):
                out.append("< " + step.notes[i])
        out.extend("< " + note for note in step.notes[len(step.responses) :])
        if "log" not in ignore:
            out.extend(step_log_lines(step, lines, pages, seen))
    return out


def step_log_lines(step, lines, pages, seen):
    out = []
    for i, key in enumerate(step.log_keys):
        found = lines.get(key)
        line = found.pop(0) if found else "(no access-log line)"
        if key in seen:  # httpd may count the next request's first byte to the one before.
            line = re.sub(r" I=\d+", " I=(kept)", line)
        seen.add(key)
        page = pages[min(i, len(pages) - 1)] if pages else False
        banner = not any(b"server: member" in r.head.lower() for r in step.responses[i : i + 1])
        if any(r.framing == "chunked" for r in step.responses[i : i + 1]):
            line = re.sub(r" O=\d+", " O=(chunks)", line)  # How it was cut depends on timing.
        if page:
            line = re.sub(r" O=\S+", " O=(page)", line)
        out.append("| " + Normal.log_line(line, page, page or banner))
    return out


def request_lines(got, ignore):
    where = f"> {got.member}"
    if "connections" not in ignore:
        where += f" connection {got.connection} request {got.nth}"
    out = [where]
    out.extend("> " + line for line in got.head.decode("latin1").split("\r\n")[:-1])
    if got.answered_early or "member bodies" in ignore:
        return out
    if got.chunked or got.length is not None:
        framing = "chunked" if got.chunked else f"length {got.length}"
        whole = "" if got.complete else ", cut short"
        out.append(f"> body {framing}{whole}: {shown(got.body)}")
        out.extend("> trailer " + t for t in got.trailers.decode("latin1").splitlines())
    return out


def response_lines(response):
    page = Normal.page(response.body)
    generated = page is not None or headless_page(response)
    out = ["< " + line for head in response.interim for line in head.decode("latin1").splitlines()]
    if response.head:
        out.append("< " + response.head.split(b"\r\n", 1)[0].decode("latin1"))
        for name, value in response.headers():
            if generated and name.lower() in PAGE_FRAMING:
                continue
            value = Normal.header(name, value)
            out.append(f"< {name.decode('latin1')}: {value.decode('latin1')}")
    framing = f"{response.framing}, ended {response.ended}"
    if page and response.ended in ("length", "chunked", "eof"):
        framing = "whole"
    out.append(f"< body {framing}: {shown(page or response.body)}")
    out.extend("< trailer " + t for t in response.trailers.decode("latin1").splitlines())
    return out


def headless_page(response):
    """The head of a generated page that was asked for with HEAD."""
    kind = response.header("Content-Type") if response.head else None
    ours = kind == b"text/html; charset=iso-8859-1" and response.header("X-Member") is None
    return ours and response.framing == "bodiless"


def shown(data):
    if len(data) <= 160:
        return f"{len(data)} {data!r}"
    return f"{len(data)} {data[:60]!r}... sha1 {hashlib.sha1(data).hexdigest()[:12]}"


def summary(run):
    """One word an answer: the member's digit for a 200 from it, else the status, else none."""
    words = []
    for step in run.steps:
        for response in step.responses:
            if response.ended == "interim":
                words.append("interim")
                continue
            member = response.header("X-Member") if response.head else None
            if response.status == "200" and member:
                words.append(member.decode().lstrip("MUJ"))
            else:
                words.append(response.status or ("0.9" if response.body else "none"))
    return " ".join(words)


@dataclass
class Outcome:
    """One scenario on one program."""

    lines: list
    summary: str
    seconds: float
    error_log: str = ""


def programs():
    """(httpd, steelyard) binaries; STEELYARD_ORACLE_SELF=1 puts apache2 on both sides."""
    other = APACHE if os.environ.get("STEELYARD_ORACLE_SELF") else steelyard_binary()
    return APACHE, other


def names_in(text, pattern):
    return sorted(set(re.findall(pattern, text)))


def stage_for(farm, scratch, scenario):
    text = (
        scenario.conf
        + " ".join(scenario.files.values())
        + " ".join(step.text for step in scenario.steps)
    )
    return Stage.build(
        farm, scratch, names_in(text, r"\b[MJ][1-9]\b") or ["M1"], names_in(text, r"\bU[1-9]\b")
    )


def play(scenario, binary, stage, directory):
    """The scenario on one program: Outcome."""
    begun = time.monotonic()
    listen = "" if scenario.without_listen else f"Listen 127.0.0.1:{stage.port.port}\n"
    own = listen + stage.fill(scenario.conf)
    text = complete(own, scenario.log_level, scenario.without_modules)
    server = Server(binary, directory)
    server.place({name: stage.fill(body) for name, body in scenario.files.items()})
    if scenario.check_only:
        status, said = server.check(text)
        return Outcome([f"-t exits {status}"], "ok" if status == 0 else "refused", 0.0, said)
    stage.reset()
    run = Run(stage, server)
    try:
        server.start(text, [stage.port.port])
        run.play(scenario.steps)
        lines = settle([run], server)
    except StartFailed as failed:
        return Outcome(["(did not start)", *str(failed).splitlines()], "did not start", 0.0)
    finally:
        stage.gates.reset()  # A server with an exchange in flight would wait for it.
        server.stop()
    out = transcript(run, lines, scenario.ignore)
    for name in scenario.logs:
        out.append(f"-- log {name}")
        lines = masked(server.read(name).splitlines(), scenario.mask)
        # Sorted: httpd's threads write two connections' lines in either order.  Masked before: what
        # differs from run to run must not order them.
        out.extend("| " + line for line in sorted(lines))
    out = masked(out, scenario.mask)
    return Outcome(out, summary(run), time.monotonic() - begun, server.read("error.log"))


def masked(lines, mask):
    for pattern, replacement in mask:
        lines = [re.sub(pattern, replacement, line) for line in lines]
    return lines


def compare(scenario, farm, binaries=None, change=lambda text: text):
    """The scenario on both: (httpd's Outcome, the other's).  `change` edits the second one's file."""
    binaries = binaries or programs()
    scratch = Scratch()
    stage = stage_for(farm, scratch, scenario)
    try:
        first = play(scenario, binaries[0], stage, scratch.path / "httpd")
        changed = replace(scenario, conf=change(scenario.conf))
        second = play(changed, binaries[1], stage, scratch.path / "steelyard")
    finally:
        stage.close()
        scratch.close()
    return first, second
