"""TRACE beside the real apache2: what a client is shown, and what the error log says of a refusal."""

import re

import pytest
from support import frames
from support.both import by_both
from support.frames import Frames
from support.process import until
from support.server import MODULE_DIRECTORY
from support.stream_told import Stream
from support.wire import Connection

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
BODIES = {"none": None, "a length": (b"content-length", b"5", b"hello"),
          "no bytes": (b"content-length", b"0", b""), "no length": (b"transfer-encoding", b"chunked", b"hello")}
PLACES = {"/nowhere": [], "/app/x": [], "/app/denied": [], "/app/last": [(b"max-forwards", b"0")]}


def over_http1(port, place, fields, body):
    """Status and content."""
    if body is not None:
        *field, content = body
        fields = [*fields, field]
        if field[1] == b"chunked":
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    lines = [b"TRACE %s HTTP/1.1" % place.encode(), b"host: lb.test", *map(b": ".join, fields), b"", b""]
    one = Connection("127.0.0.1", port.port)
    one.send(b"\r\n".join(lines) + (content if body else b""))
    response = one.read_response(method="TRACE")
    one.close()
    return response.status, response.body


def over_http2(port, place, fields, body):
    if body is not None and body[1] != b"chunked":
        fields = [*fields, body[:2]]
    one = Frames(port.port)
    one.headers(1, frames.request(b"TRACE", place.encode(), fields), ends=body is None)
    if body is not None:
        one.send(frames.frame(frames.DATA, frames.END_STREAM, 1, body[2]))
    stream = Stream(one)
    stream.to_end()
    one.close()
    return stream.status, stream.body


VERSIONS = {"1.1": over_http1, "2": over_http2}


def told(version, place, body, port):
    """Of what is shown, the request line and what follows the head: fields of HTTP/2 have an order
    of their own."""
    status, shown = VERSIONS[version](port, place, PLACES[place], BODIES[body])
    if shown.startswith(b"TRACE "):
        lines, _, rest = shown.partition(b"\r\n\r\n")
        return status, lines.split(b"\r\n")[0] + b"|" + rest
    return status, b"page" if status != "200" else shown


def refusals(log, behind):
    found = re.findall(r"\[(\w+:\w+)\] .*?((?:AH01139|AH01140|AH01595): .*)",
                       log.read_text("latin1")[behind:])
    return [" ".join(line) for line in found]


@pytest.mark.parametrize("word, refused", [("on", 8), ("off", 8), ("extended", 0)])
def test_it_is_httpds(binary, farm, port, tmp_path, word, refused):
    member, log = farm.member("M1"), tmp_path / "error.log"

    def ask():
        # httpd listens before it opens its log.
        behind = len(log.read_text("latin1")) if log.exists() else 0
        found = {(version, place, body): told(version, place, body, port)
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
