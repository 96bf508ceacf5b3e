"""Conversations with the balancer-manager that both programs are asked to have.

Each scene is a configuration and requests in order.  ${PORT} is the port of the program, ${M1} and
${M2} are members that answer, and dead members are ports on which nobody ever listens.
"""

from dataclasses import dataclass, field

from support.server import MODULE_DIRECTORY

AJP = f"LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so\n"
HEALTH = f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so\n"
MANAGER = """
<Location /balancer-manager>
    SetHandler balancer-manager
    Require ip 127.0.0.1
</Location>
"""
REFERER = "http://lb.test/somewhere"


@dataclass
class Step:
    method: str
    path: str
    body: str | None = None
    referer: str | None = REFERER
    host: str = "lb.test:${PORT}"
    settles: bool = False  # httpd counts an exchange as over a little later than its client does

    @property
    def text(self):
        return f"{self.method} {self.path} {self.body or ''}"


@dataclass
class Scene:
    name: str
    config: str
    steps: list = field(default_factory=list)

    @property
    def slug(self):
        return self.name.replace(" ", "-")


def get(query="", **more):
    return Step("GET", "/balancer-manager" + query, **more)


def post(body, **more):
    return Step("POST", "/balancer-manager", body, **more)


def ask(path):
    return Step("GET", path, referer=None)


def settled():
    return get("?xml=1", settles=True)


def look():
    """What a change left behind, in both forms."""
    return [get(referer=None), get("?xml=1")]


RICH = (
    HEALTH
    + """
ProxyHCExpr ok234 {%{REQUEST_STATUS} =~ /^[234]/}
ProxyHCExpr down {%{REQUEST_STATUS} =~ /^[5]/}
<Proxy balancer://app>
    BalancerMember http://127.0.0.1:1 route=r1 loadfactor=2.5 lbset=1 timeout=3 retry=5 \
        acquire=1500 connectiontimeout=2500ms hcexpr=ok234 hcuri=/x hcpasses=2 hcfails=3 \
        hcinterval=40 max=4
    BalancerMember http://127.0.0.1:2/path route=r2 redirect=r1 status=+H max=5 smax=3 min=2 \
        ttl=60 disablereuse=On keepalive=On receivebuffersize=4096
    BalancerMember unix:/nowhere|http://sock/y route=s status=+R+N+I max=1
    ProxySet stickysession=sid|SID lbmethod=bytraffic growth=3 timeout=4 nofailover=On
    ProxySet scolonpathdelim=On nonce=one
</Proxy>
<Proxy balancer://plain>
    BalancerMember http://127.0.0.1:3 max=1
    ProxySet nonce=None
</Proxy>
<Proxy balancer://fix>
    BalancerMember http://127.0.0.1:4 max=1
    BalancerMember http://127.0.0.1:5 status=D max=1
    ProxySet nonce=two growth=1 maxattempts=7 stickysession=SAME
</Proxy>
ProxyPass /app balancer://app/
ProxyPass /app2/ balancer://app/
<Location /inside>
    ProxyPass balancer://fix/
</Location>
"""
    + MANAGER
)

PAIR = """
<Proxy balancer://app>
    BalancerMember http://${M1} route=r1 max=9
    BalancerMember http://${M2} route=r2 max=9
    ProxySet nonce=n growth=2
</Proxy>
ProxyPass /app balancer://app
"""

FIRST = "b=app&nonce=n&w=http://${M1}&"
WHOLE = "b=app&nonce=n&"


def changes(name, *bodies, config=PAIR + MANAGER, of=FIRST):
    steps = []
    for body in bodies:
        steps += [post(of + body), get("?xml=1")]
    return Scene(name, config, steps + look())


SCENES = [
    Scene(
        "all that can be shown",
        RICH,
        [
            *look(),
            get("?b=app"),
            get("?b=fix"),
            get("?b=plain"),
            get("?b=APP&w=http://127.0.0.1:1"),
            get("?b=app&w=http://127.0.0.1:2/path/deeper"),
            get("?b=app&w=http://127.0.0.1:2/pat"),
            get("?b=app&w=http://sock/y"),
            get("?b=fix&w=http://127.0.0.1:5&nonce=two"),
            get("?b=plain&w=http://127.0.0.1:3"),
        ],
    ),
    Scene(
        "without health checks",
        PAIR + "ServerSignature On\n" + MANAGER,
        [*look(), get("?b=app"), get("?b=app&w=http://${M1}")],
    ),
    Scene(
        "with health checks and no expressions",
        HEALTH + PAIR + MANAGER,
        [*look(), get("?b=app&w=http://${M1}")],
    ),
    Scene(
        "who may ask",
        RICH,
        [
            get("?b=app", referer=None),
            get("?b=app", referer="http://evil.test/"),
            get("?b=app", referer="http://LB.TEST:1/x"),
            get("?b=app", referer="https://lb.test"),
            get("?b=app", referer="http://lb.test@evil.test/"),
            get("?b=app", referer="http://lb.testing/"),
            get("?b=app", referer="/balancer-manager"),
            get("?other=1", referer=None),
            get("?xml=1", referer=None),
            get("?xml", referer=REFERER),
            get("?XML=1"),
            get("?b=none&w=http://127.0.0.1:1"),
            get("?w=http://127.0.0.1:1"),
            get("/more/path?b=fix"),
            get("?b=%61pp"),
            get("?b=%2561pp"),
            get("?b=app&b=fix"),
            get("?&&=&b=fix&w"),
        ],
    ),
    Scene(
        "other methods",
        RICH,
        [
            Step(method, "/balancer-manager")
            for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "FOO")
        ],
    ),
    Scene(
        "nothing without a nonce or by get",
        PAIR + MANAGER,
        [
            post("b=app&w=http://${M1}&w_status_D=1"),
            post("b=app&w=http://${M1}&w_status_D=1&nonce="),
            post("b=app&w=http://${M1}&w_status_D=1&nonce=m"),
            get("?b=app&w=http://${M1}&w_status_D=1&nonce=n"),
            Step("POST", "/balancer-manager?b=app&nonce=n", "w_status_D=1"),
            post("b=app&w=http://${M1}&w_status_D=1&nonce=n", referer=None),
            post("b=app&w=http://${M1}&w_status_D=1&nonce=n", referer="http://evil.test/"),
            *look(),
        ],
    ),
    Scene(
        "none is read only",
        PAIR.replace("nonce=n", "nonce=None") + MANAGER,
        [
            post("b=app&w=http://${M1}&w_status_D=1&nonce="),
            post("b=app&w=http://${M1}&w_status_D=1&nonce=None"),
            *look(),
        ],
    ),
    changes(
        "states",
        "w_status_D=1",
        "w_status_D=0&w_status_S=1",
        "w_status_S=0&w_status_H=1&w_status_R=1",
        "w_status_N=1&w_status_I=1&w_status_H=x",
        "w_status_N=17&w_status_I=0&w_status_R=-1",
        "w_status_E=1&w_status_F=1&w_status_U=1&w_status_O=0",
        "w_status_N=&w_status_R=0",
        "W_STATUS_D=1",
    ),
    changes(
        "factors",
        "w_lf=2.5",
        "w_lf=0.99",
        "w_lf=100",
        "w_lf=100.01",
        "w_lf=1.239",
        "w_lf=1.15",
        "w_lf=1.14",
        "w_lf=2.03",
        "w_lf=4.02",
        "w_lf=3abc",
        "w_lf=",
        "w_lf=abc",
        "w_lf=%2533",
    ),
    changes(
        "routes and sets",
        "w_wr=new&w_rr=other",
        "w_wr=" + "a" * 63,
        "w_wr=" + "a" * 64,
        "w_wr=%3Cb%3E%26%22&w_rr=a+b",
        "w_wr=%253Ci%253E",
        "w_wr=100%25&w_rr=%zz",
        "w_wr=&w_rr=",
        "w_ls=5",
        "w_ls=99&w_ls=98",
        "w_ls=100",
        "w_ls=-1",
        "w_ls=7x",
    ),
    changes(
        "checks",
        "w_hm=GET&w_hi=45000&w_hp=2&w_hf=3&w_hu=/up&w_he=ok234",
        "w_he=none",
        "w_he=ok234&w_hi=99",
        "w_hi=60s&w_hp=0&w_hf=-1&w_hm=CPINGX",
        "w_hm=TCP&w_he=ok234",
        "w_hm=OPTIONS&w_he=OK234&w_hu=" + "u" * 64,
        "w_hm=NONE",
        "w_status_C=1",
        "w_status_C=0",
        config=HEALTH + "ProxyHCExpr ok234 {%{REQUEST_STATUS} =~ /^[234]/}\n" + PAIR + MANAGER,
    ),
    changes(
        "the balancer's own",
        "b_lbm=bytraffic&b_tmo=7&b_max=3&b_sforce=1&b_ss=sid",
        "b_lbm=none&b_tmo=7201&b_max=100&b_sforce=x",
        "b_tmo=0&b_max=0&b_sforce=7",
        "b_ss=A%20%7C%20b",
        "b_ss=A%7CB&b_tmo=7200&b_max=99",
        "b_ss=" + "s" * 63,
        "b_ss=",
        "b_ss=-",
        "b_lbm=bybusyness&b_tmo=-1&b_max=-1",
        of=WHOLE,
    ),
    Scene(
        "members that are added",
        PAIR + MANAGER,
        [
            post(WHOLE + "b_wyes=1&b_nwrkr=http://127.0.0.1:9/x"),
            post(WHOLE + "b_wyes=yes&b_nwrkr=http://127.0.0.1:10"),
            post(WHOLE + "b_wyes=1&b_nwrkr=http://127.0.0.1:9/x/y"),
            post(WHOLE + "b_wyes=1&b_nwrkr=nonsense"),
            post(WHOLE + "b_wyes=1"),
            post(WHOLE + "b_wyes=1&b_nwrkr=http%3A%2F%2F127.0.0.1%3A11"),
            get("?b=app"),
            post(WHOLE + "b_wyes=1&b_nwrkr=http://127.0.0.1:12"),
            post(WHOLE + "w=http://127.0.0.1:9/x&w_status_D=0&w_lf=2"),
            *look(),
        ],
    ),
    Scene(
        "a sole member",
        PAIR.replace("    BalancerMember http://${M2} route=r2 max=9\n", "") + MANAGER,
        [post(FIRST + "w_lf=5"), *look()],
    ),
    Scene(
        "turns after a change",
        PAIR + MANAGER,
        [
            *(ask("/app/x") for _ in range(3)),
            settled(),
            post(FIRST + "w_lf=3"),
            get("?xml=1"),
            *(ask("/app/x") for _ in range(7)),
            settled(),
            post(FIRST + "w_status_D=1"),
            *(ask("/app/x") for _ in range(2)),
            settled(),
            post(FIRST + "w_status_D=0"),
            *(ask("/app/x") for _ in range(4)),
            settled(),
        ],
    ),
    Scene(
        "long forms",
        PAIR + MANAGER,
        [
            post(FIRST + "x=" + "a" * 900 + "&w_status_D=1"),
            get("?xml=1"),
            post(FIRST + "w_ls=3&x=" + "a" * 1024 + "&w_status_S=1"),
            get("?xml=1"),
            post(FIRST + "x=" + "a" * 100_000),
            get("?xml=1"),
        ],
    ),
    Scene(
        "odd paths",
        PAIR + MANAGER,
        [
            get("/a%20b;c=d", referer=None),
            get("/%22%3Ex%3C?b=app"),
            get("/%E4%f6?b=app"),
            get("/a?b=app&w=http://${M1}"),
        ],
    ),
    Scene(
        "a member in error",
        PAIR.replace("${M2}", "127.0.0.1:8") + MANAGER,
        [*(ask("/app/x") for _ in range(3)), settled(), get(referer=None)],
    ),
    Scene(
        "a canonical name",
        "UseCanonicalName On\n" + PAIR + MANAGER,
        [
            get("?b=app", referer="http://other.test/", host="other.test"),
            get("?b=app", referer="http://lb.test/", host="other.test"),
        ],
    ),
    Scene(
        "a name that is not canonical",
        PAIR + MANAGER,
        [
            get("?b=app", referer="http://Other.Test/", host="other.test"),
            get("?b=app", referer="http://other.test/", host="OTHER.test:99"),
            get("?b=app", referer="http://lb.test/", host="other.test"),
        ],
    ),
    Scene(
        "virtual hosts",
        PAIR.replace("nonce=n", "nonce=n stickysession=main")
        + """
<VirtualHost *:*>
    ServerName lb.test
    <Proxy balancer://own>
        BalancerMember http://127.0.0.1:7 max=1
    </Proxy>
    ProxyPass /own balancer://own
    ProxyPass /again balancer://app
"""
        + MANAGER
        + "</VirtualHost>\n",
        look() + [get("?b=app")],
    ),
    Scene(
        "virtual hosts that inherit nothing",
        PAIR
        + """
<VirtualHost *:*>
    ServerName lb.test
    BalancerInherit Off
    ProxyPassInherit Off
    <Proxy balancer://own>
        BalancerMember http://127.0.0.1:7 max=1
    </Proxy>
"""
        + MANAGER
        + "</VirtualHost>\n",
        look() + [get("?b=app"), get("?b=own")],
    ),
    Scene(
        "containers",
        AJP
        + HEALTH
        + """
<Proxy balancer://app>
    BalancerMember ajp://127.0.0.1:1 route=r1 flushpackets=auto flushwait=7 ping=1500ms max=1
    BalancerMember ajp://127.0.0.1:2/x flushpackets=on secret=s hcinterval=40 hcmethod=NONE max=1
    BalancerMember ajp://127.0.0.1:3 iobuffersize=9000 max=1
    BalancerMember http://127.0.0.1:4 ping=2 max=1
    ProxySet nonce=n
</Proxy>
ProxyPass /app balancer://app
"""
        + MANAGER,
        [
            *look(),
            get("?b=app&nonce=n&w=ajp://127.0.0.1:1"),
            post("b=app&nonce=n&w=ajp://127.0.0.1:2/x&w_hm=CPING&w_hi=50000"),
            *look(),
        ],
    ),
]
