"""Random worlds: from one seed a virtual host's configuration and a script of requests.

A world is written for a server it shares with others: everything stands in a <VirtualHost> on a
port of its own, with members of its own.  Nothing in it depends on time (a member in error stays so
for minutes), and where httpd itself would race (busy counts end when a request is cleaned up) the
script keeps to one connection.
"""

import random
from dataclasses import dataclass

import scenario as words

MEMBERS = ("M1", "M2", "M3", "M4")
STICKY_NAMES = (None, "sid", "sid", "CK|par", "JSESSIONID|jsessionid")
STATUSES = (
    "",
    "",
    "",
    "",
    "",
    "",
    "D",
    "S",
    "H",
    "R",
    "N",
    "I",
    "H",
    "+R+H",
    "N+R",
    "D-D",
    "+I+N",
    "E",
)
PREFIXES = ("/", "/a", "/a/", "/b", "/b/c", "/b/c/", "/app", "/a/deep", "/with%20blank", "/s")
PATTERNS = (r"^/m/(.*)$", r"^/(one|two)/?(.*)$", r"\.gif$", r"^/num/([0-9]+)")
QUESTIONS = (
    "true",
    "false",
    "%{REQUEST_METHOD} == 'GET'",
    "%{REQUEST_METHOD} -in {'POST', 'P' . 'UT', %{req:X-In}}",
    "%{REQUEST_URI} =~ m#^/(a|b)(/.*)?$#",
    "%{REQUEST_URI} =~ /([a-z])$/i && $1 > 'm'",
    "%{REQUEST_URI} -fnmatch '/*/*'",
    "%{REQUEST_URI} -strcmatch '*X*'",
    "req('X-In') == ''",
    "-n %{HTTP:X-In}",
    "-T reqenv('K')",
    "%{QUERY_STRING} !~ /status=(4|5)/",
    "%{HTTP_HOST} < 'b'",
    "%{HANDLER} == 'proxy-server'",
    "%{REQUEST_FILENAME} =~ /^proxy:(http|balancer)/ && '$1' == 'http'",
    "-R '127.0.0.0/8'",
    "%{REMOTE_ADDR} -ipmatch '10.1'",
    "tolower(%{HTTP_HOST}) . '$0' == 'lb.test'",
    "md5(%{REQUEST_URI}) =~ /^[0-7]/",
    "'%{escape:%{QUERY_STRING}}' != %{QUERY_STRING}",
    "'12x' -ge %{req:Content-Length}",
    "-f '/etc/passwd' || -d %{REQUEST_URI}",
)
HEADER_ACTIONS = ("set", "add", "append", "merge", "unset", "setifempty", "edit", "edit*")


@dataclass
class World:
    seed: int
    conf: str
    steps: list
    ignore: frozenset = frozenset()

    @property
    def name(self):
        return f"seed {self.seed}"


class Generator:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        # Of its own, so that a seed's world stays what it was but for these.
        self.pool_dice = random.Random(f"pools {seed}")
        # Where retry=0 may be and everybody listens: whether the same request tries a member again
        # that has just refused it hangs on a microsecond in httpd.
        self.all_listen = bool(self.perhaps(25, True))
        self.seed = seed
        self.methods = {}
        self.routes = []
        self.sticky = []
        self.mapped = ["/"]

    def chance(self, percent):
        return self.dice.randrange(100) < percent

    def pick(self, choices):
        return self.dice.choice(choices)

    def perhaps(self, percent, *choices):
        """One of the choices, or none, by the dice for pools and times."""
        if self.pool_dice.randrange(100) >= percent:
            return []
        return [self.pool_dice.choice(choices)]

    # ---- configuration

    def world(self):
        balancers = [self.balancer(f"b{i}") for i in range(self.pick((1, 1, 2)))]
        names = list(self.methods)
        mappings = [self.mapping(names) for _ in range(self.dice.randrange(1, 5))]
        mappings.append(f"ProxyPass / {self.target(names, '/')}")
        settings = [self.setting() for _ in range(self.dice.randrange(0, 7))]
        sections = [self.section(names) for _ in range(self.dice.randrange(0, 4))]
        body = balancers + settings + mappings + sections
        if self.chance(50):
            middle = settings + mappings + sections
            self.dice.shuffle(middle)
            body = balancers + middle
        conf = f"<VirtualHost 127.0.0.1:${{PORT}}>\nServerName s{self.seed}.test\n"
        conf += "\n".join(body) + "\n</VirtualHost>\n"
        return World(self.seed, conf, words.flatten(self.script()))

    def balancer(self, name):
        members = self.dice.sample(MEMBERS, self.dice.randrange(2, 5))
        lines = [f"<Proxy balancer://{name}>"]
        for i, member in enumerate(members):
            lines.append(self.member(member, i))
        if self.chance(20):
            dead = f"BalancerMember http://${{DEAD}} {self.member_options('dead')}"
            place = self.dice.randrange(1, len(lines) + 1)
            if not self.all_listen:
                lines.insert(place, dead)
        method = self.pick(("byrequests",) * 4 + ("bytraffic",) * 2 + ("bybusyness",))
        self.methods[name] = method
        settings = self.balancer_options()
        # Who finds nobody waits so long in vain: only where that is rare, for the time it takes.
        if self.all_listen and any("status=" not in line for line in lines[1:]):
            settings = " ".join([settings, *self.perhaps(50, "timeout=1")])
        lines.append(f"ProxySet lbmethod={method} {settings}".rstrip())
        lines.append("</Proxy>")
        return "\n".join(lines)

    def member(self, member, index):
        path = self.pick(("", "", "", "", "/app", "/deep/er/", "/"))
        options = self.member_options(
            f"r{index + 1}" if self.chance(85) else self.pick(("r1", "", "x.y"))
        )
        return f"BalancerMember http://${{{member}}}{path} {options}".rstrip()

    def member_options(self, route):
        options = []
        if route:
            options.append(f"route={route}")
            self.routes.append(route)
        if self.chance(35):
            options.append(f"loadfactor={self.pick((1, 2, 3, 5, 10, 100, '1.5', '2.25', '1.999'))}")
        if self.chance(25):
            options.append(f"lbset={self.pick((0, 1, 1, 2, 7))}")
        status = self.pick(STATUSES)
        if status:
            options.append(f"status={status}")
        if self.chance(15):
            options.append(f"redirect={self.pick(('r1', 'r2', 'r3', 'nowhere'))}")
        if self.chance(10):
            options.append(
                self.pick(
                    ("disablereuse=On", "keepalive=On", "connectiontimeout=5", "max=3", "timeout=9")
                )
            )
        options.append("retry=300")
        self.dice.shuffle(options)
        if self.all_listen and self.perhaps(60, "retry=0"):
            options[options.index("retry=300")] = "retry=0"
        options += self.perhaps(10, "smax=1", "smax=2", "smax=9")
        options += self.perhaps(10, "acquire=100", "acquire=1s", "acquire=50ms")
        options += self.perhaps(10, "min=0", "min=1", "min=3")
        return " ".join(options)

    def balancer_options(self):
        options = []
        sticky = self.pick(STICKY_NAMES)
        if sticky:
            options.append(f"stickysession={sticky}")
            self.sticky.extend(sticky.split("|"))
            if self.chance(20):
                options.append(f"stickysessionsep={self.pick(('!', 'Off', ':'))}")
            if self.chance(35):
                options.append("scolonpathdelim=On")
        for percent, choices in (
            (20, ("nofailover=On", "nofailover=Off")),
            (30, ("maxattempts=0", "maxattempts=1", "maxattempts=2", "maxattempts=9")),
            (
                45,
                (
                    "failonstatus=500",
                    "failonstatus=503,502",
                    "failonstatus=404",
                    "failonstatus=500,503,502",
                ),
            ),
            (30, ("forcerecovery=Off", "forcerecovery=On")),
        ):
            if self.chance(percent):
                options.append(self.pick(choices))
        self.dice.shuffle(options)
        options += self.perhaps(20, "failontimeout=On", "failontimeout=Off")
        return " ".join(options)

    def target(self, balancers, prefix):
        slash = "/" if prefix.endswith("/") else ""
        inner = self.pick(("", "", "/in", "/in/ner", "/%7Eq"))
        if self.chance(10):
            slash = "" if slash else "/"
            if not inner:
                slash = "/"
        where = self.pick(MEMBERS)
        if self.chance(70):
            return f"balancer://{self.pick(balancers)}{inner}{slash}"
        # With an escape in it the URL would not begin with the worker's name: httpd then uses none.
        return f"http://${{{where}}}{inner.replace('%7E', '')}{slash}"

    def mapping(self, balancers):
        if self.chance(25):
            pattern = self.pick(PATTERNS)
            self.mapped.append(self.pick(("/m/x", "/one/y", "/two", "/p.gif", "/num/12")))
            rest = self.pick(("/$1", "/re", "/$1/$0", "/q?x=$1"))
            base = self.target(balancers, "").rstrip("/")
            return f"ProxyPassMatch {pattern} {'!' if self.chance(12) else base + rest}"
        prefix = self.pick(PREFIXES)
        self.mapped.append(prefix)
        if self.chance(12):
            return f'ProxyPass "{self.decoded(prefix)}" !'
        option = self.pick(("", "", "", "", " nocanon", " noquery"))
        return f'ProxyPass "{self.decoded(prefix)}" {self.target(balancers, prefix)}{option}'

    @staticmethod
    def decoded(prefix):
        return prefix.replace("%20", " ")

    def value(self):
        return self.pick(
            ("v", "two words", "%{K}e", "%{BALANCER_WORKER_ROUTE}e", "100%%", "%{NOPE}e;x", "a, b")
        )

    def header(self, word):
        action = self.pick(HEADER_ACTIONS)
        name = self.pick(("X-H1", "X-H2", "X-H3", "X-Member", "X-In"))
        rest = {
            "unset": "",
            "edit": ' ([a-z]+) "<$1>"',
            "edit*": " [aeiou] _",
        }.get(action, f' "{self.value()}"')
        condition = self.pick(
            ("", "", "", " env=K", " env=!K", " env=BALANCER_ROUTE_CHANGED", "expr", "expr")
        )
        if condition == "expr":
            asked = self.condition(2)
            if word == "Header" and self.chance(30):
                asked = f"%{{REQUEST_STATUS}} -lt 400 && ({asked}) || resp('X-Member') == 'M1'"
            condition = f' "expr={asked}"'
        if word == "RequestHeader":
            condition = condition.replace("BALANCER_ROUTE_CHANGED", "K")
            always = ""
        else:
            always = self.pick(("", "", "", "always ", "onsuccess "))
        return f"{word} {always}{action} {name}{rest}{condition}"

    def condition(self, depth):
        kind = self.pick(("ask", "ask", "and", "or", "not")) if depth else "ask"
        if kind == "ask":
            return self.pick(QUESTIONS)
        if kind == "not":
            return f"{self.pick(('!', 'not '))}({self.condition(depth - 1)})"
        sign = {"and": self.pick((" && ", " and ")), "or": self.pick((" || ", " or "))}[kind]
        sides = (self.condition(depth - 1) for _ in range(self.pick((2, 2, 3))))
        return sign.join(f"({side})" if self.chance(60) else side for side in sides)

    def conditional(self, depth=2):
        """<If>, perhaps with branches, perhaps with others inside."""
        sections = [f'<If "{self.condition(2)}">\n{self.conditional_lines(depth)}\n</If>']
        while self.chance(30):
            sections.append(
                f'<ElseIf "{self.condition(1)}">\n{self.conditional_lines(depth)}\n</ElseIf>'
            )
        if self.chance(40):
            sections.append(f"<Else>\n{self.conditional_lines(depth)}\n</Else>")
        return "\n".join(sections)

    def conditional_lines(self, depth):
        lines = [self.conditional_line() for _ in range(self.dice.randrange(1, 4))]
        if depth and self.chance(25):
            lines.append(self.conditional(depth - 1))
        return "\n".join(lines)

    def conditional_line(self):
        return self.pick(
            (
                lambda: self.header("Header"),
                lambda: self.header("Header"),
                lambda: self.header("RequestHeader"),
                lambda: self.pick(("Require all denied", "Require all granted", "Require env K")),
                lambda: f'Require expr "{self.condition(1)}"',
                lambda: f"ProxyPreserveHost {self.pick(('On', 'Off'))}",
                lambda: f"ProxyErrorOverride {self.pick(('On', 'Off'))}",
                lambda: "SetEnvIf X-In . K=condition",
                lambda: "SetEnv L condition",
                lambda: "Redirect http://if.test/%{REQUEST_METHOD}",
                lambda: f'ErrorDocument {self.pick((404, 403, 503))} "if %{{REQUEST_URI}}"',
            )
        )()

    def env_expression(self):
        values = self.pick(("K=expr", "!K", "K L=l"))
        return f'SetEnvIfExpr "{self.condition(1)}" {values}'

    def setting(self):
        return self.pick(
            (
                lambda: self.header("Header"),
                lambda: self.header("Header"),
                lambda: self.header("RequestHeader"),
                lambda: self.header("RequestHeader"),
                lambda: "SetEnvIf X-In (.+) K=$1",
                lambda: "SetEnvIf Request_URI ^/a K=path",
                lambda: f"SetEnv {self.pick(('K set', 'proxy-nokeepalive', 'L l'))}",
                lambda: f"ProxyVia {self.pick(('On', 'Off', 'Block'))}",
                lambda: f"ProxyPreserveHost {self.pick(('On', 'Off'))}",
                lambda: f"ProxyAddHeaders {self.pick(('On', 'Off'))}",
                lambda: f"ProxyErrorOverride {self.pick(('On', 'On 404 500', 'Off'))}",
                lambda: (
                    "ProxyPassReverse"
                    f" {self.pick(('/a', '/b/c/', '/'))} http://${{{self.pick(MEMBERS)}}}/"
                ),
                lambda: f"ProxyPassReverse /rev {self.pick(('balancer://b0/', '/in'))}",
                lambda: "ProxyPassReverseCookiePath /in /out",
                lambda: f"KeepAlive {self.pick(('On', 'Off'))}",
                lambda: "MaxKeepAliveRequests 4",
                lambda: f"UseCanonicalName {self.pick(('On', 'Off'))}",
                lambda: f'ErrorDocument {self.pick((404, 503, 500, 403))} "the text"',
                lambda: f"AllowEncodedSlashes {self.pick(('On', 'Off'))}",
                lambda: "Redirect /red http://other.test/r",
                self.env_expression,
                self.conditional,
                self.conditional,
            )
        )()

    def section(self, balancers):
        path = self.pick(PREFIXES[1:] + ("/a/x", "/b/c/d"))
        self.mapped.append(path)
        opening = self.pick(
            (
                f'<Location "{self.decoded(path)}">',
                f"<LocationMatch {self.pick(('x$', '^/a', '[.]gif'))}>",
            )
        )
        lines = [opening]
        for _ in range(self.dice.randrange(1, 4)):
            lines.append(self.section_line())
        if self.chance(30) and opening.startswith("<Location "):
            lines.append(f"ProxyPass {'!' if self.chance(20) else self.target(balancers, path)}")
        lines.append("</LocationMatch>" if "Match" in opening else "</Location>")
        return "\n".join(lines)

    def section_line(self):
        return self.pick(
            (
                lambda: self.header("Header"),
                lambda: self.header("RequestHeader"),
                lambda: self.pick(
                    (
                        "Require all denied",
                        "Require all granted",
                        "Require method GET HEAD",
                        "Require env K",
                    )
                ),
                lambda: f"ProxyPreserveHost {self.pick(('On', 'Off'))}",
                lambda: "ProxyErrorOverride On",
                lambda: "SetEnvIf X-In . K=section",
                lambda: "Redirect http://other.test/",
                lambda: f"ProxyPassReverse http://${{{self.pick(MEMBERS)}}}",
                lambda: "SetEnv L section",
                lambda: f"Require expr {self.condition(2)}",
                self.env_expression,
                self.conditional,
            )
        )()

    # ---- script

    def script(self):
        steps = []
        single = "bybusyness" in self.methods.values()
        down = set()
        for _ in range(self.dice.randrange(10, 19)):
            if self.chance(10):
                member = self.pick(MEMBERS)
                if self.all_listen:
                    pass
                elif member in down:
                    down.discard(member)
                    steps.append(words.up(member))
                else:
                    down.add(member)
                    steps.append(words.down(member))
            on = "c" if single or self.chance(60) else None
            steps.append(self.request(on))
        return steps

    def request(self, on):
        method = self.pick(
            ("GET",) * 9 + ("POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "FOO")
        )
        target = self.path() + self.query(method)
        parts = {"version": "1.0" if self.chance(5) else "1.1", "host": self.host()}
        if method in ("POST", "PUT") or self.chance(4):
            data = bytes(self.dice.randrange(32, 127) for _ in range(self.pick((0, 1, 7, 300))))
            if self.chance(30) and parts["version"] == "1.1":
                parts["chunks"] = [data, b"more"] if data else []
            else:
                parts["body"] = data * self.pick((1, 1, 1, 40))
        headers = self.headers()
        if "chunks" in parts:  # How much of such a body httpd finds at once depends on timing.
            headers = [one for one in headers if not one.startswith("Expect")]
        return words.request(method, target, *headers, on=on, **parts)

    def host(self):
        return self.pick(("lb.test",) * 5 + ("LB.test:81", "127.0.0.1:${PORT}", "a_b.test."))

    def path(self):
        base = self.pick(self.mapped)
        tail = self.pick(
            (
                "",
                "",
                "",
                "/",
                "/x",
                "/x/y",
                "/x//y",
                "/./z",
                "/z/../w",
                "/%41%7e",
                "/a%20b",
                "/%c3%a9",
                "/%5c",
                "/q.gif",
                "/!$&'()*+,=:@",
                "/%25",
                "/%3fq",
                "/|[]",
                "/..",
                "/%zz",
                "/red",
            )
        )
        path = (
            (base + tail) if not (base.endswith("/") and tail.startswith("/")) else base + tail[1:]
        )
        if self.sticky and self.chance(15):
            path += f";{self.pick(self.sticky)}={self.session()}"
        return path

    def session(self):
        route = (
            self.pick(self.routes + ["r1", "r2", "r9", "", "r1;v=1", "r2/y"])
            if self.routes
            else "r1"
        )
        return self.pick(
            (f"abc.{route}",) * 6
            + (f"a!{route}", f"a:{route}", route, "nodot", "", f'"x.{route}"', f"a.b.{route}")
        )

    def query(self, method):
        pairs = []
        if self.sticky and self.chance(20):
            pairs.append(f"{self.pick(self.sticky)}={self.session()}")
        if self.chance(25):
            pairs.append(self.pick(("a=b", "x=%5b|", "?", "a=b&c", "q=a%20b", "%zz")))
        if self.chance(30):
            status = self.pick((404, 500, 503, 502, 302, 204, 304, 401, 400, 201))
            at = f"@{self.pick(MEMBERS)}" if self.chance(40) else ""
            pairs.append(f"status={status}{at}")
        for percent, text in (
            (
                20,
                self.pick(
                    (
                        "size=0",
                        "size=1",
                        "size=100",
                        "size=5000",
                        "size=40000",
                        "chunked=2",
                        "chunked=1000&size=40000",
                        "chunked=9&size=100",
                        "eof=1",
                        "eof=1&size=9000",
                    )
                ),
            ),
            (15 if method == "POST" else 0, f"drop=1@{self.pick(MEMBERS)}"),
            (4, "close=1"),
            (4, "interim=103&ih=Link:%20x"),
            (10, f"h=Location:%20http://${{{self.pick(MEMBERS)}}}/in/z"),
            (8, "h=Set-Cookie:%20k=v;%20path=/in/x"),
            (8, "h=X-H1:%20from%20member"),
            (4, "h=Connection:%20X-Hop&h=X-Hop:%201"),
            (4, "plain=1"),
        ):
            if self.chance(percent):
                pairs.append(text)
        self.dice.shuffle(pairs)
        return "?" + "&".join(pairs) if pairs or self.chance(3) else ""

    def headers(self):
        lines = []
        if self.sticky and self.chance(45):
            name = self.pick(self.sticky)
            cookie = self.pick(
                ("{n}={s}",) * 4
                + ("a=b; {n}={s}", "x{n}={s}; {n} = {s}", "{n}=q; {n}={s}", "{n}={s}, z=1")
            )
            lines.append("Cookie: " + cookie.format(n=name, s=self.session()))
        for percent, line in (
            (20, f"X-In: {self.pick(('one', 'Two words', 'a, b'))}"),
            (10, "X-H1: client"),
            (5, "X-h1: again"),
            (6, "X-Forwarded-For: 9.9.9.9"),
            (4, "Via: 1.0 before"),
            (4, f"Max-Forwards: {self.pick((0, 1, 5))}"),
            (5, f"Connection: {self.pick(('close', 'keep-alive', 'X-In', 'Keep-Alive, X-H1'))}"),
            (4, "Cookie: second=line"),
            (3, "TE: trailers"),
            (3, "Expect: 100-continue"),
        ):
            if self.chance(percent):
                lines.append(line)
        return lines


def world(seed):
    return Generator(seed).world()
