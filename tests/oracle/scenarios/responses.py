"""What a client receives: framing, odd answers, hop-by-hop rules, keep-alive."""

from scenario import DIRECT, ONE, get, raw, request, scenario, serve
from support.ask import wish


def answered(data, **more):
    """A request that the member answers with these bytes."""
    return get("/a?" + wish(raw=data, **more))


scenario(
    "status lines and reasons pass as they are",
    ONE,
    [
        get("/a?status=404&reason=Not%20Here"),
        get("/a?status=299&reason="),
        get("/a?status=999"),
        get("/a?status=200&reason=%c3%a9t%c3%a9"),
        answered(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        answered(b"HTTP/1.1 200  two\r\nContent-Length: 0\r\n\r\n"),
    ],
    ignore={"connections"},
    sees="404 299 999 1 200 200",
)
scenario(
    "chunked answers stay chunked",
    ONE,
    [get("/a?chunked=5&size=12"), get("/a?chunked=9&size=0"), get("/a?chunked=4000&size=70000")],
    sees="1 1 1",
)
scenario(
    "an answer without a length becomes chunked",
    ONE,
    [get("/a?eof=1&size=300"), get("/a?eof=1&size=0"), answered(b"HTTP/1.1 200 OK\r\n\r\nabc")],
    sees="1 1 200",
)
scenario(
    "trailers of a member",
    ONE,
    get("/a?chunked=5&size=12&trailer=X-Sum:%201&h=Trailer:%20X-Sum", "TE: trailers"),
    sees="1",
)
scenario(
    "answers without a body",
    ONE,
    [
        request("HEAD", "/a?size=50"),
        request("HEAD", "/a?chunked=3"),
        request("HEAD", "/a?status=404"),
        get("/a?status=204"),
        get("/a?status=304"),
        get("/a?status=304&length=99"),
        get("/a?status=205"),
        request("HEAD", "/a?eof=1"),
    ],
    sees="1 1 404 204 304 304 205 1",
)
scenario(
    "a member that ends its connection early cuts the client off",
    ONE,
    [
        get("/a?length=10&body=abc"),
        answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"),
        answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n0\r\n\r\n"),
    ],
    ignore={"log"},
    sees="1 200 200 502",
)
scenario(
    "interim answers are relayed",
    ONE,
    [
        get("/a?interim=103&ih=Link:%20x"),
        get("/a?interim=102&interim=103&ih=A:%201&ih=B:%202"),
        get("/a?interim=103", version="1.0"),
        get("/a?interim=100"),
    ],
    sees="1 1 1 1",
)
scenario(
    "interim answers can be suppressed",
    "SetEnv proxy-interim-response Suppress\n" + ONE,
    get("/a?interim=103&ih=Link:%20x"),
    sees="1",
)
scenario(
    "ten interim answers are too many",
    ONE,
    [get("/a?" + "&".join(9 * ["interim=103"])), get("/a?" + "&".join(10 * ["interim=103"]))],
    sees="1 502",
)
scenario(
    "what does not look like a status line is an old answer",
    ONE,
    [
        answered(b"hello world\n"),
        answered(b"HTTP/x 200 OK\r\n\r\n"),
        answered(b"HTTP/1.1 20 OK\r\n\r\n"),
        answered(b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        answered(b"http/1.1 200 OK\r\n\r\n"),
    ],
    sees="200 200 200 200 200",
)
scenario(
    "broken status lines are a 502",
    ONE,
    [
        answered(b"HTTP/2.0 200 OK\r\n\r\n"),
        answered(b"HTTP/0.9 200 OK\r\n\r\n"),
    ],
    sees="502 502",
)
scenario(
    "broken header lines",
    ONE,
    [
        answered(b"HTTP/1.1 200 OK\r\nFoo\r\n\r\n"),
        answered(b"HTTP/1.1 200 OK\r\nX-Sp : 1\r\nContent-Length: 0\r\n\r\n"),
        answered(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        answered(b"HTTP/1.1 200 OK\r\nX-C: a\x01b\r\nContent-Length: 0\r\n\r\n"),
        answered(b"HTTP/1.1 200 OK\r\nX-Fold: a\r\n  b\r\nContent-Length: 0\r\n\r\n"),
        answered(b"HTTP/1.1 200 OK\r\nHTTP/1.1 201 Again\r\nContent-Length: 0\r\n\r\n"),
    ],
    sees="502 500 502 500 200 200",
)
scenario(
    "long header lines",
    "ProxyPass /b http://${M2}/b responsefieldsize=20000\n" + ONE,
    [
        [
            [serve("M1", h="X-Long: " + n * "l"), get("/a")]
            for n in (8100, 8182, 8183, 8184, 8200, 20000)
        ],
        [[serve("M2", h="X-Long: " + n * "l"), get("/b")] for n in (12000, 21000)],
        [serve("M1", h=[f"X-{i}: {i}" for i in range(150)]), get("/a")],
    ],
    sees="1 1 1 502 502 502 2 502 1",
)
scenario(
    "ProxyBadHeader Ignore skips a broken line",
    "ProxyBadHeader Ignore\n" + ONE,
    answered(b"HTTP/1.1 200 OK\r\nA: 1\r\nFoo\r\nB: 2\r\nContent-Length: 2\r\n\r\nok"),
    sees="200",
)
scenario(
    "ProxyBadHeader StartBody begins the body there",
    "ProxyBadHeader StartBody\n" + ONE,
    answered(b"HTTP/1.1 200 OK\r\nA: 1\r\nFoo\r\nB: 2\r\n\r\nok"),
    sees="200",
)
scenario(
    "two equal lengths from a member",
    ONE,
    [
        answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
        answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok"),
    ],
    sees="200 502",
)
scenario(
    "two different lengths from a member",
    ONE,
    answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
    sees="200",
)
scenario(
    "a length beside chunked is dropped and the member's connection closed",
    ONE,
    [
        answered(
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding:"
                b" chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            ),
            rawkeep=True,
        ),
        get("/a"),
    ],
    sees="200 1",
)
scenario(
    "an unasked 101 is a 502",
    ONE,
    answered(b"HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n"),
    sees="502",
)
scenario(
    "some statuses close the client's connection",
    ONE,
    [
        get(f"/a?status={s}")
        for s in (
            200,
            301,
            400,
            401,
            403,
            404,
            405,
            408,
            410,
            411,
            413,
            414,
            500,
            501,
            502,
            503,
            504,
        )
    ],
    sees="1 301 400 401 403 404 405 408 410 411 413 414 500 501 502 503 504",
)
scenario(
    "hop-by-hop headers of a member end at the proxy",
    ONE,
    [
        get(
            "/a?h=Connection:%20X-Hop&h=X-Hop:%201&h=Keep-Alive:%20timeout=9&h=Proxy-Authenticate:%20x"
        ),
        get("/a?h=Upgrade:%20h2c&h=TE:%20x&h=Proxy-Connection:%20keep-alive&h=X-Stay:%201"),
    ],
    sees="1 1",
)
scenario(
    "missing Date and Server are added",
    ONE,
    [
        get("/a?plain=1"),
        get("/a?plain=1&h=Server:%20mine"),
        get("/a?plain=1&h=Date:%20Sun,%2006%20Nov%201994%2008:49:37%20GMT"),
    ],
    sees="1 1 1",
)
scenario(
    "Content-Type and validators pass",
    ONE,
    [
        get("/a?h=Content-Type:%20text/html;charset=UTF-8&h=ETag:%20%22x%22"),
        get("/a?h=content-type:%20Text/Plain;%20a=b&h=Accept-Ranges:%20bytes"),
        get("/a?h=Content-Type:%20a/b&h=Content-Type:%20c/d"),
        get("/a?h=Cache-Control:%20no-store&h=Cache-Control:%20private&h=Vary:%20A&h=Vary:%20B"),
        get("/a?h=Content-Encoding:%20gzip&h=Content-Language:%20de"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "conditional requests are the member's business",
    ONE,
    [
        get("/a?h=ETag:%20%22x%22", 'If-None-Match: "x"'),
        get(
            "/a?h=Last-Modified:%20Sun,%2006%20Nov%201994%2008:49:37%20GMT",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
        ),
        get("/a?h=ETag:%20%22x%22", 'If-Match: "y"'),
    ],
    sees="1 1 1",
)
scenario(
    "Warning headers with another date are dropped",
    ONE,
    get("/a?h=Warning:%20110%20x%20%22stale%22%20%22Sun,%2006%20Nov%201994%2008:49:38%20GMT%22"),
    sees="1",
)
scenario(
    "Keep-Alive is announced only to those who ask",
    "KeepAliveTimeout 3\nMaxKeepAliveRequests 3\n" + ONE,
    [
        get("/a"),
        [get("/a", "Connection: keep-alive", on="k") for _ in range(3)],
        get("/a", "Connection: Keep-Alive, X"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "MaxKeepAliveRequests closes after that many",
    "MaxKeepAliveRequests 2\n" + ONE,
    5 * [get("/a", on="k")],
    sees="1 1 1 1 1",
)
scenario(
    "KeepAlive Off closes every connection",
    "KeepAlive Off\n" + ONE,
    [get("/a"), get("/a", "Connection: keep-alive"), get("/nowhere")],
    sees="1 1 404",
)
scenario(
    "nokeepalive closes chosen connections",
    "SetEnvIf User-Agent ^old nokeepalive\n" + ONE,
    [get("/a", "User-Agent: old"), get("/a", "User-Agent: new")],
    sees="1 1",
)
scenario(
    "downgrade-1.0 and force-response-1.0 treat the client as an older one",
    "SetEnvIf User-Agent ^down downgrade-1.0\nSetEnvIf User-Agent ^force force-response-1.0\n"
    + ONE,
    [
        get("/a?chunked=2", "User-Agent: down"),
        get("/a?chunked=2", "User-Agent: force"),
        get("/a", "User-Agent: force"),
    ],
    sees="1 1 1",
)
scenario(
    "Connection close from the client closes",
    ONE,
    [
        get("/a", "Connection: close"),
        get("/a", "Connection: Close, x"),
        get("/nowhere", "Connection: close"),
    ],
    sees="1 1 404",
)
scenario(
    "large answers arrive whole",
    ONE,
    [get("/a?size=1000000"), get("/a?chunked=30000&size=500000"), get("/a?eof=1&size=300000")],
    sees="1 1 1",
)
scenario(
    "an idle connection is closed after KeepAliveTimeout",
    "KeepAliveTimeout 500ms\n" + ONE,
    [get("/a", on="k"), raw(b"", responses=1, on="k", logged=False)],
    sees="1 none",
)
scenario(
    "a range of an answer that the member gave whole",
    ONE,
    get("/a?size=100", "Range: bytes=0-9"),
    sees="206",
)
scenario(
    "a HEAD answered in chunks leaves the connection clean",
    ONE,
    [
        request("HEAD", "/a?chunked=3", on="c"),
        get("/a?n=2", on="c"),
        request("HEAD", "/a?eof=1", on="c"),
        get("/a?n=4", on="c"),
        get("/a?status=304&chunked=2", on="c"),
        get("/a?n=6", on="c"),
        get("/a?status=204", on="c"),
        get("/a?n=8", on="c"),
    ],
    sees="1 1 1 1 304 1 204 1",
)
for charset in ("UTF-8", "On", "Off"):
    scenario(
        f"AddDefaultCharset {charset}",
        f"""\
AddDefaultCharset {charset}
<Location /off>
AddDefaultCharset Off
</Location>
<Location /set>
Header set Content-Type text/html
</Location>
<Location /no>
Require all denied
</Location>
"""
        + DIRECT,
        [
            get(f"{path}?h=Content-Type:%20{kind}")
            for path, kind in (
                ("/", "text/html"),
                ("/", "TEXT/Plain"),
                ("/", "text/plain;%20charset=x"),
                ("/", "text/html;%20a=b"),
                ("/", "text/html%20"),
                ("/", "text/css"),
                ("/off", "text/html"),
                ("/set", "text/css"),
            )
        ]
        + [
            get("/"),
            get("/no"),
            get("/?status=304&h=Content-Type:%20text/html"),
            get("/?status=404&h=Content-Type:%20text/html"),
            request("HEAD", "/?h=Content-Type:%20text/html"),
        ],
        sees="1 1 1 1 1 1 1 1 1 403 304 404 1",
    )
scenario(
    "Braces before any tag of a header value",
    "Header set B [%e]\nHeader set D [%{x}s%s]\nHeader set E %{}e\n"
    + "Header edit B (.*) %{}e-%e\n"
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "an announcement of chunks in an answer to HEAD stays where it was",
    "Header set A b\nHeader always set B c\nProxyVia On\n" + ONE,
    [
        request("HEAD", "/a?chunked=3&size=10&h=X:%20y"),
        request("HEAD", "/a?chunked=3&size=10&h=X:%20y", version="1.0"),
        request("HEAD", "/a?chunked=3&size=10", "Connection: keep-alive", version="1.0"),
        request("HEAD", "/a?status=304&h=Transfer-Encoding:%20chunked"),
        get("/a?status=304&h=Transfer-Encoding:%20chunked"),
        request("HEAD", "/a?eof=1"),
    ],
    sees="1 1 1 304 304 1",
)
WARNED = (
    b'110 x "a"',
    b'110 x "a" "Sun, 06 Nov 1994 08:49:37 GMT"',
    b'110 x "a" "Sunday, 06-Nov-94 08:49:37 GMT"',
    b'110 x "a" "Sun, 06 Nov 1994 08:49:38 GMT"',
    b'110 x "a" "whenever"',
    b'110 x "a" "Sun, 06 Nov 1994 08:49:37 GMT", 199 y "b" "Sun, 06 Nov 1994 08:49:38 GMT",299 - "c"',
    b'110 x "a" trailing',
    b"nonsense",
)
scenario(
    "warnings stand alone behind the cookies",
    "Header set A b\nProxyVia On\n" + ONE,
    [
        get("/a?" + wish(h=[b"Warning: " + text, "Set-Cookie: a=b", "Z: z"], **plain))
        for text in WARNED
        for plain in ({}, {"plain": True})
    ]
    + [get("/a?" + wish(h=["Warning: " + '110 x "a"', "Via: 1.1 q", "warning: " + '111 y "b"']))],
    sees=" ".join(["1"] * 17),
)
scenario(
    "an answer that is no line",
    ONE,
    [answered(b"abc"), answered(b"abc\n"), answered(b"HTTP/1.1 103 E\r\n\r\nabc"), answered(b"a\nb")],
    sees="502 200 502 200",
)
scenario(
    "codings of a member that nobody can take off",
    ONE,
    [
        answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n3\r\nabc\r\n0\r\n\r\n" % coding)
        for coding in (b"cow", b"gzip, chunked", b"chunked\r\nTransfer-Encoding: chunked")
    ],
    sees="200 200 200",
)
scenario(
    "identity in an answer to HEAD",
    ONE,
    request("HEAD", "/a?" + wish(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n")),
    sees="500",
)
scenario(
    "a status below 100",
    ONE,
    [
        answered(b"HTTP/1.1 %s OK\r\nContent-Length: 3\r\n\r\nabc" % status)
        for status in (b"099", b"000")
    ],
    sees="099 000",
)
OLD = """\
SetEnvIf X-Old . downgrade-1.0
SetEnvIf X-Forced . force-response-1.0
"""
scenario(
    "answers that are forced to be of HTTP/1.0",
    OLD + DIRECT + "ProxyPass /d http://${DEAD}\n",
    [
        get("/", "X-Old: 1", "X-Forced: 1"),
        get("/", "X-Old: 1"),
        get("/", "X-Forced: 1"),
        get("/", "X-Forced: 1", version="1.0"),
        get("/?chunked=3&body=abcdef", "X-Old: 1", "X-Forced: 1"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "the answer to OPTIONS * is left alone by Header",
    "Header set X-A 1\nHeader always set X-B 1\n" + DIRECT,
    [request("OPTIONS", "*"), request("OPTIONS", "/")],
    sees="200 1",
)
scenario(
    "answers to paths that look like names of files",
    "LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so\nTypesConfig /dev/null\n"
    "AddLanguage de .de\nAddEncoding x-gzip .gz\nAddType text/css .css\n" + DIRECT,
    [
        get("/x.de"),
        get("/x.gz"),
        get("/x.css?" + wish(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Member: M1\r\n\r\nhi")),
    ],
)
