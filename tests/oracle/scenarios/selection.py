"""Which member a request without a session gets: methods, weights, sets, states."""

from scenario import (
    PLAIN,
    STICKY,
    THREE,
    TWO,
    get,
    pass_time,
    receive,
    release,
    scenario,
    send,
    serve,
)

FOUR = """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2}%s
BalancerMember balancer://c http://${M3}%s
BalancerMember balancer://c http://${M4}%s
ProxyPass / balancer://c/ %s
"""


scenario("equal weights alternate in configuration order", PLAIN, 5 * [get("/")], sees="1 2 1 2 1")
scenario(
    "byrequests serves the heaviest first and spreads it",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2}
BalancerMember balancer://c http://${M3} loadfactor=2
ProxyPass / balancer://c/
""",
    8 * [get("/")],
    sees="3 1 2 3 3 1 2 3",
)
scenario(
    "byrequests with four members and decimal weights",
    """\
BalancerMember balancer://c http://${M1} loadfactor=1.5
BalancerMember balancer://c http://${M2} loadfactor=2.25
BalancerMember balancer://c http://${M3} loadfactor=10
BalancerMember balancer://c http://${M4} loadfactor=1.999
ProxyPass / balancer://c/
""",
    40 * [get("/")],
    sees="3 2 3 3 4 3 1 3 3 2 3 3 4 3 3 1 3 2 3 3 4 3 3 2 3 3 1 3 4 3 3 2 3 3 4 3 1 3 3 2",
)
scenario(
    "sticky hits and newcomers share one account",
    STICKY,
    [
        [get("/", "Cookie: sid=a.r2"), get("/"), get("/"), get("/", "Cookie: sid=a.r2")],
        3 * [get("/", "Cookie: sid=a.r1")],
        6 * [get("/")],
    ],
    sees="2 1 1 2 1 1 1 2 2 2 1 2 1",
)
scenario(
    "bytraffic compares bytes per hundredth of weight as integers",
    TWO + "ProxyPass / balancer://c/ lbmethod=bytraffic\nProxyAddHeaders Off\n",
    [get(f"/?size={n}") for n in (1, 1, 1, 5000, 200, 1, 0, 70, 3000, 1, 1, 1, 900, 1)],
    sees="1 1 2 2 1 1 1 1 1 1 1 1 1 1",
)
scenario(
    "bytraffic counts what a body brings in both directions",
    """\
BalancerMember balancer://c http://${M1} loadfactor=3
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/ lbmethod=bytraffic
""",
    [
        [get(f"/?size={n}") for n in (10000, 10, 10, 10)],
        [get("/?chunked=700&size=9000"), get("/"), get("/?status=204"), get("/")],
        [get("/?status=404&size=3000"), get("/"), get("/"), get("/")],
    ],
    sees="1 2 2 2 2 1 204 1 404 1 1 1",
)
scenario(
    "bybusyness without concurrency behaves like byrequests",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2} loadfactor=3
ProxyPass / balancer://c/ lbmethod=bybusyness
""",
    8 * [get("/", on="c")],
    sees="2 1 2 2 2 1 2 2",
)
scenario(
    "bybusyness ignores the weight except for ties",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2} loadfactor=9
ProxyPass / balancer://c/ lbmethod=bybusyness
""",
    [
        send("/?hold=go", on="a", reaches="M2"),
        send("/?hold=go", on="b", reaches="M1"),
        send("/?hold=go", on="c", reaches="M2"),
        send("/?hold=go", on="d", reaches="M1"),
        release("go"),
        [receive(name) for name in "abcd"],
    ],
    sees="2 1 2 1",
)
scenario(
    "bybusyness avoids the member with requests in flight",
    THREE + "ProxyPass / balancer://c/ lbmethod=bybusyness stickysession=sid\n",
    [
        send("/?hold=one", "Cookie: sid=a.r2", on="a", reaches="M2"),
        send("/?hold=two", "Cookie: sid=a.r2", on="b", reaches="M2"),
        6 * [get("/", on="c")],
        [release("one"), receive("a")],
        [release("two"), receive("b")],
        pass_time(0.1),  # A request is busy until the server has cleaned up after it.
        4 * [get("/", on="c")],
    ],
    sees="1 3 1 3 1 3 2 2 2 1 2 3",
)
scenario(
    "a disabled member gets nothing and loses its sessions",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=+D
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/")], 2 * [get("/", "Cookie: sid=a.r2")]],
    sees="1 1 1 1",
)
scenario(
    "a stopped member gets nothing and loses its sessions",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=S retry=0
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/")], 2 * [get("/", "Cookie: sid=a.r2")]],
    sees="1 1 1 1",
)
scenario(
    "a draining member keeps its sessions and gets nobody new",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=+N
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/")], 2 * [get("/", "Cookie: sid=a.r2")], get("/")],
    sees="1 1 2 2 1",
)
scenario(
    "a member configured in error is skipped until its retry time",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=E retry=300
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/")], get("/", "Cookie: sid=a.r2")],
    sees="1 2 2",
)
scenario(
    "error and ignore-errors together make a member usable at once",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=+E+I retry=300
ProxyPass / balancer://c/ stickysession=sid
""",
    [3 * [get("/")], get("/", "Cookie: sid=a.r2")],
    sees="1 2 1 2",
)
scenario(
    "error and stopped together are never retried",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=ES retry=0
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/")], get("/", "Cookie: sid=a.r2")],
    sees="1 1 1",
)
scenario(
    "a minus sign takes status letters back",
    """\
BalancerMember balancer://c http://${M1} status=+DH-D
BalancerMember balancer://c http://${M2} status=+D-HD
BalancerMember balancer://c http://${M3} status=dsh-DS
ProxyPass / balancer://c/
""",
    4 * [get("/")],
    sees="2 2 2 2",
)
scenario(
    "a hot standby serves only when nobody else can",
    """\
BalancerMember balancer://c http://${M1} retry=300
BalancerMember balancer://c http://${M2} status=+H
ProxyPass / balancer://c/ failonstatus=500
""",
    [2 * [get("/")], get("/?status=500"), 3 * [get("/")]],
    sees="1 1 500 2 2 2",
)
scenario(
    "a standby is reached by its route although others are fine",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=+H
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/", "Cookie: sid=a.r2")], get("/")],
    sees="2 2 1",
)
scenario(
    "a route is looked up among regular members before standbys",
    """\
BalancerMember balancer://c http://${M1} route=r1 status=H
BalancerMember balancer://c http://${M2} route=r1
ProxyPass / balancer://c/ stickysession=sid
""",
    2 * [get("/", "Cookie: sid=a.r1")],
    sees="2 2",
)
scenario(
    "standbys of one set share by the method",
    FOUR % (" status=+H", " status=+H loadfactor=2", " lbset=1", "failonstatus=500"),
    [get("/?status=500"), 6 * [get("/")]],
    sees="500 3 2 3 3 2 3",
)
scenario(
    "one hot spare replaces each missing member",
    FOUR % (" status=+D", " status=+R", " status=+R", ""),
    4 * [get("/")],
    sees="1 3 1 3",
)
scenario(
    "two missing members bring both spares in",
    """\
BalancerMember balancer://c http://${M1} status=+D
BalancerMember balancer://c http://${M2} status=+S
BalancerMember balancer://c http://${M3} status=+R
BalancerMember balancer://c http://${M4} status=+R loadfactor=2
ProxyPass / balancer://c/
""",
    6 * [get("/")],
    sees="4 3 4 4 3 4",
)
scenario(
    "a spare stays out while all regular members are well",
    FOUR % ("", " status=+R", " status=+RH", ""),
    4 * [get("/")],
    sees="1 2 1 2",
)
scenario(
    "a draining member counts as missing for the spares",
    FOUR % (" status=+N", " status=+R", " status=+H", ""),
    4 * [get("/")],
    sees="1 3 1 3",
)
scenario(
    "a spare of a lower set is preferred to a higher set",
    FOUR % (" status=+R", " lbset=1", " lbset=1", "failonstatus=500"),
    [get("/"), get("/?status=500"), 3 * [get("/")], get("/?status=500"), 3 * [get("/")]],
    sees="1 500 2 2 2 500 3 4 3",
)
scenario(
    "a standby of a lower set is preferred to a higher set",
    FOUR % (" status=+H", " lbset=1", " lbset=2", "failonstatus=500"),
    [
        [get("/?status=500"), get("/?status=500"), get("/?status=500"), get("/?status=500")],
        3 * [get("/")],
    ],
    sees="500 500 500 500 1 1 1",
)
scenario(
    "members of a higher set serve only while the lower one has nobody",
    """\
BalancerMember balancer://c http://${M1} lbset=2
BalancerMember balancer://c http://${M2} lbset=1
BalancerMember balancer://c http://${M3} lbset=1
ProxyPass / balancer://c/ failonstatus=500
""",
    [3 * [get("/")], get("/?status=500"), 2 * [get("/")], get("/?status=500"), 2 * [get("/")]],
    sees="2 3 2 500 2 2 500 1 1",
)
scenario(
    "a session overrides the set of its member",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 lbset=5
ProxyPass / balancer://c/ stickysession=sid
""",
    [get("/"), get("/", "Cookie: sid=a.r2"), get("/")],
    sees="1 2 1",
)
scenario(
    "a spare is reached by its route",
    """\
BalancerMember balancer://c http://${M1} route=r1
BalancerMember balancer://c http://${M2} route=r2 status=R
ProxyPass / balancer://c/ stickysession=sid
""",
    [get("/"), get("/", "Cookie: sid=a.r2"), get("/")],
    sees="1 2 1",
)
scenario(
    "a repeated member line does not double its weight",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/
""",
    4 * [get("/")],
    sees="1 2 1 2",
)
scenario(
    "a member whose URL extends an earlier one is swallowed",
    """\
BalancerMember balancer://c http://${M1}/a
BalancerMember balancer://c http://${M1}/ab
ProxyPass /c balancer://c
""",
    3 * [get("/c/")],
    sees="1 1 1",
)
scenario(
    "all members disabled is a 503",
    """\
BalancerMember balancer://c http://${M1} status=D
BalancerMember balancer://c http://${M2} status=S
ProxyPass / balancer://c/
""",
    2 * [get("/")],
    sees="503 503",
)
scenario(
    "a balancer nobody defined is a 503", "ProxyPass / balancer://nobody/\n", get("/"), sees="503"
)
scenario(
    "two balancers keep separate accounts for the same members",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2}
BalancerMember balancer://d http://${M1}
BalancerMember balancer://d http://${M2}
ProxyPass /c balancer://c
ProxyPass /d balancer://d
""",
    [get("/c"), get("/d"), get("/c"), get("/c"), get("/d"), get("/d")],
    sees="1 1 2 1 2 1",
)
scenario(
    "a balancer section takes members and ProxySet",
    """\
<Proxy balancer://Farm>
BalancerMember http://${M1}/one route=r1
BalancerMember loadfactor=2 http://${M2}/two route=r2
ProxySet lbmethod=byrequests stickysession=sid
</Proxy>
ProxyPass /x balancer://farm
""",
    [6 * [get("/x/y")], 2 * [get("/x/y?sid=z.r1")]],
    sees="2 1 2 2 1 2 1 1",
)
scenario(
    "ProxySet outside a section names its target",
    TWO
    + "ProxySet balancer://c stickysession=sid lbmethod=byrequests\nProxyPass / balancer://c/\n",
    2 * [get("/?sid=z.r2")],
    sees="2 2",
)
scenario(
    "Proxy section arguments are parameters",
    """\
<Proxy balancer://c stickysession=sid nofailover=On>
BalancerMember http://${M1} route=r1
BalancerMember http://${M2} route=r2 status=D
</Proxy>
ProxyPass / balancer://c/
""",
    [get("/?sid=z.r2"), get("/"), get("/?sid=z.r8")],
    sees="503 1 1",
)
scenario(
    "member URLs with paths are put in front of the request's path",
    """\
BalancerMember balancer://c http://${M1}/one/
BalancerMember balancer://c http://${M2}/two
ProxyPass /x/ balancer://c/y/
""",
    2 * [get("/x/z?q=1")],
    sees="1 2",
)
scenario(
    "a member behind a unix socket",
    (
        "BalancerMember balancer://c unix:${U1}|http://inner.test/p route=u\n"
        "BalancerMember balancer://c http://${M1}\nProxyPass / balancer://c/\n"
    ),
    4 * [get("/x")],
    sees="1 1 1 1",
)
scenario(
    "a variable holding blanks becomes several words",
    """\
Define M "http://${M1} route=zz"
BalancerMember balancer://c ${M}
ProxyPass / balancer://c/
""",
    get("/"),
    sees="1",
)
# A weight of 1 is a factor of 100: the counters are compared in hundreds of bytes.
for what, answer, seen in (
    ("99 bytes with the first line", {"size": 99 - len("HTTP/1.1 200 Fine")}, "1 2 1"),
    ("100 bytes with the first line", {"size": 100 - len("HTTP/1.1 200 Fine")}, "1 2 2"),
    (
        "100 bytes with two first lines",
        {"size": 100 - len("HTTP/1.1 200 FineHTTP/1.1 103 Interim"), "interim": 103},
        "1 2 2",
    ),
):
    scenario(
        f"bytraffic after {what}",
        TWO + "ProxySet balancer://c lbmethod=bytraffic\nProxyPass / balancer://c/\n",
        [serve("M1", **answer), 3 * [get("/")]],
        sees=seen,
    )
