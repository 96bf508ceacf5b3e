"""The table of TLS differences names tests that are there."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

ROW = re.compile(r"^\| `(tls-[a-z-]+)` \|.*\| `([a-z_]+\.(?:py|cpp))` `([a-z0-9_]+)` \|$")
TABLE = (PROJECT / "docs/tls.md").read_text().partition("| id | what |")[2].splitlines()[2:]


def test_each_row_has_an_id_and_a_test():
    assert TABLE and [row for row in TABLE if not ROW.match(row)] == []
    names = [ROW.match(row)[1] for row in TABLE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.split("`")[1])
def test_the_test_of_a_row_exists(row):
    _, file, name = ROW.match(row).groups()
    folder, begin = ("tests", f"def {name}(") if file.endswith(".py") else ("src", f", {name})")
    found = list((PROJECT / folder).rglob(file))
    assert len(found) == 1
    assert begin in found[0].read_text()
