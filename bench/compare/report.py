"""From samples to medians, ratios, targets and tables."""

from __future__ import annotations

import pathlib
import statistics
from dataclasses import asdict, dataclass


DISTURBED_SHARE = 0.05
PEERS = ("haproxy", "nginx", "apache2")  # as packaged
BEST_PEER = "best peer"  # the one of them that needs least, by the median; all have to be there
CALM_ROUNDS_MIN = 2


@dataclass(frozen=True)
class Sample:
    """One proxy in one scenario in one round."""

    scenario: str
    proxy: str
    round: int
    requests: int
    errors: int
    seconds: float
    user_us: float  # of processor time for one request
    system_us: float
    core_share: float  # of the proxy's core, used by the proxy
    others_share: float  # of the proxy's core, used by everybody else: above a few percent, disturbed
    p50_us: float
    p99_us: float
    pss: int
    rss: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds if self.seconds > 0 else 0.0

    @property
    def disturbed(self) -> bool:
        return self.others_share > DISTURBED_SHARE

    @property
    def cost_us(self) -> float:
        return self.user_us + self.system_us


@dataclass(frozen=True)
class Target:
    scenario: str
    text: str
    cost_of: str  # the cost of this proxy ...
    over: str  # ... over that of this one, in the same round
    limit: float
    at_most: bool


TARGETS = (
    Target("1k", "processor time at most 1.2 x the relay's", "steelyard", "relay", 1.2, True),
    Target("1k", "nginx needs at least 1.3 x as much", "nginx", "steelyard", 1.3, False),
    Target("1k", "HAProxy needs at least 1.3 x as much", "haproxy", "steelyard", 1.3, False),
    Target("1k", "httpd needs at least 3 x as much", "apache2", "steelyard", 3.0, False),
    Target("64k", "no more than HAProxy", "steelyard", "haproxy", 1.0, True),
    Target("1m", "no more than HAProxy", "steelyard", "haproxy", 1.0, True),
    Target("tls-1k", "no more than the best peer, a kept-alive request", "steelyard", BEST_PEER, 1.0, True),
    Target("tls-new", "no more than the best peer, a handshake", "steelyard", BEST_PEER, 1.0, True),
    Target("h2", "no more than the best peer, a request of HTTP/2", "steelyard", BEST_PEER, 1.0, True),
)


class Results:
    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def add(self, sample: Sample) -> None:
        self.samples.append(sample)

    def scenarios(self) -> list[str]:
        return list(dict.fromkeys(sample.scenario for sample in self.samples))

    def proxies(self, scenario: str) -> list[str]:
        return list(dict.fromkeys(s.proxy for s in self.samples if s.scenario == scenario))

    def _calm(self, scenario: str) -> set[int]:
        """The rounds in which nobody else used much of the core, for any of the proxies."""
        samples = [s for s in self.samples if s.scenario == scenario]
        return {s.round for s in samples} - {s.round for s in samples if s.disturbed}

    def calm_rounds(self, scenario: str) -> int:
        return len(self._calm(scenario))

    def rounds(self, scenario: str) -> int:
        return len({s.round for s in self.samples if s.scenario == scenario})

    def of(self, scenario: str, proxy: str) -> list[Sample]:
        """The samples of the calm rounds; of all rounds when too few were calm."""
        calm = self._calm(scenario)
        return [s for s in self.samples if s.scenario == scenario and s.proxy == proxy
                and (len(calm) < CALM_ROUNDS_MIN or s.round in calm)]

    def median(self, scenario: str, proxy: str, value: str) -> float:
        return statistics.median(getattr(s, value) for s in self.of(scenario, proxy))

    def ratio(self, scenario: str, proxy: str, over: str) -> float | None:
        """The median of the costs' ratios round by round: what slows a whole round cancels out."""
        if over == BEST_PEER:
            if not set(PEERS) <= set(self.proxies(scenario)):
                return None
            over = min(PEERS, key=lambda peer: self.median(scenario, peer, "cost_us"))
        base = {s.round: s.cost_us for s in self.of(scenario, over) if s.cost_us > 0}
        pairs = [s.cost_us / base[s.round] for s in self.of(scenario, proxy) if s.round in base]
        return statistics.median(pairs) if pairs else None

    def judged(self) -> list[tuple[Target, float, bool]]:
        found = []
        for target in TARGETS:
            ratio = self.ratio(target.scenario, target.cost_of, target.over)
            if ratio is not None:
                met = ratio <= target.limit if target.at_most else ratio >= target.limit
                found.append((target, ratio, met))
        return found

    def as_json(self, machine: dict) -> dict:
        summary = {
            scenario: {proxy: self.summary(scenario, proxy) for proxy in self.proxies(scenario)}
            for scenario in self.scenarios()
        }
        targets = [{**asdict(target), "ratio": ratio, "met": met}
                   for target, ratio, met in self.judged()]
        return {"machine": machine, "summary": summary, "targets": targets,
                "samples": [asdict(sample) for sample in self.samples]}

    def summary(self, scenario: str, proxy: str) -> dict:
        values = ("rate", "cost_us", "user_us", "system_us", "core_share", "others_share", "p50_us",
                  "p99_us", "pss", "rss")
        summary = {value: self.median(scenario, proxy, value) for value in values}
        summary["errors"] = sum(s.errors for s in self.samples
                                if s.scenario == scenario and s.proxy == proxy)
        summary["over_relay"] = self.ratio(scenario, proxy, "relay")
        summary["over_steelyard"] = self.ratio(scenario, proxy, "steelyard")
        return summary


def publish(path: pathlib.Path, name: str, text: str) -> None:
    """Puts a text between the marks of that name in a document, or, without marks, is the document."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if begin in old and end in old:
        text = old[:old.index(begin) + len(begin)] + text + old[old.index(end):]
    path.write_text(text, encoding="utf-8")


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


HEADINGS = ("proxy", "requests/s", "µs/request", "user", "system", "× relay", "× steelyard", "p50 ms",
            "p99 ms", "PSS MiB", "RSS MiB", "own core", "errors")


def table(results: Results, scenario: str) -> list[str]:
    lines = [_row(list(HEADINGS)), "|---|" + "---:|" * (len(HEADINGS) - 1)]
    for proxy in results.proxies(scenario):
        row = results.summary(scenario, proxy)
        lines.append(_row([
            proxy, f"{row['rate']:,.0f}", f"**{row['cost_us']:.1f}**", f"{row['user_us']:.1f}",
            f"{row['system_us']:.1f}", _times(row["over_relay"]), _times(row["over_steelyard"]),
            f"{row['p50_us'] / 1000:.2f}", f"{row['p99_us'] / 1000:.2f}",
            f"{row['pss'] / 2**20:.1f}", f"{row['rss'] / 2**20:.1f}", f"{row['core_share']:.0%}",
            str(row["errors"]),
        ]))
    return lines


def targets_table(results: Results) -> list[str]:
    lines = ["| scenario | target | measured | |", "|---|---|---:|---|"]
    for target, ratio, met in results.judged():
        lines.append(_row([target.scenario, target.text, f"{ratio:.2f}", "met" if met else "**missed**"]))
    return lines


def side_by_side(results: Results) -> list[str]:
    """A line a scenario: what Steelyard needs, and how many times as much its peers do."""
    scenarios = [name for name in results.scenarios() if "steelyard" in results.proxies(name)]
    peers = [peer for peer in PEERS if any(peer in results.proxies(name) for name in scenarios)]
    if not peers:
        return []
    lines = [_row(["scenario", "steelyard, µs/request", *(f"{peer}, ×" for peer in peers)]),
             "|---|" + "---:|" * (1 + len(peers))]
    for name in scenarios:
        own = results.median(name, "steelyard", "cost_us")
        lines.append(_row([name, f"{own:.1f}",
                           *(_times(results.ratio(name, peer, "steelyard")) for peer in peers)]))
    return lines


def markdown(results: Results, machine: dict, titles: dict[str, str]) -> str:
    lines = [f"- {name}: {value}" for name, value in machine.items()]
    for scenario in results.scenarios():
        lines += ["", f"### {titles[scenario]}", "", *table(results, scenario)]
    if beside := side_by_side(results):
        lines += ["", "### Side by side", "", *beside]
    if results.judged():
        lines += ["", "### Targets", "", *targets_table(results)]
    return "\n".join(lines) + "\n"
