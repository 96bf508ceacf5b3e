"""mod_remoteip: whose word counts about where a request comes from.

%{remote}p, by which a transcript finds access-log lines, is one of the things that change here, so
the lines are compared in a log of their own.
"""

import struct

from scenario import get, raw, scenario

LOAD = "LoadModule remoteip_module /usr/lib/apache2/modules/mod_remoteip.so\n"
TOLD = (
    LOAD + 'LogFormat "%a %{c}a %h by=%{remoteip-proxy-ip-list}n >%>s %U" told\n'
    "CustomLog told.log told\n"
    'RequestHeader set X-Told "expr=%{REMOTE_ADDR} %{CONN_REMOTE_ADDR}"\n'
    "SetEnvIf Remote_Addr (.*) SEEN=$1\nHeader set X-Seen %{SEEN}e\n"
)
HEADER = "RemoteIPHeader X-Forwarded-For\nRemoteIPProxiesHeader X-By\n"
ONE = "ProxyPass / http://${M1}/\n"
PROXY = "RemoteIPProxyProtocol On\n"


def said(*values, name="X-Forwarded-For"):
    return [get(f"/{number}", f"{name}: {value}", logged=False) for number, value in
            enumerate(values)]


def after(*headers, path="/x", more=b""):
    """A request behind each header of the PROXY protocol; `none`: the connection is closed."""
    request = b"GET %s HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n%s\r\n"
    return [raw(header + request % (path.encode(), more), logged=False) for header in headers]


def binary(command, family, rest):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", command, family, len(rest)) + rest


FOUR = bytes([1, 2, 3, 4, 5, 6, 7, 8]) + struct.pack(">HH", 1111, 80)
SIX = bytes.fromhex("20010db8" + 23 * "0" + "1" + "20010db8" + 23 * "0" + "2") + struct.pack(
    ">HH", 2222, 80
)
LINE = b"PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n"

scenario(
    "without a list everybody may name a client that is no private address",
    TOLD + HEADER + ONE,
    said(
        "9.9.9.9", "8.8.8.8, 9.9.9.9", "10.0.0.1", "8.8.8.8, 10.0.0.1, 9.9.9.9", "9.9.9.9,",
        "8.8.8.8,\t9.9.9.9", "9.9.9.9:80", "[2001:db8::1]", "2001:db8::1",
        "2001:DB8:0::1", "::ffff:9.9.9.9", "fe80::1", "::1", "100.64.0.1", "0.0.0.0",
        "8.8.8.8, 172.16.0.1 , 9.9.9.9", "192.168.1.1", "169.254.0.1", "127.0.0.1", ",",
        "7.7.7.7,8.8.8.8,9.9.9.9",
    )
    + [
        get("/two", "X-Forwarded-For: 8.8.8.8", "X-Forwarded-For: 7.7.7.7", logged=False),
        get("/by", "X-Forwarded-For: 8.8.8.8", "X-By: forged", logged=False),
        get("/none", "X-By: forged", logged=False),
    ],
    sees=" ".join(24 * "1"),
    logs=("told.log",),
)  # fmt: skip
scenario(
    "an internal proxy may name private addresses and is not told of",
    TOLD
    + HEADER
    + "RemoteIPInternalProxy 127.0.0.1 10.0.0.0/8\nRemoteIPTrustedProxy 192.168.0.0/16 8.8.0.0/16\n"
    + ONE,
    said(
        "9.9.9.9",
        "1.1.1.1, 10.0.0.9",
        "1.1.1.1, 11.0.0.9",
        "9.9.9.9, 172.16.0.1",
        "9.9.9.9, 8.8.8.8, 10.0.0.2",
        "9.9.9.9, 192.168.1.1",
        "10.1.1.1, 192.168.1.1",
        "9.9.9.9, 10.0.0.3, 10.0.0.2",
        "7.7.7.7, 9.9.9.9, 8.8.8.8, 8.8.4.4",
    ),
    sees=" ".join(9 * "1"),
    logs=("told.log",),
)
scenario(
    "whoever is on no list names nobody",
    TOLD + HEADER + "RemoteIPTrustedProxy 10.0.0.0/8\n" + ONE,
    said("9.9.9.9", "10.0.0.1, 9.9.9.9"),
    sees="1 1",
    logs=("told.log",),
)
scenario(
    "lists of the main server and of a virtual host count together",
    TOLD
    + "RemoteIPInternalProxy 127.0.0.1\nRemoteIPHeader X-Other\n<VirtualHost *:${PORT}>\n"
    + HEADER
    + "RemoteIPTrustedProxy 8.8.8.8\n"
    + 'RequestHeader set X-Told "expr=%{REMOTE_ADDR}"\n'
    + ONE
    + "</VirtualHost>\n",
    said("9.9.9.9, 10.0.0.1", "9.9.9.9, 8.8.8.8, 8.8.8.8", "10.9.9.9, 8.8.8.8"),
    sees="1 1 1",
    logs=("told.log",),
)
scenario(
    "a virtual host that trusts an address beats the main server that calls it internal",
    TOLD
    + "RemoteIPInternalProxy 127.0.0.1\n<VirtualHost *:${PORT}>\n"
    + HEADER
    + "RemoteIPTrustedProxy 127.0.0.1\n"
    + ONE
    + "</VirtualHost>\n",
    said("10.9.9.9", "9.9.9.9"),
    sees="1 1",
    logs=("told.log",),
)
scenario(
    "proxies by name and from a file",
    TOLD
    + "RemoteIPHeader Client-IP\nRemoteIPInternalProxy localhost\nRemoteIPTrustedProxyList list\n"
    + ONE,
    said("9.9.9.9", "7.7.7.7, 10.1.1.1", "7.7.7.7, 8.8.8.8", name="Client-IP"),
    files={"list": "# who\n\n10.1.0.0/16   8.8.8.8 # and no more\n"},
    sees="1 1 1",
    logs=("told.log",),
)
scenario(
    "access is decided by the client that was named",
    TOLD
    + HEADER
    + "<Location />\nRequire ip 9.9.9.0/24\n</Location>\n"
    + "<Location /local>\nRequire local\n</Location>\n"
    + ONE,
    said("9.9.9.9", "9.9.8.9", "10.0.0.1, 9.9.9.1", "127.0.0.1")
    + [
        get("/local", "X-Forwarded-For: 9.9.9.9", logged=False),
        get("/local", "X-Forwarded-For: 127.0.0.1", logged=False),
        get("/local", logged=False),
    ],
    sees="1 403 1 403 403 1 1",
    logs=("told.log",),
)
scenario(
    "an early rule comes before the client is named",
    TOLD + HEADER + "RequestHeader set X-Forwarded-For 7.7.7.7 early\n" + ONE,
    said("9.9.9.9"),
    sees="1",
    logs=("told.log",),
)
scenario(
    "a client is named once though rules send the request round",
    TOLD
    + "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\n"
    + HEADER
    + "<Location /a>\nRewriteEngine On\nRewriteRule ^ /b\n</Location>\nProxyPass /b http://${M1}/\n",
    [get("/a", "X-Forwarded-For: 7.7.7.7, 8.8.8.8, 9.9.9.9", logged=False)],
    sees="1",
)
scenario(
    "a header of the PROXY protocol names the client",
    TOLD + PROXY + ONE,
    after(
        LINE,
        b"PROXY TCP6 2001:db8::1 ::1 1111 80\r\n",
        b"PROXY UNKNOWN ffff:f foo bar\r\n",
        b"PROXY UNKNOWN " + 92 * b"x" + b"\r\n",
        binary(0x21, 0x11, FOUR),
        binary(0x21, 0x21, SIX),
        binary(0x20, 0, b""),
        binary(0x20, 0x11, FOUR),
        binary(0x21, 0x11, FOUR + b"\4\0\3abc"),
        binary(0x21, 0x11, FOUR + 204 * b"z"),
    ),
    sees=" ".join(10 * "1"),
    logs=("told.log",),
)
scenario(
    "without a proper header of the PROXY protocol the connection is closed",
    TOLD + PROXY + ONE,
    after(
        b"",
        b"proxy TCP4 1.2.3.4 5.6.7.8 1111 80\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 x 80\r\n",
        b"PROXY TCP4 256.2.3.4 5.6.7.8 1111 80\r\n",
        b"PROXY TCP4 1.2.3.x 5.6.7.8 1111 80\r\n",
        b"PROXY TCP4 09.8.7.6 5.6.7.8 1111 80\r\n",
        b"PROXY TCP5 1.2.3.4 5.6.7.8 1111 80\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8\r\n",
        b"PROXY UNKNOWN " + 93 * b"x" + b"\r\n",
        binary(0x21, 0, b""),
        binary(0x21, 0x12, FOUR),
        binary(0x21, 0x31, 216 * b"a"),
        binary(0x22, 0x11, FOUR),
        binary(0x31, 0x11, FOUR),
        binary(0x21, 0x11, FOUR[:8]),
        binary(0x21, 0x21, SIX[:20]),
        binary(0x20, 0, 300 * b"z"),
    ),
    sees=" ".join(18 * ["none"]),
    logs=("told.log",),
)
scenario(
    "the PROXY protocol beats the header and leaves it alone",
    TOLD + PROXY + HEADER + ONE,
    after(LINE, binary(0x20, 0, b""), more=b"X-Forwarded-For: 9.9.9.9\r\n"),
    sees="1 1",
    logs=("told.log",),
)
for name, conf, sees in (
    ("a virtual host takes the PROXY protocol off its address",
     PROXY + "<VirtualHost *:${PORT}>\nRemoteIPProxyProtocol Off\n%s</VirtualHost>\n", "1 400"),
    ("what a wildcard takes off no address puts on",
     "RemoteIPProxyProtocol Off\n<VirtualHost 127.0.0.1:${PORT}>\nServerName lb.test\n" + PROXY + "%s</VirtualHost>\n",
     "1 400"),
    ("the last of two virtual hosts on one address decides",
     "<VirtualHost *:${PORT}>\nRemoteIPProxyProtocol Off\n%s</VirtualHost>\n"
     "<VirtualHost *:${PORT}>\nServerName other\n" + PROXY + "</VirtualHost>\n", "none 1"),
    ("another address speaks the PROXY protocol",
     "<VirtualHost 127.0.0.9:${PORT}>\n" + PROXY + "</VirtualHost>\n%s", "1 400"),
    ("some clients are excepted from the PROXY protocol",
     PROXY + "RemoteIPProxyProtocolExceptions 10.0.0.0/8 127.0.0.0/8\n%s", "1 400"),
    ("other clients are excepted from the PROXY protocol",
     PROXY + "RemoteIPProxyProtocolExceptions 10.0.0.0/8\n%s", "none 1"),
    ("an exception in a virtual host",
     "<VirtualHost *:${PORT}>\nRemoteIPProxyProtocolExceptions 127.0.0.1\n" + PROXY
     + "%s</VirtualHost>\n", "1 400"),
):  # fmt: skip
    scenario(name, LOAD + conf % ONE, after(b"", LINE), sees=sees)
for number, line in enumerate(
    (
        "RemoteIPInternalProxy 10.0.0.0/77",
        "RemoteIPTrustedProxy nosuch.invalid",
        "RemoteIPProxyProtocol Optional",
        "RemoteIPHeader A B",
        "RemoteIPInternalProxyList nosuchfile",
        "RemoteIPProxyProtocolExceptions localhost",
        "<Location />\nRemoteIPHeader A\n</Location>",
        "<Location />\nRemoteIPProxyProtocol On\n</Location>",
    )
):
    scenario(
        f"a line about remote addresses that is refused {number}",
        LOAD + line + "\n",
        check_only=True,
        sees="refused",
    )
scenario(
    "a line without dport in the PROXY protocol",
    TOLD + PROXY + ONE,
    after(b"PROXY TCP4 1.2.3.4 5.6.7.8 1111\r\n"),
    sees="1",
)
scenario(
    "numbers in the PROXY protocol that are none",
    TOLD + PROXY + ONE,
    after(
        b"PROXY TCP4 1.2.3.4 5.6.7.8 99999 80\r\n",
        b"PROXY TCP4 1.2.3 5.6.7.8 1111 80\r\n",
        b"PROXY  TCP4  1.2.3.4  5.6.7.8  1111  80\r\n",
        b"PROXY TCP4 010.8.7.6 5.6.7.8 1111 80\r\n",
    ),
    sees="1 1 1 1",
)
scenario(
    "an IPv4 address in the form of IPv6 in the PROXY protocol",
    TOLD + PROXY + ONE,
    after(b"PROXY TCP6 ::ffff:9.8.7.6 ::1 1111 80\r\n"),
    sees="1",
    logs=("told.log",),
)
scenario(
    "the shortest header of the PROXY protocol",
    TOLD + PROXY + ONE,
    after(b"PROXY UNKNOWN\r\n"),
    sees="none",
)
scenario(
    "an empty element of X-Forwarded-For",
    TOLD + HEADER + ONE,
    said("", ",9.9.9.9", " , 9.9.9.9"),
    sees="1 1 1",
    logs=("told.log",),
)
scenario(
    "a client behind a hundred proxies",
    TOLD + HEADER + ONE,
    said(*(", ".join(f"9.9.9.{n}" for n in range(hops, 0, -1)) for hops in (99, 100))),
    sees="1 1",
    logs=("told.log",),
)
scenario(
    "a client behind more than a hundred proxies",
    TOLD + HEADER + ONE,
    said(", ".join(f"9.9.9.{n}" for n in range(101, 0, -1))),
    sees="1",
    logs=("told.log",),
)
scenario(
    "half an address in RemoteIPHeader",
    TOLD + HEADER + ONE,
    said("9.9.9", "0x9.9.9.9"),
    sees="1 1",
    logs=("told.log",),
)
