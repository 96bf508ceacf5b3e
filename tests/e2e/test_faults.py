"""One table of faults: what each costs clients, exactly, under a load that never pauses.

Three members, `a` the one with the fault, behind a plain httpd configuration and one shard. Six
clients on kept connections, two each for GET, PUT and POST, ask all the time. Nothing is timed: a
fault happens when a member has heard what it has to. With byrequests every client soon asks a
member that holds what it gets; when all six wait there ("gathered"), it is known to the request
what is under way, and that nobody else is asked for anything.

`errors` is everything that is not a good answer: {"METHOD word": count}, words as in
support/steady_load.py. `why` is the rule that gives the number, with what httpd would give where
that differs.

A request is "replayable" (docs/decisions/0003) when nothing of it was written, whatever its method,
or when it is idempotent (here GET and PUT), broke on a pooled connection before a byte of an answer,
and what was sent of its body is still kept. Such requests cost nobody anything while another member
is usable: no row has an error for one. The GET and PUT that `errors` counts are not replayable: a
fresh connection that broke, a time-out, an answer that broke behind its head, one that is
malformed, or the member's own 503. With repeaton= all of them are replayable but those whose answer
has begun; the last rows are the same faults with it.

In each row clients also get only answers to their own questions, no POST runs twice, bodies arrive
whole, the member's traffic comes back, and nothing is left over in the process.
"""

import os
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.faulty import DRIP_TIMEOUT_S, FaultyProcess
from support.mortal import Ledger
from support.name_server import NameServer
from support.ports import HeldPort
from support.process import reload, until
from support.steady_load import METHODS, SteadyLoad, digest_of
from support.wire import Connection
from test_member_death import PROLOGUE

CONFIG = PROLOGUE + """\
LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so
MaxKeepAliveRequests 0
KeepAliveTimeout 60
LogLevel info
{resolver}
<Proxy "balancer://app">
    BalancerMember "http://{a}" retry={retry} {of_a}
    BalancerMember "http://{b}"
    BalancerMember "http://{c}"
    ProxySet lbmethod=byrequests {parameters}
</Proxy>
ProxyPass "/" "balancer://app/"
"""
ALL = len(METHODS)
FRESH = "disablereuse=On"
CHECKS = "hcmethod=GET hcuri=/health hcinterval=100ms hctimeout=1s"
# Longer than it takes until all clients wait for one member.
TIMES_OUT = "timeout=3"
# For members whose errors must not be over before the row is: a reload ends them instead.
LONG = 600

# What the process may have grown by when all is over. At most 50 KiB were seen; the buffer of one
# head, lost with each of LEAST_ANSWERS requests, would be 2400.
MEMORY_KIB_MAX = 512
LEAST_ANSWERS = 300


def each(word, count=2):
    return {f"{method} {word}": count for method in ("GET", "PUT", "POST")}


@dataclass(frozen=True)
class Row:
    """`fault` plays it; `undo` makes the member well again; `retry`: how long it stays in error."""

    name: str
    fault: object
    errors: object  # a dict, or what makes it of the stage once the fault is over
    why: str
    of_a: str = ""
    parameters: str = ""
    retry: int = 1
    undo: object = None
    a_name: str = field(default="", compare=False)


def two_places():
    """One port at two addresses; what is free at the first may be taken at the other."""
    for _ in range(20):
        first = HeldPort("127.0.0.2")
        try:
            return first, HeldPort("127.0.0.3", first.port)
        except OSError:
            first.close()
    raise OSError("no port is free at two addresses")


class Stage:
    """The balancer, its members and the load of one row."""

    def __init__(self, server, port, scratch, row, names=None):
        self.server, self.port, self.row, self.names = server, port, row, names
        self.ledger = Ledger(scratch / "ledger")
        self.ports = {"b": HeldPort(), "c": HeldPort()}
        self.ports["a"], self.ports["a2"] = two_places()
        self.members = {}
        self.load = None
        for name in "abc":
            self.bear(name)

    @property
    def a(self):
        return self.members["a"]

    @property
    def b(self):
        return self.members["b"]

    def bear(self, name):
        listening = self.ports[name].listening_socket()
        self.members[name] = FaultyProcess(name, listening, self.ledger)

    def revive(self):
        self.a.close()
        self.bear("a")

    def text(self, retry):
        a = f"{self.row.a_name}:{self.ports['a'].port}" if self.row.a_name else self.ports["a"]
        resolver = f"SteelyardResolver 127.0.0.1:{self.names.port}" if self.names else ""
        return CONFIG.format(
            port=self.port, a=a, b=self.ports["b"], c=self.ports["c"], retry=retry,
            of_a=self.row.of_a, parameters=self.row.parameters, resolver=resolver,
        )

    def start(self):
        self.server.start(self.text(self.row.retry), [self.port.port])
        assert self.said("resuming normal operations")
        if self.row.a_name:
            assert self.said(f"{self.row.a_name} leads to 127.0.0.2")

    def said(self, words):
        return until(lambda: words in self.server.read("error.log"))

    def checks_see(self, harm):
        """Does the harm and waits until the member is out by its checks."""
        harm()

        def is_out():
            log = self.server.read("error.log")
            return log.rfind("DISABLING") > log.rfind("ENABLING")

        assert until(is_out)

    def gather(self, member):
        """All clients wait for this member."""
        member.hold()
        member.wait_held(ALL)
        assert member.held() == Counter(METHODS)

    def let_go(self, member, way="honest"):
        member.serve()
        member.answer_held(way)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def idle_descriptors(self):
        """Without those of a connection that just ended, or of a check under way."""
        seen = []
        for _ in range(5):
            client = Connection("127.0.0.1", self.port.port)
            client.send(b"OPTIONS * HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
            client.read_response()
            assert client.closed_by_peer(5.0)
            client.close()
            seen.append(self.descriptors())
        return min(seen)

    def memory_kib(self):
        text = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1))

    def close(self):
        for member in self.members.values():
            member.close()
        for held in self.ports.values():
            held.close()
        self.ledger.close()


# The faults. Each begins and ends under load, with nobody gathered anywhere.


def killed_idle(stage):
    stage.gather(stage.b)
    stage.a.kill()
    stage.let_go(stage.b)


def killed_answering(stage):
    stage.gather(stage.a)
    stage.a.answer_held("honest")  # as many connections in the pool as there are clients
    stage.a.wait_held(ALL)
    stage.a.kill()


def killed_and_seen_by_checks(stage):
    stage.gather(stage.b)
    stage.checks_see(stage.a.kill)
    stage.let_go(stage.b)


def killed_and_back_again_and_again(stage):
    for _ in range(4):
        killed_idle(stage)
        stage.load.serve(30)
        stage.revive()
        stage.load.serve(10, by="a")


def hung(stage):
    stage.a.hang()
    stage.a.wait_held(ALL)


def hung_again_and_again(stage):
    stage.a.hang()
    stage.a.wait_held(2 * ALL)
    stage.a.serve()  # those that it holds are never answered


def one_502_for_each_that_was_held(stage):
    held = stage.a.held()
    assert held.total() >= 2 * ALL and len(held) == len(set(METHODS))
    return {f"{method} 502": count for method, count in held.items()}


def a_502_for_each_held_post(stage):
    return {"POST 502": stage.a.held()["POST"]}


def hung_and_seen_by_checks(stage):
    stage.gather(stage.b)
    stage.checks_see(stage.a.hang)
    stage.let_go(stage.b)


def stopped_answering(stage):
    stage.gather(stage.a)
    stage.a.stop()


def stopped_idle(stage):
    stage.gather(stage.b)
    stage.a.stop()
    stage.let_go(stage.b)


def stopped_and_seen_by_checks(stage):
    stage.gather(stage.b)
    stage.checks_see(stage.a.stop)
    stage.let_go(stage.b)


def refuses(stage):
    stage.gather(stage.a)
    stage.a.refuse()
    stage.let_go(stage.a)


def answers(*ways):
    """The six that wait on pooled connections get their answers in these ways, one by one."""

    def fault(stage):
        stage.gather(stage.a)
        stage.a.answer_held("honest")
        stage.a.wait_held(ALL)
        stage.a.serve()
        for number, way in enumerate(ways):
            if number:
                stage.load.wait_answering(ALL)
            stage.a.answer_held(way)

    return fault


def answers_503(stage):
    stage.gather(stage.a)
    stage.a.serve("503")
    stage.a.answer_held("503")


def answers_503_and_seen_by_checks(stage):
    stage.gather(stage.b)
    stage.checks_see(lambda: stage.a.serve("503"))
    stage.let_go(stage.b)


def name_changes(stage):
    stage.gather(stage.a)
    stage.bear("a2")
    stage.names.set("a.example", ["127.0.0.3"], ttl=1)
    assert stage.said("a.example leads to 127.0.0.3 now")
    stage.let_go(stage.a)
    stage.load.serve(10, by="a2")
    asked = len(stage.ledger.by("a"))
    stage.load.serve(60)
    assert len(stage.ledger.by("a")) == asked
    stage.a.kill()
    stage.load.serve(60)


def name_changes_back(stage):
    stage.revive()
    stage.names.set("a.example", ["127.0.0.2"], ttl=1)


def at_its_limit(stage):
    for _ in range(10):
        stage.a.hold()
        stage.a.wait_held(2)
        stage.let_go(stage.a)
    assert stage.a.connections_max == 2


def at_its_limit_for_too_long(stage):
    stage.a.hold()
    stage.a.wait_held(2)
    stage.load.serve(60)  # the others go on elsewhere
    stage.let_go(stage.a)
    assert stage.a.connections_max == 2


def revive(stage):
    stage.revive()


def serve(stage):
    stage.a.serve()


def go_on(stage):
    stage.a.go_on()


def forgive(stage):
    """Its errors end with the reload, not by the time."""
    stage.a.serve()
    stage.server.write(stage.text(retry=0))
    reload(stage.server)


def go_on_forgiven(stage):
    stage.a.go_on()
    forgive(stage)


IN_ERROR = "failontimeout=On"

ROWS = [
    Row(
        "killed while idle", killed_idle, {},
        "Its pooled connections are seen to be closed, nobody is sent into them. Connecting is "
        "refused, nothing was sent: 503 inside, which goes to another member, a POST too.",
        undo=revive,
    ),
    Row(
        "killed while answering on pooled connections", killed_answering, {"POST nothing": 2},
        "GET and PUT are sent again on a fresh connection (stale-connection in deviations.md), "
        "which is refused, and then elsewhere. A POST may have been executed: never again; on a "
        "kept connection its client is told by the end (httpd, balancer reference 10.1). httpd "
        "ends all six so.",
        undo=revive,
    ),
    Row(
        "killed while answering on fresh connections", killed_answering, each("nothing"),
        "A fresh connection that breaks before an answer is no race of an idle one: nothing is "
        "sent twice, whatever its method. httpd: the same six.",
        of_a=FRESH, undo=revive,
    ),
    Row(
        "killed, seen by checks", killed_and_seen_by_checks, {},
        "It is out before anybody asks it, and comes back by its checks, long before retry.",
        of_a=CHECKS, retry=LONG, undo=revive,
    ),
    Row(
        "flapping", killed_and_back_again_and_again, {},
        "Each time as when killed while idle.",
    ),
    Row(
        "flapping, counted and tried", killed_and_back_again_and_again, {},
        "Each failed attempt goes on to another member, before the third puts it in error and "
        "after: then one request that can be repeated is its trial.",
        parameters="failcount=3/10 ejectmax=1",
    ),
    Row(
        "hung, put in error", hung, each("502"),
        "Whoever it accepted waits for timeout= and gets 502: it may have been executed, so httpd "
        "asks nobody else, whatever the method. failontimeout puts it in error with the first of "
        "them. httpd: the same six.",
        of_a=TIMES_OUT, parameters=IN_ERROR, retry=LONG, undo=forgive,
    ),
    Row(
        "hung, not put in error", hung_again_and_again, one_502_for_each_that_was_held,
        "A time-out alone does not put it in error: it gets its turns, each of which is a 502 for "
        "the client and for nobody else. httpd: the same.",
        of_a="timeout=1", retry=LONG,
    ),
    Row(
        "hung, seen by checks", hung_and_seen_by_checks, {},
        "It is out before anybody asks it.",
        of_a=CHECKS, retry=LONG, undo=serve,
    ),
    Row(
        "stopped while answering", stopped_answering, each("502"),
        "As when hung: the system takes its bytes, nobody answers. httpd: the same six.",
        of_a=TIMES_OUT, parameters=IN_ERROR, retry=LONG, undo=go_on_forgiven,
    ),
    Row(
        "stopped while idle", stopped_idle, each("502"),
        "The system accepts in its place; each client finds out for itself, all before the first "
        "time-out puts it in error. httpd: the same six.",
        of_a=TIMES_OUT, parameters=IN_ERROR, retry=LONG, undo=go_on_forgiven,
    ),
    Row(
        "stopped, seen by checks", stopped_and_seen_by_checks, {},
        "It is out before anybody asks it.",
        of_a=CHECKS, retry=LONG, undo=go_on,
    ),
    Row(
        "slow", answers("drip"), {},
        "timeout= counts for each wait, not for the answer, which takes longer than it.",
        of_a=f"timeout={DRIP_TIMEOUT_S}", parameters=IN_ERROR,
    ),
    Row(
        "refusing", refuses, {},
        "Those that it has accepted are answered; who comes later is refused: another member.",
        of_a=FRESH, undo=revive,
    ),
    Row(
        "refusing, counted", refuses, {},
        "It stays a candidate until the third refusal; whoever meets one goes on to another.",
        of_a=FRESH, parameters="failcount=3/10 ejectmax=1", undo=revive,
    ),
    Row(
        "resetting before the head, pooled", answers("rst"), {"POST nothing": 2},
        "As when killed while answering; the fresh connection is good. httpd ends all six.",
    ),
    Row(
        "resetting before the head, fresh", answers("rst"), each("nothing"),
        "As when killed while answering. httpd: the same six.",
        of_a=FRESH,
    ),
    Row(
        "resetting in mid-body with a length", answers("half", "rst"), each("cut"),
        "The head is with the client: it sees fewer bytes than announced, and the end. The member "
        "is not put in error. httpd: the same six.",
    ),
    Row(
        "resetting in mid-body in chunks", answers("first_chunk", "rst"), each("cut"),
        "The same: the last chunk is missing. httpd: the same six.",
    ),
    Row(
        "lying: two lengths", answers("two_lengths"), each("502"),
        "What its end is cannot be told (lengths-differ in deviations.md). httpd believes the first "
        "and gives no error.",
    ),
    Row(
        "lying: a length beside chunks", answers("length_and_chunks"), {},
        "The chunks count (RFC 9112 6.3), the client is sent no length. httpd: the same.",
    ),
    Row(
        "lying: more body than its length", answers("longer"), {},
        "The length counts; the rest is thrown away with its connection and is nobody's answer.",
    ),
    Row(
        "lying: a chunk that is none", answers("first_chunk", "garbage"), each("cut"),
        "The head is with the client, so it is told by the end. httpd: the same six.",
    ),
    Row(
        "its name changing", name_changes, {},
        "What is under way ends where it began, what comes later goes to the new address.",
        a_name="a.example", undo=name_changes_back,
    ),
    Row(
        "answering 503, failonstatus", answers_503, each("503"),
        "The answer that puts it in error goes to its client unchanged, and so do those that are "
        "under way already. httpd: the same six.",
        parameters="failonstatus=503", retry=LONG, undo=forgive,
    ),
    Row(
        "answering 503, seen by checks", answers_503_and_seen_by_checks, {},
        "It is out before anybody asks it.",
        of_a=CHECKS, retry=LONG, undo=serve,
    ),
    Row(
        "at max=", at_its_limit, {},
        "Who finds no connection free waits for one, and is served. It never has a third.",
        of_a="max=2",
    ),
    Row(
        "at max= for longer than acquire=", at_its_limit_for_too_long, {},
        "Nothing was sent: 503 inside, in error, another member. The two it has are answered.",
        of_a="max=2 acquire=100ms",
    ),
    Row(
        "killed while answering on fresh connections, repeated", killed_answering,
        {"POST nothing": 2},
        "repeaton=error lets GET and PUT go on to another member, body and all. A POST may have "
        "been executed: never twice.",
        of_a=FRESH, parameters="repeaton=error", undo=revive,
    ),
    Row(
        "hung, repeated", hung, {"POST 502": 2},
        "Whoever waited for timeout= goes on to another member; POST does not.",
        of_a=TIMES_OUT, parameters=f"{IN_ERROR} repeaton=timeout", retry=LONG, undo=forgive,
    ),
    Row(
        "hung, repeated, not put in error", hung_again_and_again, a_502_for_each_held_post,
        "It gets its turns: each costs the time, and only a POST its answer.",
        of_a="timeout=1", parameters="repeaton=timeout", retry=LONG,
    ),
    Row(
        "stopped while answering, repeated", stopped_answering, {"POST 502": 2},
        "As when hung.",
        of_a=TIMES_OUT, parameters=f"{IN_ERROR} repeaton=timeout", retry=LONG, undo=go_on_forgiven,
    ),
    Row(
        "stopped while idle, repeated", stopped_idle, {"POST 502": 2},
        "As when hung.",
        of_a=TIMES_OUT, parameters=f"{IN_ERROR} repeaton=timeout", retry=LONG, undo=go_on_forgiven,
    ),
    Row(
        "resetting before the head, fresh, repeated", answers("rst"),
        {"POST nothing": 2},
        "As when killed while answering.",
        of_a=FRESH, parameters="repeaton=error",
    ),
    Row(
        "lying: two lengths, repeated", answers("two_lengths"), {"POST 502": 2},
        "What cannot be read is no answer: another member is asked.",
        parameters="repeaton=error",
    ),
    Row(
        "answering 503, repeated", answers_503, {"POST 503": 2},
        "The answers are thrown away, another member's are passed on; failonstatus counts them "
        "all the same.",
        parameters="failonstatus=503 repeaton=503", retry=LONG, undo=forgive,
    ),
    Row(
        "resetting in mid-body, repeated", answers("half", "rst"), each("cut"),
        "The head is with the client: nobody else's answer can follow it.",
        parameters="repeaton=error,timeout,500,502,503",
    ),
]


@pytest.fixture
def stage(server, port, scratch, row):
    with ExitStack() as names:
        server_of_names = names.enter_context(NameServer()) if row.a_name else None
        if row.a_name:
            server_of_names.set(row.a_name, ["127.0.0.2"], ttl=1)
        one = Stage(server, port, scratch, row, server_of_names)
        try:
            yield one
        finally:
            one.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_fault_costs_exactly_this(stage, row):
    stage.start()
    idle = stage.idle_descriptors()
    with SteadyLoad(stage.port.port) as stage.load:
        load = stage.load
        load.serve(60)
        before = stage.memory_kib()
        row.fault(stage)
        errors = row.errors(stage) if callable(row.errors) else row.errors
        load.serve(60)
        load.wait_errors(sum(errors.values()))  # a client may be slow to note its own
        assert load.errors() == errors, row.why
        if row.undo:
            row.undo(stage)
        load.serve(10, by="a")
        load.serve(LEAST_ANSWERS - min(LEAST_ANSWERS, load.served().total()) + 60)
    assert load.faults == []
    assert load.errors() == errors, "its return cost somebody something"
    held_to_ledger(stage)
    for member in stage.members.values():
        member.kill()
    # Fewer than before is no leak: a check may have been under way each time idle was counted.
    assert until(lambda: stage.descriptors() <= idle), (stage.descriptors(), idle)
    assert stage.memory_kib() - before < MEMORY_KIB_MAX
    assert stage.server.stop() == 0


def held_to_ledger(stage):
    """What members executed fits to what clients were told."""
    entries = stage.ledger.entries()
    assert all(digest == digest_of(method, one) for _, method, one, digest in entries)
    runs = Counter(one for _, method, one, _ in entries if method == "POST")
    assert set(runs.values()) == {1}, "a POST ran twice"
    executed = {(one, member) for member, _, one, _ in entries}
    for outcome in stage.load.outcomes:
        if outcome.by:
            assert (outcome.id, outcome.by) in executed
