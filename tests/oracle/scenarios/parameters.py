"""Parameters of members and balancers, each where the answers depend on it; states of members."""

from scenario import (
    PLAIN,
    STICKY,
    TWO,
    get,
    manage,
    pass_time,
    post,
    receive,
    release,
    scenario,
    send,
)


def two_at_once(word):
    return [
        [send(f"/?hold={word}{on}", on=on, reaches="M1") for on in "ab"],
        [(release(f"{word}{on}"), receive(on)) for on in "ab"],
    ]


def one_member(parameters):
    return f"BalancerMember balancer://c http://${{M1}} {parameters}\nProxyPass / balancer://c/\n"


scenario(
    "min opens no connection ahead",
    one_member("min=3"),
    [get("/"), two_at_once("x"), get("/")],
    sees="1 1 1 1",
)
scenario(
    "min above smax and max 0 mean nothing",
    "ProxyPass / http://${M1}/ max=0 min=9 smax=3\n",
    [get("/"), two_at_once("x"), get("/"), two_at_once("y")],
    ignore={"connections"},  # With min= httpd makes another at times although one is idle.
    sees="1 1 1 1 1 1",
)
scenario(
    "smax without ttl keeps what was used at once",
    one_member("smax=1"),
    [two_at_once("x"), two_at_once("y"), get("/")],
    sees="1 1 1 1 1",
)
scenario(
    "max bounds what is under way",
    "ProxyPass / http://${M1}/ max=2 acquire=200\n",
    [
        [send(f"/?hold={on}", on=on, reaches="M1") for on in "ab"],
        [get("/"), release("a"), receive("a"), get("/"), release("b"), receive("b"), get("/")],
    ],
    sees="503 1 1 1 1",
)
scenario(
    "acquire is long enough for the one before",
    one_member("max=1 acquire=5000"),
    [
        send("/?delay=0.3", on="a", reaches="M1"),
        send("/second", on="b"),
        [receive("b"), receive("a")],
    ],
    ignore={"connections"},  # The one that waited gets the place, and a connection of its own.
    sees="1 1",
)
scenario(
    "addressttl 0 asks for the address of every request",
    one_member("addressttl=0").replace("${M1}", "localhost:${M1.port}"),
    [get("/"), get("/")],
    sees="1 1",
)
for seconds, words in ((-1, "minus 1"), (1, "1")):
    scenario(
        f"addressttl {words} keeps the connection to an address that stays",
        one_member(f"addressttl={seconds}").replace("${M1}", "localhost:${M1.port}"),
        [get("/"), get("/"), pass_time(1.1), get("/")],
        sees="1 1 1",
    )
scenario(
    "receivebuffersize takes large answers whole",
    one_member("receivebuffersize=512"),
    [get("/?size=300000"), post("/?chunked=9000&size=200000", b"x" * 100000)],
    sees="1 1",
)
for keepalive in ("On", "Off"):
    scenario(
        f"keepalive {keepalive} is about the socket and not about its reuse",
        one_member(f"keepalive={keepalive}"),
        [get("/"), get("/"), post("/")],
        sees="1 1 1",
    )
scenario(
    "connectiontimeout gives up a member that takes nobody in",
    """\
BalancerMember balancer://c http://${FULL} connectiontimeout=300ms timeout=60
BalancerMember balancer://c http://${M1}
ProxyPass / balancer://c/
""",
    [get("/"), post("/"), get("/")],
    sees="1 1 1",
)
scenario(
    "connectiontimeout without another member",
    "ProxyPass / http://${FULL}/ connectiontimeout=300ms timeout=60\n",
    [get("/"), get("/")],
    sees="503 503",
)
scenario(
    "without connectiontimeout the timeout counts for connecting",
    "ProxyPass / http://${FULL}/ timeout=1\n",
    get("/"),
    sees="503",
)
scenario(
    "connectiontimeout does not count for the answer",
    one_member("connectiontimeout=100ms"),
    [get("/?delay=0.4"), post("/?delay=0.4")],
    sees="1 1",
)
scenario(
    "flusher names nothing that HTTP asks",
    one_member("flusher=nobody flushpackets=on"),
    [get("/?chunked=9&size=100"), get("/")],
    sees="1 1",
)
scenario(
    "names of parameters and letters of states in any case, the last one counts",
    """\
BalancerMember balancer://c http://${M1} LoadFactor=4 ROUTE=r1 STATUS=+d-D
BalancerMember balancer://c loadfactor=1 http://${M2} loadfactor=1.55 route="r2"
ProxyPass / BALANCER://C/ LBMethod=byrequests StickySession=sid
""",
    [5 * [get("/")], get("/?sid=a.r2"), get("/?sid=a.R1")],
    sees="1 2 1 1 1 2 1",
)
scenario(
    "enablereuse after disablereuse",
    "ProxyPass / http://${M1}/ disablereuse=on enablereuse=on\n",
    [get("/"), get("/")],
    sees="1 1",
)
scenario(
    "disablereuse after enablereuse",
    "ProxyPass / http://${M1}/ enablereuse=on disablereuse=on\n",
    [get("/"), get("/")],
    sees="1 1",
)

MANAGER = """\
ProxyPass /balancer-manager !
<Location /balancer-manager>
SetHandler balancer-manager
Require local
</Location>
"""
for nonce, given, seen in (("word", "word", "2 2"), ("word", "other", "1 2"), ("None", "", "1 2")):
    scenario(
        f"nonce {nonce} and an order with {given or 'none'}",
        MANAGER + TWO + f"ProxyPass / balancer://c/ nonce={nonce}\n",
        [manage(f"b=c&w=http://${{M1}}&w_status_D=1&nonce={given}"), get("/"), get("/")],
        sees=seen,
    )
for growth, seen in ((1, "1 2 3 1"), (2, "1 2 3 4")):
    scenario(
        f"growth {growth} is how many members may be added",
        MANAGER + TWO + f"ProxyPass / balancer://c/ nonce=n growth={growth}\n",
        [
            [manage(f"b=c&b_nwrkr=http://${{{name}}}&b_wyes=1&nonce=n") for name in ("M3", "M4")],
            [manage(f"b=c&w=http://${{{name}}}&w_status_D=0&nonce=n") for name in ("M3", "M4")],
            4 * [get("/")],
        ],
        sees=seen,
    )

# What each letter does to the first of two members: without a session, with one.
STATES = {
    "C": "2 2 2 2",
    "+C": "2 2 2 2",
    "O": "1 2 1 2",
    "+O": "1 2 1 2",
    "-O": "1 2 1 2",
    "G": "1 2 1 2",
    "+G": "1 2 1 2",
    "U": "2 2 2 2",
    "+U": "2 2 2 2",
    "F": "1 2 1 2",
    "+F": "1 2 1 2",
}
for word, seen in STATES.items():
    scenario(
        f"status {word}".replace("+", "plus ").replace("-", "minus "),
        STICKY.replace("route=r1", f"route=r1 status={word}"),
        [get("/"), get("/"), get("/?sid=a.r1"), get("/")],
        sees=seen,
    )
for letter, seen in {"C": "503 503", "O": "1 2", "G": "1 2", "U": "503 503", "F": "1 2"}.items():
    scenario(
        f"status {letter} of all members",
        PLAIN.replace("route=", f"status={letter} route="),
        [get("/"), get("/")],
        sees=seen,
    )
