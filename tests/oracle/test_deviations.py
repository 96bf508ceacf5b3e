"""The documented differences are exactly the real ones."""

import os
import re
from pathlib import Path

import written
import deviations
import pytest
from chance import settled
from test_written import PLAYS_MOST

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/deviations.md"
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \| `([^`]*)` \| `([^`]*)` \| `([^`]*)` \|$")


def rows():
    found = (ROW.match(line) for line in DOCUMENT.read_text().splitlines())
    return [row.groups() for row in found if row]


def test_the_document_and_the_list_agree():
    told = [(d.id, d.text, d.httpd, d.steelyard, d.scenario) for d in deviations.DEVIATIONS]
    assert rows() == told


def test_every_deviation_names_a_scenario_of_its_own():
    scenarios = written.load_scenarios()
    named = [d.scenario for d in deviations.DEVIATIONS]
    assert len(set(named)) == len(named)
    assert [name for name in named if name not in scenarios] == []


@pytest.mark.skipif("STEELYARD_ORACLE_SELF" in os.environ, reason="apache2 is on both sides")
@pytest.mark.parametrize("deviation", deviations.DEVIATIONS, ids=lambda d: d.id)
def test_both_programs_do_what_the_list_says(deviation, plays):
    scenario = written.load_scenarios()[deviation.scenario]
    first, second = plays.outcomes(scenario)
    for _ in range(PLAYS_MOST - 1 if scenario.httpd_varies else 0):
        if first.summary == deviation.httpd:
            break
        first, second = plays.once_more(scenario)
    message = settled(
        scenario.name,
        complaint(deviation, first, second),
        lambda: complaint(deviation, *plays.once_more(scenario)),
    )
    if message:
        pytest.fail("\n" + message, pytrace=False)


def complaint(deviation, first, second):
    if first.summary != deviation.httpd:
        return f"apache2 saw {first.summary!r}, not {deviation.httpd!r}\n" + "\n".join(first.lines)
    if second.summary != deviation.steelyard:
        seen = f"steelyard saw {second.summary!r}, not {deviation.steelyard!r}\n"
        return seen + "\n".join(second.lines)
    return "" if first.lines != second.lines else "both programs did the same"
