"""Members die in the middle of everything; what they executed is on record, what clients get too.

A case is one request to a balancer of two: `mortal`, which is asked first and dies at one point of
one exchange (support/mortal.py), and `survivor`, which never dies. Each case has a balancer, a port
and a path of its own, so none sees what another left behind.

What a client may get follows httpd (reference: the outcome of an attempt) and, for pooled
connections, docs/deviations.md `stale-connection`:

    survivor  the survivor's answer      refused           an error page of the balancer's own
    mortal    the mortal's, asked again  cut               an answer that is recognised as cut
    whole     an answer that ends as it says, though the member died
"""

import itertools
import random
import threading
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

import pytest
from support.mortal import ANSWER_PIECE, Death, Ledger, Mortal, MortalProcess
from support.ports import HeldPort
from support.server import Scratch, Server
from support.wire import Connection

DEAD_WAIT_S = 5.0

PROLOGUE = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen {port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
"""
# The lower set is asked first; a member in error stays out for longer than any test runs.
BALANCER = """\
<Proxy "balancer://{name}">
    BalancerMember "http://{mortal}" route=m lbset=0 retry=600{of_mortal}
    BalancerMember "http://{survivor}" route=s lbset=1 retry=600
    ProxySet {parameters}
</Proxy>
ProxyPass "/{name}/" "balancer://{name}/"
"""


@dataclass(frozen=True)
class Ask:
    """A request: `framing` is none, length or chunked."""

    method: str
    framing: str = "none"
    size: int = 0

    @property
    def is_idempotent(self):
        return self.method not in ("POST", "PATCH")

    @property
    def name(self):
        return f"{self.method}-{self.framing}-{self.size}" if self.size else self.method

    def body(self, identity):
        """Tells of its request, so that no other body passes for it."""
        text = f"{identity} ".encode()
        return (text * (self.size // len(text) + 1))[: self.size]

    def bytes(self, path, identity):
        body = self.body(identity)
        head = f"{self.method} {path} HTTP/1.1\r\nHost: lb.test\r\nX-Id: {identity}\r\n"
        if self.framing == "chunked":
            head += "Transfer-Encoding: chunked\r\n"
            half = len(body) // 2
            pieces = [piece for piece in (body[:half], body[half:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            body += b"0\r\n\r\n"
        elif self.framing == "length" or self.method == "POST":
            head += f"Content-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


# Small: goes out with the head. Large: more than is kept in memory, and than sockets swallow early.
SMALL, LARGE = 100, 300_000
BODILESS = [Ask("GET"), Ask("HEAD"), Ask("DELETE"), Ask("OPTIONS"), Ask("POST"), Ask("PATCH")]
WITH_BODY = [
    Ask("PUT", "length", SMALL),
    Ask("PUT", "chunked", LARGE),
    Ask("DELETE", "length", SMALL),
    Ask("POST", "length", SMALL),
    Ask("POST", "length", LARGE),
    Ask("POST", "chunked", SMALL),
    Ask("PATCH", "chunked", LARGE),
]
GET, POST = BODILESS[0], WITH_BODY[3]
FEW = [GET, WITH_BODY[0], POST, WITH_BODY[6]]  # for deaths that cost a process each
AT_BODY = ("length_body", "chunked_body", "eof_body")


@dataclass(frozen=True)
class Case:
    ask: Ask
    stage: str
    way: str
    nth: int = 1
    lasting: bool = False
    rule: str = ""
    parameters: str = "forcerecovery=On"
    of_mortal: str = ""

    @property
    def name(self):
        words = [self.ask.name, "pooled" if self.nth > 1 else "fresh", self.stage, self.way]
        return "-".join(words + ["lasting"] * self.lasting + [self.rule] * bool(self.rule))

    @property
    def path_name(self):
        return "c" + sha256(self.name.encode()).hexdigest()[:12]


def cases():
    asks = BODILESS + WITH_BODY
    for way in ("fin", "rst", "kill"):
        for ask in FEW if way == "kill" else asks:
            yield from (Case(ask, stage, way) for stage in ("accepted", "half_head", "whole"))
            for stage in ("silent", "half_head", "whole"):
                yield Case(ask, stage, way, nth=2)
            yield Case(ask, "idle", way, nth=2)
            yield from (Case(ask, stage, way) for stage in ("status_line", "answer_head"))
        for ask in FEW[1:] if way == "kill" else WITH_BODY:
            yield from (Case(ask, "half_body", way, nth) for nth in (1, 2))
        for ask in (GET, POST):
            yield from (Case(ask, stage, way, nth) for stage in AT_BODY for nth in (1, 2))
    yield from (Case(ask, "refused", "-") for ask in asks)


CASES = list(cases())
PATIENCE = [Case(GET, "whole", way, 2, lasting=True) for way in ("fin", "rst")]
KEPT = [
    Case(one, "whole", way, nth, rule="kept client")
    for one in (POST, Ask("POST"))
    for way in ("fin", "rst")
    for nth in (1, 2)
]


def rule(name, parameters="forcerecovery=On", of_mortal="", way="-"):
    return Case(POST, "refused", way, 1, False, name, parameters, of_mortal)


ELSEWHERE = rule("elsewhere")
ONE_ATTEMPT = rule("one attempt", "maxattempts=0")
BOUND_SESSION = rule("bound session", "stickysession=sid nofailover=On")
ERRORS_IGNORED = rule("errors ignored", of_mortal=" status=+I")
STAYS_OUT = rule("stays out")
RECOVERED = rule("recovered")
NOT_RECOVERED = rule("not recovered", "forcerecovery=Off")
BLAMED = [rule("blamed"), rule("not blamed")]
ROUNDS = [rule(f"round {number}", way="kill") for number in range(8)]
RULES = [ELSEWHERE, *BLAMED, ONE_ATTEMPT, BOUND_SESSION, ERRORS_IGNORED, STAYS_OUT]
RULES += [RECOVERED, NOT_RECOVERED]


class World:
    """One balancer program with a balancer for each case, the survivor, and the ledger of all."""

    def __init__(self, binary):
        self.scratch = Scratch("steelyard-death-")
        self.ledger = Ledger(self.scratch.path / "ledger")
        self.port = HeldPort()
        self.survivor_port = HeldPort()
        self.mortal_ports = {}
        self.survivor = Mortal("survivor", self.survivor_port.listening_socket(), self.ledger)
        # Where both members are down for a while, the survivor of all others must not be.
        self.own_survivors = {RECOVERED: HeldPort(), NOT_RECOVERED: HeldPort()}
        self.server = Server(binary, self.scratch.path / "server")
        self._numbers = itertools.count(1)

    def start(self, served):
        text = PROLOGUE.format(port=self.port)
        for case in served:
            held = self.mortal_ports[case] = HeldPort()
            text += BALANCER.format(
                name=case.path_name,
                mortal=held,
                survivor=self.own_survivors.get(case, self.survivor_port),
                parameters=case.parameters,
                of_mortal=case.of_mortal,
            )
        self.server.start(text, [self.port.port])

    def identity(self, ask):
        return f"{ask.method.lower()}-{next(self._numbers)}"

    def born(self, case, death=None):
        listening = self.mortal_ports[case].listening_socket()
        kind = MortalProcess if case.way == "kill" else Mortal
        return kind("mortal", listening, self.ledger, death)

    def close(self):
        self.server.stop()
        self.survivor.close()
        self.ledger.close()
        held = [self.port, self.survivor_port]
        for port in [*held, *self.mortal_ports.values(), *self.own_survivors.values()]:
            port.close()
        self.scratch.close()


@pytest.fixture(scope="module")
def world(binary):
    one = World(binary)
    try:
        one.start(CASES + PATIENCE + KEPT + RULES + ROUNDS)
        yield one
    finally:
        one.close()


def ask(world, case, made=None, on=None, query=""):
    """One request of the case: what came of it. Without `on` on a connection of its own."""
    made = made or case.ask
    identity = world.identity(made)
    client = on or Connection("127.0.0.1", world.port.port)
    try:
        client.send(made.bytes(f"/{case.path_name}/x{query}", identity))
        response = client.read_response(made.method)
        if response.will_close:
            assert client.closed_by_peer(DEAD_WAIT_S)
    finally:
        if on is None:
            client.close()
    return Outcome(made, identity, response, world.ledger.entries(identity))


@dataclass
class Outcome:
    ask: Ask
    id: str
    response: object
    executed: list

    @property
    def word(self):
        """What the client got, checked to be its own."""
        response = self.response
        if not response.head:
            return "nothing"
        if response.status in ("502", "503"):
            assert response.header("X-Id") is None
            return response.status
        assert response.status == "200", response
        assert response.header("X-Id") == self.id.encode()
        if response.ended.startswith("cut short"):
            return "cut"
        if response.body == ANSWER_PIECE:
            return "whole"
        assert response.body == (b"" if self.ask.method == "HEAD" else self.id.encode())
        return response.header("X-Member").decode()

    @property
    def by(self):
        return [member for member, *_ in self.executed]


def play(world, case):
    """The case's request meets the death it is about."""
    if case.stage == "refused":
        return ask(world, case)
    idle = case.stage == "idle"
    death = None if idle else Death(case.stage, case.way, case.nth, case.lasting)
    member = world.born(case, death)
    try:
        if case.nth > 1:
            assert ask(world, case, GET).word == "mortal"
        if idle and case.way == "kill":
            member.kill()
        elif idle:
            assert member.end_idle(case.way) == 1
        outcome = ask(world, case)
        if case.way == "kill":
            assert idle or member.wait_dead(DEAD_WAIT_S) == -9
        else:
            assert idle or member.dead.is_set()
        return outcome
    finally:
        member.close()


def expected(case):
    """The words that are right for the case."""
    again = "survivor" if case.way == "kill" else "mortal"
    if case.stage == "refused":
        return {"survivor"}
    if case.stage == "idle":
        return {again}
    if case.stage in ("status_line", "answer_head"):
        return {"502"}
    if case.stage == "eof_body" and case.way != "rst":
        return {"whole"}  # nobody can tell this end from a good one
    if case.stage in AT_BODY:
        return {"cut", "502"}
    if case.nth == 1:
        # A reset may come before the connection counts as made; then it is one that was refused.
        early = case.stage == "accepted" and case.way == "rst"
        return {"502", "survivor"} if early else {"502"}
    if case.ask.is_idempotent:
        return {again}
    # What was not executed may be tried again, by whoever can prove that; what was may not.
    return {"502"} if case.stage == "whole" else {"502", again}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_death_costs_no_more_than_it_must(world, case):
    outcome = play(world, case)
    digest = sha256(case.ask.body(outcome.id)).hexdigest()[:16]
    assert {entry[3] for entry in outcome.executed} <= {digest}  # it arrived as it was sent
    if not case.ask.is_idempotent:
        assert len(outcome.executed) <= 1, f"{case.ask.name} ran on {outcome.by}"
    assert outcome.word in expected(case)
    if outcome.word in ("mortal", "survivor"):
        assert outcome.by[-1] == outcome.word
    assert len(outcome.executed) <= 2


@pytest.mark.parametrize("case", PATIENCE, ids=lambda case: case.name)
def test_a_request_is_repeated_once_and_not_for_ever(world, case):
    """The pooled connection dies with the request, and so does the fresh one behind it."""
    outcome = play(world, case)
    assert outcome.word == "502"
    assert outcome.by == ["mortal"] * 2


@pytest.mark.parametrize("case", KEPT, ids=lambda case: case.name)
def test_a_kept_client_connection_ends_without_a_word_and_a_post_runs_once(world, case):
    """httpd's way to tell a client of a kept connection that it may ask again, or must not."""
    death = Death(case.stage, case.way, case.nth, lasting=False)
    member = world.born(case, death)
    client = Connection("127.0.0.1", world.port.port)
    try:
        if case.nth == 1:  # The client's connection has served, the member's has not.
            assert ask(world, ELSEWHERE, GET, on=client).word == "survivor"
        else:
            assert ask(world, case, GET, on=client).word == "mortal"
        outcome = ask(world, case, on=client)
        assert member.dead.is_set()
        assert outcome.by == ["mortal"]
        assert outcome.word == "nothing"
    finally:
        client.close()
        member.close()


@pytest.mark.parametrize("nth, next_by", [(1, "survivor"), (2, "mortal")], ids=["fresh", "pooled"])
def test_a_death_behind_a_kept_client_connection_is_blamed_as_in_httpd(world, nth, next_by):
    """A fresh connection that breaks is the member's fault (in error), a pooled one is the race of
    an idle time-out; balancer reference 10.1, the row of 500."""
    case = BLAMED[nth - 1]
    member = world.born(case, Death("whole", "fin", nth))
    client = Connection("127.0.0.1", world.port.port)
    try:
        before = ELSEWHERE if nth == 1 else case
        assert ask(world, before, GET, on=client).response.status == "200"
        assert ask(world, case, on=client).word == "nothing"
        assert ask(world, case).word == next_by
    finally:
        client.close()
        member.close()


def words(world, case, count, query=""):
    return [ask(world, case, query=query).word for _ in range(count)]


def test_without_further_attempts_the_client_is_told_and_the_next_is_served(world):
    assert words(world, ONE_ATTEMPT, 3) == ["503", "survivor", "survivor"]


def test_a_session_that_may_not_move_does_not(world):
    assert words(world, BOUND_SESSION, 2, query="?sid=a.m") == ["503", "503"]
    assert words(world, BOUND_SESSION, 1) == ["survivor"]


def test_a_member_whose_errors_are_ignored_is_asked_for_ever(world):
    assert words(world, ERRORS_IGNORED, 3) == ["503"] * 3


def test_a_member_in_error_is_left_alone_until_its_time(world):
    assert words(world, STAYS_OUT, 1) == ["survivor"]
    member = world.born(STAYS_OUT)
    try:
        assert words(world, STAYS_OUT, 3) == ["survivor"] * 3
    finally:
        member.close()


@pytest.mark.parametrize(
    "case, back", [(RECOVERED, ["mortal"] * 2), (NOT_RECOVERED, ["503"] * 2)], ids=["on", "off"]
)
def test_when_all_are_in_error_recovery_is_forced_or_not(world, case, back):
    assert words(world, case, 2) == ["503", "503"]
    listening = world.own_survivors[case].listening_socket()
    survivor = Mortal("survivor", listening, world.ledger)
    member = world.born(case)
    try:
        assert words(world, case, 2) == back
    finally:
        member.close()
        survivor.close()


class Crowd:
    """Clients of one path that ask without a pause until they are told to stop."""

    SIZE = 6

    def __init__(self, world, case, seed):
        self._world, self._case = world, case
        self._changed = threading.Condition()
        self._stop = False
        self.outcomes, self.faults = [], []
        self._threads = [
            threading.Thread(target=self._go_on, args=(random.Random(seed * 100 + number), number))
            for number in range(self.SIZE)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count, word):
        def enough():
            return self.faults or sum(one == word for _, one in self.outcomes) >= count

        with self._changed:
            assert self._changed.wait_for(enough, 10), Counter(one for _, one in self.outcomes)

    def stop(self):
        self._stop = True
        for thread in self._threads:
            thread.join()

    def _go_on(self, chance, number):
        client = None
        while not self._stop:
            client = client or Connection("127.0.0.1", self._world.port.port)
            made = chance.choice(FEW)
            try:
                outcome = ask(self._world, self._case, made, on=client)
                word = outcome.word
            except Exception as fault:  # noqa: BLE001 whatever it is, the test is to show it
                self.faults.append(fault)
                word = "fault"
            if outcome.response.will_close or number % 2:
                client.close()
                client = None
            with self._changed:
                self.outcomes.append((outcome, word))
                self._changed.notify_all()
        if client:
            client.close()


def test_a_process_is_killed_under_load_again_and_again(world):
    """Whenever it happens: one answer lost a client at most, none swapped, no POST twice."""
    for seed, case in enumerate(ROUNDS):
        member = world.born(case)
        crowd = Crowd(world, case, seed)
        try:
            crowd.wait_for(30 + seed, "mortal")
            member.kill()
            crowd.wait_for(60, "survivor")
        finally:
            crowd.stop()
            member.close()
        assert not crowd.faults, crowd.faults
        heard = Counter(word for _, word in crowd.outcomes)
        assert set(heard) <= {"mortal", "survivor", "502", "nothing"}, heard
        assert heard["502"] + heard["nothing"] <= Crowd.SIZE, heard
        for outcome, word in crowd.outcomes:
            if word in ("mortal", "survivor"):
                assert word in outcome.by


def test_in_all_of_this_no_unsafe_request_ran_twice(world):
    runs = Counter(entry[2] for entry in world.ledger.entries() if entry[1] in ("POST", "PATCH"))
    if not runs:
        pytest.skip("it looks at what the tests above have done")
    assert {identity: count for identity, count in runs.items() if count > 1} == {}
