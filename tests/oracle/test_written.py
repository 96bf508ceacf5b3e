"""Every written scenario: apache2 does what its name says, and steelyard does the same."""

import pytest
import report
from chance import settled

PLAYS_MOST = 5


def complaint(written, first, second):
    if written.sees and first.summary != written.sees:
        seen = f"apache2 itself saw {first.summary!r}; the scenario says {written.sees!r}\n"
        return seen + "\n".join(first.lines)
    return report.explain(written.name, first, second, f"--scenario {written.slug}")


def test_same(written, plays):
    message = complaint(written, *plays.outcomes(written))
    for _ in range(PLAYS_MOST - 1 if written.httpd_varies else 0):
        if not message:
            break
        message = complaint(written, *plays.once_more(written))
    message = settled(
        written.name, message, lambda: complaint(written, *plays.once_more(written))
    )
    if message:
        pytest.fail("\n" + message, pytrace=False)
