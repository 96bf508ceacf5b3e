"""Request bodies: framing, prefetch, expectations, and what goes wrong with them."""

from scenario import (
    ONE,
    TWO,
    get,
    half_close,
    hang_up,
    post,
    raw,
    receive,
    receive_interim,
    request,
    scenario,
    send,
    send_bytes,
)

scenario(
    "a body with a length keeps it",
    ONE,
    [post("/a", b"abc"), post("/a", b""), post("/a", b"z" * 15000), post("/a", b"z" * 100000)],
    sees="1 1 1 1",
)
scenario(
    "a small chunked body arrives with a length",
    ONE,
    [
        request("POST", "/a", chunks=[b"abc"]),
        request("POST", "/a", chunks=[b"a", b"bc", b"def" * 1000]),
        request("POST", "/a", chunks=[]),
        request("POST", "/a", "Trailer: X-T", chunks=[b"abc"], trailers=["X-T: 1"]),
    ],
    sees="1 1 1 1",
)
scenario(
    "chunked bodies around the prefetch limit",
    ONE,
    [
        request("POST", "/a", chunks=[b"q" * n])
        for n in (16000, 16303, 16304, 16305, 16384, 16385, 40000)
    ],
    sees="1 1 1 1 1 1 1",
)
scenario(
    "proxy-sendcl spools a large chunked body",
    "SetEnv proxy-sendcl\n" + ONE,
    [
        request("POST", "/a", chunks=[b"x" * 9000, b"y" * 31000]),
        request("POST", "/a", chunks=[b"abc"]),
    ],
    sees="1 1",
)
scenario(
    "proxy-sendchunked streams in chunks",
    "SetEnv proxy-sendchunked\n" + ONE,
    [
        request("POST", "/a", chunks=[b"x" * 9000, b"y" * 31000]),
        post("/a", b"x" * 40000),
        post("/a", b"abc"),
    ],
    sees="1 1 1",
)
scenario(
    "an older member gets a length for every body",
    "SetEnv force-proxy-request-1.0\n" + ONE,
    [request("POST", "/a", chunks=[b"x" * 40000]), post("/a", b"x" * 40000)],
    sees="1 1",
)
scenario(
    "GET and HEAD and DELETE keep their bodies",
    ONE,
    [
        request("GET", "/a", body=b"abc"),
        request("HEAD", "/a", body=b"abc"),
        request("DELETE", "/a", body=b"abc"),
        request("PUT", "/a", chunks=[b"abc"]),
        request("PATCH", "/a", body=b""),
        request("POST", "/a"),
    ],
    sees="1 1 1 1 1 1",
)
scenario(
    "chunk extensions and odd sizes are dropped",
    ONE,
    [
        raw(
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
            b" chunked\r\n\r\n003;a=b\r\nabc\r\n0;z\r\n\r\n"
        ),
        raw(
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
            b" Chunked\r\n\r\nA\r\n0123456789\r\n0000\r\n\r\n"
        ),
    ],
    sees="1 1",
)
scenario(
    "an expectation is passed on and answered by the member",
    ONE,
    [
        send(
            "/a", "Expect: 100-continue", "Content-Length: 5", method="POST", on="c", reaches="M1"
        ),
        receive_interim("c"),
        send_bytes(b"hello", on="c"),
        receive("c", method="POST"),
    ],
    sees="interim 1",
)
scenario(
    "a body sent without waiting for 100 is forwarded too",
    ONE,
    post("/a", b"hello", "Expect: 100-continue"),
    sees="1",
)
scenario(
    "Proxy100Continue Off answers 100 itself",
    "Proxy100Continue Off\n" + ONE,
    [
        send("/a", "Expect: 100-continue", "Content-Length: 5", method="POST", on="c"),
        receive_interim("c"),
        send_bytes(b"hello", on="c"),
        receive("c", method="POST"),
    ],
    sees="interim 1",
)
scenario(
    "a final answer instead of 100",
    ONE,
    [
        send(
            "/a?status=401&early=1&close=1",
            "Expect: 100-continue",
            "Content-Length: 5",
            method="POST",
            on="c",
        ),
        receive("c", method="POST"),
    ],
    sees="401",
)
scenario(
    "ping asks for 100 on behalf of a client that did not",
    "ProxyPass /a http://${M1} ping=2\n",
    [post("/a", b"hello"), get("/a"), request("POST", "/a", chunks=[b"x" * 20000])],
    sees="1 1 1",
)
scenario(
    "a chunked body that came with its head has a length for who is pinged",
    "ProxyPass /a http://${M1} ping=2\n"
    "BalancerMember balancer://c http://${M2} ping=2\nProxyPass /c balancer://c\n",
    [
        [
            request("POST", path, chunks=[b"abc"]),
            request("POST", path, chunks=[b"a", b"bc", b"d" * 2000]),
            request("POST", path, chunks=[]),
            request("PUT", path, "Trailer: X-T", chunks=[b"abc"], trailers=["X-T: 1"]),
            request("GET", path, chunks=[b"abc"]),
        ]
        for path in ("/a", "/c")
    ],
    sees="1 1 1 1 1 2 2 2 2 2",
)
scenario(
    "who is pinged is asked before the rest of a chunked body is here",
    "ProxyPass /a http://${M1} ping=2\n",
    [
        send("/a", "Transfer-Encoding: chunked", method="POST", on="c", reaches="M1"),
        send_bytes(b"3\r\nabc\r\n0\r\n\r\n", on="c"),
        receive("c", method="POST"),
    ],
    sees="1",
)
scenario(
    "an expectation and a chunked body that came with its head",
    ONE,
    request("POST", "/a", "Expect: 100-continue", chunks=[b"abc"]),
    sees="1",
)
scenario(
    "proxy-sendcl and an expectation",
    "SetEnv proxy-sendcl\nProxyPass /p http://${M1} ping=2\n" + ONE,
    [
        [
            send(
                path,
                "Expect: 100-continue",
                "Transfer-Encoding: chunked",
                method="POST",
                on=path,
            ),
            receive_interim(path),
            send_bytes(b"5\r\nhello\r\n0\r\n\r\n", on=path),
            receive(path, method="POST"),
            request("POST", path, "Expect: 100-continue", chunks=[b"abc"]),
        ]
        for path in ("/a", "/p")
    ],
    sees="interim 1 1 interim 1 1",
)
scenario(
    "proxy-sendcl and a member that is pinged",
    "SetEnv proxy-sendcl\nProxyPass /a http://${M1} ping=2\n",
    [
        request("POST", "/a", chunks=[b"abc"]),
        request("POST", "/a", chunks=[b"x" * 9000, b"y" * 31000]),
        send("/a", "Transfer-Encoding: chunked", method="POST", on="c"),
        send_bytes(b"3\r\nabc\r\n", on="c"),
        send_bytes(b"0\r\n\r\n", on="c"),
        receive("c", method="POST"),
        post("/a", b"z" * 40000),
    ],
    sees="1 1 1 1",
)
scenario(
    "proxy-sendcl and Proxy100Continue Off with a member that is pinged",
    "SetEnv proxy-sendcl\nProxy100Continue Off\nProxyPass /a http://${M1} ping=2\n",
    [
        send("/a", "Expect: 100-continue", "Transfer-Encoding: chunked", method="POST", on="c"),
        receive_interim("c"),
        send_bytes(b"5\r\nhello\r\n0\r\n\r\n", on="c"),
        receive("c", method="POST"),
    ],
    sees="interim 1",
)
scenario(
    "proxy-sendcl and an expectation whose first member is down",
    "SetEnv proxy-sendcl\nBalancerMember balancer://c http://${DEAD}\n"
    "BalancerMember balancer://c http://${M1}\nProxyPass / balancer://c/\n",
    [
        send("/", "Expect: 100-continue", "Transfer-Encoding: chunked", method="POST", on="c"),
        receive_interim("c"),
        send_bytes(b"5\r\nhello\r\n0\r\n\r\n", on="c"),
        receive("c", method="POST"),
    ],
    sees="interim 1",
)
scenario(
    "a member silent on its 100 is a 503",
    "ProxyPass /a http://${M1} ping=300ms\n",
    post("/a?no100=1&early=1&delay=2", b"hello"),
    sees="503",
)
scenario(
    "a member answers before it reads a body that is there",
    ONE,
    post("/a?early=1", b"x" * 5000),
    sees="1",
    ignore={"connections"},
)
scenario(
    "a member answers while the client still has body to send",
    ONE,
    [
        send("/a?early=1", "Content-Length: 200000", method="POST", on="c"),
        send_bytes(b"x" * 20000, on="c"),
        receive("c", method="POST", wait_s=0.7, logged=False),
    ],
    sees="none",
    ignore={"connections"},
)
scenario(
    "a client that stops in the middle of its body",
    ONE,
    [
        send("/a", "Content-Length: 10", method="POST", on="c"),
        send_bytes(b"abc", on="c"),
        half_close("c"),
        receive("c", method="POST"),
        get("/a"),
    ],
    sees="400 1",
)
scenario(
    "a client that stops in the middle of a chunk",
    ONE,
    [
        send("/a", "Transfer-Encoding: chunked", method="POST", on="c"),
        send_bytes(b"a\r\nabc", on="c"),
        half_close("c"),
        receive("c", method="POST"),
        get("/a"),
    ],
    sees="400 1",
)
scenario(
    "a bad chunk size is refused",
    ONE,
    [
        raw(
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
            b" chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"
        ),
        raw(
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
            b" chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n"
        ),
        raw(
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
            b" chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n"
        ),
    ],
    sees="400 400 400",
)
scenario(
    "a chunk size of seventeen digits",
    ONE,
    raw(
        b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:"
        b" chunked\r\n\r\n11111111111111111\r\nabc\r\n"
    ),
    sees="413",
)
scenario(
    "LimitRequestBody does not apply to proxied requests",
    "LimitRequestBody 1000\n" + ONE + "<Location /a/small>\nLimitRequestBody 10\n</Location>\n",
    [
        post("/a", b"x" * 1000),
        post("/a", b"x" * 1001),
        request("POST", "/a", chunks=[b"x" * 600, b"y" * 600]),
        post("/a/small", b"x" * 11),
        post("/a/small", b"x" * 10),
        post("/nowhere", b"x" * 1001),
    ],
    sees="1 1 1 1 1 413",
)
scenario(
    "a body that nobody wants is read so that the connection can go on",
    "ProxyPass /a http://${M1}\n<Location /a/no>\nRequire all denied\n</Location>\n",
    [
        post("/a/no", b"x" * 3000, on="c"),
        get("/a", on="c"),
        post("/nowhere", b"y" * 70000, on="d"),
        get("/a", on="d"),
    ],
    sees="403 1 404 1",
)
scenario(
    "pipelined requests are answered in order",
    ONE,
    [
        raw(
            (
                b"GET /a?n=1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /a?n=2 HTTP/1.1\r\nHost:"
                b" x\r\nContent-Length: 3\r\n\r\nabcPOST /a?n=3 HTTP/1.1\r\nHost:"
                b" x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\nGET /a?n=4"
                b" HTTP/1.1\r\nHost: x\r\n\r\n"
            ),
            responses=4,
            on="c",
        ),
        get("/a?n=5", on="c"),
    ],
    sees="1 1 1 1 1",
    mask=((r" O=\d+", " O=."), (r" I=\d+", " I=.")),
)
scenario(
    "a request behind one that closes is not answered",
    ONE,
    [
        raw(
            (
                b"GET /a?n=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /a?n=2"
                b" HTTP/1.1\r\nHost: x\r\n\r\n"
            ),
            on="c",
        ),
        raw(
            b"GET /a?n=1&status=503 HTTP/1.1\r\nHost: x\r\n\r\nGET /a?n=2 HTTP/1.1\r\nHost:"
            b" x\r\n\r\n"
        ),
    ],
    sees="1 503",
)
scenario(
    "a client that goes away during the answer leaves the member usable",
    TWO + "ProxyPass / balancer://c/\n",
    [
        send("/?hold=go", on="c", reaches="M1"),
        hang_up("c"),
        get("/"),
        get("/"),
    ],
    sees="2 1",
    ignore={"connections"},
)
scenario(
    "RequestReadTimeout cuts off a slow head and a slow body",
    "RequestReadTimeout header=1 body=1\n" + ONE,
    [
        send_bytes(b"GET /a HTTP/1.1\r\nHost: x\r\n", on="h"),
        receive("h", logged=False),
        send_bytes(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", on="b"),
        receive("b", method="POST", logged=False),
    ],
    sees="408 408",
)
scenario(
    "leave to send a body that nobody wants",
    "Redirect /r /to\n<Location /no>\nRequire all denied\n</Location>\n" + ONE,
    [
        request(method, path, "Expect: 100-continue", body=b"hello", on=path + method)
        for method, path in (("POST", "/none"), ("PUT", "/none"), ("POST", "/r"), ("POST", "/no"))
    ]
    + [get("/none", "Expect: 100-continue")],
    sees="404 405 302 403 404",
)
scenario(
    "an expectation of 1.0 closes",
    ONE,
    [
        get(path, "Connection: keep-alive", *expects, version="1.0")
        for path in ("/a", "/none")
        for expects in ((), ("Expect: 100-continue",))
    ],
    sees="1 1 404 404",
)
