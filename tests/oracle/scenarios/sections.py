"""Sections and their merge order; Require, SetEnvIf, Redirect."""

from scenario import DIRECT, ONE, TWO, get, post, request, scenario
from support.server import MODULE_DIRECTORY


def guarded(rules, path="/p"):
    return f"<Location {path}>\n{rules}\n</Location>\n" + DIRECT


scenario(
    "an inner Require replaces an outer one",
    ONE
    + "<Location /a/d>\nRequire all denied\n</Location>\n<Location /a/d/ok>\nRequire all"
    " granted\n</Location>\n",
    [get("/a/d"), get("/a/d/ok"), get("/a/d/okay"), get("/a")],
    sees="403 1 403 1",
)
scenario(
    "AuthMerging And combines them",
    ONE
    + "<Location /a>\nRequire env IN\n</Location>\n"
    + "<Location /a/b>\nAuthMerging And\nRequire method GET\n</Location>\n"
    + "<Location /a/c>\nAuthMerging Or\nRequire method POST\n</Location>\n"
    + "SetEnvIf X-In . IN\n",
    [
        get("/a"),
        get("/a", "X-In: 1"),
        get("/a/b"),
        get("/a/b", "X-In: 1"),
        post("/a/b", b"x", "X-In: 1"),
        post("/a/c", b"x"),
        get("/a/c"),
    ],
    sees="403 1 403 1 403 1 403",
)
scenario(
    "Location compares whole components and case",
    guarded("Require all denied") + guarded("Require all denied", "/q/").replace(DIRECT, ""),
    [get(p) for p in ("/p", "/p/", "/p/x", "/pq", "/P", "/q", "/q/", "/q/x", "/%70")],
    sees="403 403 403 1 1 1 403 403 403",
)
scenario(
    "Location with wildcards does not cross a slash",
    guarded("Require all denied", "/w/*/x?"),
    [get(p) for p in ("/w/1/xy", "/w/1/2/xy", "/w/1/x", "/w/1/xy/z", "/w//xy")],
    sees="403 1 1 1 1",
)
scenario(
    "LocationMatch is an unanchored search",
    '<LocationMatch "\\.(secret|key)$">\nRequire all denied\n</LocationMatch>\n'
    '<Location ~ "^/x[0-9]+">\nRequire all denied\n</Location>\n'
    + DIRECT,
    [get(p) for p in ("/a.secret", "/a.key?x", "/a.keys", "/x12/y", "/ax1")],
    sees="403 403 1 403 1",
)
scenario(
    "Proxy sections compare the proxied URL",
    """\
<Proxy http://${M1}/in>
Require all denied
</Proxy>
<Proxy balancer://c/closed>
Header set X-P closed
Require all denied
</Proxy>
<ProxyMatch ^http://[^/]+/match/(?<rest>.*)>
Header set X-P %{MATCH_REST}e
</ProxyMatch>
<Proxy *>
Header set X-Star 1
</Proxy>
ProxyPass /c balancer://c
"""
    + TWO
    + DIRECT,
    [get(p) for p in ("/in", "/inner", "/out", "/c/closed", "/c/open", "/match/some/thing")],
    sees="403 403 1 403 1 1",
)
scenario(
    "Location overrides Proxy",
    "<Proxy http://${M1}>\nRequire all denied\n</Proxy>\n<Location /ok>\nRequire all"
    " granted\n</Location>\n"
    + DIRECT,
    [get("/ok"), get("/no")],
    sees="1 403",
)
scenario(
    "Require ip with prefixes and masks",
    "".join(
        guarded(f"Require ip {what}", f"/p{i}").replace(DIRECT, "")
        for i, what in enumerate(
            (
                "127.0.0.1",
                "127",
                "127.0",
                "127.0.0.0/8",
                "127.0.0.0/255.0.0.0",
                "10.0.0.1",
                "10 127.0.0.1",
                "::1",
                "127.0.0.1/32",
            )
        )
    )
    + DIRECT,
    [get(f"/p{i}") for i in range(9)],
    sees="1 1 1 1 1 403 1 403 1",
)
scenario(
    "Require local, host, method and env",
    """\
SetEnvIf X-In . IN
SetEnv LATE 1
<Location /local>
Require local
</Location>
<Location /method>
Require method GET POST
</Location>
<Location /env>
Require env IN OTHER
</Location>
<Location /late>
Require env LATE
</Location>
<Location /denied>
Require all denied
</Location>
<Location /host>
Require host example.test
</Location>
"""
    + DIRECT,
    [
        get("/local"),
        get("/method"),
        request("HEAD", "/method"),
        request("PUT", "/method", body=b"x"),
        get("/env"),
        get("/env", "X-In: 1"),
        get("/late"),
        get("/denied"),
        get("/host"),
    ],
    sees="1 1 1 403 403 1 403 403 403",
)
scenario(
    "Require trees",
    """\
SetEnvIf X-A . A
SetEnvIf X-B . B
<Location /all>
<RequireAll>
Require env A
Require not env B
</RequireAll>
</Location>
<Location /any>
<RequireAny>
Require env A
Require env B
</RequireAny>
</Location>
<Location /none>
<RequireAll>
Require all granted
<RequireNone>
Require env A
Require env B
</RequireNone>
</RequireAll>
</Location>
<Location /nested>
<RequireAll>
<RequireAny>
Require env A
Require env B
</RequireAny>
Require method GET
</RequireAll>
</Location>
"""
    + DIRECT,
    [
        get(path, *headers)
        for path in ("/all", "/any", "/none", "/nested")
        for headers in ((), ("X-A: 1",), ("X-B: 1",), ("X-A: 1", "X-B: 1"))
    ]
    + [post("/nested", b"x", "X-A: 1")],
    sees="403 1 403 403 403 1 1 1 1 403 403 403 403 1 1 1 403",
)
scenario(
    "SetEnvIf reads requests and sets variables",
    r"""
SetEnvIf Request_URI "^/a/(.*)$" PATH_REST=$1 IS_A
SetEnvIf Request_Method POST POSTED=yes
SetEnvIf Request_Protocol "HTTP/1\.0" OLD
SetEnvIf Remote_Addr ^127\. HERE=local
SetEnvIf Server_Addr ^127\.0\.0\.1$ THERE
SetEnvIfNoCase X-Mode ^LOUD$ MODE=loud
SetEnvIf X-Drop . !HERE
SetEnvIf X-Missing ^$ MISSING
SetEnvIf ^X-Any.* (.+) ANY=$1
SetEnvIf User-Agent old OLDUA=$0
BrowserMatch ^Moz MOZ
BrowserMatchNoCase robot ROBOT=$0
Header set X-1 "%{PATH_REST}e|%{IS_A}e|%{POSTED}e|%{OLD}e|%{HERE}e|%{THERE}e|%{MODE}e"
Header set X-2 "%{MISSING}e|%{ANY}e|%{OLDUA}e|%{MOZ}e|%{ROBOT}e"
"""
    + ONE,
    [
        get("/a/some/path"),
        post("/a", b"x", version="1.0"),
        get("/a", "X-Mode: Loud", "X-Drop: 1", "X-Missing: here"),
        get("/a", "X-Any-1: one", "X-Any-2: two", "User-Agent: very old"),
        get("/a", "User-Agent: Mozilla Robot"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "SetEnvIf reads an attribute once per run of equal names",
    'SetEnvIf FOO "^$" FOO=1\nSetEnvIf FOO 1 BAR=1\nHeader set X-B "%{FOO}e %{BAR}e"\n' + ONE,
    get("/a"),
    sees="1",
)
scenario(
    "SetEnvIf in a section runs before Require",
    "<Location /p>\nSetEnvIf X-In . IN\nRequire env IN\n</Location>\n" + DIRECT,
    [get("/p"), get("/p", "X-In: 1")],
    sees="403 1",
)
scenario(
    "SetEnv and UnsetEnv and PassEnv overlay",
    "SetEnv A main\nSetEnv B main\nSetEnv EMPTY\nPassEnv PATH_NOT_THERE\nUnsetEnv B\n<Location"
    " /a/x>\nSetEnv A inner\nSetEnv B inner\nUnsetEnv A2\n</Location>\nSetEnvIf X-A (.+)"
    ' A=$1\nHeader set X-AB "%{A}e %{B}e %{EMPTY}e|"\n'
    + ONE,
    [get("/a"), get("/a/x"), get("/a", "X-A: request")],
    sees="1 1 1",
)
scenario(
    "ProxyPass beats a server-level Redirect but not one in a Location",
    (
        "ProxyPass /a http://${M1}\nRedirect /a/srv http://other.test/\n"
        "<Location /a/loc>\nRedirect http://other.test/\n</Location>\n"
    ),
    [get("/a/srv"), get("/a/loc"), get("/a/loc/x?q=1")],
    sees="1 302 302",
)
scenario(
    "every kind of Redirect",
    r"""
Redirect /t http://o.test/t
Redirect permanent /p http://o.test/p
Redirect seeother /s http://o.test/s
Redirect temp /tt /local
Redirect gone /g
Redirect 307 /n http://o.test/n
Redirect 410 /h
Redirect 404 /nf
RedirectPermanent /rp http://o.test/rp
RedirectTemp /rt http://o.test/rt
RedirectMatch ^/m/(.*)\.x$ http://o.test/$1.y
RedirectMatch 301 ^/mm/ /elsewhere
RedirectMatch gone \.old$
ProxyPass / !
""",
    [
        get(p)
        for p in (
            "/t/x?q=1",
            "/t",
            "/tx",
            "/p/y",
            "/s",
            "/tt/z",
            "/g/1",
            "/n/a%20b",
            "/h",
            "/nf",
            "/rp/1",
            "/rt/1",
            "/m/file.x?y",
            "/mm/q?r",
            "/z.old",
        )
    ],
    sees="302 302 404 301 303 302 410 307 410 404 301 302 302 301 410",
)
scenario(
    "Redirect outside of mappings and the first one wins",
    "Redirect /r http://one.test/\nRedirect /r/deep http://two.test/\nProxyPass /a http://${M1}\n",
    [get("/r/deep"), get("/r?x"), get("/r", host=None, version="1.0")],
    sees="302 302 302",
)
scenario(
    "authorization comes before a Redirect in a Location",
    "<Location /p>\nRequire all denied\nRedirect http://other.test/\n</Location>\n" + DIRECT,
    get("/p"),
    sees="403",
)
scenario(
    "sections match the decoded and merged path",
    guarded("Header set X-Sec 1"),
    [get(p) for p in ("//p//x", "/%70/x", "/x/../p", "/p%2e", "/p;a=b", "/p;a=b/c")],
    sees="1 1 1 1 1 1",
)
scenario(
    "scalar settings of the last matching section win",
    ONE
    + "<Location /a>\nProxyPreserveHost On\nErrorDocument 404 outer\n</Location>\n"
    + "<LocationMatch b$>\nProxyPreserveHost Off\nProxyErrorOverride On\n</LocationMatch>\n"
    + "<Location /a/b>\nErrorDocument 404 inner\n</Location>\n",
    [get("/a?status=404"), get("/a/b?status=404"), get("/a/c")],
    sees="404 404 1",
)
scenario(
    "text behind the closing bracket of a section line is ignored",
    "<Location /a> foo\nHeader set X-L 1\n</Location>\n" + ONE,
    get("/a"),
    sees="1",
)
scenario(
    "directives and closing tags in any case",
    "proxypass /a http://${M1}\n<location /a>\nHEADER set X-L 1\n</LOCATION>\n",
    get("/a"),
    sees="1",
)
scenario(
    "Names of variables ignore case",
    """\
LoadModule access_compat_module /usr/lib/apache2/modules/mod_access_compat.so
SetEnvIf User-Agent evil BadBot
SetEnvIf User-Agent evil BADBOT=again
SetEnvIf X-Good . Good
SetEnvIf X-Close . NoKeepAlive
<Location /a>
<RequireAll>
Require all granted
Require not env badbot
</RequireAll>
</Location>
<Location /old>
Order Deny,Allow
Deny from env=badbot
</Location>
<Location /only>
Order Deny,Allow
Deny from all
Allow from env=good
</Location>
Header set X-Flag yes env=GOOD
RequestHeader set X-Bot %{badbot}e
"""
    + DIRECT,
    [
        get("/a"),
        get("/a", "User-Agent: evil"),
        get("/old", "User-Agent: evil"),
        get("/else", "User-Agent: evil"),
        get("/only"),
        get("/only", "X-Good: 1"),
        get("/else", "X-Close: 1"),
    ],
    sees="1 403 403 1 403 1 1",
)
scenario(
    "Names of notes ignore case",
    ONE + "Header note X-Member Seen\nHeader set X-Seen yes\n",
    [get("/a")],
    sees="1",
)
scenario(
    "Redirect with a status that leads nowhere inside a section",
    "<Location /a>\nRedirect gone /a/x\nRedirect 404 /o/secret\nRedirect 404 /a/s\n</Location>\n"
    "<Location /b>\nRedirect gone\n</Location>\n<Location /c>\nRedirect 403\n</Location>\n"
    + DIRECT,
    [get(p) for p in ("/a", "/a/x", "/a/x/y", "/o/secret", "/a/s", "/b", "/b/c", "/c/d")],
    sees="1 410 410 1 404 410 410 403",
)
scenario(
    "AuthMerging Off without a Require of its own drops the outer ones",
    "<Location /a>\nRequire all denied\n</Location>\n"
    "<Location /a/off>\nAuthMerging Off\n</Location>\n"
    "<Location /a/and>\nAuthMerging And\n</Location>\n"
    "<Location /a/or>\nAuthMerging Or\n</Location>\n"
    "<Location /a/off/x>\nAuthMerging And\nRequire method POST\n</Location>\n" + DIRECT,
    [get(p) for p in ("/a", "/a/off", "/a/and", "/a/or", "/a/off/x")]
    + [post("/a/off/x", b"x")],
    sees="403 1 403 403 403 1",
)
scenario(
    "Require names registered methods",
    "RegisterHttpMethod PURGE BAN\n<Location /a>\nRequire method PURGE\n</Location>\n"
    "<Location /b>\nRequire not method BAN\nRequire all granted\n</Location>\n".replace(
        "Require not method BAN\nRequire all granted\n",
        "<RequireAll>\nRequire not method BAN\nRequire all granted\n</RequireAll>\n",
    )
    + DIRECT,
    [request(method, path) for path in ("/a", "/b") for method in ("PURGE", "GET", "BAN")],
    sees="1 403 403 1 1 403",
)
scenario(
    "SetEnvIf takes a pattern of escaped specials as text",
    'SetEnvIf Request_URI "\\.gif" A=$0\n'
    'SetEnvIf Request_URI "\\.gif" B=x\\$1\n'
    'SetEnvIfNoCase Request_URI "\\.GIF" C=$0\n'
    'SetEnvIf Request_URI ".gif" D=$0\n'
    'SetEnvIf Request_URI "a\\/" E=$0\n'
    'SetEnvIf Request_URI "gif" F=$0\n'
    "Header set X-V \"%{A}e %{B}e %{C}e %{D}e %{E}e %{F}e\"\n" + DIRECT,
    [get("/a.gif"), get("/axgif"), get("/a/b")],
    sees="1 1 1",
)
scenario(
    "Location with escaped wildcards is a plain path",
    '<Location "/a\\\\*b">\nRequire all denied\n</Location>\n'
    "<Location /c[d>\nRequire all denied\n</Location>\n" + DIRECT,
    [get(p) for p in ("/a*b", "/axb", "/a%5C*b", "/a%5C*b/x", "/c%5Bd", "/cd")],
    sees="1 1 403 403 403 1",
)
scenario(
    "AllowOverride is useless in Location but no fault",
    "<Location />\nAllowOverride None\n</Location>\n<Proxy *>\nAllowOverride None\n</Proxy>\n"
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "a section's Redirect comes after its access control",
    "<Location /p>\nRequire all denied\nRedirect /p http://other.test/\n</Location>\n"
    "<Location /q>\nRedirect /q http://other.test/\n</Location>\n" + DIRECT,
    [get("/p/x"), get("/q/x"), get("/x")],
    sees="403 302 1",
)
scenario(
    "a header rule whose value no field can hold",
    "SetEnv proxy-nokeepalive 1\n<Location /r>\nHeader set X-Made \"expr=%{unescape:%{QUERY_STRING}}\"\n</Location>\n"
    "<Location /s>\nRequestHeader set X-Made \"expr=%{unescape:%{QUERY_STRING}}\"\n</Location>\n"
    + DIRECT,
    [get("/r?good"), get("/r?a%0d%0aX-Evil:%20b"), get("/r?a%0ab"), get("/s?good")],
    sees="1 500 500 1",
)
scenario(
    "SetEnv comes before the Redirect of a section that would be proxied",
    """\
SetEnv K set
Header always set X-K "%{K}e" env=K
<Location /a/red>
Redirect http://other.test/
</Location>
<Location /red>
Redirect http://other.test/
</Location>
Redirect /server http://other.test/
"""
    + ONE,
    [get("/a/red"), get("/red"), get("/server"), get("/a")],
    sees="302 302 302 1",
)
# httpd's own pages come behind mod_proxy.
PAGES = (
    f"LoadModule status_module {MODULE_DIRECTORY}/mod_status.so\n"
    f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\n"
    "<Location /server-status>\nSetHandler server-status\nRequire local\n</Location>\n"
    "<Location /manager>\nSetHandler balancer-manager\nRequire local\n</Location>\n"
)
ASK_PAGES = [get("/server-status"), get("/manager"), post("/manager", b"w_lf=2")]
for number, (text, sees) in enumerate(
    (
        (DIRECT, "1 1 1"),
        ("<Location />\nProxyPass http://${M1}/\n</Location>\n", "1 1 1"),
        ("RewriteEngine On\nRewriteRule ^/(.*)$ http://${M1}/$1 [P]\n", "1 1 1"),
        ("ProxyPassMatch ^/(.*)$ http://${M1}/$1\n", "1 1 1"),
        ("RewriteEngine On\nRewriteRule ^/s - [H=server-status]\n" + DIRECT, "1 1 1"),
    )
):
    scenario(f"a page that a route covers is the member's {number}", PAGES + text, ASK_PAGES, sees=sees)
scenario(
    "a balancer of HTTP members as a handler",
    "BalancerMember balancer://c http://${M1}\n"
    '<Location /h>\nSetHandler "proxy:balancer://c"\n</Location>\n',
    [get("/h"), get("/h/x?q=1")],
    sees="1 1",
)
