"""Which mapping a path takes and what URL it becomes."""

from scenario import DIRECT, ONE, TWO, get, post, raw, request, scenario
from support.server import MODULE_DIRECTORY

scenario(
    "the first matching ProxyPass wins",
    "ProxyPass /a http://${M1}\nProxyPass /a/deep http://${M2}\n",
    [get("/a/deep"), get("/a")],
    sees="1 1",
)
scenario(
    "the longer mapping wins when it stands first",
    "ProxyPass /a/deep http://${M2}\nProxyPass /a http://${M1}\n",
    [get("/a/deep"), get("/a/deeper"), get("/a/deep/x"), get("/a")],
    sees="2 1 2 1",
)
scenario(
    "a password in a member's URL",
    "BalancerMember balancer://c http://joe:secret@${M1}\nProxyPass /b balancer://c\n"
    "ProxyPass /d http://joe:secret@${M1}/t\n",
    [get("/b/x"), get("/d/x")],
    sees="1 1",
)
scenario(
    "a prefix ends at a slash",
    "ProxyPass /a http://${M1}\nProxyPass /b/ http://${M1}/\n",
    [get(path) for path in ("/a", "/a/x", "/a/", "/ab", "/A", "/b", "/b/", "/b/c", "/")],
    sees="1 1 1 404 404 404 1 1 404",
)
scenario(
    "target and rest are glued as text",
    "ProxyPass /x http://${M1}/\nProxyPass /y http://${M1}/in\nProxyPass /z/ http://${M1}/in\n",
    [get("/x/foo"), get("/x"), get("/y/foo"), get("/y"), get("/z/foo"), get("/z/")],
    sees="1 1 1 1 1 1",
)
scenario(
    "runs of slashes in the path are one slash",
    "ProxyPass /a/b http://${M1}/t\n",
    [get("/a//b///c"), get("//a/b"), get("/a/b//")],
    sees="1 1 1",
)
scenario(
    "MergeSlashes Off keeps runs of slashes",
    "MergeSlashes Off\nProxyPass /a/b http://${M1}/t\n",
    [get("/a//b///c"), get("/a/b//")],
    sees="1 1",
)
scenario(
    "an exclusion must come first",
    "ProxyPass /p !\nProxyPass / http://${M1}/\nProxyPass /x !\n",
    [get("/x"), get("/p"), get("/p/q"), get("/pq")],
    sees="1 404 404 1",
)
scenario(
    "ProxyPass in a Location beats the server's list",
    DIRECT + "<Location /a>\nProxyPass http://${M2}\n</Location>\n",
    [get("/a"), get("/b"), get("/a/x?q"), get("/ab")],
    sees="2 1 2 1",
)
scenario(
    "the last matching Location with a ProxyPass wins",
    (
        "<Location /a/b>\nProxyPass http://${M1}\n</Location>\n"
        "<Location /a>\nProxyPass http://${M2}/t\n</Location>\n"
    ),
    [get("/a/b"), get("/a"), get("/a/b/c")],
    sees="2 2 2",
)
scenario(
    "an exclusion in an inner Location keeps the list from being consulted",
    DIRECT + "<Location /a/b>\nProxyPass !\n</Location>\n",
    [get("/a/b"), get("/a/c"), get("/a/b/d")],
    sees="404 1 404",
)
scenario(
    "a Location with a wildcard is a pattern",
    (
        "<Location /w/*/x>\nProxyPass http://${M1}/t\n</Location>\n<LocationMatch"
        " ^/m/(?<who>[a-z]+)$>\nProxyPass http://${M2}/$1\nHeader set X-Who"
        " %{MATCH_WHO}e\n</LocationMatch>\n"
    ),
    [get("/w/1/x"), get("/w/1/2/x"), get("/m/abc"), get("/m/ABC"), get("/w/1/x/y")],
    sees="404 404 2 404 404",
)
scenario(
    "ProxyPassMatch puts groups into the target",
    r"""
ProxyPassMatch ^/a/(\d+)/(.*)$ http://${M1}/$2/$1?id=$1
ProxyPassMatch ^/b http://${M2}/t
ProxyPass ~ /c([xy])$ http://${M1}/c-$1-$0
""",
    [
        get("/a/12/foo/bar"),
        get("/b/foo"),
        get("/bb?q=1"),
        get("/z/cx"),
        get("/a/x/y"),
        get("/a/1/?z=2"),
    ],
    sees="1 2 2 1 404 1",
)
scenario(
    "ProxyPassMatch to a balancer",
    TWO + "ProxyPassMatch ^/(one|two)/(.*)$ balancer://c/$1-$2 stickysession=sid\n",
    [get("/one/x"), get("/two/y"), get("/three/z"), get("/one/x?sid=a.r2"), get("/one/x;sid=a.r2")],
    sees="1 2 404 2 2",
)
scenario(
    "ProxyPassMatch exclusions work like prefixes",
    "ProxyPassMatch \\.gif$ !\nProxyPass / http://${M1}/\n",
    [get("/a.gif"), get("/a.gif/b"), get("/a.png")],
    sees="404 1 1",
)
scenario(
    "a matched path is decoded before and encoded after",
    "ProxyPassMatch ^/m/(.*)$ http://${M1}/$1\nProxyPassMatch ^/q/(.*)$ http://${M1}/x?y=$1\n",
    [get("/m/a%20b%c3%a9"), get("/m/a%3fb"), get("/q/a%26b"), get("/m/%41"), get("/q/a%20b")],
    sees="1 1 1 1 1",
)
scenario(
    "paths are re-encoded and queries are not",
    ONE,
    [
        get("/a/%41%7e%5b|%c3%a9%25?x=%5b|%2f"),
        get("/a/%7E~$-_.+!*'(),;:@&=/x"),
        get("/a/%22%3C%3E%5C%5E%60%7B%7D"),
        get("/a/%01%7f\xff"),
        get("/a/x%3Fy?z?w"),
        get("/a/%3b%2c%3D"),
    ],
    sees="1 1 1 1 1 1",
)
scenario(
    "dot segments are removed before mapping",
    ONE + "ProxyPass /b http://${M2}\n",
    [
        get("/a/./x"),
        get("/a/x/../y"),
        get("/b/../a/z"),
        get("/a/x/.."),
        get("/a/%2e%2e/b"),
        get("/a/..."),
    ],
    sees="1 1 1 1 2 1",
)
scenario(
    "paths above the root are refused",
    ONE,
    [get("/../a"), get("/a/../../x"), get("/a/%2e%2e/%2e%2e/x")],
    sees="400 400 400",
)
scenario(
    "nocanon forwards the raw path",
    "ProxyPass /a http://${M1} nocanon\n",
    [
        get("/a/%41%7e%5b%2e?x=1"),
        get("/a/x%2520y"),
        get("/%61/x"),
        get("/a/b/../c"),
        get("/a/q?%zz"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "nocanon on a balancer",
    TWO + "ProxyPass /a balancer://c stickysession=sid nocanon\n",
    [get("/a/%41;sid=q.r2"), get("/a/%7e?sid=q.r2"), get("/a/x%3bsid=q.r2")],
    sees="2 2 2",
)
scenario(
    "an encoded slash is refused by default",
    ONE,
    [get("/a/q%2fr"), get("/a/q%2Fr"), get("/a/q%5cr"), get("/nowhere%2f")],
    sees="404 404 1 404",
)
scenario(
    "AllowEncodedSlashes On decodes them",
    "AllowEncodedSlashes On\n" + ONE,
    [get("/a/q%2fr"), get("/a%2fx"), get("/a/%2f%2f")],
    sees="1 1 1",
)
scenario(
    "AllowEncodedSlashes NoDecode keeps them outside sections only",
    "AllowEncodedSlashes NoDecode\n" + ONE + "<Location /a/loc>\nSetEnv x 1\n</Location>\n",
    [get("/a/q%2fr"), get("/a/loc/q%2fr"), get("/a/q%2Fr"), get("/a%2fx")],
    sees="1 1 1 404",
)
scenario(
    "a Proxy section leaves AllowEncodedSlashes NoDecode alone",
    f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\n"
    "AllowEncodedSlashes NoDecode\n<Proxy balancer://c>\nBalancerMember http://${M1}\n</Proxy>\n"
    "<Proxy *>\nRequire all granted\nSetEnv x 1\n</Proxy>\n"
    "<Proxy http://${M1}>\nProxySet timeout=5\n</Proxy>\n"
    "<Location /b/loc>\nSetEnv x 1\n</Location>\n"
    '<If "%{QUERY_STRING} == \'if\'">\nSetEnv x 2\n</If>\n'
    "RewriteEngine On\nRewriteRule ^/r/(.*) http://${M1}/r/$1 [P]\n"
    "RewriteRule ^/rb/(.*) balancer://c/rb/$1 [P]\nProxyPass /b balancer://c\n" + ONE,
    [
        get(path)
        for path in (
            "/a/q%2fr",
            "/b/q%2fr",
            "/b/q%2Fr%20x%3f",
            "/b/loc/q%2fr",
            "/b/q%2fr?if",
            "/r/q%2fr",
            "/rb/q%2fr",
        )
    ],
    sees="1 1 1 1 1 1 1",
)
CORE_LINES = (
    "ErrorDocument 404 /x",
    "LimitRequestBody 100000",
    "LogLevel info",
    '<If "false">\nSetEnv x 1\n</If>',
    "SetHandler none",
    "SetOutputFilter none",
    "ServerSignature On",
    "UseCanonicalName On",
    "AddDefaultCharset utf-8",
)
scenario(
    "lines of the core in a Proxy section reset AllowEncodedSlashes",
    "AllowEncodedSlashes NoDecode\nProxyPass / http://${M1}/\n"
    + "".join(
        f"<Proxy http://${{M1}}/{number}>\n{line}\n</Proxy>\n"
        for number, line in enumerate(CORE_LINES)
    ),
    [get(f"/{number}/q%2fr") for number in range(len(CORE_LINES))] + [get("/x/q%2fr")],
    sees=" ".join((1 + len(CORE_LINES)) * "1"),
)
scenario(
    "idle lines of the core in a Proxy section beside AllowEncodedSlashes",
    "AllowEncodedSlashes NoDecode\nProxyPass / http://${M1}/\n"
    "<Proxy http://${M1}/o>\nOptions None\n</Proxy>\n"
    "<Proxy http://${M1}/h>\nHostnameLookups Off\n</Proxy>\n"
    "<Proxy http://${M1}/l>\n<Limit GET>\nRequire all granted\n</Limit>\n</Proxy>\n",
    [get(f"/{name}/q%2fr") for name in "ohl"],
    sees="1 1 1",
)
PERCENT_SIGNS = ("", "b", "zz", "2", "41", "25", "2f", "2F", "%32f", "20", "00")
scenario(
    "percent signs where encoded slashes are kept",
    "AllowEncodedSlashes NoDecode\n<Location /a/loc>\nSetEnv x 1\n</Location>\n"
    "<Location /a/no>\nRequire all denied\n</Location>\n"
    "ProxyPass /n http://${M1} nocanon\n" + ONE,
    [
        [get(f"/a/q%25{more}") for more in PERCENT_SIGNS],
        [get(f"{path}/q%25") for path in ("/a/loc", "/n", "/a/no")],
        get("/a/%25/q%2fr"),
        get("/a/q?x=%25&y=%zz"),
        post("/a/q%25", b"hello"),
        raw(2 * b"GET /a/q%25 HTTP/1.1\r\nHost: lb.test\r\n\r\n"),
    ],
    sees="400 400 400 400 1 1 1 1 1 1 1 1 1 403 400 1 400 400",
)
scenario(  # httpd's log names a member that was chosen for nothing
    "percent signs towards a balancer where encoded slashes are kept",
    "AllowEncodedSlashes NoDecode\nBalancerMember balancer://c http://${M1}\n"
    "ProxyPass /c balancer://c\n",
    [get(f"/c/q%25{more}") for more in PERCENT_SIGNS],
    sees="400 400 400 400 1 1 1 1 1 1 1",
    ignore={"log"},
)
scenario(
    "noquery does nothing",
    "ProxyPass /a http://${M1} noquery\n",
    get("/a?q=1"),
    sees="1",
)
scenario(
    "interpolate fills in request variables",
    (
        "ProxyPassInterpolateEnv On\nSetEnvIf X-To (.+) to=$1\n"
        "ProxyPass /a http://${M1}/${to} interpolate\nProxyPass /b http://${M1}/${to}\n"
    ),
    [get("/a/x", "X-To: there"), get("/a/x")],
    sees="1 1",
)
scenario(
    "an interpolated target that another worker covers keeps its connection",
    (
        "ProxyPassInterpolateEnv On\nSetEnvIf X-To (.+) to=$1\nSetEnvIf X-At (.+) at=$1\n"
        "ProxyPass /a http://${M1}/${to} interpolate\n"
        "ProxyPass /c http://${M2}/${to} interpolate\n"
        "ProxyPass /d http://${at}/ interpolate\n"
        "ProxyPass /b http://${M1}/\n"
        "BalancerMember balancer://c http://${M3}\nProxyPass /e balancer://c/${to} interpolate\n"
    ),
    [
        get("/a/x", "X-To: there"),
        get("/a/x", "X-To: there"),
        get("/b/x"),
        get("/a/x"),
        get("/c/x", "X-To: there"),
        get("/c/x", "X-To: there"),
        get("/d/x", "X-At: ${M1}"),
        get("/d/x", "X-At: ${M2}"),
        get("/e/x", "X-To: there"),
        get("/e/x", "X-To: there"),
    ],
    sees="1 1 1 1 2 2 1 2 3 3",
)
scenario(
    "no-proxy works from SetEnvIf but not from SetEnv",
    "SetEnvIf Request_URI ^/a/x no-proxy\nSetEnv no-proxy\n" + ONE,
    [get("/a/x"), get("/a/y")],
    sees="404 1",
)
scenario(
    "an absolute target's host is the request's host",
    DIRECT + "ProxyPreserveHost On\n",
    [
        get("http://elsewhere.test/x", host="lb.test"),
        get("http://elsewhere.test:99/x", host=None),
        get("http://elsewhere.test", host="lb.test"),
        get("http://u:p@elsewhere.test/x?y", host="lb.test"),
    ],
    sees="1 400 1 400",
)
scenario(
    "a mapping with the root and a balancer without a slash",
    TWO + "ProxyPass / balancer://c\n",
    [get("/"), get("/x")],
    sees="1 500",
)
scenario(
    "worker sharing keeps the first worker's parameters",
    "ProxyPass /a http://${M1}\nProxyPass /b http://${M1}/b timeout=1\n",
    [get("/b?delay=1.4"), get("/a"), get("/b/c")],
    sees="1 1 1",
)
scenario(
    "OPTIONS star and TRACE",
    DIRECT,
    [
        raw(b"OPTIONS * HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n"),
        raw(b"OPTIONS /x HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n"),
        raw(b"TRACE /x HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n"),
    ],
    sees="200 1 1",
)
scenario(
    "methods are tokens and unknown ones are forwarded",
    ONE,
    [
        get("/a"),
        *[raw(f"{m} /a HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for m in ("get", "FOO", "M-SEARCH")],
    ],
    sees="1 1 1 1",
)
scenario(
    "macros and definitions build mappings",
    """\
<Macro Farm $name $addr>
<Proxy balancer://$name>
BalancerMember http://$addr route=$name
</Proxy>
ProxyPass /$name balancer://$name
</Macro>
Use Farm red ${M1}
use farm blue ${M2}
Define HERE /defined
ProxyPass ${HERE} http://${M2}/d
<IfDefine HERE>
ProxyPass /ifdefined http://${M1}
</IfDefine>
<IfDefine !HERE>
ProxyPass /ifnot http://${M1}
</IfDefine>
UnDefine HERE
""",
    [get(path) for path in ("/red/x", "/blue/x", "/defined/x", "/ifdefined", "/ifnot")],
    sees="1 2 2 1 404",
)
scenario(
    "conditionals on modules and versions",
    """\
<IfModule proxy_module>
ProxyPass /1 http://${M1}
</IfModule>
<IfModule mod_proxy_balancer.c>
ProxyPass /2 http://${M1}
</IfModule>
<IfModule !mod_nothing.c>
ProxyPass /3 http://${M1}
</IfModule>
<IfModule nothing_module>
Bogus directive
<IfModule proxy_module>
</IfModule>
</IfModule>
<IfVersion >= 2.4.10>
ProxyPass /4 http://${M1}
</IfVersion>
<IfVersion ~ ^2>
ProxyPass /5 http://${M1}
</IfVersion>
<IfVersion >= 3>
ProxyPass /6 http://${M1}
</IfVersion>
""",
    [get(f"/{i}") for i in range(1, 7)],
    sees="1 1 1 1 1 404",
)
scenario(
    "a comment ending in a backslash swallows the next line",
    "# note \\\nProxyPass /a http://${M1}\nProxyPass /b \\\n  http://${M2}\n",
    [get("/a"), get("/b")],
    sees="404 2",
)
scenario(
    "quoted words and escapes",
    (
        'ProxyPass "/a b" "http://${M1}/x"\nProxyPass \'/c"d\' http://${M2}\nHeader set X-Q "say'
        ' \\"hi\\" \\\\ end"\n'
    ),
    [get("/a%20b/c"), get("/c%22d")],
    sees="1 2",
)
scenario(
    "mapping servlet compares segments without their parameters",
    "ProxyPass /srv http://${M1}/srv mapping=servlet\n",
    [
        get("/srv;v=1/a;b=2/../c;d=3"),
        get("/srv/x%2fy"),
        get("/srv//./z"),
        get("/srvx"),
        get("/srv;a/b%20c?q"),
    ],
    sees="1 1 1 404 1",
)
scenario(
    "mapping encoded matches and forwards the encoded path",
    "ProxyPass /enc http://${M1}/e mapping=encoded\n",
    [get("/enc/x%2fy%20z"), get("/enc/a/../b"), get("/%65nc/x"), get("/enc/%41?%41")],
    sees="1 1 1 1",
)
scenario(
    "ProxyBlock refuses targets by name",
    (
        "ProxyBlock forbidden.test 127.0.0.1\nProxyPass /a http://${M1}\nProxyPass /b"
        " http://localhost:1/\n"
    ),
    get("/a"),
    sees="403",
)
scenario(
    "a worker declared by a section serves mappings to its URL",
    (
        "<Proxy http://${M1}/x disablereuse=On>\n</Proxy>\nProxyPass /a http://${M1}/x\nProxyPass"
        " /b http://${M1}\n"
    ),
    [get("/a"), get("/a"), get("/b"), get("/b")],
    sees="1 1 1 1",
)
scenario(
    "A relative socket path lies in the runtime directory",
    "DefaultRuntimeDir .\nProxyPass / unix:../u1.sock|http://u/\n# ${U1}\n",
    [get("/")],
    sees="1",
)
scenario(
    "A module that is loaded and switched off",
    """\
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule expires_module /usr/lib/apache2/modules/mod_expires.so
SSLRandomSeed startup builtin
SSLSessionCache none
SSLProtocol all -SSLv3
SSLEngine off
SSLProxyEngine off
RewriteEngine off
ExpiresActive Off
ExpiresDefault "access plus 1 day"
"""
    + DIRECT,
    [get("/")],
    sees="1",
)
MATCH = "ProxyPassMatch ^/m/(.*) http://${M1}/%s\n"
PLAIN_TOO = "ProxyPass /s http://${M1}/%s\n"
TO_BOTH = [get(path) for path in ("/s/x", "/s/x", "/m/y", "/m/y", "/m/y?z", "/m/yz", "/s/a/x")]
for name, conf in {
    "references then plain": MATCH % "$1" + PLAIN_TOO % "",
    "plain then references": PLAIN_TOO % "" + MATCH % "$1",
    "plain below references": PLAIN_TOO % "sub/" + MATCH % "$1",
    "references below plain": PLAIN_TOO % "" + MATCH % "a/$1",
    "references that reuse": PLAIN_TOO % "" + MATCH % "$1 enablereuse=on",
    "no references": PLAIN_TOO % "" + MATCH % "q",
    "an escape in the target": PLAIN_TOO % "q" + MATCH % "q?x=$1",
    "references that reuse alone": PLAIN_TOO % "" + MATCH.replace("M1", "M2") % "$1 enablereuse=on",
}.items():
    scenario(
        f"ProxyPass and ProxyPassMatch to one host: {name}",
        conf,
        TO_BOTH,
        sees="1 1 2 2 2 2 1" if "alone" in name else "1 1 1 1 1 1 1",
    )
scenario(
    "nocanon and a query behind the prefix",
    """\
ProxyPass /app http://${M1}/%7Eq nocanon
ProxyPass /slash/ http://${M1}/%7Eq/ nocanon
ProxyPass /e http://${M1}/%7Eq mapping=encoded
<Location /loc>
ProxyPass http://${M1}/%7Eq nocanon
</Location>
ProxyPassMatch ^/m/(.*)$ http://${M1}/%7Eq/$1 nocanon
ProxyPassMatch ^/g.*\\.gif$ http://${M1}/%7Eq nocanon
""",
    [
        get(path + query)
        for path in ("/app", "/app/", "/app/%41", "/slash/", "/e", "/loc", "/m/%41", "/g%41.gif")
        for query in ("", "?a", "?")
    ],
    sees=" ".join(24 * ["1"]),
)
scenario(
    "redirects that stay relative",
    """\
ServerName main.test
Redirect /a /b
RedirectRelative On
RedirectMatch ^/m(.*)$ /n$1
<Location /s>
Redirect /t
</Location>
<Location /off>
RedirectRelative Off
Redirect /t
</Location>
<Location /u/>
Redirect http://x.test/y
</Location>
<Location /e>
Redirect "%{req:X-T}"
</Location>
Redirect /dd //host/x
<VirtualHost *:${PORT}>
ServerName v.test
Redirect /v /w
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName off.test
RedirectRelative off
Redirect /v /w
<If "%{QUERY_STRING} == 'on'">
RedirectRelative On
</If>
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName p.test
ProxyPass / http://${M1}/
<Location /p>
Redirect /p /q
</Location>
</VirtualHost>
""",
    [
        [
            get(path, host="v.test")
            for path in ("/a/x", "/a?q=1", "/mfoo?x", "/s", "/s/k?q", "/off?q", "/u/x?1", "/dd/z")
        ],
        get("/e?q", "X-T: /foo", host="v.test"),
        get("/v/1?2", host="v.test"),
        [get(path, host="off.test") for path in ("/v?4", "/v?on")],
        [get(path, host="p.test") for path in ("/p/1", "/x")],
    ],
)
scenario(
    "CONNECT to a reverse proxy",
    "ProxyPass / http://${M1}/\n",
    request("CONNECT", "lb.test:443"),
    sees="1",
)
scenario(
    "OPTIONS about a whole URL without a path",
    "ProxyPass / http://${M1}/\n",
    [request("OPTIONS", "http://lb.test"), request("OPTIONS", "http://lb.test/")],
    sees="200 1",
)
