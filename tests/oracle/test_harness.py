"""The comparison itself: no difference where there is none, and a report where there is one."""

import generate
import pytest
import random_runner
import report
import runner
import scenario as words
from chance import OnceOnly, settled
from support.server import APACHE

SAME = (APACHE, APACHE)
WEIGHTS = words.Scenario(
    "weights",
    (
        "BalancerMember balancer://c http://${M1}\nBalancerMember balancer://c http://${M2}"
        ' loadfactor=2\nProxyPass / balancer://c/\nHeader set X-K "1"\n'
    ),
    words.flatten([6 * [words.get("/x?y=z", "X-A: b")], words.post("/", b"body")]),
)


def changed(old, new):
    assert old in WEIGHTS.conf
    return lambda text: text.replace(old, new)


def difference(farm, change):
    first, second = runner.compare(WEIGHTS, farm, SAME, change)
    return report.explain(WEIGHTS.name, first, second, f"--scenario {WEIGHTS.slug}")


def test_a_program_does_not_differ_from_itself(farm):
    assert difference(farm, lambda text: text) == ""


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("loadfactor=2", "loadfactor=1", "steelyard saw: 1 2 1 2 1 2 1"),
        ("X-K", "X-L", "+< X-L: 1"),
        ("Header set X-K", "RequestHeader set X-K", "+> X-K: 1"),
        ("ProxyPass / balancer://c/", "ProxyPass / balancer://c/y", "+> GET /yx?y=z HTTP/1.1"),
        ("ProxyPass /", "ProxyPass /nowhere", "steelyard saw: 404"),
        ("http://${M1}", "http://${M1} disablereuse=On", "+> M1 connection 2 request 1"),
        ("loadfactor=2", "loadfactor=2 route=r2", "+| "),
        ("ProxyPass /", "KeepAlive Off\nProxyPass /", "+< closed"),
        ("ProxyPass /", "Nonsense\nProxyPass /", "(did not start)"),
    ],
)
def test_a_changed_configuration_is_reported(farm, old, new, told):
    message = difference(farm, changed(old, new))
    assert told in message
    assert "replay: /usr/bin/python3 tests/oracle/replay.py --scenario weights" in message


def test_random_worlds_do_not_differ_from_themselves(farm):
    worlds = [generate.world(seed) for seed in range(1001, 1011)]
    for world, (first, second) in zip(worlds, random_runner.compare(worlds, farm, SAME)):
        assert report.explain(world.name, first, second, f"--seed {world.seed}") == ""


def test_a_seed_is_always_the_same_world():
    assert generate.world(7).conf == generate.world(7).conf
    assert [s.text for s in generate.world(7).steps] == [s.text for s in generate.world(7).steps]
    assert generate.world(7).conf != generate.world(8).conf


def test_one_world_that_cannot_start_does_not_hide_the_others(farm):
    worlds = [generate.world(seed) for seed in (1, 2)]
    worlds[0].conf = "Nonsense\n"
    outcomes = random_runner.compare(worlds, farm, SAME)
    assert outcomes[0][0].summary == "did not start"
    assert outcomes[1][0].summary == outcomes[1][1].summary != "did not start"


def test_a_complaint_that_comes_again_counts():
    plays = iter(["", "differs again"])
    assert settled("weights", "differs", lambda: next(plays)) == "differs again"


def test_a_complaint_that_two_plays_do_not_show_is_a_warning():
    plays = iter(["", ""])
    with pytest.warns(OnceOnly, match="weights differed once"):
        assert settled("weights", "differs", lambda: next(plays)) == ""
    assert next(plays, "no third play") == "no third play"


def test_without_a_complaint_nothing_is_played_again():
    assert settled("weights", "", lambda: pytest.fail("played again")) == ""
