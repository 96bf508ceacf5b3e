"""Requests that ask for another protocol: what goes out, and what becomes of the answers."""

from scenario import get, receive, scenario, send_bytes
from support.ask import wish
from support.server import MODULE_DIRECTORY

TUNNELS = f"LoadModule proxy_wstunnel_module {MODULE_DIRECTORY}/mod_proxy_wstunnel.so\n"
WS = """ProxyPass /ws ws://${M1}/ws
ProxyPass /some http://${M2}/some upgrade=websocket,foo
ProxyPass /any http://${M3}/any upgrade=ANY
ProxyPass /plain http://${M1}/plain
"""
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket")
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def asks(path, answer, *fields, **more):
    return get(f"{path}?" + wish(raw=answer, **more), *fields)


def named(status, protocol=b"websocket"):
    return b"HTTP/1.1 %s\r\nContent-Length: 2\r\nUpgrade: %s\r\n\r\nno" % (status, protocol)


scenario(
    "an answer other than 101 keeps a protocol that its member may change to",
    WS,
    [
        asks("/ws", named(b"426 Upgrade Required"), *WEBSOCKET, rawkeep=True),
        asks("/ws", named(b"200 OK"), *WEBSOCKET, rawkeep=True),
        asks("/ws", named(b"403 No", b"WebSocket"), *WEBSOCKET, rawkeep=True),
        asks("/any", named(b"200 OK", b"foo/1"), "Connection: Upgrade", "Upgrade: foo/1"),
        asks("/ws", named(b"200 OK"), "Connection: keep-alive, Upgrade", WEBSOCKET[1]),
        asks("/ws", named(b"426 Upgrade Required"), rawkeep=True),
        asks("/any", named(b"200 OK", b"bar"), "Connection: Upgrade", "Upgrade: foo"),
    ],
    sees="426 200 403 200 200 426 200",
)
scenario(
    "an answer other than 101 loses a protocol that its member may not change to",
    WS,
    [
        asks("/ws", named(b"426 Upgrade Required", b"h2c"), *WEBSOCKET, rawkeep=True),
        asks("/plain", named(b"426 Upgrade Required"), *WEBSOCKET, rawkeep=True),
        asks("/ws", named(b"200 OK", b"websocket, foo"), *WEBSOCKET, rawkeep=True),
    ],
    sees="426 426 200",
)
scenario(
    "of several protocols that a client asks for the first counts",
    WS,
    [
        get(path, "Connection: Upgrade", f"Upgrade: {protocols}")
        for path in ("/ws", "/some", "/any")
        for protocols in ("foo, websocket", "websocket, foo", "bar, foo", "websockets")
    ],
    sees="1 1 1 1 2 2 2 2 3 3 3 3",
)
scenario(
    "a member may change to one of several protocols",
    WS,
    [
        get("/some", *WEBSOCKET),
        get("/some", "Connection: Upgrade", "Upgrade: FOO"),
        get("/some", "Connection: Upgrade", "Upgrade: bar"),
    ],
    sees="2 2 2",
)


def tunnel(path, answer, *fields):
    """Asks on the connection `t` and gets the 101; the member has said its last word."""
    lines = "".join(f"{field}\r\n" for field in fields)
    query = wish(raw=answer)
    return [
        send_bytes(f"GET {path}?{query} HTTP/1.1\r\nHost: lb.test\r\n{lines}\r\n".encode(), on="t"),
        receive(on="t", wait_s=2),
    ]


scenario(
    "the client is told the name of the protocol as the member spells it",
    WS,
    tunnel("/ws", SWITCHED.replace(b"websocket", b"WebSocket"), *WEBSOCKET),
    sees="101",
)
scenario(
    "an upgrade that a client of HTTP/1.0 asks for",
    WS,
    [get(path, *WEBSOCKET, version="1.0") for path in ("/ws", "/some", "/any")],
    sees="1 2 3",
)
scenario(
    "an upgrade without the option that belongs to it",
    WS,
    [
        get("/ws", WEBSOCKET[1]),
        get("/any", "Upgrade: foo"),
    ],
    sees="1 3",
)
scenario(
    "ProxyWebsocketFallbackToProxyHttp On says what is so anyway",
    TUNNELS + "ProxyWebsocketFallbackToProxyHttp On\n<Location /x>\n"
    "ProxyWebsocketFallbackToProxyHttp On\n</Location>\n" + WS,
    [get("/ws", *WEBSOCKET), get("/ws")],
    sees="1 1",
)
scenario(
    "ProxyWebsocketFallbackToProxyHttp Off",
    TUNNELS + "ProxyWebsocketFallbackToProxyHttp Off\n" + WS,
    check_only=True,
    sees="ok",
)
