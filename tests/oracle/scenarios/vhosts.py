"""Choosing the virtual host, and what it inherits from the main server."""

from scenario import DIRECT, ONE, get, scenario

NAMES = """\
<VirtualHost *:${PORT}>
ServerName d.test
ProxyPass / http://${M1}/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName w.test
ServerAlias www.w.test old?.w.test *.wild.test
ProxyPass / http://${M2}/
</VirtualHost>
"""

scenario(
    "the Host header chooses by name without its port and case",
    NAMES,
    [get("/", host=h) for h in ("w.test:99", "W.TEST.", "zz", "d.test", "", "w.test:")],
    sees="2 2 1 1 400 400",
)
scenario(
    "aliases with wildcards",
    NAMES,
    [
        get("/", host=h)
        for h in (
            "www.w.test",
            "old1.w.test",
            "old12.w.test",
            "a.wild.test",
            "a.b.wild.test",
            "wild.test",
        )
    ],
    sees="2 2 1 2 2 1",
)
scenario(
    "a request without Host goes to the default host",
    NAMES,
    [
        get("/", host=None, version="1.0"),
        get("/", host="w.test", version="1.0"),
        get("/", host=None),
    ],
    sees="1 2 400",
)
scenario(
    "an earlier wildcard alias beats a later exact name",
    """\
<VirtualHost *:${PORT}>
ServerName w.test
ServerAlias *.ex.test
ProxyPass / http://${M1}/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName a.ex.test
ProxyPass / http://${M2}/
</VirtualHost>
""",
    get("/", host="a.ex.test"),
    sees="1",
)
scenario(
    "an address hides all wildcard hosts on it",
    """\
<VirtualHost *:${PORT}>
ServerName b.test
ProxyPass / http://${M2}/
</VirtualHost>
<VirtualHost 127.0.0.1:${PORT}>
ServerName c.test
ProxyPass / http://${M1}/
</VirtualHost>
""",
    [get("/", host="b.test"), get("/", host="x")],
    sees="1 1",
)
scenario(
    "another port's hosts do not count",
    """\
<VirtualHost *:1>
ServerName a.test
ProxyPass / http://${M2}/
</VirtualHost>
<VirtualHost 127.0.0.1:1>
ServerName b.test
ProxyPass / http://${M2}/
</VirtualHost>
ProxyPass / http://${M1}/
""",
    [get("/", host="a.test"), get("/", host="b.test")],
    sees="1 1",
)
scenario(
    "hosts without a port and the any-address group",
    """\
<VirtualHost 127.0.0.1>
ServerName one.test
ProxyPass / http://${M1}/
</VirtualHost>
<VirtualHost _default_:${PORT} 127.0.0.1:*>
ServerName two.test
ProxyPass / http://${M2}/
</VirtualHost>
""",
    [get("/", host=h) for h in ("one.test", "two.test", "x.test")],
    sees="1 2 1",
)
scenario(
    "the host of an absolute target chooses",
    NAMES,
    [
        get("http://w.test/x", host="d.test"),
        get("http://d.test/x", host="w.test"),
        get("http://W.test:77/", host="d.test"),
    ],
    sees="2 1 2",
)
scenario(
    "malformed hosts are refused",
    NAMES,
    [
        get("/", host=h)
        for h in (
            "1.2.3",
            "a..b",
            "a,b",
            "123",
            "a_b",
            "a b",
            "[::1]",
            "[::1",
            "a:b",
            "x/y",
            "w.test:70000",
            "é",
        )
    ],
    sees="400 400 400 400 1 400 1 400 400 400 400 400",
)
scenario(
    "a vhost that names the main server's balancer loses its own members",
    (
        "BalancerMember balancer://c http://${M1}\n<VirtualHost *:${PORT}>\n"
        "BalancerMember balancer://c http://${M2}\nProxyPass / balancer://c/\n</VirtualHost>\n"
    ),
    3 * [get("/")],
    sees="1 1 1",
)
scenario(
    "mappings of the main server come first in a vhost",
    (
        "ProxyPass /a http://${M1}\n<VirtualHost *:${PORT}>\nProxyPass /a http://${M2}\nProxyPass /"
        " http://${M2}/\n</VirtualHost>\n"
    ),
    [get("/a"), get("/b")],
    sees="1 2",
)
scenario(
    "ProxyPassInherit Off does not stop inherited mappings",
    "ProxyPass /a http://${M1}\n<VirtualHost *:${PORT}>\nProxyPassInherit Off\n</VirtualHost>\n",
    get("/a"),
    sees="1",
)
scenario(
    "the method is not inherited by a vhost that names the balancer",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2}
ProxyPass /m balancer://c/ lbmethod=bytraffic
<VirtualHost *:${PORT}>
ProxyPass / balancer://c/
</VirtualHost>
""",
    [get("/?size=9000"), 5 * [get("/")], get("/m"), get("/m")],
    sees="1 2 1 2 1 2 1 2",
)
scenario(
    "a vhost inherits sticky settings and overrides what it says",
    """\
<Proxy balancer://c>
BalancerMember http://${M1} route=r1
BalancerMember http://${M2} route=r2
ProxySet stickysession=sid failonstatus=500
</Proxy>
<VirtualHost *:${PORT}>
ProxyPass /x balancer://c/ stickysession=other
</VirtualHost>
""",
    [
        2 * [get("/x?sid=a.r2")],
        2 * [get("/x?other=a.r2")],
        get("/x?status=500@M1"),
        2 * [get("/x")],
    ],
    sees="1 2 2 2 500 2 2",
)
scenario(
    "vhosts that inherit a balancer and its members' state",
    """\
BalancerMember balancer://c http://${M1}
BalancerMember balancer://c http://${M2}
ProxySet balancer://c failonstatus=500
<VirtualHost *:${PORT}>
ServerName one.test
ProxyPass / balancer://c/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName two.test
ProxyPass / balancer://c/
</VirtualHost>
""",
    [
        [get("/", host="one.test"), get("/", host="two.test")],
        [get("/", host="one.test"), get("/", host="one.test"), get("/", host="two.test")],
        get("/?status=500", host="one.test"),
        3 * [get("/", host="one.test")],
        3 * [get("/", host="two.test")],
    ],
    sees="1 2 1 2 1 500 1 1 1 1 1 1",
)
scenario(
    "a balancer defined in a vhost is unknown elsewhere",
    """\
<VirtualHost *:${PORT}>
ServerName one.test
BalancerMember balancer://c http://${M1}
ProxyPass / balancer://c/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName two.test
ProxyPass / balancer://c/
</VirtualHost>
""",
    [get("/", host="one.test"), get("/", host="two.test")],
    sees="1 503",
)
scenario(
    "Proxy sections of the main server hold in vhosts",
    (
        "<Proxy http://${M1}/secret>\nRequire all denied\n</Proxy>\n<VirtualHost"
        " *:${PORT}>\nProxyPass / http://${M1}/\n</VirtualHost>\n"
    ),
    [get("/open"), get("/secret"), get("/secret/x"), get("/secrets")],
    sees="1 403 403 403",
)
scenario(
    "server settings of the main server are inherited wherever they stand",
    "<VirtualHost *:${PORT}>\nServerName v.test\n"
    + ONE
    + "</VirtualHost>\nKeepAlive Off\nErrorDocument 404 inherited\nRequestHeader set X-Main"
    " 1\nSetEnvIf Host (.+) H=$1\nHeader set X-H %{H}e\n",
    [get("/a", host="v.test"), get("/nowhere")],
    sees="1 404",
)
scenario(
    "environment lists run main server first",
    "SetEnvIf X-A . V=main\nSetEnv L main\nRequestHeader set X-V %{V}e\n"
    "<VirtualHost *:${PORT}>\nSetEnvIf X-B . V=vhost\nSetEnv L vhost\nRequestHeader set X-L %{L}e\n"
    + ONE
    + "</VirtualHost>\n",
    [get("/a", "X-A: 1"), get("/a", "X-A: 1", "X-B: 1"), get("/a")],
    sees="1 1 1",
)
scenario(
    "ServerPath chooses a host for old clients",
    """\
<VirtualHost *:${PORT}>
ServerName d.test
ProxyPass / http://${M1}/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName p.test
ServerPath /pp
ProxyPass / http://${M2}/
</VirtualHost>
""",
    [
        get("/pp/x", host=None, version="1.0"),
        get("/x", host=None, version="1.0"),
        get("/pp/x", host="d.test"),
        get("/pp", host=None, version="1.0"),
    ],
    sees="2 1 1 2",
)
scenario(
    "UseCanonicalName and the names that are logged",
    """\
<VirtualHost *:${PORT}>
ServerName d.test:8088
UseCanonicalName On
ProxyPass /a http://${M1}
Redirect /r /elsewhere
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName w.test
ProxyPass /a http://${M1}
Redirect /r /elsewhere
</VirtualHost>
""",
    [get(path, host=host) for host in ("d.test", "w.test", "W.test:4") for path in ("/a", "/r")],
    sees="1 302 1 302 1 302",
)
scenario(
    "a host whose name cannot be resolved matches nothing",
    (
        "<VirtualHost no.such.host.invalid:${PORT}>\nProxyPass /"
        " http://${M2}/\n</VirtualHost>\nProxyPass / http://${M1}/\n"
    ),
    get("/"),
    sees="1",
)
scenario(
    "UseCanonicalName and UseCanonicalPhysicalPort in sections",
    """\
UseCanonicalName On
<Location /b>
UseCanonicalName Off
Redirect /y
</Location>
<Location /c>
UseCanonicalPhysicalPort On
Redirect /y
</Location>
<Location /d>
UseCanonicalName Off
UseCanonicalPhysicalPort On
Redirect /y
</Location>
Header set X-Name %{SERVER_NAME}e
"""
    + DIRECT,
    [get(path, host=host) for path in ("/b", "/c", "/d", "/") for host in ("o.test:99", "o.test")],
    sees="302 302 302 302 302 302 1 1",
)
scenario(
    "UseCanonicalName counts in conditions",
    "UseCanonicalName On\n<If \"%{SERVER_NAME} == 'lb.test'\">\nHeader set X-Seen yes\n</If>\n"
    + DIRECT,
    get("/", host="o.test"),
    sees="1",
)
REFERRING = """\
ProxyPass /own !
Redirect /own /x
ProxyVia On
ProxyPass / http://${M1}/
ProxyPassReverse / http://${M1}/
Header set X-Port "expr=%{SERVER_PORT}"
"""
for number, name in enumerate(("", "ServerName lb.test", "ServerName lb.test:444")):
    for on in ("Off", "On"):
        scenario(
            f"ports in what a virtual host says of itself {number} {on}",
            f"ServerName main.test\n<VirtualHost *:${{PORT}}>\n{name}\nUseCanonicalName {on}\n"
            f"{REFERRING}</VirtualHost>\n",
            [
                get(path, host=host)
                for path in ("/own", "/a?status=302&h=Location:%20http://${M1}/b")
                for host in ("o.test", "o.test:99")
            ],
            sees="302 302 302 302",
        )
scenario(
    "brackets and backslashes of ServerAlias are ordinary",
    """\
<VirtualHost *:${PORT}>
ServerName d.test
ProxyPass / http://${M1}/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName w.test
ServerAlias [ab]*.test "x\\\\*.test" y?*.t*
ProxyPass / http://${M2}/
</VirtualHost>
""",
    [get(host=host) for host in ("a1.test", "x1.test", "Y1.tt.test", "y.test", "y1.test")],
    sees="1 1 2 1 2",
)
scenario(
    "a virtual host at an address without a name",
    """\
ServerName main.test
<VirtualHost 127.0.0.1:${PORT}>
UseCanonicalName On
Redirect /own /x
</VirtualHost>
""",
    get("/own"),
)
scenario(
    "an absolute target whose scheme is not the connections",
    "<VirtualHost *:${PORT}>\nServerName one.test\nProxyPass / http://${M1}/\n</VirtualHost>\n"
    "<VirtualHost *:${PORT}>\nServerName two.test\nProxyPass / http://${M2}/\n</VirtualHost>\n",
    [
        get("http://two.test/a", host="one.test"),
        get("https://two.test/a", host="one.test"),
        get("HTTPS://two.test:443/a", host="one.test"),
    ],
    sees="2 1 1",
)
# httpd's way to stand behind whoever has the certificate: ServerName says what clients speak.
BEHIND = """\
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule proxy_ajp_module /usr/lib/apache2/modules/mod_proxy_ajp.so
ServerName main.test
<VirtualHost *:${PORT}>
ServerName %s
UseCanonicalName %s
UseCanonicalPhysicalPort %s
RewriteEngine On
RewriteRule ^/moved$ /there?%%{ENV:SCRIPT_URI}|%%{REQUEST_SCHEME}|%%{HTTPS}|%%{SERVER_PORT} [R,NE]
RewriteRule ^/no$ - [F]
RewriteCond %%{HTTPS} !=on
RewriteRule ^/over-tls$ https://%%{HTTP_HOST}/there [R]
<Location /tls>
Require ssl
</Location>
<Location /told>
Require expr "%%{HTTPS} == 'on'"
</Location>
ServerSignature On
ProxyVia On
RequestHeader set X-Forwarded-Proto "expr=%%{REQUEST_SCHEME}"
Header always set X-Seen "expr=%%{REQUEST_SCHEME} %%{SERVER_PORT} %%{HTTPS} %%{SERVER_NAME}"
ProxyPass /own !
Redirect /own /x
ProxyPass /j ajp://${J1}/
ProxyPass / http://${M1}/
ProxyPassReverse / http://${M1}/
</VirtualHost>
"""
SELF_REFERRING = ("/own", "/moved", "/over-tls", "/a?status=302&h=Location:%20http://${M1}/b", "/no",
                  "/tls", "/told", "/a", "/j")
for number, name in enumerate(("https://lb.test", "https://lb.test:443", "HTTPS://lb.test:8443",
                               "http://lb.test:443", "ftp://lb.test")):
    for on in ("Off", "On"):
        for physical in ("Off", "On"):
            scenario(
                f"the scheme of ServerName {number} {on} {physical}",
                BEHIND % (name, on, physical),
                [get(path, host=host) for host in ("lb.test", "o.test:99")
                 for path in SELF_REFERRING],
                sees=" ".join(2 * ["302 302 302 302 403 403 403 1 1"]),
            )
