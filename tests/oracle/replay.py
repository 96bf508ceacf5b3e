#!/usr/bin/python3
"""Plays one scenario or one random seed on both programs and prints the difference.

    replay.py --scenario SLUG [--show]      one written scenario
    replay.py --seed N [--show]             one random world
    replay.py --times N                     up to N times, until there is a difference
    replay.py --conf                        also print the configuration
    replay.py --list                        the scenarios
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for path in (HERE, HERE.parent):
    sys.path.insert(0, str(path))

import written  # noqa: E402
import generate  # noqa: E402
import random_runner  # noqa: E402
import report  # noqa: E402
import runner  # noqa: E402
from support.member import Farm  # noqa: E402


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print httpd's whole transcript")
    parser.add_argument("--conf", action="store_true", help="print the configuration")
    parser.add_argument("--list", action="store_true")
    told = parser.parse_args()
    scenarios = written.load_scenarios()
    if told.list:
        for slug, one in scenarios.items():
            print(f"{one.topic:14} {slug}")
        return 0
    if told.seed is not None:
        world = generate.world(told.seed)
        name, how, conf = f"seed {told.seed}", f"--seed {told.seed}", world.conf
    else:
        one = scenarios[told.scenario]
        name, how, conf = one.name, f"--scenario {one.slug}", one.conf
    if told.conf:
        print(conf)
    farm = Farm()
    message = ""
    try:
        for _ in range(told.times):
            if told.seed is not None:
                first, second = random_runner.compare([world], farm)[0]
            else:
                first, second = runner.compare(one, farm)
            message = report.explain(name, first, second, how)
            if message:
                break
    finally:
        farm.close()
    if told.show:
        print("\n".join(first.lines))
    print(message or f"no difference ({first.summary})")
    return 1 if message else 0


if __name__ == "__main__":
    sys.exit(main())
