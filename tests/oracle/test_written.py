"""Every written scenario: apache2 does what its name says, and steelyard does the same."""

import pytest
import report


def test_same(written, plays):
    first, second = plays.outcomes(written)
    if written.sees:
        seen = f"apache2 itself saw {first.summary!r}; the scenario says {written.sees!r}\n"
        assert first.summary == written.sees, seen + "\n".join(first.lines)
    message = report.explain(written.name, first, second, f"--scenario {written.slug}")
    if message:
        pytest.fail("\n" + message, pytrace=False)
