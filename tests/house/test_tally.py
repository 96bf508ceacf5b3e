"""The tally must not overlook a failure, whatever form a report has."""

import subprocess
import sys
from pathlib import Path

TALLY = Path(__file__).with_name("tally.py")

GOOGLE = """<testsuites tests="3" failures="1">
<testsuite name="A" tests="3" failures="1" errors="0">
<testcase name="good" classname="A" status="run"/>
<testcase name="off" classname="A" status="notrun"/>
<testcase name="bad" classname="A" status="run"><failure message="no"/></testcase>
</testsuite></testsuites>"""

PYTEST = """<testsuites><testsuite name="pytest" tests="3" failures="0" errors="1" skipped="1">
<testcase classname="t" name="one"/><testcase classname="t" name="two"><skipped/></testcase>
<testcase classname="t" name="three"><error/></testcase></testsuite></testsuites>"""


def tally(directory):
    done = subprocess.run([sys.executable, TALLY, directory], stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout.splitlines()


def test_both_kinds_of_reports_are_added(tmp_path):
    (tmp_path / "a.xml").write_text(GOOGLE)
    (tmp_path / "b.xml").write_text(PYTEST)
    status, lines = tally(tmp_path)
    assert status == 1
    assert lines[-1] == "2 passed, 2 failed"
    assert "failed: a: A.bad" in lines and "failed: b: t.three" in lines


def test_a_report_that_was_cut_off_counts_as_a_failure(tmp_path):
    (tmp_path / "a.xml").write_text(GOOGLE[:120])
    assert tally(tmp_path) == (1, ["failed: a.xml: the report is cut off", "0 passed, 1 failed"])


def test_numbers_without_cases_count(tmp_path):
    (tmp_path / "a.xml").write_text('<testsuite name="u" tests="5" failures="0"/>')
    assert tally(tmp_path) == (0, ["5 passed, 0 failed"])


def test_nothing_at_all_is_no_success(tmp_path):
    assert tally(tmp_path) == (1, ["0 passed, 0 failed"])
