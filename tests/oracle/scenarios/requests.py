"""What a member receives: headers, host, forwarding headers."""

from scenario import DIRECT, ONE, TWO, get, pass_time, post, raw, request, scenario

scenario(
    "headers keep their order and case and newcomers stand behind",
    ONE,
    get(
        "/a",
        "X-b: 1",
        "aCcept: */*",
        "User-Agent: probe",
        "X-A:no-blank",
        "X-Empty:",
        "X-Tab:\ttab \t",
    ),
    sees="1",
)
scenario(
    "duplicate headers are merged in the place of the first",
    ONE,
    [get("/a", "X-D: 1", "X-E: 0", "x-d: 2", "X-D: 3"), get("/a", "Accept: a", "Accept: b")],
    sees="1 1",
)
scenario(
    "two Cookie lines are merged with a comma",
    ONE,
    get("/a", "Cookie: a=1", "X-Between: x", "Cookie: b=2"),
    sees="1",
)
scenario(
    "forwarding headers are appended to what the client sent",
    ONE,
    [
        get("/a", "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Host: evil", "X-Forwarded-Server: s"),
        get("/a", "x-forwarded-for: 1.1.1.1", "X-Forwarded-For: 2.2.2.2"),
        get("/a", host="Name.Test:81"),
    ],
    sees="1 1 1",
)
scenario(
    "ProxyAddHeaders Off adds none of them",
    "ProxyAddHeaders Off\n" + ONE + "<Location /a/on>\nProxyAddHeaders On\n</Location>\n",
    [get("/a", "X-Forwarded-For: 9.9.9.9"), get("/a/on")],
    sees="1 1",
)
scenario(
    "hop-by-hop headers end at the proxy",
    ONE,
    [
        get(
            "/a",
            "Connection: X-Hop, close",
            "X-Hop: 1",
            "Keep-Alive: 5",
            "TE: trailers",
            "Trailer: X",
        ),
        get("/a", "Connection: upgrade", "Upgrade: websocket", "Proxy-Connection: keep-alive"),
        get(
            "/a",
            "Connection: x-one;x-two",
            "X-One: 1",
            "X-Two: 2",
            "Proxy-Authorization: Basic eA==",
        ),
        get("/a", "Connection: keep-alive", "Connection: X-Three", "X-Three: 3"),
        get("/a", "Connection: Host, Cookie", "Cookie: a=b"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "Host is the member's unless ProxyPreserveHost",
    ONE
    + "<Location /a/p>\nProxyPreserveHost On\n</Location>\n"
    + "ProxyPass /d http://localhost:80\n",
    [
        get("/a", host="Foo:99"),
        get("/a/p", host="Foo:99"),
        get("/a/p", host="FOO."),
        get("/a/p", host=None, version="1.0"),
        get("/a", host=None, version="1.0"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "ProxyPreserveHost is inherited by a vhost and undone in a Location",
    "ProxyPreserveHost On\n<VirtualHost *:${PORT}>\nServerName v.test\n"
    + ONE
    + "<Location /a/off>\nProxyPreserveHost Off\n</Location>\n</VirtualHost>\n",
    [get("/a", host="x.test"), get("/a/off", host="x.test")],
    sees="1 1",
)
scenario(
    "Via takes its port from the request",
    "ProxyVia On\n" + ONE,
    [
        get("/a", host="127.0.0.1:${PORT}"),
        get("/a", host="foo"),
        get("/a", "Via: 1.0 before"),
        get("/a", version="1.0"),
        get("/a?h=Via:%201.1%20inner", host="foo:99"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "ProxyVia Full names the program",
    "ProxyVia Full\n" + ONE,
    get("/a", "Via: 1.0 before"),
    sees="1",
    mask=(
        (r"(Via: .*?\().*\)", r"\1banner)"),
        (r" I=\d+ O=\d+", " I=. O=(banner)"),
    ),
)
scenario(
    "ProxyVia Block removes what is there",
    "ProxyVia Block\n" + ONE,
    get("/a?h=Via:%201.1%20inner", "Via: 1.0 before"),
    sees="1",
)
scenario(
    "Via is left alone by default",
    ONE,
    get("/a?h=Via:%201.1%20inner", "Via: 1.0 before"),
    sees="1",
)
scenario(
    "Max-Forwards is counted down",
    ONE,
    [
        get("/a", "Max-Forwards: 5"),
        get("/a", "Max-Forwards: 1"),
        get("/a", "Max-Forwards: 0"),
        get("/a", "Max-Forwards: x"),
        get("/a", "Max-Forwards: -1"),
        request("OPTIONS", "/a", "Max-Forwards: 0"),
        request("OPTIONS", "/a", "Max-Forwards: 3"),
    ],
    sees="1 1 400 400 400 200 1",
)
scenario(
    "TRACE that is not forwarded any further",
    ONE + "ProxyPass /c balancer://c/\n" + TWO,
    [
        request("TRACE", "/a", "Max-Forwards: 0", "X-b: 1"),
        request("TRACE", "/c", "Max-Forwards: 0", on="k"),
        request("TRACE", "/a", "Max-Forwards: 0", on="k"),
        request("TRACE", "/a", "Max-Forwards: 0", version="1.0"),
        request("TRACE", "/a", "Max-Forwards: 0", "Connection: keep-alive", version="1.0"),
        request("TRACE", "/nowhere", "X-b: 1"),
    ],
    sees="200 200 200 200 200 200",
)
scenario(
    "ProxyMaxForwards adds the header",
    "ProxyMaxForwards 7\n" + ONE,
    [get("/a"), get("/a", "Max-Forwards: 3")],
    sees="1 1",
)
scenario(
    "RequestHeader edits in merge order",
    """\
RequestHeader set X 1
RequestHeader unset X-Gone
RequestHeader setifempty X-There default
RequestHeader setifempty X-New default
RequestHeader add X-Two b
RequestHeader edit X-Edit ([a-z]+) <$1>
RequestHeader edit* X-All o 0
RequestHeader merge X-Merge b
<Location /a>
RequestHeader append X 2
</Location>
<Location /a/b>
RequestHeader append X 3
</Location>
"""
    + ONE,
    get(
        "/a/b",
        "X-Gone: 1",
        "X-There: mine",
        "X-Two: a",
        "X-Edit: abc def",
        "X-All: foo boo",
        "X-Merge: a, b",
    ),
    sees="1",
)
scenario(
    "RequestHeader with variables and conditions",
    """\
SetEnvIf X-K (.+) K=$1
RequestHeader set X-K2 "k=%{K}e 100%%" env=K
RequestHeader set X-NoK none env=!K
RequestHeader set X-Never %{NOSUCH}e
RequestHeader set Host changed.test
"""
    + ONE,
    [get("/a", "X-K: v"), get("/a")],
    sees="1 1",
)
scenario(
    "SetEnv is too late for RequestHeader conditions of an outer kind but not for late ones",
    "SetEnv L late\nRequestHeader set X-L %{L}e env=L\n" + ONE,
    get("/a"),
    sees="1",
)
scenario(
    "force-proxy-request-1.0 sends an older request",
    "SetEnv force-proxy-request-1.0\n" + ONE,
    [get("/a"), post("/a", b"abc"), request("POST", "/a", chunks=[b"abc"])],
    sees="1 1 1",
)
scenario(
    "proxy-nokeepalive closes the member's connection",
    "SetEnvIf X-No . proxy-nokeepalive\n" + ONE,
    [get("/a", "X-No: 1"), get("/a"), get("/a")],
    sees="1 1 1",
)
scenario(
    "disablereuse opens a connection for every request",
    """\
BalancerMember balancer://c http://${M1} disablereuse=On
BalancerMember balancer://c http://${M2} enablereuse=On
ProxyPass / balancer://c/
""",
    6 * [get("/")],
    sees="1 2 1 2 1 2",
)
scenario(
    "connections to a member are shared by all clients",
    ONE,
    [3 * [get("/a")], get("/a", on="x"), get("/a", on="y"), get("/a", on="x")],
    sees="1 1 1 1 1 1",
)
scenario(
    "a member that says close is connected again",
    ONE,
    [get("/a"), get("/a?close=1"), get("/a"), get("/a?httpv=1.0"), get("/a")],
    sees="1 1 1 1 1",
)
scenario(
    "HTTP/1.0 clients",
    ONE,
    [
        get("/a", version="1.0"),
        get("/a", "Connection: keep-alive", version="1.0", on="k"),
        get("/a?chunked=2", "Connection: keep-alive", version="1.0", on="k"),
        get("/a?chunked=2", version="1.0", host=None),
    ],
    sees="1 1 1 1",
)
scenario(
    "versions above 1.1 are handled as 1.1",
    ONE,
    [
        raw(f"GET /a HTTP/{v}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        for v in ("1.2", "2.0", "3.0")
    ],
    sees="1 1 1",
)
scenario(
    "the query of the request goes to a balancer's member",
    TWO + "ProxyPass /x balancer://c/y\n",
    [get("/x?a=b&c=d?e"), get("/x?"), get("/x/?q"), get("/x#")],
    sees="1 2 1 400",
)
scenario(
    "an unknown expectation is refused",
    ONE,
    [get("/a", "Expect: x"), get("/a", "Expect: 100-continue, y")],
    sees="417 417",
)
scenario(
    "Early request headers come before everything else",
    """\
RequestHeader unset Proxy early
RequestHeader set X-A early early
RequestHeader edit X-E a b early
SetEnvIf X-A (.+) SEEN=$1
RequestHeader set X-Seen %{SEEN}e
Header set X-Lost lost early
Header always set X-Kept kept early
<Location /in>
RequestHeader unset X-E early
</Location>
<Location /no>
Require all denied
</Location>
"""
    + DIRECT,
    [get("/", "Proxy: x", "X-A: late", "X-E: aa"), get("/in", "X-E: aa"), get("/no")],
    sees="1 1 403",
)
scenario(
    "Early request headers of virtual hosts follow the main server's",
    "RequestHeader add M main early\n<VirtualHost *:${PORT}>\nRequestHeader add V v early\n"
    + DIRECT
    + "</VirtualHost>\n",
    [get("/")],
    sees="1",
)
scenario(
    "A preserved Host is what RequestHeader made of it",
    "ProxyPreserveHost On\nRequestHeader set Host internal.test\n" + DIRECT,
    [get("/a"), get("http://x.test/a")],
    sees="1 1",
)
scenario(
    "A preserved Host that was removed is the server's name",
    "ProxyPreserveHost On\nRequestHeader unset Host\n" + DIRECT,
    [get("/a")],
    sees="1",
)
scenario(
    "A preserved Host can be appended to",
    "ProxyPreserveHost On\nRequestHeader append Host b\n" + DIRECT,
    [get("/a")],
    sees="1",
)
scenario("A timeout of zero", "Timeout 0\n" + DIRECT, [get("/")])
scenario(
    "A request whose length was unset",
    "RequestHeader unset Content-Length\n" + DIRECT,
    [post("/", b"hello")],
)
TRACED = """\
ProxyPass /c balancer://c/
Redirect /red http://elsewhere.test/
<Location /denied>
Require all denied
</Location>
<Location /a/denied>
Require all denied
</Location>
<Location /section>
Redirect /section http://elsewhere.test/
Header set X-A b
Header always set X-B c
</Location>
<Location /handled>
SetHandler balancer-manager
</Location>
"""
TRACES = [
    request("TRACE", path, *more, **body)
    for path, more in (
        ("/nowhere", ()),
        ("/denied", ()),
        ("/a/denied", ()),
        ("/a/x", ("Max-Forwards: 0",)),
        ("/c/x", ("Max-Forwards: 0",)),
        ("/red", ()),
        ("/section", ()),
        ("/handled", ()),
    )
    for body in ({}, {"body": b"hello"}, {"body": b""}, {"chunks": [b"some", b"thing"]}, {"chunks": []})
]
for word, sees in (
    ("on", "200 413 200 413 413 " * 2 + "403 403 403 403 403 " + "200 413 200 413 413 " * 2
     + "302 302 302 302 302 " + "200 413 200 413 413 200 413 200 413 413"),
    ("off", "405 405 405 405 405 " * 2 + "403 403 403 403 403 " + "405 405 405 405 405 " * 2
     + "302 302 302 302 302 " + "405 405 405 405 405 405 405 405 405 405"),
    ("extended", "200 200 200 200 200 " * 2 + "403 403 403 403 403 " + "200 200 200 200 200 " * 2
     + "302 302 302 302 302 " + "200 200 200 200 200 200 200 200 200 200"),
):
    scenario(
        f"TRACE that ends here with TraceEnable {word}",
        f"TraceEnable {word}\n" + ONE + TRACED + TWO,
        # httpd drops a body that it refuses, but not with 413.
        TRACES
        + ([request("TRACE", "/x", body=b"hello", on="k"), get("/x", on="k")] if word != "on" else []),
        sees=sees + {"on": "", "off": " 405 404", "extended": " 200 404"}[word],
    )
scenario(
    "how much of a body TRACE shows",
    "TraceEnable extended\n<Location /little>\nLimitRequestBody 5\n</Location>\n" + ONE,
    [
        request("TRACE", "/x", body=b"x" * 65536),
        request("TRACE", "/x", body=b"x" * 65537),
        request("TRACE", "/x", chunks=[b"x" * 65537]),
        request("TRACE", "/x", chunks=[b"x" * 70000]),
        request("TRACE", "/x", chunks=[b"x" * 75000]),
        request("TRACE", "/x", "Expect: 100-continue", body=b"x"),
        request("TRACE", "/little", body=b"123456"),
    ],
    sees="200 413 200 200 413 200 200",
)
scenario(
    "TraceEnable Off leaves TRACE out of what is allowed",
    "TraceEnable Off\n" + ONE,
    [request("TRACE", "/"), request("PUT", "/", body=b"x")],
    sees="405 405",
)
scenario(
    "a connection after an unknown expectation",
    ONE,
    [post("/a", b"hello", "Expect: x", on="c"), get("/a", on="c")],
    sees="417 none",
)
scenario(
    "an unknown expectation and its ErrorDocument",
    "ErrorDocument 417 /a/doc\n" + ONE,
    get("/a", "Expect: x"),
    sees="1",
)
scenario(
    "an empty expectation is not passed on",
    ONE,
    get("/a", "Expect:", "X: y"),
    sees="1",
)
scenario(
    "the authority of a target takes the place of Host",
    "ProxyPreserveHost On\n" + ONE,
    [
        get("http://X.tesT:81/a"),
        get("http://x.test./a"),
        get("http://x.test.:0443/a"),
        get("http://1.2.3.4./a"),
        get("http://[::1]:80/a"),
        get("http://x.test:80/a", version="1.0"),
        get("http://x.test:80/a", host=None, version="1.0"),
        request("CONNECT", "X.tesT.:443"),
        request("CONNECT", "[::1]:443"),
        request("CONNECT", "x.test:443", host=None, version="1.0"),
    ],
    sees="1 1 1 1 1 1 1 405 405 405",
)
scenario(
    "ProxyPreserveHost sends what RequestHeader made of Host",
    (
        "ProxyPreserveHost On\nRequestHeader set Host foo.test:1\n"
        "<Location /a/none>\nRequestHeader unset Host\n</Location>\n" + ONE
    ),
    [get("/a"), get("/a/none"), get("http://x.test:81/a")],
    sees="1 1 1",
)
scenario(
    "a connection that was idle for its ttl is not used again",
    (
        "ProxyPass /a http://${M1}/ ttl=1\nProxyPass /b http://${M2}/ ttl=1 smax=1\n"
        "ProxyPass /c http://${M3}/ ttl=9 smax=0\n"
    ),
    [*(2 * [get("/a"), get("/b"), get("/c")]), pass_time(2.2), get("/a"), get("/b"), get("/c")],
    sees="1 2 3 1 2 3 1 2 3",
)
