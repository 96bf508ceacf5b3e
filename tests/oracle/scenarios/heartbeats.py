"""Members that tell of their load: lbmethod=heartbeat by a file, and heartbeats that are posted.

All members of a stage have one address, so what differs between servers is told by who else has it:
of several members of one address only the last usable one gets anything.  How often a server is
chosen is chance; here every choice has one outcome.
"""

from scenario import get, pass_time, post, request, scenario

MODULES = "/usr/lib/apache2/modules"
POLICY = f"LoadModule lbmethod_heartbeat_module {MODULES}/mod_lbmethod_heartbeat.so\n"
MONITOR = f"LoadModule heartmonitor_module {MODULES}/mod_heartmonitor.so\n"
STORAGE = "DefaultRuntimeDir .\nHeartbeatStorage hb.dat\n"


def farm(*members, more=""):
    lines = [f"    BalancerMember http://{member}" for member in members]
    return "\n".join(
        ["<Proxy balancer://c>", *lines, f"    ProxySet lbmethod=heartbeat {more}", "</Proxy>", ""]
    )


ROUTE = "ProxyPass / balancer://c/\n"
ONE = POLICY + STORAGE + farm("${M1}") + ROUTE
TWO = POLICY + STORAGE + farm("${M1}", "${M2}") + ROUTE
# Listening to an address that is no group fails in httpd; to be posted to it is enough to try.
POSTED = (
    MONITOR
    + POLICY
    + "HeartbeatListen 127.0.0.1:${PORT}\n<Location /hb>\n    SetHandler heartbeat\n</Location>\n"
)
ASKED = POSTED + farm("${M1}") + "ProxyPass /hb !\n" + ROUTE


def storage(*lines):
    return {"hb.dat": "".join(line + "\n" for line in lines)}


FRESH = "127.0.0.1 &ready=40&busy=10&lastseen=2&port=80"

scenario("a server of the file gets requests", ONE, 2 * [get("/")], files=storage(FRESH), sees="1 1")
scenario(
    "of two members of a server the last gets all",
    TWO,
    6 * [get("/")],
    files=storage(FRESH),
    sees="2 2 2 2 2 2",
)
scenario(
    "of three members of a server the last usable one gets all",
    POLICY + STORAGE + farm("${M1}", "${M2}", "${M3} status=+D") + ROUTE,
    4 * [get("/")],
    files=storage(FRESH),
    sees="2 2 2 2",
)
scenario("a missing storage file", ONE, get("/"), sees="503")
scenario("an empty storage file", ONE, get("/"), files={"hb.dat": ""}, sees="503")
scenario(
    "a server of another address",
    ONE,
    get("/"),
    files=storage(FRESH.replace("127.0.0.1", "127.0.0.2")),
    sees="503",
)
scenario(
    "a member by name has no server",
    (POLICY + STORAGE + farm("${M1}") + ROUTE).replace("http://${M1}", "http://localhost:${PORT}"),
    get("/"),
    files=storage(FRESH),
    sees="503",
)
scenario(
    "nine seconds of silence are forgiven",
    ONE,
    get("/"),
    files=storage(FRESH.replace("lastseen=2", "lastseen=9")),
    sees="1",
)
scenario(
    "ten seconds of silence are not",
    ONE,
    get("/"),
    files=storage(FRESH.replace("lastseen=2", "lastseen=10")),
    sees="503",
)
scenario(
    "a line without an age",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=1&busy=1"),
    sees="1",
)
scenario(
    "an age that is none or too large for a number",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=1&busy=1&lastseen=99999999999999"),
    sees="1",
)
scenario(
    "the age of a line does not grow while the file lies there",
    ONE,
    [get("/"), pass_time(1.2), get("/")],
    files=storage(FRESH.replace("lastseen=2", "lastseen=9")),
    sees="1 1",
)
scenario(
    "four idle workers of a server that does nothing count as one",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=4&busy=0&lastseen=1"),
    sees="1",
)
scenario(
    "three idle workers of a server that does nothing count as none",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=3&busy=0&lastseen=1"),
    sees="503",
)
scenario(
    "numbers of a line that are none",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=5x&busy=1&lastseen=1"),
    sees="503",
)
scenario(
    "a number beyond the largest",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=2147483648&busy=1&lastseen=1"),
    sees="503",
)
scenario(
    "names of a line in capitals and a line without the first ampersand",
    ONE,
    get("/"),
    files=storage("127.0.0.1 READY=5&Busy=1&lastseen=1"),
    sees="1",
)
scenario(
    "the last of two equal names in a line counts",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=0&busy=1&ready=5"),
    sees="1",
)
scenario(
    "comments and lines that are none are passed over",
    ONE,
    get("/"),
    files=storage("#127.0.0.1 &ready=5&busy=1", "127.0.0.1&ready=5&busy=1", "", " 127.0.0.1 &ready=5"),
    sees="503",
)
scenario(
    "a second line of a server changes what it names",
    ONE,
    get("/"),
    files=storage("127.0.0.1 &ready=5&busy=1&lastseen=50", "127.0.0.1 &lastseen=1"),
    sees="1",
)
scenario(
    "a last line that is not ended",
    ONE,
    get("/"),
    files={"hb.dat": "127.0.0.1 &busy=1&lastseen=1&ready=5"},
    sees="503",
)
scenario(
    "standby, drain, set and factor do not count",
    POLICY
    + STORAGE
    + farm("${M1}", "${M2} status=+H", "${M3} status=+N lbset=3 loadfactor=9")
    + ROUTE,
    3 * [get("/")],
    files=storage(FRESH),
    sees="3 3 3",
)
scenario(
    "a dead member gives its place to the one before",
    POLICY + STORAGE + farm("${M1}", "${DEAD}") + ROUTE,
    3 * [get("/")],
    files=storage(FRESH),
    sees="1 1 1",
)
scenario(
    "a session is kept without a heartbeat",
    POLICY
    + STORAGE
    + farm("${M1} route=one", "${M2} route=two", more="stickysession=sid")
    + ROUTE,
    [get("/?sid=a.one"), get("/?sid=a.two"), get("/?sid=a.one")],
    files={"hb.dat": ""},
    sees="1 2 1",
)
scenario(
    "memory counts more than the file once mod_heartmonitor is loaded",
    MONITOR + ONE,
    get("/"),
    files=storage(FRESH),
    sees="503",
)
scenario(
    "the file counts when mod_heartmonitor may keep none in memory",
    MONITOR + "HeartbeatMaxServers 0\n" + ONE,
    get("/"),
    files=storage(FRESH),
    sees="1",
)

scenario(
    "a server that posted its load gets requests",
    ASKED,
    [get("/"), post("/hb", b"ready=40&busy=2"), get("/"), get("/")],
    sees="503 200 1 1",
)
scenario(
    "what was posted last counts",
    ASKED,
    [
        post("/hb", b"ready=40&busy=2"),
        get("/"),
        post("/hb", b"ready=0&busy=2"),
        get("/"),
        post("/hb", b"ready=3&busy=0"),
        get("/"),
    ],
    sees="200 1 200 503 200 503",
)
scenario(
    "forms of a posted heartbeat",
    ASKED,
    [
        post("/hb", b"ready=1"),
        post("/hb", b"busy=1"),
        post("/hb", b""),
        post("/hb", b"busy=1&ready"),
        get("/"),
        post("/hb", b"&&port=x&BUSY=1&ready=7x"),
        get("/"),
        post("/hb", b"re%61dy=%35&busy=1;&v=1"),
        get("/"),
        request("POST", "/hb", chunks=[b"ready=0&busy=1"]),
        get("/"),
        post("/hb", b"ready=0&busy=1&ready=3"),
        get("/"),
    ],
    sees="400 400 400 200 1 200 503 200 1 200 503 200 1",
)
scenario(
    "a posted heartbeat in two chunks",
    ASKED,
    [request("POST", "/hb", chunks=[b"ready=5", b"&busy=1"]), get("/")],
    sees="400 503",
)
scenario(
    "only the first thousand bytes of a posted heartbeat count",
    ASKED,
    [
        post("/hb", b"ready=1&busy=1&x=" + b"a" * 4000),
        get("/"),
        post("/hb", b"x=" + b"a" * 1000 + b"&ready=1&busy=1"),
    ],
    sees="200 1 400",
)
scenario(
    "heartbeats are posted and nothing else",
    ASKED,
    [
        get("/hb"),
        request("HEAD", "/hb"),
        request("PUT", "/hb", body=b"ready=1&busy=1"),
        request("DELETE", "/hb"),
        request("OPTIONS", "/hb"),
        get("/hb/below?it"),
        post("/hb/below?it", b"ready=1&busy=1"),
    ],
    sees="405 405 405 405 405 405 200",
)
scenario(
    "nothing is taken without HeartbeatListen",
    ASKED.replace("HeartbeatListen 127.0.0.1:${PORT}\n", ""),
    [post("/hb", b"ready=1&busy=1"), get("/hb"), get("/")],
    sees="503 405 503",
)
scenario(
    "SetHandler heartbeat counts more than ProxyPass",
    POSTED + farm("${M1}") + ROUTE,
    [post("/hb", b"ready=1&busy=1"), get("/hb"), get("/")],
    sees="200 405 1",
)
scenario(
    "SetHandler none takes it back",
    POSTED
    + farm("${M1}")
    + ROUTE
    + "<Location /hb/not>\n    SetHandler none\n</Location>\n",
    [post("/hb", b"ready=1&busy=1"), get("/hb/not")],
    sees="200 1",
)
scenario(
    "who may not, may not post",
    POSTED.replace("SetHandler", "Require ip 10.0.0.1\n    SetHandler") + farm("${M1}") + ROUTE,
    [post("/hb", b"ready=1&busy=1"), get("/")],
    sees="403 503",
)
scenario(
    "leave to send a heartbeat is given",
    ASKED,
    [
        request("POST", "/hb", "Expect: 100-continue", body=b"ready=1&busy=1"),
        get("/"),
    ],
    sees="200 1",
)
scenario(
    "fields that the configuration adds to the answer of a heartbeat",
    ASKED + "Header set X-A b\nHeader always set X-C d\n",
    [post("/hb", b"ready=1&busy=1"), post("/hb", b"")],
    sees="200 400",
)
