"""TRACE beside the real apache2: what a client is shown, and what the error log says of a refusal."""

import re
import subprocess

import pytest
from support.both import by_both
from support.process import until
from support.server import MODULE_DIRECTORY

CONFIG = f"""\
LoadModule http2_module {MODULE_DIRECTORY}/mod_http2.so
Listen 127.0.0.1:{{port}}
Protocols h2c http/1.1
LogLevel info
ErrorLog {{log}}
TraceEnable {{word}}
ProxyPass /app http://{{member}}
<Location /app/denied>
Require all denied
</Location>
"""
UNTOLD = "Transfer-Encoding: chunked"
BODIES = {"none": [], "a length": ["-d", "hello"], "no bytes": ["-d", ""],
          "no length": ["-d", "hello", "-H", UNTOLD]}
PLACES = {"/nowhere": [], "/app/x": [], "/app/denied": [], "/app/last": ["-H", "Max-Forwards: 0"]}
VERSIONS = {"1.1": ["--http1.1"], "2": ["--http2-prior-knowledge"]}


def status_and_body(port, version, place, body):
    """Of what is shown, the request line and what follows the head: fields of HTTP/2 have an order
    of their own."""
    more = PLACES[place] + BODIES[body]
    if version == "2":
        more = ["Content-Length:" if word == UNTOLD else word for word in more]
    done = subprocess.run(
        ["curl", "-sS", "-i", "-X", "TRACE", "-H", "Expect:", "--max-time", "20", *VERSIONS[version],
         *more, f"http://127.0.0.1:{port.port}{place}"],
        stdout=subprocess.PIPE, check=True)
    head, _, shown = done.stdout.partition(b"\r\n\r\n")
    status = head.split(b" ")[1].decode()
    allow = re.search(rb"\r\n(?i:allow): ?([^\r]*)", head)
    if shown.startswith(b"TRACE "):
        lines, _, rest = shown.partition(b"\r\n\r\n")
        shown = lines.split(b"\r\n")[0] + b"|" + rest
    elif status != "200":
        shown = b"page"
    return status, allow and allow[1], shown


def refusals(log, behind):
    found = re.findall(r"\[(\w+:\w+)\] .*?((?:AH01139|AH01140|AH01595): .*)",
                       log.read_text("latin1")[behind:])
    return [" ".join(line) for line in found]


@pytest.mark.parametrize("word, refused", [("on", 8), ("off", 8), ("extended", 0)])
def test_it_is_httpds(binary, farm, port, tmp_path, word, refused):
    member, log = farm.member("M1"), tmp_path / "error.log"

    def ask():
        behind = len(log.read_text("latin1"))
        found = {(version, place, body): status_and_body(port, version, place, body)
                 for version in VERSIONS for place in PLACES for body in BODIES}
        assert until(lambda: len(refusals(log, behind)) >= refused), log.read_text("latin1")[behind:]
        return found, refusals(log, behind)

    text = CONFIG.format(port=port.port, word=word, member=member.address, log=log)
    try:
        found = by_both(binary, text, [port.port], ask)
    finally:
        farm.retire([member])
    assert found["ours"] == found["httpd"]
    assert len(found["ours"][1]) == refused
