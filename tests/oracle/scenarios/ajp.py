"""Containers that speak AJP13: what they are sent, and what becomes of their answers."""

from scenario import (
    closes_its_connections,
    down,
    get,
    post,
    raw,
    receive,
    release,
    request,
    scenario,
    send,
    serve,
)
from support.ajp import body_chunk, end, send_headers
from support.server import MODULE_DIRECTORY

LOAD = f"LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so\n"
ONE = LOAD + "ProxyPass /a ajp://${J1}/t\n"
PAIR = LOAD + """\
BalancerMember balancer://c ajp://${J1} route=r1
BalancerMember balancer://c ajp://${J2} route=r2
"""
TWO = PAIR + "ProxyPass / balancer://c/\n"
PAGE = b"0123456789abcdef"


def one_with(parameters):
    return LOAD + "ProxyPass /a ajp://${J1}/t " + parameters + "\n"


def body(size):
    return (PAGE * (size // 16 + 1))[:size]


# --- the request ---------------------------------------------------------------------------------

scenario(
    "an AJP request",
    one_with("secret=s3cr"),
    [
        get("/a/p?q=1", "Connection: X-Hop", "X-Hop: 1", "User-Agent: test", "Accept: */*"),
        get(
            "/a/x%20y;v=%41/%C3%A9",
            "Accept-Charset: a",
            "Accept-Encoding: b",
            "ACCEPT-LANGUAGE: c",
            "Authorization: Basic YTpi",
            "Cookie: sid=1",
            "Cookie2: d",
            "Pragma: e",
            "referer: f",
            "Accept-Ranges: g",
            "X-Forwarded-For: 192.0.2.9",
        ),
    ],
    sees="1 1",
)
scenario(
    "AJP and an empty query", ONE, [get("/a?"), get("/a/?"), get("/a/x?a?b=%20")], sees="1 1 1"
)
scenario(
    "AJP without a path of its own",
    LOAD + "ProxyPass / ajp://${J1}/\n",
    [get("/"), get("/x")],
    sees="1 1",
)
scenario(
    "AJP methods with a number and without",
    ONE,
    [
        request(method, "/a/m")
        for method in (
            "HEAD POST PUT DELETE OPTIONS TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ACL"
            " REPORT VERSION-CONTROL CHECKIN CHECKOUT UNCHECKOUT SEARCH MKWORKSPACE UPDATE LABEL"
            " MERGE BASELINE-CONTROL MKACTIVITY PATCH FOO"
        ).split()
    ],
    sees=" ".join(28 * ["1"]),
)
scenario(
    "AJP and variables",
    one_with("")
    + """\
SetEnv AJP_TENANT seven
SetEnv AJP_EMPTY ""
SetEnv ajp_lower no
SetEnvIf User-Agent (.*) AJP_AGENT=$1 OTHER=x
""",
    get("/a/v", "User-Agent: test"),
    sees="1",
)
scenario(
    "AJP and fields that servlet attributes are called like",
    one_with("secret=s3cr"),
    get(
        "/a/f",
        "secret: other",
        "AJP_REMOTE_PORT: 1",
        "jakarta.servlet.include.request_uri: /WEB-INF/web.xml",
        "remote_user: root",
    ),
    sees="1",
)
scenario(
    "AJP and the request fields that rules make",
    LOAD
    + """\
ProxyPreserveHost On
ProxyVia On
ProxyMaxForwards 7
RequestHeader set X-Set now
RequestHeader unset X-Gone
ProxyPass /a ajp://${J1}/t
""",
    get("/a/r", "X-Gone: 1", "Upgrade: websocket", "TE: trailers", "Keep-Alive: 3", "Via: 1.0 a"),
    sees="1",
)
scenario(
    "AJP and HTTP/1.0",
    ONE,
    [get("/a/o", version="1.0"), get("/a", host=None, version="1.0")],
    sees="1 1",
)
scenario(
    "AJP and repeated fields",
    ONE,
    get("/a/r", "X-A: 1", "Cookie: a=1", "X-A: 2", "Cookie: b=2", "x-a: 3"),
    sees="1",
)
scenario(
    "an ErrorDocument after a POST to an AJP container",
    "ErrorDocument 404 /a/doc\nProxyErrorOverride On\n" + ONE,
    [post("/a/x?status=404", b"hello"), post("/a/x?status=404", chunks=[b"hello"]), get("/a/x")],
    sees="404 404 1",
)
scenario(
    "AJP and a Content-Length that a rule made",
    "SetEnvIf X-Length (.*) LENGTH=$1\nRequestHeader set Content-Length %{LENGTH}e env=LENGTH\n"
    + ONE,
    [
        post("/a/x?ajp=data,headers,whole,end", b"hello", "X-Length: 3"),
        post("/a/x?ajp=data,headers,whole,end", b"hello", "X-Length: 5"),
    ],
    sees="1 1",
)
scenario(
    "an AJP request that does not fit its packet",
    ONE,
    [get("/a/l", "X-Long: " + 8100 * "a"), get("/a/l", "X-Long: " + 7800 * "a")],
    sees="400 1",
)
scenario(
    "an AJP request in a larger packet",
    one_with("iobuffersize=65536"),
    [get("/a/l", *(f"X-Long-{i}: " + 8100 * "a" for i in range(7))), post("/a/l", body(12000))],
    sees="1 1",
)
scenario(
    "an AJP packet as large as ProxyIOBufferSize says",
    LOAD + "ProxyIOBufferSize 20000\nProxyPass /a ajp://${J1}/t\n",
    [get("/a/l", "X-Long: " + 8100 * "a", "X-Too: " + 8000 * "a"), post("/a/l", body(15000))],
    sees="1 1",
)

# --- its body ------------------------------------------------------------------------------------

scenario(
    "AJP bodies with a length",
    ONE,
    [post("/a/b", body(size)) for size in (0, 5, 8186, 8187, 9000, 40000)],
    sees="1 1 1 1 1 1",
)
scenario(
    "AJP bodies in chunks",
    ONE,
    [
        post("/a/b", chunks=[]),
        post("/a/b", chunks=[b"hello", b"world"]),
        post("/a/b", chunks=[body(9000), body(9000)], trailers=("X-T: 1",)),
    ],
    sees="1 1 1",
)
scenario(
    "an AJP container that asks at a body's end",
    ONE,
    [
        post("/a/b?ajp=data,ask,headers,whole,end", b"hello"),
        get("/a/b?ajp=ask,headers,whole,end"),
        get("/a/b?ajp=ask,ask,headers,whole,end"),
    ],
    sees="1 1 1",
)
scenario(
    "an AJP container that leaves a body alone",
    ONE,
    [
        post("/a/b?ajp=data,headers,whole,end", b"hello"),
        post("/a/b?ajp=data,headers,whole,end", body(20000)),
        post("/a/b?ajp=headers,whole,end", chunks=[b"hello"]),
        get("/a/b"),
    ],
    sees="1 1 1 1",
)
scenario(
    "an AJP body with a coding beside chunked",
    ONE,
    raw(
        b"POST /a/b HTTP/1.1\r\nHost: lb.test\r\nTransfer-Encoding: chunked, foo\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n"
    ),
    sees="400",
)

# --- the answer ----------------------------------------------------------------------------------

scenario(
    "AJP answers of many kinds",
    ONE,
    [
        get("/a/s?status=404&reason=Not%20Here"),
        get("/a/s?status=503&reason="),
        get("/a/s?status=201&reason=201"),
        get("/a/s?status=299&reason="),
        get("/a/s?status=204"),
        get("/a/s?status=304&h=ETag:%20x"),
        request("HEAD", "/a/s?h=X-A:%201"),
        request("HEAD", "/a/s?length=17"),
        get("/a/s?plain=1&h=Content-Type:%20text/plain"),
        get("/a/s?status=401&h=WWW-Authenticate:%20Basic%20realm=x"),
    ],
    sees="404 503 201 299 204 304 1 1 1 401",
)
scenario(
    "AJP answers with a length",
    ONE,
    [
        get("/a/l?length=3"),
        get("/a/l?length=99"),
        get("/a/l?ajp=headers,end&length=0"),
        get("/a/l?ajp=headers,end"),
        get("/a/l?status=204&length=3"),
    ],
    sees="1 1 1 1 204",
)
scenario(
    "AJP answers whose length is trusted",
    ONE + "SetEnv ap_trust_cgilike_cl\n",
    [get("/a/l?length=3"), request("HEAD", "/a/l?length=17"), get("/a/l?ajp=headers,end&length=0")],
    sees="1 1 1",
)
scenario(
    "AJP answers with fields of many kinds",
    ONE,
    [
        get("/a/h?h=Set-Cookie:%20a=1&h=Set-Cookie:%20b=2&h=X-A:%201&h=X-A:%202"),
        get("/a/h?h=Status:%20404&h=Servlet-Engine:%20x&h=Set-Cookie2:%20x"),
        get("/a/h?h=Content-Language:%20x&h=Date:%20x&h=Last-Modified:%20x"),
    ],
    sees="1 1 1",
)
scenario(
    "AJP answers with a coding of their own",
    ONE,
    get("/a/h?h=Transfer-Encoding:%20chunked"),
    sees="1",
)
scenario(
    "AJP answers with fields that belong to one connection",
    ONE,
    [
        get("/a/h?h=Connection:%20close,X-Hop&h=X-Hop:%201&h=Keep-Alive:%203"),
        get("/a/h?h=Upgrade:%20x&h=TE:%20x&h=Trailer:%20x&h=Proxy-Authenticate:%20x"),
    ],
    sees="1 1",
)
scenario(
    "AJP and the way back",
    ONE
    + """\
ProxyPassReverse /a ajp://${J1}/t
ProxyPassReverse /a http://lb.test:${PORT}/t
ProxyPassReverseCookiePath /t /a
""",
    [
        get("/a/l?status=302&h=Location:%20http://lb.test:${PORT}/t/x"),
        get("/a/l?status=302&h=Location:%20ajp://${J1}/t/x"),
        get("/a/l?h=Content-Location:%20ajp://${J1}/t/x&h=URI:%20ajp://${J1}/t/y"),
        get("/a/l?h=Set-Cookie:%20a=1;path=/t/z"),
    ],
    sees="302 302 1 1",
)
scenario(
    "AJP and ProxyErrorOverride",
    ONE + "ProxyErrorOverride On\n",
    [get("/a/e?status=404"), get("/a/e?status=503"), get("/a/e"), get("/a/e?status=404", on="k")],
    sees="404 503 1 404",
    ignore={"connections"},
)
scenario(
    "AJP bodies of many sizes",
    ONE,
    [get(f"/a/z?size={size}") for size in (0, 1, 8184, 8185, 100000)]
    + [get("/a/z?ajp=headers,chunk:a,flush,chunk:b,flush,end")],
    sees="1 1 1 1 1 1",
)
scenario(
    "AJP flush policies",
    LOAD
    + """\
ProxyPass /on ajp://${J1}/t flushpackets=on
ProxyPass /auto ajp://${J1}/t flushpackets=auto flushwait=5
ProxyPass /off ajp://${J1}/t flushpackets=off
""",
    [get(f"/{policy}/z?size=30000") for policy in ("on", "auto", "off")],
    sees="1 1 1",
)

# --- connections ---------------------------------------------------------------------------------

scenario(
    "AJP connections are kept",
    ONE,
    [get("/a/1"), get("/a/2"), get("/a/3?ajp=headers,whole,end0"), get("/a/4"), get("/a/5")],
    sees="1 1 1 1 1",
)
scenario(
    "AJP connections that are not kept",
    one_with("disablereuse=on"),
    [get("/a/1"), get("/a/2")],
    sees="1 1",
)
scenario(
    "AJP and proxy-nokeepalive",
    ONE + "SetEnv proxy-nokeepalive\n",
    [get("/a/1"), get("/a/2")],
    sees="1 1",
)
scenario(
    "AJP with a ping",
    one_with("ping=1"),
    [get("/a/1"), get("/a/2?q"), post("/a/3", b"hello")],
    sees="1 1 1",
)
scenario(
    "an AJP container that does not answer a ping",
    one_with("ping=300ms retry=0"),
    [
        serve("J1", pong="drop"),
        get("/a/1"),
        serve("J1", pong="hold:later"),
        get("/a/3"),
        serve("J1"),
        get("/a/4"),
    ],
    sees="503 503 1",
)
scenario(
    "an AJP container that does not answer a ping has a neighbour",
    PAIR.replace("route=r1", "ping=300ms") + "ProxyPass / balancer://c/\n",
    [serve("J1", pong="drop"), get("/1"), get("/2"), post("/3?q", b"hello")],
    sees="2 2 2",
)
scenario(
    "a kept AJP connection whose ping fails",
    one_with("ping=1"),
    [get("/a/1"), closes_its_connections("J1"), get("/a/2"), post("/a/3?q", b"hello")],
    sees="1 1 1",
)

# --- failures ------------------------------------------------------------------------------------

scenario(
    "an AJP container that hangs up has a neighbour",
    TWO,
    [serve("J1", drop=True), get("/1"), get("/2")],
    sees="2 2",
)
scenario(
    "an AJP container that hangs up on a query",
    TWO,
    [serve("J1", drop=True), get("/1?q"), get("/2?q")],
    sees="500 2",
)
scenario(
    "an AJP container that hung up on a query is left out",
    TWO,
    [serve("J1", drop=True), get("/1?q"), get("/2"), get("/3"), get("/4")],
    sees="500 2 2 2",
)
scenario(
    "an AJP container that hangs up on a body",
    TWO,
    [serve("J1", drop=True), post("/1", b"hello"), get("/2")],
    sees="500 2",
)
TRIED_AGAIN = {"HEAD": "2", "PUT": "2", "DELETE": "2", "OPTIONS": "2", "PATCH": "500"}
for method, seen in TRIED_AGAIN.items():
    scenario(
        f"an AJP container that hangs up on {method}",
        TWO,
        [serve("J1", drop=True), request(method, "/1")],
        sees=seen,
    )
scenario(
    "an AJP container that hangs up on a body with PUT",
    TWO,
    [serve("J1", drop=True), request("PUT", "/1", body=b"hello"), get("/2")],
    sees="500 2",
)
scenario(
    "an AJP container that hangs up on a chunked body with PUT",
    TWO,
    [serve("J1", ajp="drop"), request("PUT", "/1", chunks=[b"hello"]), get("/2")],
    sees="2 2",
)
scenario(
    "an AJP container that hangs up once it has the body",
    TWO,
    [serve("J1", ajp="body,drop"), request("PUT", "/1", chunks=[b"hello"]), get("/2")],
    sees="2 2",
)
scenario(
    "an AJP container that is down",
    TWO,
    [down("J1"), post("/1?q", b"hello"), get("/2")],
    sees="2 2",
)
scenario(
    "an AJP container that is alone and hangs up",
    ONE,
    [serve("J1", drop=True), get("/a/1"), get("/a/1?q"), post("/a/1", b"x")],
    sees="503 500 500",
)
scenario(
    "a kept AJP connection that the container drops with a request on it",
    one_with("retry=0"),
    [get("/a/1"), serve("J1", stale=True), get("/a/2"), get("/a/3"), get("/a/4?q")],
    sees="1 503 1 500",
)
scenario(
    "an AJP container that is silent",
    TWO.replace("route=r1", "timeout=1"),
    [serve("J1", hold="later"), get("/1"), get("/2")],
    sees="2 2",
)
scenario(
    "an AJP container that is silent on a query",
    TWO.replace("route=r1", "timeout=1"),
    [serve("J1", hold="later"), get("/1?q"), get("/2")],
    sees="500 2",
)
scenario(
    "an AJP container that is silent after a pong",
    TWO.replace("route=r1", "timeout=1 ping=1"),
    [serve("J1", hold="later"), get("/1"), get("/2?q"), get("/3")],
    sees="504 2 504",
)
scenario(
    "AJP sessions",
    PAIR + "ProxyPass / balancer://c/ stickysession=JSESSIONID|jsessionid scolonpathdelim=On\n",
    [
        get("/x;jsessionid=0A.r2"),
        get("/x;jsessionid=0A.r2"),
        get("/x", "Cookie: JSESSIONID=0B.r1"),
        get("/x", "Cookie: JSESSIONID=0B.r9"),
        get("/x", "Cookie: JSESSIONID=0B"),
        down("J2"),
        get("/x;jsessionid=0A.r2"),
    ],
    sees="2 2 1 1 1 1",
)

# --- hostile containers --------------------------------------------------------------------------

# What follows a faulty answer goes to a fresh connection.
HOSTILE = {
    "nothing": ("drop", "500"),
    "half a packet": ("bytes:41420010,drop", "500"),
    "half of its headers": ("bytes:4142001004,drop", "500"),
    "a packet of no known kind": ("bytes:4142000207ff", "500"),
    "HTTP": ("bytes:485454502f312e3120323030204f4b0d0a0d0a,drop", "500"),
    "an empty packet": ("bytes:41420000,drop", "500"),
    "a packet that is too large": ("bytes:4142fffc04,drop", "500"),
    "a pong nobody asked for": ("bytes:4142000109,drop", "500"),
    "headers twice": ("headers,headers,end", "500"),
    "headers alone": ("headers,drop", "500"),
    "headers within a body": ("headers,chunk:hello,headers,chunk:there,end", "1"),
    "a reason past its packet": ("bytes:414200080400c8fff04f4b00,drop", "500"),
    "a reason without its NUL": ("bytes:414200090400c800024f4b0000,drop", "500"),
    "fewer fields than it says": ("bytes:4142000a0400c800024f4b000001,drop", "500"),
    "a field number that is none": ("bytes:414200100400c800024f4b000001a00c00016100,end", "500"),
    "a value past its packet": ("bytes:414200100400c800024f4b000001a001ffff6100,end", "500"),
    "a value that is absent": ("bytes:4142000e0400c800024f4b000001a001ffff,end", "500"),
    "a value with a line end": ("bytes:414200120400c800024f4b000001a00100030d0a6100,end", "500"),
    "a chunk longer than its packet": ("headers,bytes:41420006031000616200,end", "500"),
    "a chunk shorter than its packet": ("headers,bytes:41420006030001616200,end", "500"),
    "a chunk without its last byte": ("headers,bytes:414200050300026162,end", "500"),
    "no end": ("headers,whole,drop", "1"),
    "no end behind a flush": ("headers,whole,flush,drop", "1"),
    "a reset within its body": ("headers,whole,flush,reset", "1"),
    "a broken packet within its body": ("headers,whole,bytes:58580000,drop", "1"),
}
for what, (words, seen) in HOSTILE.items():
    scenario(
        f"an AJP container that sends {what}",
        one_with("retry=0"),
        [get(f"/a/h?ajp={words}"), get("/a/next")],
        sees=f"{seen} 1",
    )
scenario(
    "an AJP reason that is absent",
    ONE,
    get("/a/h?ajp=bytes:414200070400c8ffff0000,whole,end"),
    sees="200",
)
scenario(
    "an AJP container that sends no headers",
    one_with("retry=0"),
    [
        get("/a/h?ajp=end"),
        get("/a/h?ajp=chunk:hello,end"),
        get("/a/h?ajp=chunk:hello,headers,chunk:there,end"),
        get("/a/next"),
    ],
    sees="200 200 1 1",
)
scenario(
    "an AJP container that sends packets with too much in them",
    one_with("retry=0"),
    [
        get("/a/h?ajp=bytes:4142000b0400c800024f4b00000041,whole,end"),
        get("/a/h?ajp=bytes:1234000a0400c800024f4b000000,whole,end"),
        get("/a/next"),
    ],
    sees="200 200 1",
)
scenario(
    "AJP ends that say too little or too much",
    one_with("retry=0"),
    [
        get("/a/h?ajp=headers,whole,bytes:4142000105,drop"),
        get("/a/h?ajp=headers,whole,bytes:414200030501ff"),
        get("/a/next"),
    ],
    sees="1 1 1",
)
scenario(
    "AJP statuses that no answer has",
    one_with("retry=0"),
    [
        get("/a/h?ajp=bytes:4142000a04000000024f4b000000,whole,end"),
        get("/a/h?ajp=bytes:4142000a04006400024f4b000000,whole,end"),
    ],
    sees="500 0.9",
)
CONTROL = send_headers(200, "OK", [(b"X-A", b"a\x01b")]).hex()
BLANK = send_headers(200, "OK", [(b"X Y", b"a")]).hex()
scenario(
    "an AJP answer that cannot be passed on is no fault of the container",
    TWO,
    [
        get(f"/h?ajp=bytes:{CONTROL},whole,end"),
        get(f"/h?ajp=bytes:{BLANK},whole,end"),
        get("/next"),
        get("/next"),
    ],
    sees="500 500 1 2",
)
scenario(
    "an ErrorDocument of an AJP container under ProxyErrorOverride",
    LOAD + "ProxyErrorOverride On\nErrorDocument 404 /a/doc\nProxyPass /a ajp://${J1}/t\n",
    [get("/none"), get("/a/x")],
    sees="404 1",
)
OWN, POISON = body_chunk(b"own"), body_chunk(b"poison")
TWO_ANSWERS = OWN + end() + send_headers(200, "OK", []) + POISON + end()
scenario(
    "an AJP container that sends more than one answer",
    ONE,
    [
        get(f"/a/h?ajp=headers,bytes:{TWO_ANSWERS.hex()}"),
        get("/a/next?ajp=headers,chunk:next,end"),
    ],
    sees="1 200",
)
scenario(
    "the end of an AJP answer is held back",
    ONE,
    [
        send("/a/h?ajp=headers,whole,hold:later,end", on="c", reaches="J1"),
        release("later"),
        receive("c"),
    ],
    sees="1",
)
