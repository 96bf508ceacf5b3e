"""Adds up JUnit reports: names every test that failed, then the line `N passed, M failed`.

    tally.py REPORT_DIRECTORY

The exit status is 0 when at least one test ran and none failed.
"""

import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def count(path):
    """(passed, names of failed, skipped) of one report."""
    try:
        root = xml.parse(path).getroot()
    except xml.ParseError:
        return 0, [f"{path.name}: the report is cut off"], 0
    passed, failed, skipped = 0, [], 0
    for suite in [root] if root.tag == "testsuite" else root.iter("testsuite"):
        cases = list(suite.iter("testcase"))
        bad = [
            f"{path.stem}: {case.get('classname')}.{case.get('name')}"
            for case in cases
            if case.find("failure") is not None or case.find("error") is not None
        ]
        left_out = sum(
            case.find("skipped") is not None or case.get("status") == "notrun" for case in cases
        )
        # A program that reports only numbers, not its cases.
        more = max(0, int(suite.get("tests", 0)) - len(cases))
        wrong = max(0, int(suite.get("failures", 0)) - len(bad))
        bad += [f"{path.stem}: {suite.get('name')}"] * wrong
        failed += bad
        skipped += left_out
        passed += len(cases) + more - len(bad) - left_out
    return passed, failed, skipped


def main():
    passed, failed, skipped = 0, [], 0
    for path in sorted(Path(sys.argv[1]).glob("*.xml")):
        more = count(path)
        passed, failed, skipped = passed + more[0], failed + more[1], skipped + more[2]
    for name in failed:
        print("failed:", name)
    if skipped:
        print(f"{skipped} skipped, each with its reason above")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
