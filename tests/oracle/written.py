"""The written scenarios, by slug."""

import importlib
from pathlib import Path

import scenario as words


def load_scenarios():
    for path in sorted((Path(__file__).resolve().parent / "scenarios").glob("*.py")):
        importlib.import_module(f"scenarios.{path.stem}")
    return words.SCENARIOS
