"""Health checks of apache2 and steelyard, side by side in real time."""

import asyncio
import contextlib
import statistics
import time

import document
import health_cases
import pytest
from health_stage import Member, ask, follow, member_for
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete, steelyard_binary

PROGRAMS = {"apache2": APACHE, "steelyard": steelyard_binary()}
GRANULARITY_MS = 100  # How often either program looks who is due.
SLACK_MS = 150  # Of a machine that does other things too; it counts for most checks, not for all.
DEATH_S = 2.0  # Far less than retry=.


def configuration(cases, ports, members):
    lines = [
        f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so",
        f"LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so",
        f"Listen 127.0.0.1:{ports['server']}",
        f"Listen 127.0.0.1:{ports['virtual']}",
        "Timeout 3",
        health_cases.PROLOGUE,
    ]
    for case in cases:
        checked, other = members[case.slug]
        balancer = f"balancer://{case.slug}"
        lines.append(
            f"BalancerMember {balancer} {case.scheme}://{checked.address}{case.path} "
            f"{case.member} hcinterval={case.interval_ms}ms"
        )
        if case.other is not None:
            lines.append(f"BalancerMember {balancer} http://{other.address} {case.other}")
        lines.append(f"ProxyPass /{case.slug}/ {balancer}/ {case.proxy_pass}")
    lines.append(f"<VirtualHost 127.0.0.1:{ports['virtual']}>\n</VirtualHost>")
    return "\n".join(lines) + "\n"


class Side:
    """One program with members of its own."""

    def __init__(self, name, scratch):
        self.server = Server(PROGRAMS[name], scratch.path / name)
        self.port, self.virtual_port = HeldPort(), HeldPort()
        self.held = []
        self.members = {}

    async def open(self, cases):
        for case in cases:
            pair = member_for("M", case), Member("o")
            for member, host in zip(pair, (case.host, "127.0.0.1")):
                self.held.append(HeldPort(host))
                await member.listen(self.held[-1])
            self.members[case.slug] = pair

    async def start(self, cases):
        ports = {"server": self.port.port, "virtual": self.virtual_port.port}
        text = configuration(cases, ports, self.members)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(
            None, self.server.start, complete(text, "info"), list(ports.values())
        )

    async def follow(self, case):
        port = self.virtual_port if case.in_virtual_host else self.port
        return await follow(port.port, case, self.members[case.slug][0])

    async def kill_and_revive(self, case):
        """The checked member dies and comes back; seconds until clients saw either."""
        member = self.members[case.slug][0]
        held = self.held[2 * list(self.members).index(case.slug)]
        for _ in range(1000):
            member.let_go()
        await member.close()
        gone = await self.until(case, lambda answers: "M" not in answers)
        await asyncio.sleep(0.5)
        await member.listen(held)
        back = await self.until(case, lambda answers: "M" in answers)
        return gone, back

    async def die_unseen(self, case):
        """The same while no client asks; who answers when the log has told of the death, and whether
        the member does again."""
        member = self.members[case.slug][0]
        held = self.held[2 * list(self.members).index(case.slug)]
        for _ in range(1000):
            member.let_go()
        await member.close()
        await self.said(f" DISABLING {case.scheme}://{member.address}")
        without = {await ask(self.port.port, case.slug) for _ in range(4)}
        await member.listen(held)
        await self.said(f" ENABLING {case.scheme}://{member.address}")
        return without, await self.until(case, lambda answers: "M" in answers)

    async def said(self, words):
        began = time.monotonic()
        while words not in self.server.read("error.log") and time.monotonic() - began < 8.0:
            await asyncio.sleep(0.02)

    async def until(self, case, holds):
        began = time.monotonic()
        while time.monotonic() - began < 8.0:
            answers = [await ask(self.port.port, case.slug) for _ in range(4)]
            if holds(answers):
                return time.monotonic() - began
            await asyncio.sleep(0.02)
        return None

    async def close(self):
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.server.stop)
        for pair in self.members.values():
            for member in pair:
                await member.close()
        for held in [*self.held, self.port, self.virtual_port]:
            held.close()


async def play(scratch):
    """{program: {slug: outcome}}; everything happens at the same time."""
    sides = {name: Side(name, scratch) for name in PROGRAMS}
    cases = [*health_cases.CASES, *(different.case for different in health_cases.DIFFERENT)]
    everyone = [*cases, *health_cases.MORTALS, *health_cases.UNSEEN]
    try:
        for side in sides.values():
            await side.open(everyone)
        await asyncio.gather(*(side.start(everyone) for side in sides.values()))
        told = {}
        for name, side in sides.items():
            told[name] = {case.slug: side.follow(case) for case in cases}
            for case in health_cases.MORTALS:
                told[name][case.slug] = side.kill_and_revive(case)
            for case in health_cases.UNSEEN:
                told[name][case.slug] = side.die_unseen(case)
        names = [(name, slug) for name in told for slug in told[name]]
        outcomes = await asyncio.gather(*(told[name][slug] for name, slug in names))
        result = {name: {} for name in told}
        for (name, slug), outcome in zip(names, outcomes):
            result[name][slug] = outcome
        logs = {name: side.server.read("error.log") for name, side in sides.items()}
        return result, logs
    finally:
        await asyncio.gather(*(side.close() for side in sides.values()))


@pytest.fixture(scope="module")
def played():
    with contextlib.closing(Scratch("steelyard-health-")) as scratch:
        yield asyncio.run(play(scratch))


def by_name(case):
    return case.slug


@pytest.mark.parametrize("case", health_cases.CASES, ids=by_name)
def test_traffic_stops_and_resumes_after_the_same_check(case, played):
    seen = {name: outcomes[case.slug].seen for name, outcomes in played[0].items()}
    assert seen["apache2"] == case.seen, played[0]["apache2"][case.slug].statuses
    assert seen["steelyard"] == case.seen, played[0]["steelyard"][case.slug].statuses


@pytest.mark.parametrize("case", health_cases.CASES, ids=by_name)
def test_members_hear_the_same_bytes(case, played):
    def heard(name):
        outcome = played[0][name][case.slug]
        port_free = [check.head.split(b"Host: 127.0.0.1:") for check in outcome.checks]
        return [(parts[0], len(parts)) for parts in port_free]

    assert heard("apache2") == heard("steelyard")


@pytest.mark.parametrize("case", health_cases.CASES, ids=by_name)
def test_checks_come_one_interval_after_the_end_of_the_last(case, played):
    for name in PROGRAMS:
        gaps = played[0][name][case.slug].gaps_ms
        least = case.interval_ms - (SLACK_MS if case.ends_unseen else 1)
        assert all(least <= gap for gap in gaps), (name, gaps)
        if gaps:
            most = case.interval_ms + GRANULARITY_MS + SLACK_MS
            assert statistics.median_low(gaps) <= most, (name, gaps)


@pytest.mark.parametrize("different", health_cases.DIFFERENT, ids=lambda d: d.id)
def test_documented_differences_are_real(different, played):
    slug = different.case.slug
    assert played[0]["apache2"][slug].seen == different.case.seen
    assert played[0]["steelyard"][slug].seen == different.steelyard


def test_the_document_tells_the_differences():
    assert document.TARGET.read_text() == document.text()


@pytest.mark.parametrize("case", health_cases.MORTALS, ids=by_name)
def test_traffic_leaves_a_dead_member_and_comes_back_in_the_same_time(case, played):
    """A request finds out at once (Err); a check brings it back long before retry= would."""
    for name in PROGRAMS:
        gone, back = played[0][name][case.slug]
        assert gone is not None and gone < DEATH_S, (name, gone)
        assert back is not None and back < DEATH_S, (name, back)


@pytest.mark.parametrize("case", health_cases.UNSEEN, ids=by_name)
def test_checks_find_a_death_and_a_return_before_clients_do(case, played):
    for name in PROGRAMS:
        without, back = played[0][name][case.slug]
        assert without == {"o"}, name
        assert back is not None, name


def test_both_logs_tell_of_the_changes(played):
    for name, log in played[1].items():
        assert "AH03303" in log and "DISABLING http://127.0.0.1:" in log, name
        assert "AH03302" in log and "ENABLING http://127.0.0.1:" in log, name
