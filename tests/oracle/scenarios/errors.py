"""Error pages, ErrorDocument, ProxyErrorOverride and the two header tables."""

from scenario import ONE, TWO, get, post, request, scenario
from support.server import MODULE_DIRECTORY

DEAD = "ProxyPass /d http://${DEAD}\n"

scenario(
    "Header set and Header always on own and foreign errors",
    "Header set X-A 1\nHeader always set X-B 1\n" + DEAD + ONE,
    [get("/d"), get("/a?status=404"), get("/a"), get("/nowhere")],
    sees="503 404 1 404",
)
scenario(
    "always and normal header tables are separate",
    "Header set X-A on\nHeader always set X-A al\n" + ONE,
    [get("/a"), get("/a?h=X-A:%20member"), get("/a?status=500&h=X-A:%20member")],
    sees="1 1 500",
)
scenario(
    "every action of Header on a member's header",
    """\
Header set X-Set new
Header setifempty X-Empty default
Header setifempty X-Full default
Header add X-Add two
Header append X-Append b
Header append X-Fresh b
Header merge X-Merge b
Header merge X-Merge2 b
Header unset X-Unset
Header edit X-Edit o 0
Header edit* X-All o 0
Header edit X-Tag ^(.*)$ "<$1>"
Header echo ^X-Echo
"""
    + ONE,
    get(
        (
            "/a?h=X-Set:%20a&h=X-Set:%20b&h=X-Full:%20mine&h=X-Add:%20one&h=X-Append:%20a&h=X-Merge:%20a,%20b"
            "&h=X-Merge2:%20a&h=X-Unset:%201&h=X-Unset:%202&h=X-Edit:%20foo&h=X-All:%20foo&h=X-All:%20boo&h=X-Tag:%20t"
        ),
        "X-Echo-One: 1",
        "X-Echo-Two: 2",
    ),
    sees="1",
)
scenario(
    "every action of Header always",
    """\
Header always set X-Set new
Header always add X-Add two
Header always append X-Append b
Header always merge X-Merge b
Header always unset X-Unset
Header always edit X-Edit o 0
Header always setifempty X-Empty default
"""
    + ONE
    + DEAD,
    [
        get(
            "/a?h=X-Set:%20a&h=X-Add:%20one&h=X-Append:%20a&h=X-Merge:%20b&h=X-Unset:%201&h=X-Edit:%20foo"
        ),
        get("/d"),
    ],
    sees="1 503",
)
scenario(
    "Header values and conditions",
    """\
SetEnvIf X-K (.+) K=$1
Header set X-Env "[%{K}e]"
Header set X-If yes env=K
Header set X-Not yes env=!K
Header set X-Percent "100%%"
Header onsuccess set X-On %{BALANCER_WORKER_ROUTE}e
Header set Cache-Control: no-cache
"""
    + TWO
    + "ProxyPass / balancer://c/\n",
    [get("/", "X-K: v"), get("/")],
    sees="1 2",
)
scenario(
    "Header sections are executed outermost first",
    "Header set X-H 1\n"
    + ONE
    + "<Location /a>\nHeader append X-H 2\n</Location>\n"
    "<Location /a/b>\nHeader append X-H 3\nHeader always set X-V v\n</Location>\n",
    [get("/a"), get("/a/b"), get("/a/b/c")],
    sees="1 1 1",
)
scenario(
    "Content-Type and Content-Length edits",
    "Header set Content-Type text/x-own\nHeader unset X-Member\nHeader edit Server .* edited\n"
    + ONE,
    [get("/a?h=Content-Type:%20text/html"), get("/a")],
    sees="200 200",
)
scenario(
    "an ErrorDocument text stands for own errors only",
    'ErrorDocument 404 "no such thing"\nErrorDocument 503 gone-fishing\n' + ONE + DEAD,
    [get("/nowhere"), get("/a?status=404"), get("/d"), get("/d", on="k")],
    sees="404 404 503 503",
)
scenario(
    "an ErrorDocument text is an expression",
    'ErrorDocument 404 "no %{REQUEST_URI} here"\n',
    get("/zip?q"),
    sees="404",
)
scenario(
    "a proxied ErrorDocument turns the error into 200",
    "ErrorDocument 404 /a/err\n" + ONE,
    [get("/nothing?q=1"), post("/nothing", b"abc")],
    sees="1 1",
)
scenario(
    "an ErrorDocument elsewhere is a redirect",
    "ErrorDocument 404 http://other.test/err\nErrorDocument 403 default\n" + ONE,
    [get("/nothing"), get("/a?status=404")],
    sees="302 404",
)
scenario(
    "an ErrorDocument in a Location",
    (
        "ErrorDocument 403 outer\n<Location /p>\nRequire all denied\n</Location>\n"
        "<Location /p/q>\nErrorDocument 403 inner\n</Location>\nProxyPass / http://${M1}/\n"
    ),
    [get("/p"), get("/p/q")],
    sees="403 403",
)
scenario(
    "ProxyErrorOverride replaces a member's page and keeps its reason",
    "ProxyErrorOverride On\n" + ONE,
    [
        get("/a?status=404&h=K:v"),
        get("/a?status=500"),
        get("/a?status=302&h=Location:%20/x"),
        get("/a?status=401&h=WWW-Authenticate:%20Basic%20realm=x&h=Set-Cookie:%20a=b"),
        request("HEAD", "/a?status=404"),
        get("/a"),
    ],
    sees="404 500 302 401 404 1",
)
scenario(
    "ProxyErrorOverride for chosen statuses",
    "ProxyErrorOverride On 404 503\nErrorDocument 503 own-text\n" + ONE,
    [get("/a?status=404"), get("/a?status=403"), get("/a?status=503")],
    sees="404 403 503",
)
scenario(
    "ProxyErrorOverride with a proxied ErrorDocument",
    (
        "ErrorDocument 404 /doc/err\nProxyPass /doc http://${M2}\n"
        "<Location /a>\nProxyErrorOverride On\nProxyPass http://${M1}\n</Location>\n"
    ),
    [get("/a/x?status=404"), get("/a/x")],
    sees="2 1",
)
scenario(
    "a failing ErrorDocument",
    "ErrorDocument 404 /d/err\n" + DEAD,
    get("/nothing"),
    sees="404",
)
scenario(
    "ProxyErrorOverride off in a Location",
    "ProxyErrorOverride On\n" + ONE + "<Location /a/raw>\nProxyErrorOverride Off\n</Location>\n",
    [get("/a?status=404"), get("/a/raw?status=404")],
    sees="404 404",
)
scenario(
    "generated pages name their status",
    "<Location /no>\nRequire all denied\n</Location>\n" + ONE + DEAD,
    [
        get("/no"),
        get("/nowhere"),
        get("/d"),
        get("/a?drop=1"),
        request("CONNECT", "x.test:443"),
        request("HEAD", "/nowhere"),
    ],
    sees="403 404 503 502 405 404",
)
scenario(
    "ServerSignature and ServerTokens change the banner only",
    "ServerTokens Prod\nServerSignature On\n" + ONE,
    [get("/nowhere"), get("/a?plain=1")],
    sees="404 1",
)
scenario(
    "a page that is replaced and its member's connection",
    "ProxyErrorOverride On\n" + ONE,
    [get("/a?status=404"), get("/a")],
    sees="404 1",
)
scenario(
    "what the log says of an ErrorDocument that fails",
    r"""
LogFormat "%s %>s %B %b %{A}o %{Content-Length}o %{Content-Type}o %U" a
CustomLog a.log a
Header always set A b
ErrorDocument 404 /d/err
ErrorDocument 403 /none
<Location /no>
Require all denied
</Location>
"""
    + DEAD,
    [get("/nothing"), get("/no"), request("DELETE", "/no")],
    logs=("a.log",),
    sees="404 403 403",
)
scenario(
    "a HEAD whose ErrorDocument comes from a member",
    "ErrorDocument 404 /a/doc\n" + ONE,
    [request("HEAD", "/none"), get("/none")],
    sees="1 1",
)
DOCUMENTS = """\
ErrorDocument 503 /doc/503
ErrorDocument 404 /doc/404
ErrorDocument 500 /doc/500
ProxyPass /doc http://${M2}
"""
ERRORS = [
    get("/d"),
    get("/a?status=404"),
    get("/a?status=500"),
    get("/a?status=503"),
    get("/a"),
]
scenario(
    "a proxied ErrorDocument under ProxyErrorOverride keeps the status",
    'ProxyErrorOverride On\nLogFormat "%s %>s %U" a\nCustomLog a.log a\n' + DOCUMENTS + DEAD + ONE,
    ERRORS,
    logs=("a.log",),
    sees="503 404 500 503 1",
)
scenario(
    "a proxied ErrorDocument keeps the statuses that ProxyErrorOverride lists",
    "ProxyErrorOverride On 404 503\n" + DOCUMENTS + DEAD + ONE,
    ERRORS,
    sees="503 404 500 503 1",
)
scenario(
    "a balancer's ErrorDocument keeps the status under ProxyErrorOverride",
    (
        "ProxyErrorOverride On\nErrorDocument 503 /doc/503\nProxyPass /doc balancer://c\n"
        "BalancerMember balancer://c http://${M1}\n<Location /doc>\n"
        'Header set X-Status "expr=%{REQUEST_STATUS}"\n</Location>\n'
    )
    + DEAD,
    [get("/d"), get("/doc")],
    sees="503 1",
)
scenario(
    "an ErrorDocument under ProxyErrorOverride that has no body",
    "ProxyErrorOverride On\nErrorDocument 503 /doc?status=204\nProxyPass /doc http://${M2}\n" + DEAD,
    get("/d"),
    sees="204",
)
UNKNOWN = [get("/a?status=418"), get("/a?status=499"), get("/a?status=520"), get("/a?status=600")]
scenario(
    "statuses that httpd does not know have the ErrorDocument of 500",
    "ProxyErrorOverride On\nErrorDocument 500 sorry\n" + ONE,
    [*UNKNOWN, get("/a?status=404")],
    sees="418 499 520 600 404",
)
scenario(
    "statuses that httpd does not know and a proxied ErrorDocument",
    "ProxyErrorOverride On\nErrorDocument 500 /doc\nProxyPass /doc http://${M2}\n" + ONE,
    UNKNOWN,
    sees="500 500 500 600",
)
scenario(
    "an ErrorDocument elsewhere under ProxyErrorOverride has its own reason",
    "ProxyErrorOverride On\nErrorDocument 500 http://other.test/\n" + ONE,
    [get("/a?status=418"), get("/a?status=500")],
    sees="302 302",
)
scenario(
    "an ErrorDocument and the body that was meant for another member",
    f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\n"
    """\
RewriteEngine On
RewriteCond %{HTTP:Content-Length} =5
RewriteRule ^/doc http://${M2}/with [P]
ErrorDocument 503 /doc
ProxyPass /doc http://${M1}
"""
    + DEAD,
    post("/d", b"hello"),
    sees="2",
)

ASKED_FOR = (403, 404, 406, 409, 410, 411, 412, 413, 414, 503)
REWRITE = f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\nRewriteEngine On\n"
REWRITE += "".join(f"RewriteRule ^/r{status} - [R={status}]\n" for status in ASKED_FOR)
FAILING = """\
Redirect /red http://elsewhere.test/r
Redirect 301 /perm http://elsewhere.test/p
Redirect gone /gone
RewriteRule ^/rewritten$ http://elsewhere.test/rw [R=302,L]
ErrorDocument 404 /red/x
ErrorDocument 403 /perm
ErrorDocument 410 /gone
ErrorDocument 409 /rewritten
ErrorDocument 406 /missing
ErrorDocument 411 /sec/x
ErrorDocument 412 /denied/x
ErrorDocument 413 /d/x
ErrorDocument 414 /missing
ErrorDocument 503 /secp/x
<Location /sec>
Redirect http://elsewhere.test/sec
</Location>
<Location /secp>
Redirect 307 http://elsewhere.test/secp
</Location>
<Location /denied>
Require all denied
</Location>
ProxyPass /secp http://${M1}/secp
"""
scenario(
    "an ErrorDocument that is a Redirect or fails itself",
    REWRITE + FAILING + DEAD + ONE,
    [
        [get(f"/r{status}") for status in ASKED_FOR],
        get("/r404", "Connection: keep-alive", on="one"),
    ],
    sees="403 404 406 302 410 411 412 413 414 503 404",
)
scenario(
    "what an ErrorDocument is told of the request before it",
    'RequestHeader set X-E "%{REDIRECT_URL}e|%{REDIRECT_QUERY_STRING}e|%{REDIRECT_STATUS}e"\n'
    'RequestHeader set X-M "%{REDIRECT_REQUEST_METHOD}e|%{REQUEST_METHOD}e|%{REDIRECT_A}e"\n'
    'Header set X-U "expr=%{reqenv:REDIRECT_URL}|%{reqenv:REDIRECT_STATUS}"\n'
    "SetEnv A 1\nErrorDocument 404 /a/doc\n" + ONE,
    [get("/none?q=1"), request("PUT", "/none"), get("/none/x"), get("/none?")],
    sees="1 405 1 1",
)
scenario(
    "an ErrorDocument whose path is worked out",
    REWRITE + "ErrorDocument 403 /a/rel/../%{REQUEST_METHOD}\n"
    "ErrorDocument 404 /a/doc?x=%{REQUEST_METHOD}&y=%{HTTP_HOST}\n"
    "ErrorDocument 409 /a/doc%{REQUEST_URI}\n"
    "ErrorDocument 410 http://elsewhere.test/%{REQUEST_METHOD}\n" + ONE,
    [get("/r403"), get("/r404"), get("/r409/a%20b"), get("/r409/%c3%a9"), get("/r410")],
    sees="1 1 1 1 302",
)
scenario(
    "what stands for another thing in the URL of an ErrorDocument",
    REWRITE + "ErrorDocument 403 /a/%{HTTP:X}\n"
    "ErrorDocument 404 /a/doc?x=%{HTTP:X}&y=%{QUERY_STRING}\n"
    "ErrorDocument 409 /a/doc%{REQUEST_URI}\n"
    "ErrorDocument 410 http://elsewhere.test/%{HTTP:X}\n"
    "ErrorDocument 406 /a/doc#part?x%20y\n" + ONE,
    [
        [get("/r403", f"X: {said}") for said in ("a#b", "a?b#c", "a#b?c", "a%23b%3f", "a b", "#", "?")],
        [get("/r404?s%23t%25", f"X: {said}") for said in ("a#b", "a?b", "a%23b%3f", "é")],
        [get(f"/r409/{path}") for path in ("a%23b", "a%3Fb", "a%25b", "a%2541b", "a%22%3cb", "a?b")],
        [get("/r410", f"X: {said}") for said in ("a#b?c", "a%23b", "a b<")],
        get("/r406"),
    ],
    sees="1 1 1 1 1 1 1 1 1 1 1 1 1 409 1 1 1 302 302 302 1",
)
scenario(
    "a space in the query of an ErrorDocument",
    REWRITE + "ErrorDocument 404 /a/doc?x=%{HTTP:X}\n" + ONE,
    get("/r404", "X: a b"),
    sees="404",
)
ORDERED = (
    f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\nRewriteEngine On\n"
    """\
RewriteRule ^/rule$ - [R=200,L]
RewriteCond %{REQUEST_METHOD} OPTIONS
RewriteCond %{HTTP:Origin} .
RewriteRule ^(.*)$ $1 [R=200,L]
Redirect 200 /alias
Header set X-Set s
Header always set X-Always a
<Location /section>
Redirect 200
</Location>
<If "%{REQUEST_URI} == '/a/if'">
Redirect 200 /a/if
</If>
<Location /a/rule>
RewriteEngine On
RewriteRule .* - [R=200]
</Location>
"""
)
ASKED = [
    request(method, path)
    for path in ("/rule", "/alias", "/section", "/a/if", "/a/rule")
    for method in ("GET", "HEAD", "OPTIONS", "POST", "TRACE")
] + [request("OPTIONS", "/a", "Origin: http://x.test")]
SERVED = [
    request("OPTIONS", "/nothing"),
    request("OPTIONS", "*"),
    request("OPTIONS", "/a", "Max-Forwards: 0"),
    request("TRACE", "/nothing"),
]
scenario(
    "a 200 that a directive orders is a page",
    ORDERED + ONE,
    [ASKED, SERVED],
    sees=" ".join(["200"] * (len(ASKED) + len(SERVED))),
)
scenario(
    "a 200 that a directive orders and the text of its ErrorDocument",
    ORDERED + 'ErrorDocument 200 "OK"\n' + ONE,
    [ASKED, SERVED, get("/a")],
    sees=" ".join(["200"] * (len(ASKED) + len(SERVED))) + " 1",
)
scenario(
    "a 200 that a directive orders and the path of its ErrorDocument",
    ORDERED + "ErrorDocument 200 /a/doc\n" + ONE,
    [get("/rule"), request("DELETE", "/alias"), request("OPTIONS", "/section"), SERVED],
    sees="1 1 1 200 200 200 200",
)
scenario(
    "a 200 that a directive orders and the URL of its ErrorDocument",
    ORDERED + "ErrorDocument 200 http://elsewhere.test/\n" + ONE,
    [get("/rule"), request("HEAD", "/alias"), SERVED],
    sees="302 302 200 200 200 200",
)
scenario(
    "an ErrorDocument that is a 200 which a directive orders",
    ORDERED + "ErrorDocument 404 /rule\nErrorDocument 403 /alias\n"
    "<Location /no>\nRequire all denied\n</Location>\n" + ONE,
    [get("/none"), get("/no")],
    sees="200 403",
)
scenario(
    "the document of a 200 that is an error",
    ORDERED + "ErrorDocument 200 /gone\nRedirect gone /gone\n",
    get("/rule"),
    sees="410",
)
UNKNOWN_METHODS = (
    f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\nRewriteEngine On\n"
    """\
RewriteRule ^/rule(4.5)$ - [R=405]
RewriteRule ^/rule(501)$ - [R=501]
Redirect 405 /alias405
Redirect 501 /alias501
ProxyErrorOverride On
<Location /a/405>
Redirect 405
</Location>
<Location /a/501>
RewriteEngine On
RewriteRule .* - [R=501]
</Location>
"""
)
UNALLOWED = [
    [get(f"/{path}{status}") for path in ("rule", "alias", "a/") for status in (405, 501)],
    [get(f"/a?status={status}&h=Allow:%20GET") for status in (405, 501)],
    request("OPTIONS", "/a", "Max-Forwards: 0"),
    request("PUT", "/none"),
]
for trace in ("On", "Off"):
    scenario(
        f"what is allowed where no handler was asked and TraceEnable is {trace}",
        f"TraceEnable {trace}\n" + UNKNOWN_METHODS + ONE,
        UNALLOWED,
        sees="405 501 405 501 405 501 405 501 200 405",
    )
scenario(
    "pages of a request that names no charset",
    f"""\
LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so
RewriteEngine On
RewriteRule ^/rule$ - [E=suppress-error-charset,R=503]
SetEnvIf Request_URI ^/none|^/only|^/moved suppress-error-charset
AddDefaultCharset utf-8
ErrorDocument 403 "own"
ErrorDocument 410 /failing
ErrorDocument 409 /a/doc
ErrorDocument 406 /only
Redirect gone /only
Redirect 409 /none/doc
Redirect 406 /other
Redirect /moved http://elsewhere.test/
<Location /none/no>
Require all denied
</Location>
<Location /set>
SetEnv suppress-error-charset 1
</Location>
<Location /set/no>
Require all denied
</Location>
"""
    + ONE,
    [
        get(path)
        for path in ("/rule", "/none", "/none/no", "/only", "/none/doc", "/other", "/moved")
    ]
    + [get(path) for path in ("/set", "/set/no", "/a?status=404", "/absent")]
    + [request("HEAD", "/none"), request("OPTIONS", "/none")],
    sees="503 404 403 410 1 406 302 404 403 404 404 404 200",
)
