"""Random worlds: the same configuration and script on both programs, without a difference.

STEELYARD_ORACLE_SEEDS=FIRST:COUNT plays others than the usual 300.
"""

import os

import generate
import pytest
import random_runner
import report
from chance import settled

TOGETHER = 30
FIRST, COUNT = (int(n) for n in os.environ.get("STEELYARD_ORACLE_SEEDS", "1:300").split(":"))
SEEDS = range(FIRST, FIRST + COUNT)


@pytest.fixture(scope="session")
def played(request, farm):
    """seed -> outcomes; the selected seeds are played in lots that share a server."""
    selected = [
        item.callspec.params["seed"]
        for item in request.session.items
        if "seed" in getattr(getattr(item, "callspec", None), "params", {})
    ]
    lots = {}
    for i in range(0, len(selected), TOGETHER):
        lot = selected[i : i + TOGETHER]
        lots.update((seed, lot) for seed in lot)
    done = {}

    def outcomes(seed):
        if seed not in done:
            worlds = [generate.world(one) for one in lots[seed]]
            done.update(zip(lots[seed], random_runner.compare(worlds, farm)))
        return done[seed]

    return outcomes


@pytest.mark.parametrize("seed", SEEDS)
def test_same(seed, played, farm):
    def complaint(first, second):
        if first.summary == "did not start":
            return "\n".join(first.lines)
        return report.explain(f"seed {seed}", first, second, f"--seed {seed}")

    def play_again():
        return complaint(*random_runner.compare([generate.world(seed)], farm)[0])

    message = settled(f"seed {seed}", complaint(*played(seed)), play_again)
    if message:
        pytest.fail("\n" + message, pytrace=False)
