"""The cases of test_health.py: how checks are answered, and what apache2 makes of it."""

from dataclasses import dataclass

from health_stage import BAD, OK, Case
from support import ajp

GET = "hcmethod=GET hcuri=/h"


def answer(head, body=b""):
    return b"HTTP/1.1 " + head + b"\r\n\r\n" + body


PROLOGUE = r"""
ProxyHCExpr up "hc('body') =~ /up/"
ProxyHCExpr role {%{REQUEST_STATUS} =~ /^[25]/ && resp('X-Role') == 'main'}
ProxyHCTemplate twice hcmethod=GET hcuri=/h hcpasses=2 hcfails=2
"""

UP, DOWN = (answer(b"503 X\r\nContent-Length: %d" % len(b), b) for b in (b"is up", b"is off"))
MAIN, SPARE = (
    answer(b"500 X\r\nX-Role: %s\r\nContent-Length: 0" % role) for role in (b"main", b"spare")
)
# Bodies of checks by GET are read whole.
BROKEN = {
    "a": answer(b"200 OK\r\nContent-Length: 20", b"short"),
    "b": answer(b"200 OK\r\nTransfer-Encoding: chunked", b"5\r\nhel"),
    "c": answer(b"200 OK\r\nno colon\r\nContent-Length: 0"),
    "d": b"junk\r\n\r\n",
    "e": b"",
    "f": answer(b"200 OK\r\nTransfer-Encoding: chunked", b"2\r\nhi\r\n0\r\n\r\n"),
    "g": answer(b"399 Odd\r\nContent-Length: 0"),
    "h": answer(b"400 Bad\r\nContent-Length: 0"),
    "i": answer(b"200 OK\r\nX: " + 9000 * b"a" + b"\r\nContent-Length: 0"),
    "j": answer(b"100 Continue") + OK,
}

# Their process dies and comes back.
MORTALS = [
    Case("dies and is asked by GET", "+", "M", GET + " retry=60"),
    Case("dies and is asked by TCP", "+", "M", "hcmethod=TCP retry=60"),
]
# And this while no client asks.
UNSEEN = [
    Case("dies unseen and is asked by TCP", "+", "M", "hcmethod=TCP"),
    Case(
        "dies unseen and is asked by CPING", "+", "M", "hcmethod=CPING", scheme="ajp",
        answers={"+": ajp.CPONG},
    ),
]

CASES = [
    Case("one failure disables and one pass enables", "+-+--+", "MMoMooM", GET),
    Case("failures count together and not in a row", "-+-+-+", "MMMMMoM", GET + " hcfails=3"),
    Case("passes count together and not in a row", "-+-+", "MoooM", GET + " hcpasses=2"),
    Case("zero passes and fails act like one", "-+-", "MoMo", GET + " hcpasses=0 hcfails=0"),
    Case("a template", "--+-+", "MMoooM", "hctemplate=TWICE"),
    Case("broken answers one", "a+b+c+", "MoMoMoM", GET, answers=BROKEN),
    Case("broken answers two", "d+e+j+", "MoMoMoM", GET, answers=BROKEN),
    Case("answers that pass", "fgi", "MMMM", GET, answers=BROKEN),
    Case("a status above 399", "h+", "MoM", GET, answers=BROKEN),
    Case("a condition on the body", "+-+", "MMoM", GET + " hcexpr=UP", answers={"+": UP, "-": DOWN}),
    Case(
        "a condition on status and field", "+-+", "MMoM", GET + " hcexpr=role",
        answers={"+": MAIN, "-": SPARE},
    ),
    Case("TCP asks nothing", "+++", "MMMM", "hcmethod=TCP"),
    Case(
        "CPING is answered or not", "+-+x+", "MMoMoM", "hcmethod=CPING", scheme="ajp",
        answers={"+": ajp.CPONG, "-": b"", "x": ajp.end()},
    ),
    Case("OPTIONS", "+-", "MMo", "hcmethod=OPTIONS hcuri=/x", path="/app"),
    Case("OPTIONS11", "+-", "MMo", "hcmethod=OPTIONS11"),
    Case("HEAD", "+-", "MMo", "hcmethod=HEAD hcuri=/status", path="/app"),
    Case("HEAD11", "+-", "MMo", "hcmethod=head11 hcuri=/a?b=c%20d"),
    Case("GET of a path with two slashes", "+-", "MMo", "hcmethod=GET hcuri=s", path="/app/"),
    Case("GET without a slash", "+-", "MMo", "hcmethod=GET hcuri=status"),
    Case("GET of nothing", "+-", "MMo", "hcmethod=GET"),
    Case("GET11", "+-", "MMo", "hcmethod=GET11", path="/app"),
    Case("ignored errors do not save it", "-+", "MoM", GET + " status=+I"),
    Case("nobody is left and nothing is forced", "--+", "MnnM", GET, other=None),
    Case("a disabled member is checked all the same", "+-+", "oooo", GET + " status=+D"),
    Case("a draining member", "+-", "ooo", GET + " status=+N"),
    Case("a hot standby takes over", "-+", "MoM", GET, other="status=+H"),
    Case(
        "a pass ends an error of traffic and a failure does not", "--+-+", "MnnMnM",
        GET + " retry=60", other=None, proxy_pass="failonstatus=500 forcerecovery=Off",
        traffic=answer(b"500 X\r\nX-Member: M\r\nContent-Length: 0"),
    ),
    Case("a slow answer puts the next check off", "s+s+", "MMMMM", GET, answers={"s": OK},
         pauses={"s": 0.4}),
    Case("a virtual host sees the main server's checks", "-+", "MoM", GET, in_virtual_host=True),
    Case("a member that does not answer in time fails", "+-+", "MMoM", GET, silent="-"),
]


@dataclass(frozen=True)
class Different:
    """What steelyard does otherwise on purpose; `case.seen` is what apache2 shows."""

    id: str
    text: str
    case: Case
    steelyard: str


def strict_about_hosts(head):
    """As nginx is: an IPv6 address without brackets is not a host."""
    return OK if b"Host: [::1]" in head else BAD


DIFFERENT = [
    Different(
        "health-cut-head",
        "An answer that ends in the middle of its head fails the check; httpd is content with the"
        " status line.",
        Case("a head that is cut off", "k+", "MMM", GET, answers={"k": b"HTTP/1.1 200 OK\r\n"}),
        "MoM",
    ),
    Different(
        "health-no-content",
        "An answer that cannot have a body (204, 304) is complete with its head; httpd waits for"
        " the connection's end and fails the check after `timeout`.",
        Case("no content on a kept connection", "l+", "MoM", GET, kept="l",
             answers={"l": answer(b"204 None")}),
        "MMM",
    ),
    Different(
        "health-ipv6-host",
        "The Host field of a check has an IPv6 address in brackets; httpd leaves them out, which"
        " most servers answer with 400.",
        Case("an address in brackets", "vv", "Moo", "hcmethod=GET11 hcuri=/", host="::1",
             answers={"v": strict_about_hosts}),
        "MMM",
    ),
]
