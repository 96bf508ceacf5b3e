"""Header rules about what frames an answer or speaks of the connection."""

from scenario import ONE, get, post, raw, request, scenario
from support.server import MODULE_DIRECTORY

PAGES = """\
ProxyPass /nowhere !
Redirect /gone http://elsewhere.test/
"""
TWICE = b"GET /a HTTP/1.1\r\nHost: lb.test\r\n\r\n"

scenario(
    "a length that Header takes away is counted anew",
    "Header unset Content-Length\n" + ONE,
    [
        get("/a", on="one"),
        get("/a?size=0", on="one"),
        get("/a?chunked=5&size=12", on="one"),
        request("HEAD", "/a", on="one"),
        get("/a?status=204", on="one"),
        get("/a?status=304&length=9", on="one"),
        get("/a?status=404", on="one"),
        get("/none", on="one"),
        get("/a", "Connection: keep-alive", version="1.0"),
    ],
    sees="1 1 1 1 204 304 404 404 1",
)
scenario(
    "two requests at once and a length that Header takes away",
    "Header unset Content-Length\n" + ONE,
    raw(TWICE + TWICE, responses=2),
    ignore={"log"},
    sees="1 1",
)
scenario(
    "a length that Header takes away from an answer that comes in pieces",
    "Header unset Content-Length\n" + ONE,
    [get("/a?size=100000", on="one"), get("/a?size=100000", version="1.0"), get("/a", on="one")],
    sees="1 1 1",
)
scenario(
    "a length that Header changes is counted anew",
    "<Location /a/set>\nHeader set Content-Length 1\n</Location>\n"
    "<Location /a/more>\nHeader set Content-Length 999\n</Location>\n"
    "<Location /a/add>\nHeader add Content-Length 7\n</Location>\n"
    "<Location /a/append>\nHeader append Content-Length 7\n</Location>\n"
    "<Location /a/merge>\nHeader merge Content-Length 7\n</Location>\n"
    "<Location /a/edit>\nHeader edit Content-Length .* 1\n</Location>\n"
    "<Location /a/text>\nHeader set Content-Length abc\n</Location>\n"
    "<Location /a/empty>\nHeader setifempty Content-Length 7\n</Location>\n"
    "<Location /a/echo>\nHeader echo ^(Content-Length|Transfer-Encoding|X-.*)$\n</Location>\n"
    + ONE,
    [
        [
            [get(f"/a/{kind}?body=hello", on="one"), get(f"/a/{kind}?status=404", on="one")]
            for kind in ("set", "more", "add", "append", "merge", "edit", "text", "empty")
        ],
        post("/a/echo", b"hello there", "X-Echo: 1", on="one"),
        get("/a/set?status=204", on="one"),
        get("/a/set?status=304", on="one"),
    ],
    sees="1 404 1 404 1 404 1 404 1 404 1 404 1 404 1 404 1 204 304",
)
scenario(
    "pages and lengths that Header makes",
    "Header set Content-Length 1\nHeader add Transfer-Encoding gzip\n" + PAGES + ONE,
    [get("/nowhere", on="one"), get("/gone", on="one"), request("OPTIONS", "*", on="one")],
    sees="404 302 200",
)
scenario(
    "Header says that the connection closes",
    "<Location /a/set>\nHeader set Connection close\n</Location>\n"
    "<Location /a/always>\nHeader always set Connection Close\n</Location>\n"
    "<Location /a/list>\nHeader set Connection x-a\nHeader append Connection close\n</Location>\n"
    + ONE,
    [
        [
            [
                raw(TWICE.replace(b"/a", f"/a/{kind}".encode()) + TWICE),
                get(f"/a/{kind}", "Connection: keep-alive", version="1.0", on=kind),
                get(f"/a/{kind}", "Connection: close"),
                request("HEAD", f"/a/{kind}"),
                get(f"/a/{kind}?status=204"),
                get(f"/a/{kind}?chunked=5"),
            ]
            for kind in ("set", "always", "list")
        ],
    ],
    sees=" ".join(3 * ["1 1 1 1 204 1"]),
)
scenario(
    "pages say that the connection closes",
    "Header always set Connection close\n" + PAGES + ONE,
    [
        raw(b"GET /nowhere HTTP/1.1\r\nHost: lb.test\r\n\r\n" + TWICE),
        get("/gone"),
        get("/a?status=500"),
    ],
    sees="404 302 500",
)
scenario(
    "Header and what is said of the connection",
    "<Location /a/time>\nHeader set Keep-Alive timeout=99\n</Location>\n"
    "<Location /a/always>\nHeader always set Keep-Alive timeout=99\n</Location>\n"
    "<Location /a/none>\nHeader unset Keep-Alive\nHeader unset Connection\n</Location>\n"
    "<Location /a/word>\nHeader set Connection x-word\nHeader set X-Word 1\n</Location>\n"
    "<Location /a/first>\nHeader always set Connection x-word\n</Location>\n"
    "<Location /a/keep>\nHeader set Connection keep-alive\n</Location>\n"
    "<Location /a/up>\nHeader set Upgrade foo\nHeader append Connection upgrade\n</Location>\n"
    "<Location /a/trail>\nHeader set Trailer X-Sum\nHeader set TE trailers\n</Location>\n" + ONE,
    [
        [
            [
                get(f"/a/{kind}", on=kind),
                get(f"/a/{kind}", "Connection: keep-alive", on=kind),
                get(f"/a/{kind}", "Connection: keep-alive", on=f"old {kind}", version="1.0"),
                get(f"/a/{kind}", "Connection: close"),
            ]
            for kind in ("time", "always", "none", "word", "first", "keep", "up", "trail")
        ],
    ],
    sees=" ".join(8 * ["1 1 1 1"]),
)
scenario(
    "Header and interim answers",
    "Header set Content-Length 1\nHeader always set X-A 1\n" + ONE,
    get("/a?interim=103&ih=Link:%20x", on="one"),
    sees="1",
)
scenario(
    "Header and Date and Server",
    "<Location /a/normal>\nHeader set Server foo\nHeader set Date today\n</Location>\n"
    "<Location /a/always>\nHeader always set Server foo\nHeader always set Date x\n</Location>\n"
    "<Location /a/append>\nHeader always append Server foo\nHeader append Date x\n</Location>\n"
    "<Location /a/add>\nHeader add Server foo\nHeader always add Server bar\n</Location>\n"
    "<Location /a/unset>\nHeader unset Server\nHeader unset Date\n</Location>\n"
    "<Location /a/denied>\nHeader always set Server foo\nRequire all denied\n</Location>\n"
    "<Location /nowhere>\nHeader always set Server foo\nHeader always set Date x\n</Location>\n"
    "ProxyPass /dead http://${DEAD}\n"
    "<Location /dead>\nHeader always set Server foo\nHeader always set Date today\n</Location>\n"
    + ONE,
    [
        [
            [get(f"/a/{kind}"), get(f"/a/{kind}?plain=1"), get(f"/a/{kind}?status=404")]
            for kind in ("normal", "always", "append", "add", "unset")
        ],
        get("/a/denied"),
        get("/nowhere"),
        get("/dead"),
    ],
    sees=" ".join(5 * ["1 1 404"]) + " 403 404 503",
)

TOWARDS_MEMBERS = "".join(
    f"<Location /a/{name}>\nRequestHeader {rule}\n</Location>\n"
    for name, rule in (
        ("conn", "set Connection close"),
        ("names", "set Connection X-Case"),
        ("keep", "set Keep-Alive timeout=1"),
        ("upgrade", "set Upgrade foo"),
        ("trailer", "set Trailer X-Sum"),
        ("te", "set TE gzip"),
    )
)
scenario(
    "RequestHeader and what is said of the connection to a member",
    TOWARDS_MEMBERS + ONE,
    [
        [
            [
                get(f"/a/{name}", "X-Case: 1", on=name),
                post(f"/a/{name}", b"hello", on=name),
                post(f"/a/{name}", chunks=[b"hel", b"lo"], on=name),
            ]
            for name in ("conn", "names", "keep", "upgrade", "trailer", "te")
        ],
    ],
    sees=" ".join(6 * ["1 1 1"]),
)

scenario(
    "an Expect that RequestHeader makes",
    "<Location /a/set>\nRequestHeader set Expect 100-continue\n</Location>\n"
    "<Location /a/odd>\nRequestHeader set Expect odd\n</Location>\n"
    "<Location /a/none>\nRequestHeader unset Expect\n</Location>\n" + ONE,
    [
        get("/a/set"),
        post("/a/set", b"hello"),
        get("/a/set", version="1.0"),
        get("/a/odd"),
        post("/a/odd", b"hello"),
        post("/a/none", b"hello", "Expect: 100-continue"),
        post("/a/set", b"hello", "Expect: 100-continue"),
    ],
    ignore={"interim"},
    sees="1 1 1 1 1 1 1",
)

# --- where httpd breaks the framing --------------------------------------------------------------

scenario(
    "a length that Header changes in an answer that comes in pieces",
    "Header set Content-Length 5\n" + ONE,
    get("/a?size=100000"),
    sees="1",
)
scenario(
    "a length that Header always changes",
    "Header always set Content-Length 5\n" + ONE,
    [get("/a"), get("/a?chunked=3"), request("HEAD", "/a")],
    sees="1 1 1",
)
scenario(
    "a coding that Header names",
    "Header set Transfer-Encoding identity\n" + ONE,
    [get("/a"), request("HEAD", "/a")],
    sees="500 500",
)
scenario(
    "chunks that Header announces",
    "Header always set Transfer-Encoding chunked\n" + ONE,
    request("HEAD", "/a"),
    sees="1",
)
scenario(
    "a length that RequestHeader changes",
    "RequestHeader set Content-Length 1\n" + ONE,
    [post("/a", b"hello")],
    sees="1",
)
scenario(
    "a coding that RequestHeader names",
    "RequestHeader set Transfer-Encoding gzip\n" + ONE,
    [get("/a"), post("/a", b"hello")],
    sees="500 500",
)

scenario(
    "what Header can tell of the time and the load",
    'Header set X-D "%D"\nHeader always set X-A "%D"\nHeader set X-E x\nHeader edit X-E x "%D %t"\n'
    'RequestHeader set X-R "%D"\nRequestHeader set X-T "%t"\nHeader set X-L "%l"\n'
    'Header set X-I "%i"\nHeader set X-B "%b"\nRequestHeader set X-S "%b %i"\n' + ONE,
    [get("/a"), get("/a", on="one"), get("/a", on="one"), get("/none")],
    mask=(
        (r"\bO=\d+", "O=n"),
        (r"D=\d+", "D=n"),
        (r"t=\d{16}\b", "t=n"),
        (r"l=\d+\.\d\d/\d+\.\d\d/\d+\.\d\d", "l=n"),
        (r"\bi=\d{1,3}\b", "i=n"),
        (r": b=\d{1,3}\b", ": b=n"),
    ),
    sees="1 1 1 404",
)
scenario(
    "AJP and a Transfer-Encoding that a rule made",
    f"LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so\n"
    "RequestHeader set Transfer-Encoding chunked\nProxyPass /a ajp://${J1}/t\n",
    post("/a/x?ajp=data,headers,whole,end", b"hello"),
    sees="none",
)
