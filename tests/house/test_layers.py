"""Who may include whom: every #include of src/ against layers.txt."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = PROJECT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)

# The C and C++ standard libraries' headers that may be read anywhere.
C_STANDARD = set("assert.h ctype.h errno.h float.h limits.h math.h stdarg.h stddef.h stdint.h stdio.h "
                 "stdlib.h string.h time.h emmintrin.h immintrin.h".split())
# Libraries, by the folders that may use them.
LIBRARIES = {
    "fmt/": None,
    "gtest/": None,
    "gmock/": None,
    "pcre2.h": {"base"},
    "ares.h": {"io/linux"},
    "nlohmann/": {"manage", "cluster"},
    "curl/": {"server"},
    "sqlite3.h": {"journal"},
    "prometheus/": {"manage"},
    "zlib.h": {"manage", "proxy"},
    "nghttp2/": {"proxy"},
    "openssl/": {"tls", "auth"},
    "crypt.h": {"auth"},
    "nghttp2/": {"proxy"},
}
SYSTEM_FOLDERS = ("io/linux", "journal", "server")


def rows():
    allowed = {}
    for line in (PROJECT / "layers.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        folder, _, others = line.partition(":")
        allowed[folder.strip()] = set(others.split())
    return allowed


def folder_of(path):
    """"io/linux" for what lies there, else the first folder."""
    parts = path.relative_to(SOURCE).parts
    return "io/linux" if parts[:2] == ("io", "linux") else parts[0]


def is_standard(name):
    return "/" not in name and not name.endswith(".h")


def complaints(path, text):
    folder = folder_of(path)
    layer = folder.split("/")[0]
    allowed = rows()
    for kind, name in INCLUDE.findall(text):
        if kind == '"':
            target = name.split("/")[0]
            if "/" not in name:
                yield f'{path}: "{name}" is not written from src/ on'
            elif name.startswith("tests/support/"):
                if not path.name.endswith("_test.cpp"):
                    yield f'{path}: only tests may include "{name}"'
            elif target != layer and target not in allowed[layer]:
                yield f'{path}: {layer} may not include "{name}"'
            elif name.startswith("io/linux/") and folder not in SYSTEM_FOLDERS:
                yield f'{path}: only io/linux and server may include "{name}"'
            continue
        if is_standard(name):
            continue
        library = next((known for known in LIBRARIES if name.startswith(known)), None)
        if library is not None:
            users = LIBRARIES[library]
            if users is not None and folder not in users:
                yield f"{path}: <{name}> belongs to {', '.join(sorted(users))}"
        elif folder not in SYSTEM_FOLDERS and name not in C_STANDARD:
            yield f"{path}: <{name}> is the operating system's: {', '.join(SYSTEM_FOLDERS)} may"


def sources():
    return sorted(
        path
        for path in SOURCE.rglob("*.[ch]pp")
        if path.name != "main.cpp"
    )


def test_every_include_is_allowed():
    found = [one for path in sources() for one in complaints(path, path.read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_every_folder_has_a_row():
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    assert folders == set(rows())


def test_layers_have_no_cycle():
    allowed = rows()
    seen = set()
    for folder in allowed:  # The table is written from the bottom up.
        assert allowed[folder] <= seen, f"{folder} names a layer above it"
        seen.add(folder)


def test_a_forbidden_include_is_found():
    path = SOURCE / "http" / "invented.cpp"
    bad = '#include <vector>\n#include <sys/socket.h>\n#include "config/config.hpp"\n#include "x.hpp"\n'
    assert len(list(complaints(path, bad))) == 3
    assert not list(complaints(path, '#include "base/text.hpp"\n#include <string.h>\n'))
    assert len(list(complaints(SOURCE / "proxy" / "a.cpp", '#include "io/linux/listener.hpp"\n'))) == 1
    support = '#include "tests/support/counting_heap.hpp"\n'
    assert len(list(complaints(SOURCE / "http" / "a.cpp", support))) == 1
    assert not list(complaints(SOURCE / "http" / "a_test.cpp", support))
    assert not list(complaints(SOURCE / "server" / "a.cpp", '#include "io/linux/listener.hpp"\n'))
