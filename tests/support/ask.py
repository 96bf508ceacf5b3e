"""What a request (or a test) asks a member to answer.

A request carries its wish in the query, so a scenario reads on one line and a random script needs
no channel of its own:  GET /app?status=404@M1&h=X-A:%201  asks for a 404, from member M1 only, with
one more header.  A value that ends in @NAME counts at that member alone.

    status=N  reason=TEXT        the status line
    httpv=1.0                    its version
    h=Name:%20value              one more header line (may be repeated)
    body=TEXT  size=N            the body (size: that many bytes)
    chunked=N  trailer=X:%20y    chunks of N bytes, and a trailer line
    eof=1                        no length: the body ends with the connection
    length=N                     announce this length whatever the body is, then close
    close=1                      Connection: close, and do it
    plain=1                      neither Date nor Server
    interim=103  ih=X:%20y       an interim answer first (may be repeated), with a header line
    no100=1                      do not answer Expect: 100-continue with 100
    early=1                      answer before the body is read
    delay=S  hold=WORD           answer after S seconds / when the test releases WORD
    drop=1  reset=1              close, or reset, without answering
    stale=1                      drop, unless the request is the first on its connection
    raw=BYTES  rawkeep=1         these bytes instead of an answer; then close unless rawkeep
    ajp=WORDS                    of a container: see ajp.py
"""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes


@dataclass
class Ask:
    status: int = 200
    reason: bytes = b"Fine"
    version: bytes = b"1.1"
    headers: list = field(default_factory=list)
    body: bytes | None = None
    size: int | None = None
    chunked: int = 0
    trailers: list = field(default_factory=list)
    eof: bool = False
    length: int | None = None
    close: bool = False
    plain: bool = False
    interim: list = field(default_factory=list)
    interim_headers: list = field(default_factory=list)
    no100: bool = False
    early: bool = False
    delay: float = 0.0
    hold: str = ""
    drop: bool = False
    reset: bool = False
    stale: bool = False
    raw: bytes | None = None
    rawkeep: bool = False
    ajp: str = ""
    pong: str = "pong"


_APPENDED = {"h": "headers", "trailer": "trailers", "interim": "interim", "ih": "interim_headers"}
_NAMED = {"httpv": "version"}
_NUMBERS = {"status", "size", "chunked", "length"}
_SWITCHES = {"eof", "close", "plain", "no100", "early", "drop", "reset", "stale", "rawkeep"}
_BYTES = {"reason", "version", "body", "raw"}


def apply(ask, key, value):
    """One key with its decoded value; what is not ours is left alone."""
    name = _APPENDED.get(key) or _NAMED.get(key, key)
    if key in _APPENDED:
        getattr(ask, name).append(value)
    elif name in _NUMBERS:
        setattr(ask, name, int(value))
    elif name in _SWITCHES:
        setattr(ask, name, True)
    elif name in _BYTES:
        setattr(ask, name, value)
    elif name == "delay":
        ask.delay = float(value)
    elif name in ("hold", "ajp", "pong"):
        setattr(ask, name, value.decode("latin1"))


def from_target(target, member_name, base=None):
    """The wish in a request target's query; `base` supplies what the query does not say."""
    ask = Ask(**vars(base)) if base else Ask()
    for name in ("headers", "trailers", "interim", "interim_headers"):
        setattr(ask, name, list(getattr(ask, name)))
    for pair in target.partition(b"?")[2].split(b"&"):
        key, _, value = pair.partition(b"=")
        head, at, where = value.rpartition(b"@")
        if at and where[:1] in (b"M", b"J") and where[1:].isdigit():
            if where.decode() != member_name:
                continue
            value = head
        try:
            apply(ask, key.decode("ascii"), unquote_to_bytes(value))
        except ValueError:
            continue  # A wish that cannot be read is somebody's odd query, not ours.
    return ask


def wish(**parts):
    """The query text for a wish: wish(status=404, at="M1", h=["A: 1", "B: 2"])."""
    at = parts.pop("at", "")
    pairs = []
    for key, value in parts.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            text = "1" if one is True else one if isinstance(one, bytes) else str(one)
            pairs.append(f"{key}={quote(text, safe='/:;.,-')}" + (f"@{at}" if at else ""))
    return "&".join(pairs)
