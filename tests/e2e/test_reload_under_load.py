"""Hundreds of reloads while clients ask without a pause and members come and go.

Each turn changes something and every client goes on: nothing fails, nothing is answered twice, lost
or swapped, every request is logged once, and the process is no larger afterwards.

Every generation puts its number on its answers. A removed member is stopped as an operator would:
after every client has met the new generation and the balancer has closed its connections.
"""

import itertools
import os
import random
import re
import signal
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from support.process import call, until
from support.wire import Connection

ACCEPTED_MIN = 200
TURNS = 225
WARM_UP_TURNS = 20
REFUSED_EVERY = 10
COMMAND_EVERY = 25
MEMBERS_MIN, MEMBERS_MAX = 2, 5
WAIT_S = 10.0
ANSWER_BYTES = 2000
SEED = 4711

# What the process may hold more after the last turn than after the warm-up. Connections are taken
# off, so no descriptor is left to vary; of memory 0.3 MiB was measured, and a generation that is
# kept costs a tenth of that each turn.
DESCRIPTORS_MORE_MAX = 0
RESIDENT_MORE_MAX = 2 << 20

DONE = "resuming normal operations"
REFUSED = "the server goes on with the one it has"

FRAME = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
LoadModule lbmethod_bybusyness_module modules/mod_lbmethod_bybusyness.so
LoadModule headers_module modules/mod_headers.so
ServerName lb.test
Listen {port}
SteelyardShards 2
MaxKeepAliveRequests 0
KeepAliveTimeout 60
PidFile httpd.pid
ErrorLog error.log
LogFormat "%{{X-Id}}i %>s %m" id
CustomLog access.log id
Header always set X-Generation {generation}
<Proxy "balancer://{balancer}">
{members}
    ProxySet lbmethod={policy}
</Proxy>
ProxyPass "/" "balancer://{balancer}/"
{hosts}
{ballast}
"""
HOST = """\
<VirtualHost *:{port}>
    ServerName {name}
    ProxyPass "/" "balancer://{balancer}/"
    Header always set X-Host {name}
</VirtualHost>
"""
# Makes a generation large enough for a leaked one to be seen.
BALLAST = "\n".join(
    f'<Location "/ballast/{n}">\n    Header set X-Ballast-{n} "{n:0200}"\n</Location>'
    for n in range(100)
)
MAIN_HOST, EXTRA_HOST = "lb.test", "extra.test"


class Fleet:
    """The configuration of the moment and the members behind it."""

    def __init__(self, farm, port, chance):
        self._farm, self._port, self._chance = farm, port, chance
        self._names = itertools.count(1)
        self.generation = 0
        self.balancer, self.policy, self.has_extra_host = "app", "byrequests", False
        self.lines = {}  # member: its parameters
        self.leaving = []
        self.all_members = []
        for _ in range(3):
            self.add()

    def add(self):
        member = self._farm.member(f"M{next(self._names)}")
        self.all_members.append(member)
        self.lines[member] = {"path": "", "route": member.name, "loadfactor": 1, "lbset": 0}

    def remove(self):
        member = self._chance.choice(list(self.lines))
        del self.lines[member]
        self.leaving.append(member)

    def rename_tag(self):
        self._one()["route"] = f"tag{self.generation}"

    def rename_url(self):
        """Another URL is another member, though the same process answers."""
        self._one()["path"] = f"/v{self.generation}"

    def rename_balancer(self):
        self.balancer = f"app{self.generation}"

    def weigh(self):
        self._one()["loadfactor"] = self._chance.choice([1, 2, 7.5, 40])
        self._one()["lbset"] = self._chance.choice([0, 0, 1])

    def change_policy(self):
        self.policy = "bybusyness" if self.policy == "byrequests" else "byrequests"

    def change_hosts(self):
        self.has_extra_host = not self.has_extra_host

    def change(self):
        changes = [self.rename_tag, self.rename_url, self.rename_balancer, self.weigh]
        changes += [self.change_policy, self.change_hosts, self.weigh]
        if len(self.lines) < MEMBERS_MAX:
            changes += [self.add] * 3
        if len(self.lines) > MEMBERS_MIN:
            changes += [self.remove] * 3
        self._chance.choice(changes)()
        self.generation += 1

    def _one(self):
        return self._chance.choice(list(self.lines.values()))

    def text(self):
        members = [
            f'    BalancerMember "http://{member.address}{line["path"]}" route={line["route"]}'
            f" loadfactor={line['loadfactor']} lbset={line['lbset']} retry=0"
            for member, line in self.lines.items()
        ]
        names = [MAIN_HOST] + [EXTRA_HOST] * self.has_extra_host
        hosts = [
            HOST.format(port=self._port.port, name=name, balancer=self.balancer) for name in names
        ]
        return FRAME.format(
            port=self._port,
            generation=self.generation,
            balancer=self.balancer,
            policy=self.policy,
            members="\n".join(members),
            hosts="".join(hosts),
            ballast=BALLAST,
        )

    def broken_text(self):
        faults = ["BalancerMembr x", "<VirtualHost *:1>", "Listen nowhere:1:2", "ProxyPass"]
        whole = self.text().replace(f"X-Generation {self.generation}", "X-Generation broken")
        return whole + self._chance.choice(faults) + "\n"


class Talker:
    """Asks one request after the other and judges every answer; no threads of its own."""

    def __init__(self, number, port, per_connection=10**9):
        self._number, self._port, self._per_connection = number, port, per_connection
        self._chance = random.Random(number)
        self._connection = None
        self._generation_here = 0  # on this connection: another one may meet another shard
        self.generation = 0
        self.sent = {}  # id: (method, body)
        self.answered = 0
        self.faults = []

    @property
    def is_connected(self):
        return self._connection is not None

    def leave(self):
        if self._connection:
            self._connection.close()
        self._connection, self._generation_here = None, 0

    def ask(self):
        self._connection = self._connection or Connection("127.0.0.1", self._port.port)
        identity = f"t{self._number}-{len(self.sent)}"
        method = self._chance.choice(["GET", "GET", "POST", "POST", "PUT"])
        size = 0 if method == "GET" else self._chance.choice([1, 500, 500, 20_000])
        body = (identity.encode() * (size // len(identity) + 1))[:size]
        self.sent[identity] = (method, body)
        self._connection.send(self._head(identity, method, size) + body)
        response = self._connection.read_response(method)
        self._judge(identity, response)
        self.answered += 1
        if response.will_close or self.answered % self._per_connection == 0:
            self.leave()

    def _head(self, identity, method, size):
        host = self._chance.choice([MAIN_HOST, EXTRA_HOST])
        framing = self._chance.choice(["", "&chunked=700"])
        wish = quote(f"X-Id: {identity}")
        lines = f"{method} /a?h={wish}&size={ANSWER_BYTES}{framing} HTTP/1.1\r\n"
        lines += f"Host: {host}\r\nX-Id: {identity}\r\n"
        if method != "GET":
            lines += f"Content-Length: {size}\r\n"
        return lines.encode() + b"\r\n"

    def _judge(self, identity, response):
        got = (response.status, response.header("X-Id"), len(response.body))
        if got != ("200", identity.encode(), ANSWER_BYTES):
            self.faults.append(f"{identity}: {got} {response.ended}")
            return
        number = int(response.header("X-Generation"))
        if number < self._generation_here:
            self.faults.append(f"{identity}: generation {number} after {self._generation_here}")
        self.generation = self._generation_here = number


class Client(Talker):
    """A talker that asks without a pause, in a thread of its own."""

    def __init__(self, number, port, per_connection, load):
        super().__init__(number, port, per_connection)
        self._load = load
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def join(self):
        self._thread.join()

    def _go_on(self):
        try:
            while self._load.go_on():
                self.ask()
                self._load.note()
        except Exception as fault:  # noqa: BLE001 whatever it is, the test is to show it
            self.faults.append(repr(fault))
            self._load.note()


class Load:
    """All clients together: the test awaits what they did, or lets them rest."""

    KINDS = [10**9, 10**9, 10**9, 25, 1, 1]  # requests on each connection

    def __init__(self, port):
        self._changed = threading.Condition()
        self._stop = self._rest = False
        self._resting = 0
        self.clients = [Client(n, port, per, self) for n, per in enumerate(self.KINDS)]

    def go_on(self):
        """Asked by a client between two requests."""
        with self._changed:
            if self._rest:
                self._resting += 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._rest or self._stop)
                self._resting -= 1
            return not self._stop

    def note(self):
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, claim):
        with self._changed:
            return self._changed.wait_for(lambda: claim() or self.faults, WAIT_S)

    def wait_for_generation(self, number):
        assert self.wait_for(lambda: all(one.generation >= number for one in self.clients))

    def wait_for_answers(self, count):
        wanted = [one.answered + count for one in self.clients]

        def enough():
            return all(one.answered >= most for one, most in zip(self.clients, wanted))

        assert self.wait_for(enough)

    def rest(self):
        self._rest = True
        assert self.wait_for(lambda: self._resting == len(self.clients))

    def resume(self):
        self._rest = False
        self.note()

    def stop(self):
        self._stop = True
        self.note()
        for client in self.clients:
            client.join()

    @property
    def faults(self):
        return [fault for client in self.clients for fault in client.faults]


@dataclass(frozen=True)
class Size:
    """What the process holds at a moment at which no request is under way."""

    resident: int
    descriptors: int

    @classmethod
    def of(cls, pid, connections):
        status = Path(f"/proc/{pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) << 10
        return cls(resident, len(os.listdir(f"/proc/{pid}/fd")) - connections)


def settled(sample):
    """The sample that is the same twice: ends of connections are noticed one after the other."""
    seen = [None]

    def same():
        seen.append(sample())
        return seen[-1] == seen[-2]

    assert until(same)
    return seen[-1]


class Reloads:
    """Makes the program read its file, by signal and by command in turn, and awaits the outcome."""

    def __init__(self, server):
        self._server = server
        self._turn = 0

    @property
    def accepted_count(self):
        return self._turn

    def _outcomes(self, words):
        return self._server.read("error.log").count(words)

    def accepted(self, text):
        self._turn += 1
        self._server.write(text)
        with self._awaited(DONE):
            if self._turn % COMMAND_EVERY == 0:
                assert call(self._server, "-k", "graceful")[0] == 0
            else:
                self._server.signal(signal.SIGUSR1)

    def refused(self, text):
        """By signal: the command would refuse the file without asking the server."""
        self._server.write(text)
        with self._awaited(REFUSED):
            self._server.signal(signal.SIGUSR1)

    @contextmanager
    def _awaited(self, words):
        before = self._outcomes(words)
        yield
        ended = self._server.process.poll
        assert until(lambda: self._outcomes(words) > before or ended() is not None)
        assert ended() is None, f"the program ended with {ended()}"


class Play:
    """The turns of the test."""

    def __init__(self, server, farm, port):
        self.server = server
        self.chance = random.Random(SEED)
        self.fleet = Fleet(farm, port, self.chance)
        server.start(self.fleet.text(), [port.port])
        self.reloads = Reloads(server)
        # The kernel gives each connection to one shard: so many miss none of two.
        self.sentinels = [Talker(100 + number, port) for number in range(16)]
        self.load = Load(port)

    @property
    def talkers(self):
        return self.load.clients + self.sentinels

    def faults(self):
        return [fault for talker in self.talkers for fault in talker.faults]

    def turn(self, number):
        if number % REFUSED_EVERY == REFUSED_EVERY - 1:
            self.reloads.refused(self.fleet.broken_text())
        else:
            self.fleet.change()
            self.reloads.accepted(self.fleet.text())
        self._check()
        self.load.wait_for_answers(1)
        self.load.wait_for_generation(self.fleet.generation)
        if self.fleet.leaving:
            self._stop_what_left()
        self._check()

    def _check(self):
        ended = self.server.process.poll()
        assert ended is None, f"the program ended with {ended}"
        assert not self.faults(), self.faults()[:5]

    def _stop_what_left(self):
        for sentinel in self.sentinels:
            # A shard that has not taken the new generation yet answers by the old one.
            assert until(lambda: sentinel.ask() or sentinel.generation == self.fleet.generation)
        for member in self.fleet.leaving:
            assert member.left_alone(WAIT_S), f"{member.name} is still connected"
            member.kill()
        self.fleet.leaving.clear()

    def size(self):
        """Client connections and pooled ones are told by those at their other ends."""
        self.load.rest()
        try:
            return settled(self._size_now)
        finally:
            self.load.resume()

    def _size_now(self):
        pooled = sum(member.open_connections for member in self.fleet.all_members)
        kept = sum(talker.is_connected for talker in self.talkers)
        return Size.of(self.server.process.pid, pooled + kept)

    def end(self):
        self.load.stop()
        for talker in self.talkers:
            talker.leave()


@pytest.fixture
def play(server, farm, port):
    one = Play(server, farm, port)
    yield one
    one.end()
    farm.retire(one.fleet.all_members)


def test_hundreds_of_reloads_lose_nothing_and_leave_nothing_behind(play):
    for number in range(TURNS):
        play.turn(number)
        if number == WARM_UP_TURNS:
            early = play.size()
    late = play.size()
    play.end()
    assert play.server.stop() == 0
    assert not play.faults(), play.faults()[:5]
    log = play.server.read("error.log")
    assert play.reloads.accepted_count >= ACCEPTED_MIN
    assert log.count(DONE) == 1 + play.reloads.accepted_count  # the start says it as well
    assert log.count(REFUSED) == TURNS - play.reloads.accepted_count > 0
    sent = {one: what for talker in play.talkers for one, what in talker.sent.items()}
    assert len(sent) > 10 * TURNS

    arrived = Counter()
    for member in play.fleet.all_members:
        for got in member.received:
            identity = got.header("X-Id").decode()
            arrived[identity] += 1
            assert (got.head.split(b" ", 1)[0].decode(), got.body) == sent[identity]
    assert arrived == Counter(sent.keys())

    expected = Counter(f"{identity} 200 {method}" for identity, (method, _) in sent.items())
    assert Counter(play.server.read("access.log").splitlines()) == expected
    assert late.descriptors <= early.descriptors + DESCRIPTORS_MORE_MAX
    assert late.resident <= early.resident + RESIDENT_MORE_MAX


def test_an_exchange_outlives_its_member_in_the_configuration(server, farm, port):
    """Members are removed before they answered: they may answer, and are then left alone."""
    fleet = Fleet(farm, port, random.Random(SEED))
    staying = fleet.all_members[0]
    going = fleet.all_members[1:]
    connections = []
    try:
        server.start(fleet.text(), [port.port])
        reloads = Reloads(server)
        for _ in range(6):
            connections.append(Connection("127.0.0.1", port.port))
            connections[-1].send(b"GET /?hold=later HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        assert all(member.wait_for(2) for member in fleet.all_members)
        fleet.lines = {staying: fleet.lines[staying]}
        reloads.accepted(fleet.text())
        for member in fleet.all_members:
            member.gates.release("later")
        names = [connection.read_response().body for connection in connections]
        assert server.process.poll() is None, "the program died"
        assert sorted(names) == sorted([f"{one.name}\n".encode() for one in fleet.all_members] * 2)
        assert all(member.left_alone() for member in going)
        assert staying.open_connections == 2
    finally:
        for connection in connections:
            connection.close()
        server.stop()
        farm.retire(fleet.all_members)


def test_the_command_refuses_a_broken_file_and_the_server_never_hears_of_it(server, farm, port):
    fleet = Fleet(farm, port, random.Random(SEED))
    try:
        server.start(fleet.text(), [port.port])
        server.write(fleet.broken_text())
        status, _, said = call(server, "-k", "graceful")
        assert status == 1
        assert "line" in said
        talker = Talker(0, port)
        talker.ask()
        talker.leave()
        assert not talker.faults
        assert REFUSED not in server.read("error.log")
    finally:
        server.stop()
        farm.retire(fleet.all_members)
