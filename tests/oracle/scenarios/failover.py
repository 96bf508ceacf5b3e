"""Members that fail: error states, retry, attempts, recovery."""

from scenario import (
    PLAIN,
    STICKY,
    TWO,
    closes_its_connections,
    down,
    get,
    pass_time,
    post,
    receive,
    refuse,
    release,
    scenario,
    send,
    up,
)

DEAD_FIRST = (
    "BalancerMember balancer://c http://${DEAD}\nBalancerMember balancer://c http://${M1}\n"
)

scenario(
    "failover is silent by default",
    DEAD_FIRST + "ProxyPass / balancer://c/\n",
    [3 * [get("/")], post("/", b"hello")],
    sees="1 1 1 1",
)
scenario(
    "a body read before the failed connect reaches the next member",
    DEAD_FIRST + "ProxyPass / balancer://c/\n",
    [post("/", b"x" * 5000), get("/")],
    sees="1 1",
)
scenario(
    "a large body reaches the next member whole",
    DEAD_FIRST + "ProxyPass / balancer://c/\n",
    post("/", b"y" * 60000),
    sees="1",
)
scenario(
    "maxattempts 0 gives the error to the client",
    DEAD_FIRST + "ProxyPass / balancer://c/ maxattempts=0\n",
    3 * [get("/")],
    sees="503 1 1",
)
scenario(
    "maxattempts limits the members that are tried",
    """\
BalancerMember balancer://c http://${DEAD}/a loadfactor=3
BalancerMember balancer://c http://${DEAD}/b loadfactor=2
BalancerMember balancer://c http://${M1}
ProxyPass / balancer://c/ maxattempts=1
""",
    3 * [get("/")],
    sees="503 1 1",
)
scenario(
    "ignore-errors disables failover",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${DEAD} status=+I
ProxyPass / balancer://c/
""",
    4 * [get("/")],
    sees="1 503 1 503",
)
scenario(
    "a 503 from the member is passed on and the member stays well",
    PLAIN,
    [get("/?status=503@M1"), 3 * [get("/")]],
    sees="503 2 1 2",
)
scenario(
    "failonstatus marks the member but does not repeat the request",
    TWO + "ProxyPass / balancer://c/ failonstatus=500,502\n",
    [get("/?status=500@M1"), 3 * [get("/")], get("/?status=404"), get("/")],
    sees="500 2 2 2 404 2",
)
scenario(
    "failonstatus takes a list with blanks",
    TWO + 'ProxyPass / balancer://c/ "failonstatus=404, 410 503"\n',
    [get("/?status=410@M1"), get("/"), get("/")],
    sees="410 2 2",
)
scenario(
    "failonstatus spares a member that ignores errors",
    """\
BalancerMember balancer://c http://${M1} status=I
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/ failonstatus=500
""",
    [get("/?status=500@M1"), 3 * [get("/")]],
    sees="500 2 1 2",
)
scenario(
    "failonstatus sees the member's status under ProxyErrorOverride",
    TWO + "ProxyPass / balancer://c/ failonstatus=503\nProxyErrorOverride On\n",
    [get("/?status=503@M1"), 3 * [get("/")]],
    sees="503 2 2 2",
)
scenario(
    "a recovered member gets its share without a burst",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2} retry=1
ProxyPass / balancer://c/ failonstatus=500
""",
    [get("/"), get("/?status=500"), 3 * [get("/")], pass_time(1.6), 5 * [get("/")]],
    sees="1 500 1 1 1 1 2 1 2 1",
)
scenario(
    "a lower set is retried and wins again",
    """\
BalancerMember balancer://c http://${M1} retry=1
BalancerMember balancer://c http://${M2} lbset=1
ProxyPass / balancer://c/ failonstatus=500
""",
    [get("/"), get("/?status=500"), get("/"), pass_time(1.6), get("/")],
    sees="1 500 2 1",
)
scenario(
    "a standby gives way when the member recovers",
    """\
BalancerMember balancer://c http://${M1} retry=1
BalancerMember balancer://c http://${M2} status=H
ProxyPass / balancer://c/
""",
    [get("/"), down("M1"), 2 * [get("/")], up("M1"), get("/"), pass_time(1.6), 2 * [get("/")]],
    sees="1 2 2 2 1 1",
)
scenario(
    "retry 0 tries the member again at once",
    """\
BalancerMember balancer://c http://${M1} retry=0
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/ failonstatus=500
""",
    [get("/?status=500@M1"), pass_time(0.01), 4 * [get("/")]],
    sees="500 2 1 2 1",
)
scenario(
    "forcerecovery tries a dead balancer on every request",
    "BalancerMember balancer://c http://${M1} retry=300\nProxyPass / balancer://c/\n",
    [down("M1"), 2 * [get("/")], up("M1"), get("/")],
    sees="503 503 1",
)
scenario(
    "without forcerecovery a dead balancer waits for its retry time",
    (
        "BalancerMember balancer://c http://${M1} retry=300\n"
        "ProxyPass / balancer://c/ forcerecovery=Off\n"
    ),
    [down("M1"), 2 * [get("/")], up("M1"), 2 * [get("/")]],
    sees="503 503 503 503",
)
scenario(
    "a disabled member keeps forcerecovery from happening",
    """\
BalancerMember balancer://c http://${M1} retry=300
BalancerMember balancer://c http://${M2} status=D
ProxyPass / balancer://c/
""",
    [down("M1"), get("/"), up("M1"), 2 * [get("/")]],
    sees="503 503 503",
)
scenario(
    "forcerecovery brings all members back together",
    """\
BalancerMember balancer://c http://${M1} retry=300
BalancerMember balancer://c http://${M2} retry=300
ProxyPass / balancer://c/
""",
    [down("M1"), down("M2"), get("/"), up("M1"), up("M2"), 4 * [get("/")]],
    sees="503 2 1 2 1",
)
scenario(
    "a session whose member died moves to another",
    STICKY,
    [get("/?sid=a.r1"), down("M1"), 2 * [get("/?sid=a.r1")], get("/")],
    sees="1 2 2 2",
)
scenario(
    "nofailover answers 503 for a known route only",
    """\
BalancerMember balancer://c http://${DEAD} route=r1
BalancerMember balancer://c http://${M2} route=r2
ProxyPass / balancer://c/ stickysession=sid nofailover=On
""",
    [2 * [get("/", "Cookie: sid=a.r1")], get("/", "Cookie: sid=a.r9"), get("/")],
    sees="503 503 2 2",
)
scenario(
    "redirect counts only while the member is unusable",
    """\
BalancerMember balancer://c http://${M1} route=r1 redirect=r3
BalancerMember balancer://c http://${M2} route=r2 redirect=r3 status=+D
BalancerMember balancer://c http://${M3} route=r3
ProxyPass / balancer://c/ stickysession=sid
""",
    [3 * [get("/", "Cookie: sid=a.r1")], 3 * [get("/", "Cookie: sid=a.r2")]],
    sees="1 1 1 3 3 3",
)
scenario(
    "redirects may be chained and end in a circle",
    """\
BalancerMember balancer://c http://${M1} route=r1 redirect=r2 status=D
BalancerMember balancer://c http://${M2} route=r2 redirect=r3 status=S
BalancerMember balancer://c http://${M3} route=r3
BalancerMember balancer://c http://${M4} route=r4 redirect=r4 status=D
ProxyPass / balancer://c/ stickysession=sid
""",
    [2 * [get("/?sid=a.r1")], 2 * [get("/?sid=a.r2")], 2 * [get("/?sid=a.r4")]],
    sees="3 3 3 3 3 3",
)
scenario(
    "a redirect to an unusable member falls back to balancing",
    """\
BalancerMember balancer://c http://${M1} route=r1 redirect=r2 status=D
BalancerMember balancer://c http://${M2} route=r2 status=D
BalancerMember balancer://c http://${M3} route=r3
ProxyPass / balancer://c/ stickysession=sid nofailover=Off
""",
    2 * [get("/?sid=a.r1")],
    sees="3 3",
)
scenario(
    "redirect comes before nofailover",
    """\
BalancerMember balancer://c http://${M1} route=r1 redirect=r2 status=D
BalancerMember balancer://c http://${M2} route=r2
BalancerMember balancer://c http://${M3} route=r3 status=D
ProxyPass / balancer://c/ stickysession=sid nofailover=On
""",
    [get("/?sid=a.r1"), get("/?sid=a.r3"), get("/?sid=a.r7")],
    sees="2 503 2",
)
scenario(
    "a silent member is a 502 and stays usable",
    """\
BalancerMember balancer://c http://${M1} timeout=1
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/
""",
    [get("/?delay=4@M1"), 2 * [get("/")]],
    sees="502 2 1",
)
scenario(
    "failontimeout marks the silent member",
    """\
BalancerMember balancer://c http://${M1} timeout=1
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/ failontimeout=On
""",
    [get("/?delay=4@M1"), 3 * [get("/")]],
    sees="502 2 2 2",
)
scenario(
    "ProxyTimeout bounds the wait for an answer",
    "ProxyTimeout 1\n" + PLAIN,
    [get("/?delay=4@M1"), 2 * [get("/")]],
    sees="502 2 1",
)
scenario(
    "Timeout bounds the wait for an answer when nothing else does",
    "Timeout 1\n" + PLAIN,
    [get("/?delay=4@M1"), 2 * [get("/")]],
    sees="502 2 1",
)
scenario(
    "a number parameter ignores its unit",
    """\
BalancerMember balancer://c http://${M1} timeout=1min
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/
""",
    get("/?delay=4@M1"),
    sees="502",
)
scenario(
    "a member that closes without answering is a 502 without failover",
    PLAIN,
    [get("/?drop=1@M1"), 2 * [get("/")]],
    sees="502 2 1",
)
scenario(
    "a member that resets without answering is a 502 without failover",
    PLAIN,
    [get("/?reset=1@M1"), 2 * [get("/")]],
    sees="502 2 1",
)
scenario(
    "no answer on a reused client connection closes it in silence",
    "ProxyPass /a http://${M1}\n",
    [get("/a", on="c"), closes_its_connections("M1"), get("/a?drop=1", on="c", logged=False)],
    sees="1 none",
)
scenario(
    "the balancer's timeout waits for a usable member",
    "BalancerMember balancer://c http://${M1} status=+D\nProxyPass / balancer://c/ timeout=1\n",
    get("/"),
    sees="503",
)
scenario(
    "acquire waits for a free connection in milliseconds",
    "BalancerMember balancer://c http://${M1} max=1 acquire=200\nProxyPass / balancer://c/\n",
    [send("/?hold=go", on="a", reaches="M1"), get("/"), release("go"), receive("a"), get("/")],
    sees="503 1 1",
)
scenario(
    "connections to another member are free when one is at its limit",
    """\
BalancerMember balancer://c http://${M1} max=1 acquire=100
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/
""",
    [send("/?hold=go", on="a", reaches="M1"), 3 * [get("/")], release("go"), receive("a")],
    sees="2 2 2 1",
)
scenario(
    "an unresolvable member is a 500 and then in error",
    """\
BalancerMember balancer://c http://no.such.host.invalid
BalancerMember balancer://c http://${M1}
ProxyPass / balancer://c/
""",
    3 * [get("/")],
    sees="500 1 1",
)
scenario(
    "pooled connections that died do not cost the client an error",
    PLAIN,
    [2 * [get("/")], closes_its_connections("M1"), closes_its_connections("M2"), 4 * [get("/")]],
    sees="1 2 1 2 1 2",
)
scenario(
    "a member that goes away with pooled connections is failed over",
    PLAIN,
    [2 * [get("/")], down("M1"), 3 * [get("/")]],
    sees="1 2 2 2 2",
)
scenario(
    "existing connections to a member that stopped listening still serve",
    PLAIN,
    [2 * [get("/")], refuse("M1"), 4 * [get("/")]],
    sees="1 2 1 2 1 2",
)
scenario(
    "a member in error by its connection is charged for the attempt",
    """\
BalancerMember balancer://c http://${M1} retry=1
BalancerMember balancer://c http://${M2}
ProxyPass / balancer://c/
""",
    [down("M1"), 3 * [get("/")], up("M1"), pass_time(1.6), 6 * [get("/")]],
    sees="2 2 2 2 1 2 1 2 1",
)
scenario(
    "a direct mapping never enters the error state",
    "ProxyPass / http://${M1}/ retry=300\n",
    [get("/"), down("M1"), 2 * [get("/")], up("M1"), get("/")],
    sees="1 503 503 1",
)
scenario(
    "retry of a sticky member is tested when its session asks",
    """\
BalancerMember balancer://c http://${M1} route=r1 retry=0
BalancerMember balancer://c http://${M2} route=r2
ProxyPass / balancer://c/ stickysession=sid failonstatus=503
""",
    [get("/?sid=a.r1&status=503"), pass_time(0.01), 2 * [get("/?sid=a.r1")]],
    sees="503 1 1",
)
scenario(
    "a POST whose member refuses is tried elsewhere",
    TWO + "ProxyPass / balancer://c/\n",
    [down("M1"), post("/", b"once"), post("/", b"twice")],
    sees="2 2",
)
scenario(
    "connectiontimeout and member parameters in one line",
    """\
BalancerMember balancer://c http://${M1} connectiontimeout=2 ping=1500ms ttl=60 min=1 smax=2 max=5 \
keepalive=On flushpackets=on iobuffersize=4096 receivebuffersize=8192 responsefieldsize=9000
BalancerMember balancer://c http://${M2} acquire=5s disablereuse=On addressttl=60 upgrade=websocket
ProxyPass / balancer://c/
""",
    [4 * [get("/")], 2 * [post("/", b"x")]],
    sees="1 2 1 2 1 2",
)
scenario(
    "a kept connection that the member drops with a request on it",
    "ProxyPass / http://${M1}/\n",
    [get("/"), get("/?stale=1"), get("/"), post("/?stale=1", b"once"), get("/")],
    sees="1 502 1 502 1",
)
for policy, seen in {
    "byrequests": "1 2 503 503 2 2 2 1 2 503 1",
    "bytraffic": "1 2 503 503 503 503 503 1 2 503 503",
}.items():
    scenario(
        f"a session whose member is down and has retry 0 ({policy})",
        f"""\
BalancerMember balancer://c http://${{M1}} route=r1 retry=0
BalancerMember balancer://c http://${{M2}} route=r2 retry=0
ProxyPass / balancer://c/ stickysession=sid lbmethod={policy}
""",
        [
            [get("/?sid=a.r1"), get("/"), down("M1")],
            [2 * [get("/?sid=a.r1")], 3 * [get("/")], up("M1"), get("/?sid=a.r1"), get("/")],
            [down("M2"), get("/?sid=a.r2"), get("/")],
        ],
        log_level="warn proxy:debug proxy_balancer:debug",  # Time for httpd's clock to go on between error and retry.
        httpd_varies="error and retry may fall into one microsecond of its clock",
        sees=seen,
    )
