"""What the kernel has charged a program: processor time and memory of all its processes."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


@dataclass(frozen=True)
class Processor:
    """Seconds since the start of the processes.

    The sum comes from the scheduler's nanosecond counters; the kernel samples how it divides into
    user and system, so that division is good to about a percent in a run of some seconds.
    """

    user: float
    system: float

    def __sub__(self, other: Processor) -> Processor:
        return Processor(self.user - other.user, self.system - other.system)

    @property
    def total(self) -> float:
        return self.user + self.system


@dataclass(frozen=True)
class Memory:
    """Bytes. `private` are pages that no other process shares and that were written to."""

    pss: int
    rss: int
    private: int


def _stat_fields(pid: int) -> list[str]:
    # The name stands in parentheses and may hold anything, so the fields are counted after it.
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents.setdefault(int(_stat_fields(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    found = [pid]
    for member in found:
        found.extend(parents.get(member, []))
    return found


def _scheduled_seconds(pid: int) -> float:
    tasks = (PROC / str(pid) / "task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def processor(pids: list[int]) -> tuple[Processor, float]:
    """The sampled division, and the exact sum in seconds."""
    user = system = exact = 0.0
    for pid in pids:
        fields = _stat_fields(pid)
        user += int(fields[11]) / TICKS_PER_SECOND
        system += int(fields[12]) / TICKS_PER_SECOND
        exact += _scheduled_seconds(pid)
    return Processor(user, system), exact


def spent(before: tuple[Processor, float], after: tuple[Processor, float]) -> Processor:
    sampled = after[0] - before[0]
    exact = after[1] - before[1]
    scale = exact / sampled.total if sampled.total > 0 else 0.0
    return Processor(sampled.user * scale, sampled.system * scale)


def memory(pids: list[int]) -> Memory:
    sums = {"Pss": 0, "Rss": 0, "Private_Dirty": 0}
    for pid in pids:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in sums:
                sums[name] += int(rest.split()[0]) * 1024
    return Memory(sums["Pss"], sums["Rss"], sums["Private_Dirty"])


def soft_interrupt_thread(core: int) -> int | None:
    """The kernel thread that takes over a core's network work when there is much of it."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() == f"ksoftirqd/{core}":
                    return int(entry.name)
            except OSError:
                continue
    return None


def core_busy_seconds(core: int) -> float:
    """Time in which a core was not idle, whoever used it."""
    for line in (PROC / "stat").read_text().splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            times = [int(field) for field in fields[1:9]]
            return (sum(times) - times[3] - times[4]) / TICKS_PER_SECOND
    return 0.0


def kernel_bytes() -> int:
    """The kernel's own objects (sockets, buffers, files), of the whole machine."""
    wanted = ("SUnreclaim:", "SReclaimable:")
    lines = (PROC / "meminfo").read_text().splitlines()
    slab = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(wanted))
    for line in (PROC / "net" / "sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            fields = line.split()
            return slab + int(fields[fields.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
    return slab


def load_average() -> float:
    return os.getloadavg()[0]
