"""How much memory a program has of its own, and how much more each of many things costs it."""

import re
from itertools import pairwise
from pathlib import Path
from statistics import median


def private_dirty_bytes(process):
    """Of it and of its children."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    kilobytes = 0
    for pid in [process.pid, *children]:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        kilobytes += int(re.search(r"Private_Dirty:\s+(\d+) kB", rollup)[1])
    return kilobytes * 1024


def bytes_each(process, make_some, first=200, growths=5, measured=200):
    """`make_some(count)` makes so many of them, which stay.

    What the first bring along (pools, tables, the allocator's pages) is not counted, and of the
    growths by so many more the median is: tables double now and then, in the middle of one.
    """
    make_some(first)
    marks = [private_dirty_bytes(process)]
    for _ in range(growths):
        make_some(measured)
        marks.append(private_dirty_bytes(process))
    return median((after - before) / measured for before, after in pairwise(marks))
