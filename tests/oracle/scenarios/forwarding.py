"""Requests to places that the client names (ProxyRequests), and other proxies on the way."""

from scenario import get, hang_up, post, raw, receive, request, scenario, send_bytes

MODULES = "/usr/lib/apache2/modules"
ON = """\
ProxyRequests On
<Proxy "*">
Require ip 127.0.0.0/8
</Proxy>
"""
CONNECTS = f"LoadModule proxy_connect_module {MODULES}/mod_proxy_connect.so\n" + ON
# The port is known when the scenario runs; httpd has no way to allow all but by a range.
ALL_PORTS = "AllowCONNECT 1-65535\n"

scenario(
    "a forward proxy asks the place that the client names",
    ON,
    [
        get("http://${M1}/a?q=1", host="${M1}"),
        get("http://${M2}/x", "Proxy-Authorization: Basic eDp5", "Proxy-Connection: keep-alive"),
        get("HTTP://${M1}", host="foreign.test"),
        request("HEAD", "http://${M1}/h"),
        request("FOO", "http://${M1}/h"),
    ],
    sees="1 2 1 1 1",
)
scenario(
    "a forward proxy sends paths on as they came",
    ON,
    [
        get("http://${M1}/a%2fb/../c%41;x=|y"),
        get("http://${M1}//evil.test//x"),
        get("http://${M1}/a:b@c/d?e=http://f/"),
        get("http://${M1}/%00"),
    ],
    sees="1 1 1 1",
)
scenario(
    "a forward proxy refuses what is no URL",
    ON,
    [
        get("http://${M1}/%zz"),
        get("http://${M1}/../../x"),
        get("http://user@${M1}/"),
        get("http://user:password@${M1}/"),
        get("http://127.0.0.1:1@${M1}/"),
        get("http://${M1}/x#fragment"),
        get("@${M1}/"),
    ],
    sees="400 400 400 400 400 400 400",
)
# Up to the next slash httpd takes all of it for the port.
scenario(
    "a forward proxy and a query without a path",
    "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n" + ON
    + "SSLProxyEngine On\nProxyBlock far.test\nProxyRemote http://far.test http://${M2}\n",
    [
        get("http://${M1}?q=1"),
        get("HTTP://${M1}?"),
        get("https://${M1}?/x", host="${M1}"),
        post("http://${M1}?q", b"hello"),
        get("http://far.test:80?q"),
        get("http://${M1}/?q"),
        get("http://${M1}"),
    ],
    sees="400 400 400 400 400 1 1",
)
scenario(
    "a forward proxy with bodies",
    ON,
    [
        post("http://${M1}/p", b"hello"),
        request("PUT", "http://${M1}/p", chunks=[b"some", b"thing"]),
        post("http://${M1}/p", b"x" * 40000),
    ],
    sees="1 1 1",
)
scenario(
    "TRACE through a forward proxy",
    ON + "<VirtualHost *:${PORT}>\nTraceEnable Off\n</VirtualHost>\n",
    request("TRACE", "http://${M1}/"),
    sees="405",
)
scenario(
    "a forward proxy tells nothing about its client",
    "ProxyVia On\n" + ON,
    get("http://${M1}/", "X-Forwarded-For: 9.9.9.9", "Via: 1.0 before"),
    sees="1",
)
scenario(
    "a forward proxy maps nothing back",
    ON + "ProxyPassReverse / http://${M1}/\nProxyPassReverseCookiePath / /x/\n",
    get("http://${M1}/?status=302&h=Location:%20http://${M1}/there&h=Set-Cookie:%20a=b;%20path=/"),
    sees="302",
)
scenario(
    "a virtual host answers for its own name and port itself",
    ON
    + """\
<VirtualHost *:${PORT}>
ServerName lb.test:${PORT}
ServerAlias other.test *.wild.test
ProxyPass / http://${M2}/
</VirtualHost>
""",
    [
        get("http://lb.test:${PORT}/a"),
        get("http://OTHER.test:${PORT}/a"),
        get("http://x.wild.test:${PORT}/a"),
        get("/a"),
        get("http://${M1}/a", host="lb.test:${PORT}"),
    ],
    sees="2 2 2 2 1",
)
scenario(
    "sections of URLs hold for a forward proxy",
    ON
    + """\
<Location "/">
Header set X-Slash yes
</Location>
<Location "http://${M1}/">
Header set X-Url yes
</Location>
<LocationMatch "^http:.*/deep">
Header set X-Deep yes
</LocationMatch>
<Proxy "http://${M2}/*">
Require all denied
</Proxy>
<ProxyMatch "secret">
Require all denied
</ProxyMatch>
""",
    [
        get("http://${M1}/a"),
        get("http://${M1}/deep/a"),
        get("http://${M2}/a"),
        get("http://${M1}/secret"),
        get("http://${M1}/?secret"),
    ],
    sees="1 1 403 403 403",
)
scenario(
    "routes and rules of a server are not for what a forward proxy gets",
    f"LoadModule rewrite_module {MODULES}/mod_rewrite.so\n"
    + ON
    + """\
RewriteEngine On
RewriteRule . /gone [G]
Redirect / http://redirected.test/
ProxyPass / http://${M2}/
""",
    get("http://${M1}/a"),
    sees="1",
)
scenario(
    "who is not let in gets nothing through a forward proxy",
    CONNECTS.replace("127.0.0.0/8", "192.0.2.1")
    + ALL_PORTS
    + "ProxyPass /own http://${M1}\n<Location /own>\nRequire all granted\n</Location>\n",
    [
        get("http://${M1}/a"),
        post("http://${M1}/a"),
        request("CONNECT", "${M1}"),
        get("/own"),
    ],
    sees="403 403 403 1",
)
scenario(
    "ProxyBlock of a forward proxy",
    CONNECTS + ALL_PORTS + "ProxyBlock 127.0.0.7 forbidden\n",
    [
        get("http://127.0.0.7:1/"),
        get("http://${M1}/forbidden"),
        request("CONNECT", "127.0.0.7:443"),
    ],
    sees="403 1 403",
)
scenario(
    "ProxyDomain completes names without a dot",
    ON + "ProxyDomain .corp.test\n",
    [get("http://short/a?b"), get("http://short:81/"), get("http://${M1}/"), get("/a")],
    sees="301 301 1 404",
)
scenario(
    "Max-Forwards of a forward proxy",
    ON + "ProxyMaxForwards 5\n",
    [
        get("http://${M1}/", "Max-Forwards: 3"),
        get("http://${M1}/"),
        get("http://${M1}/", "Max-Forwards: 0"),
    ],
    sees="1 1 400",
)
scenario(
    "a forward proxy shares the pool of a worker that covers the URL",
    ON + "ProxyPass /own http://${M1}\n",
    [get("http://${M1}/a"), get("/own/b"), get("http://${M1}/c")],
    sees="1 1 1",
)
scenario(
    "a forward proxy and places that do not answer",
    CONNECTS + ALL_PORTS,
    [get("http://${DEAD}/"), request("CONNECT", "${DEAD}")],
    sees="503 503",
)
scenario(
    "CONNECT is for some ports only",
    CONNECTS + "AllowCONNECT 444 450-460\n",
    [
        request("CONNECT", "127.0.0.1:443"),
        request("CONNECT", "127.0.0.1:449"),
        request("CONNECT", "127.0.0.1:461"),
        request("CONNECT", "${M1}"),
        request("CONNECT", "127.0.0.1"),
        request("CONNECT", "a@127.0.0.1:444"),
        request("CONNECT", "http://127.0.0.1:444/"),
    ],
    sees="403 403 403 403 400 400 400",
)
scenario(
    "CONNECT needs its module",
    ON,
    request("CONNECT", "127.0.0.1:443"),
    sees="500",
)
scenario(
    "a tunnel carries what both sides say",
    CONNECTS + ALL_PORTS,
    [
        send_bytes(b"CONNECT ${M1} HTTP/1.1\r\nHost: ${M1}\r\n\r\n", on="t"),
        receive("t", method="CONNECT", logged=False),
        send_bytes(b"GET /in HTTP/1.1\r\nHost: y\r\n\r\n", on="t"),
        receive("t", logged=False),
        hang_up("t"),
    ],
    sees="200 1",
)
scenario(
    "without ProxyRequests a foreign URL is a path",
    "ProxyPass / http://${M1}/own/\n",
    [get("http://${M2}/a"), get("http://foreign.test/b")],
    sees="1 1",
)
scenario(
    "without ProxyRequests other schemes are refused",
    "ProxyPass / http://${M1}/own/\n",
    [get("ftp://${M2}/a"), get("foo://${M2}/a")],
    sees="400 400",
)

# Where both differ on purpose (deviations.py).
scenario(
    "a forward proxy that is open to everybody",
    "ProxyRequests On\n",
    check_only=True,
    sees="ok",
)
scenario(
    "a section about a place that the client writes in capitals",
    ON + '<Proxy "http://${M1}/*">\nRequire all denied\n</Proxy>\n',
    [get("http://${M1}/"), get("HTTP://${M1}/")],
    sees="403 1",
)
scenario(
    "a forward proxy that is asked for itself",
    ON + "ProxyPass /own http://${M1}\n",
    [get("http://127.0.0.1:${PORT}/own"), get("http://localhost:${PORT}/own")],
    sees="1 1",
)
scenario(
    "schemes that a forward proxy has no business with",
    ON,
    [get("foo://${M1}/"), get("unix:/x|http://${M1}/"), get("balancer://c/")],
    sees="500 500 500",
)
scenario(
    "CONNECT to a name that nobody knows on a port that is not allowed",
    CONNECTS,
    request("CONNECT", "unknown.invalid:81"),
    sees="502",
)
scenario(
    "CONNECT to ports that are none",
    CONNECTS + ALL_PORTS,
    [request("CONNECT", "127.0.0.1:0"), request("CONNECT", "127.0.0.1:99999")],
    sees="403 503",
)
scenario(
    "a remote proxy that TLS would be spoken with",
    "ProxyRemote * https://proxy.test:3128\n",
    check_only=True,
    sees="ok",
)
scenario(
    "a remote proxy that is the server itself",
    "ProxyRemote * http://127.0.0.1:${PORT}\n",
    check_only=True,
    sees="ok",
)
scenario(
    "members through another proxy",
    "ProxyRemote http://${M1} http://${M2}\nProxyPass / http://${M1}/x/\n",
    [get("/a?q", "X-A: 1"), post("/b", b"hello")],
    sees="2 2",
)
scenario(
    "a tunnel through another proxy that wants to know who asks",
    CONNECTS + ALL_PORTS + "ProxyRemote * http://${M2} user:word\n",
    request("CONNECT", "${M1}"),
    sees="2",
)
# And where they do not.
scenario(
    "another proxy is asked with the whole URL",
    ON
    + """\
ProxyRemote http://${M1}/far http://${M2}
ProxyRemoteMatch /match$ http://${M3} user:word
ProxyRemote http://${DEAD} http://${M2}
NoProxy 127.0.0.9
""",
    [
        get("http://${M1}/far?q"),
        get("http://${M1}/near"),
        get("http://${M1}/match", "Proxy-Authorization: Basic eDp5"),
        post("http://${M1}/far", b"hello"),
        get("http://${DEAD}/"),
    ],
    sees="2 1 3 2 2",
)
scenario(
    "NoProxy leaves the other proxy out",
    ON + "ProxyRemote * http://${M2}\nNoProxy 127.0.0.0/8\n",
    [get("http://${M1}/"), get("http://other.test/")],
    sees="1 2",
)
scenario(
    "a proxy that is not there is no way",
    CONNECTS + ALL_PORTS + "ProxyRemote * http://${DEAD}\n",
    [get("http://${M1}/"), request("CONNECT", "${M1}")],
    sees="503 200",
)
scenario(
    "a query that neither path nor port precede",
    ON + "ProxyRemote http://far.test http://${M2}\n",
    [get("http://far.test?q"), get("http://far.test?")],
    sees="2 2",
)
