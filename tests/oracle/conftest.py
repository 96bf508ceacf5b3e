"""Plays every selected scenario once, several at a time, and hands each test its two outcomes."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for path in (HERE, HERE.parent):
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))

import deviations  # noqa: E402
import known_differences  # noqa: E402
import runner  # noqa: E402
from support.member import Farm  # noqa: E402
from written import load_scenarios  # noqa: E402

AT_ONCE = 6


def pytest_collection_modifyitems(items):
    for item in items:
        reason = known_differences.reason_for(item.name)
        if reason is not None and Path(str(item.fspath)).parent == HERE:
            item.add_marker(pytest.mark.xfail(reason=reason))


def pytest_generate_tests(metafunc):
    if "written" in metafunc.fixturenames:
        found = load_scenarios()
        alike = [s for slug, s in found.items() if slug not in deviations.by_scenario()]
        metafunc.parametrize("written", alike, ids=lambda s: f"{s.topic}-{s.slug}")


@pytest.fixture(scope="session")
def farm():
    one = Farm()
    yield one
    one.close()


class Plays:
    """Outcomes in the making: a scenario is played when it is first asked for, many at once."""

    def __init__(self, farm):
        self._farm = farm
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._futures = {}

    def begin(self, scenario):
        if scenario.slug not in self._futures:
            self._futures[scenario.slug] = self._pool.submit(runner.compare, scenario, self._farm)
        return self._futures[scenario.slug]

    def outcomes(self, scenario):
        return self.begin(scenario).result()

    def once_more(self, scenario):
        return self._pool.submit(runner.compare, scenario, self._farm).result()

    def close(self):
        for future in self._futures.values():
            future.cancel()
        self._pool.shutdown()


@pytest.fixture(scope="session")
def plays(request, farm):
    """Begins all selected scenarios at once, so that those which wait wait together."""
    one = Plays(farm)
    for item in request.session.items:
        call = getattr(item, "callspec", None)
        if call and "written" in call.params:
            one.begin(call.params["written"])
    yield one
    one.close()
