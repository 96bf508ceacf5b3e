"""Runs the test programs of a build, as CTest lists them, and leaves a JUnit file for each.

    programs.py BUILD_DIRECTORY REPORT_DIRECTORY [--label TEXT] [--only NAME ...] [--jobs N]

A GoogleTest program writes its own report.  For any other the report holds one test, or as many as
Python's unittest or node's test runner (TAP) says it ran; a program that dies without a report is one failed test.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

PROGRAM_S_MAX = 900


def listed(build):
    """(name, command, environment) of every test that CTest knows."""
    output = subprocess.run(
        ["ctest", "--test-dir", str(build), "--show-only=json-v1"],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    for test in json.loads(output)["tests"]:
        environment = {}
        for one in test.get("properties", []):
            if one["name"] == "ENVIRONMENT":
                environment = dict(pair.split("=", 1) for pair in one["value"])
        if "command" in test:
            yield test["name"], test["command"], environment


def write_report(path, name, count, failed, output):
    """A report for a program that makes none of its own."""
    suite = xml.Element(
        "testsuite", name=name, tests=str(count), failures=str(failed), errors="0"
    )
    case = xml.SubElement(suite, "testcase", name=name, classname=name)
    if failed:
        # XML has no place for control characters.
        text = re.sub(r"[^\x09\x0a\x20-\ud7ff]", "?", output[-4000:])
        xml.SubElement(case, "failure", message=f"{name} failed").text = text
    xml.ElementTree(suite).write(path)


def run(name, command, environment, report):
    started = time.monotonic()
    report.unlink(missing_ok=True)
    own = os.environ | environment | {"GTEST_OUTPUT": f"xml:{report}", "GTEST_COLOR": "no"}
    try:
        done = subprocess.run(
            command,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROGRAM_S_MAX,
        )
        status, output = done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        status, output = 124, (late.stdout or b"").decode("utf-8", "replace") + "\nout of time"
    except OSError as error:
        status, output = 127, str(error)
    if not report.exists():
        ran = re.findall(r"^(?:Ran (?=\d+ tests? in)|# tests )(\d+)", output, re.M)
        wrong = re.findall(r"(?:(?:failures|errors)=|^# fail )(\d+)", output, re.M)
        failed = 0 if status == 0 else max(1, sum(map(int, wrong)))
        write_report(report, name, max(failed, int(ran[-1]) if ran else 1), failed, output)
    elif status != 0 and not re.search(r"<(failure|error)\b", report.read_text("utf-8", "replace")):
        # All its tests passed and it failed nevertheless, for example with a leak at the end.
        write_report(report.with_suffix(".exit.xml"), f"{name} exit", 1, 1, output)
    return name, status, output, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--label", default="")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    told = parser.parse_args()
    told.reports.mkdir(parents=True, exist_ok=True)
    tests = [one for one in listed(told.build) if not told.only or one[0] in told.only]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(told.jobs) as pool:
        running = [
            pool.submit(run, *test, (told.reports / f"{told.label}{test[0]}.xml").resolve())
            for test in tests
        ]
        for one in concurrent.futures.as_completed(running):
            name, status, output, seconds = one.result()
            print(f"{'ok  ' if status == 0 else 'FAIL'} {told.label}{name} ({seconds:.1f} s)")
            if status != 0:
                failed += 1
                print(output[-8000:])
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
