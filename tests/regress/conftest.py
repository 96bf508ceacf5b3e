"""Bugs that were found, each a named case against the program as a whole."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.server import steelyard_binary  # noqa: E402


@pytest.fixture(scope="session")
def binary():
    path = steelyard_binary()
    assert path.exists(), f"{path} is not built: ./run --build"
    return path
