"""Differences from httpd that are known and not wanted: open work, each with what it is.

They run like all others. As long as they differ they count as expected failures, and the run prints
the reasons; docs/known_differences.md tells operators.
"""

KNOWN = {}


def reason_for(item_name: str) -> str | None:
    """By the last word of a test's parameter: a scenario's slug or a seed."""
    if not item_name.startswith("test_same["):
        return None
    parameter = item_name[len("test_same[") : -1]
    return KNOWN.get(parameter.split("-", 1)[-1])
