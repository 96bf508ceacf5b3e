"""What a difference looks like when a person reads it."""

import difflib
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPLAY = "/usr/bin/python3 tests/oracle/replay.py"


def difference(first, second, context=6):
    """Unified diff of two transcripts, '' when they are equal.  - is httpd, + is steelyard."""
    diff = difflib.unified_diff(first, second, "httpd", "steelyard", lineterm="", n=context)
    return "\n".join(diff)


def explain(name, first, second, replay):
    """The message of a failing comparison; '' when there is no difference."""
    diff = difference(first.lines, second.lines)
    if not diff:
        return ""
    log = "\n".join(second.error_log.splitlines()[-8:])
    parts = [
        f"{name}",
        f"httpd saw:     {first.summary}",
        f"steelyard saw: {second.summary}",
        diff,
        f"steelyard's error log:\n{log}" if log else "",
        f"replay: {REPLAY} {replay}",
    ]
    return "\n".join(part for part in parts if part)
