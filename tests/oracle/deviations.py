"""Where steelyard deliberately differs from httpd: the list that docs/deviations.md shows.

Each names the scenario that proves it and what either program sees there (the summary of runner.py:
one word an answer).  A deviation that no longer differs fails its test too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    id: str
    text: str
    scenario: str
    httpd: str
    steelyard: str


DEVIATIONS = []


def by_scenario():
    return {one.scenario: one for one in DEVIATIONS}
