"""Sizes that keep the code readable: lines of files, columns of lines, lines of functions."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = PROJECT / "src"

FILE_LINES_MAX = 600
TEST_LINES_MAX = 900
HEADER_LINES_MAX = 150
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70


def sources(pattern="*.[ch]pp"):
    return sorted(SOURCE.rglob(pattern))


def is_long_table(text):
    """A table may pass with a comment that says so."""
    return re.search(r"long table|because it is a table|one row a ", text, re.I) is not None


def lines_max(path):
    if path.name.endswith("_test.cpp"):
        return TEST_LINES_MAX
    return HEADER_LINES_MAX if path.suffix == ".hpp" else FILE_LINES_MAX


def test_files_have_the_size_of_one_subject():
    found = []
    for path in sources():
        text = path.read_text("utf-8")
        count = len(text.splitlines())
        if count > lines_max(path) and not is_long_table(text):
            found.append(f"{path}: {count} lines, {lines_max(path)} are allowed")
    assert not found, "\n".join(found)


def test_lines_fit_the_column_limit():
    found = [
        f"{path}:{number}: {len(line)} columns"
        for path in sources()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > COLUMNS_MAX and "http" not in line and '"' not in line
    ]
    assert not found, "\n".join(found)


def functions(text):
    """(line, length) of blocks that look like functions in clang-format's layout: they begin with a
    line in the first column that ends with `) ... {` and end with `}` in the first column."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if start is None and re.match(r"^[A-Za-z_~].*\)[^;]*\{$", line):
            start = number
        elif start is not None and line == "}":
            yield start, number - start + 1
            start = None


def test_functions_fit_a_screen():
    found = []
    for path in sources("*.cpp"):
        text = path.read_text("utf-8")
        if is_long_table(text):
            continue
        for line, length in functions(text):
            if length > FUNCTION_LINES_MAX:
                found.append(f"{path}:{line}: {length} lines")
    assert not found, "\n".join(found)


def test_main_is_only_a_beginning():
    assert len((SOURCE / "main.cpp").read_text().splitlines()) < 80


def test_the_measure_of_a_function_counts():
    text = "int f(int a) {\n" + "  a += 1;\n" * 80 + "}\n"
    assert list(functions(text)) == [(1, 82)]


def test_nothing_tells_of_the_machine_it_was_written_on():
    words = re.compile(r"/work/|/root/|\bTODO\b|\bFIXME\b|\bXXX:")
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert not found, "\n".join(found)
