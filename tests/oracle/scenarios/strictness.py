"""Malformed and extreme requests."""

from scenario import DIRECT, ONE, get, half_close, raw, receive, scenario, send_bytes


def line(text):
    return raw(text + b" HTTP/1.1\r\nHost: x\r\n\r\n")


def head(*lines):
    return raw(
        b"GET /a HTTP/1.1\r\nHost: x\r\n" + b"".join(one + b"\r\n" for one in lines) + b"\r\n"
    )


def body(*lines, data=b""):
    joined = b"".join(one + b"\r\n" for one in lines)
    return raw(b"POST /a HTTP/1.1\r\nHost: x\r\n" + joined + b"\r\n" + data)


scenario(
    "malformed request lines are refused",
    ONE,
    [
        line(b"GET  /a"),
        line(b"GET /a "),
        line(b" GET /a"),
        line(b"G@T /a"),
        line(b"GET\t/a"),
        line(b"GET /a b"),
        line(b"GET a"),
        line(b"GET /a#frag"),
        line(b"GET /a\x01"),
        line(b"GET /a\x7f"),
        line(b"GET"),
        line(b""),
        line(b"GET *"),
        line(b"GET http://x y/a"),
    ],
    sees="400 400 400 400 400 400 400 400 400 400 400 400 400 400",
)
scenario(
    "a client that stops in the middle of its header fields",
    ONE,
    [
        send_bytes(b"GET /a HTTP/1.1\r\nHost: x", on="c"),
        half_close("c"),
        receive("c"),
        get("/a"),
    ],
    sees="400 1",
)
scenario(
    "protocol versions that are refused",
    ONE,
    [
        raw(b"GET /a HTTP/%s\r\nHost: x\r\n\r\n" % v)
        for v in (b"0.8", b"1.10", b"1", b"1.", b".1", b"1.1x", b"11")
    ]
    + [raw(b"GET /a http/1.1\r\nHost: x\r\n\r\n"), raw(b"GET /a HTTPS/1.1\r\nHost: x\r\n\r\n")],
    sees="400 400 400 400 400 400 400 400 400",
)
scenario(
    "malformed header lines are refused",
    ONE,
    [
        head(b"NoColon"),
        head(b"X-Blank : 1"),
        head(b": empty"),
        head(b"X@Y: 1"),
        head(b"X Y: 1"),
        head(b"X-C: a\x01b"),
        head(b"X-Nul: a\x00b"),
        head(b"X-Del: a\x7fb"),
        head(b"X-High: \xff\xfe"),
        head(b" X-First: folded"),
    ],
    sees="400 400 400 400 400 400 400 400 1 400",
)
scenario(
    "encodings in paths that are refused",
    ONE,
    [get(f"/a/{p}") for p in ("%zz", "%", "%4", "%00", "%2e%2e/%2e%2e/x", "a%0d%0ab", "%80")],
    sees="400 400 400 404 400 1 1",
)
scenario(
    "blanks and controls in a forwarded query",
    "ProxyPass /n http://${M1} nocanon\n" + ONE,
    [
        line(b"GET /a?x\x80y"),
        line(b"GET /a?x%20y%00"),
        line(b"GET /n/x%20y%01?z"),
        line(b'GET /a?<>"{}|^`\\'),
    ],
    sees="1 1 1 1",
)
scenario(
    "missing and repeated Host headers",
    ONE,
    [
        raw(b"GET /a HTTP/1.1\r\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\nHost:\r\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
        raw(b"GET /a HTTP/1.0\r\nHost: a..b\r\n\r\n"),
    ],
    sees="400 400 400 400 400",
)
scenario(
    "lengths that are refused",
    ONE,
    [
        body(b"Content-Length: 0", b"Content-Length: 0"),
        body(b"Content-Length: 3", b"Content-Length: 4", data=b"abc"),
        body(b"Content-Length: +3", data=b"abc"),
        body(b"Content-Length: -3", data=b"abc"),
        body(b"Content-Length: 3x", data=b"abc"),
        body(b"Content-Length: 0x3", data=b"abc"),
        body(b"Content-Length: 3, 3", data=b"abc"),
        body(b"Content-Length:", data=b"abc"),
        body(b"Content-Length: 99999999999999999999", data=b"abc"),
    ],
    sees="400 400 400 400 400 400 400 400 400",
)
scenario(
    "an empty line before a request is skipped",
    ONE,
    [
        raw(b"\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
        raw(b"\r\n" * 10 + b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
    ],
    mask=((r" I=\d+", " I=."),),
    sees="1 1",
)
scenario(
    "request lines at their limit",
    ONE,
    [get("/a?" + "x" * n) for n in (8160, 8172, 8173, 8174, 8175, 8176, 9000)],
    sees="1 1 1 1 1 414 414",
)
scenario(
    "LimitRequestLine changes the limit",
    "LimitRequestLine 100\n" + ONE,
    [get("/a?" + "x" * n) for n in (80, 82, 83, 84, 85, 86, 200)],
    sees="1 1 1 1 1 414 414",
)
scenario(
    "header fields at their limits",
    ONE,
    [get("/a", "X-Long: " + n * "l") for n in (8000, 8182, 8183, 8184, 8190, 9000)]
    + [get("/a", *[f"X-{i}: {i}" for i in range(n)]) for n in (98, 99, 100, 101)],
    sees="1 1 1 400 400 400 1 1 400 400",
)
scenario(
    "LimitRequestFields and LimitRequestFieldSize change the limits",
    "LimitRequestFields 5\nLimitRequestFieldSize 50\n" + ONE,
    [get("/a", *[f"X-{i}: {i}" for i in range(n)]) for n in (4, 5)]
    + [get("/a", "X-L: " + "l" * n) for n in (40, 44, 45, 46, 60)]
    + [get("/a", "X-L: " + "l" * 30, "X-L: " + "m" * 30)],
    sees="1 400 1 1 1 1 400 400",
)
scenario(
    "transfer encodings that are refused",
    ONE,
    [
        body(b"Transfer-Encoding: gzip", data=b"abc"),
        body(b"Transfer-Encoding: chunked, gzip", data=b"abc"),
        body(b"Transfer-Encoding: identity", data=b"abc"),
        body(b"Transfer-Encoding:", data=b"abc"),
    ],
    sees="400 400 400 400",
)

# What follows is where steelyard is deliberately stricter: see deviations.py.

scenario(
    "Content-Length beside Transfer-Encoding",
    ONE,
    body(b"Content-Length: 3", b"Transfer-Encoding: chunked", data=b"3\r\nabc\r\n0\r\n\r\n"),
    sees="1",
)
scenario(
    "an obsolete folded header line",
    ONE,
    head(b"X-Fold: one", b" two"),
    sees="1",
)
scenario(
    "a request of HTTP/0.9",
    ONE,
    raw(b"GET /a\r\n", logged=False),
    sees="0.9",
)
scenario(
    "a coding before chunked",
    ONE,
    body(b"Transfer-Encoding: gzip, chunked", data=b"0\r\n\r\n"),
    sees="500",
)
scenario(
    "Transfer-Encoding in HTTP/1.0",
    ONE,
    raw(b"POST /a HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    sees="1",
)
scenario(
    "a bare line feed in the head",
    ONE,
    [
        raw(b"GET /a HTTP/1.1\nHost: x\r\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\nHost: x\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\nHost: x\r\nX-CR: a\rb\r\n\r\n"),
    ],
    sees="400 400 400",
)
scenario(
    "bare line feeds in a chunked body",
    ONE,
    [
        body(b"Transfer-Encoding: chunked", data=b"3\nabc\n0\n\n"),
        body(b"Transfer-Encoding: chunked", data=b"3 \r\nabc\r\n0\r\n\r\n"),
        body(b"Transfer-Encoding: chunked", data=b"3\r\nabc\r\n0\r\nX-T: 1\n\r\n"),
    ],
    sees="400 1 400",
)
scenario(
    "an absolute target without a host",
    ONE,
    line(b"GET http:///a"),
    sees="1",
)
scenario(
    "a refused path is logged as far as it could be read",
    ONE,
    [
        get(path)
        for path in (
            "/a/%00",
            "/a/b%00c/%2f/d",
            "/a//%2fx%00",
            "/a%00/../x",
            "/%2e%2e%00",
            "/a%2f%2500",
            "/a/%00%zz",
        )
    ],
    sees="404 404 404 404 404 404 400",
)
scenario(
    "a refused path with AllowEncodedSlashes",
    "AllowEncodedSlashes NoDecode\n" + ONE,
    [get("/a/%2f%00"), get("/a/%2F/b%00c")],
    sees="404 404",
)
scenario(
    "a folded trailer",
    ONE,
    body(b"Transfer-Encoding: chunked", data=b"3\r\nabc\r\n0\r\nT: 1\r\n more\r\n\r\n"),
    sees="1",
)
scenario(
    "chunk extensions of 20 kilobytes",
    ONE,
    body(
        b"Transfer-Encoding: chunked",
        data=20 * (b"1;" + 1000 * b"x" + b"\r\na\r\n") + b"0\r\n\r\n",
    ),
    sees="1",
)
scenario(
    "HTTP2-Settings that Connection does not name",
    ONE,
    get("/a", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    sees="1",
)
scenario(
    "odd ports in an absolute target",
    ONE,
    [get("http://x.test:/a"), get("http://x.test:0/a"), get("http://x.test:99999/a")],
    sees="1 1 1",
)
scenario(
    "an edited value of 400 kilobytes",
    f"Header edit* X-Out . {'y' * 1000}\n" + DIRECT,
    [get("/?h=X-Out:%20" + "x" * 400), get("/?h=X-Out:%20" + "x" * 200)],
    sees="1 1",
)
