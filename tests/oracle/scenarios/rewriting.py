"""mod_rewrite: what rules make of a request on its way to the routes."""

from scenario import get, post, request, scenario

LOAD = "LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so\n"
ON = LOAD + "RewriteEngine On\n"
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket")


def holding(*conditions):
    """Rules that name the conditions which hold in the query that the member gets."""
    rules = [
        f"{condition}\nRewriteRule ^ - [E=T:%{{ENV:T}}{number}.]\n"
        for number, condition in enumerate(conditions)
    ]
    return ON + "".join(rules) + "RewriteRule ^ http://${M1}/x?%{ENV:T} [P]\n"


scenario(
    "a rule proxies to a URL that nothing else names",
    ON + "RewriteRule ^/a/(.*)$ http://${M1}/to/$1 [P]\nRewriteRule ^/b http://${M2} [P]\n",
    [get("/a/x?q=1"), get("/a/x%20y"), get("/b"), get("/c"), post("/a/p", b"body")],
    sees="1 1 2 404 1",
)
scenario(
    "a proxied rule uses the backend that covers its URL and else keeps no connection",
    ON
    + "RewriteRule ^/a http://${M1}/x [P]\nRewriteRule ^/b http://${M2}/x [P]\n"
    + "<Proxy http://${M2} timeout=30>\n</Proxy>\n",
    2 * [get("/a"), get("/b")],
    sees="1 2 1 2",
)
scenario(
    "a rule may name a balancer and one that nobody defined is a 500",
    ON
    + "BalancerMember balancer://c http://${M1}\n"
    + "RewriteRule ^/a/(.*)$ balancer://c/in/$1 [P]\nRewriteRule ^/b balancer://nobody/ [P]\n",
    [get("/a/x?q"), get("/b")],
    sees="1 500",
)
scenario(
    "a proxied rule to a scheme without a module is a 500",
    ON
    + "RewriteRule ^/s http://${M1}/ [P]\n"
    + "RewriteRule ^/f fcgi://${M1}/x [P]\nRewriteRule ^/w wss://${M1}/x [P]\n"
    + "RewriteRule ^/h https://${M1}/x [P]\n",
    [get("/s"), get("/f"), get("/w"), get("/h")],
    sees="1 500 500 500",
)
scenario(
    "rules come before ProxyPass and need PT to be seen by it",
    ON
    + "RewriteRule ^/n$ /a/x\nRewriteRule ^/p$ /a/x?y=1 [PT]\nRewriteRule ^/l$ - [L]\n"
    + "RewriteRule ^/r rel/x\nRewriteRule ^/abs http://other.test/ [PT]\n"
    + "Redirect /n http://other.test/\nProxyPass /a http://${M1}\nProxyPass /l http://${M2}\n",
    [get("/n"), get("/p?z"), get("/l?z"), get("/a/x"), get("/r"), get("/abs")],
    sees="404 1 2 1 404 400",
)
scenario(
    "redirects are made absolute and escaped unless NE says otherwise",
    ON
    + r"""RewriteRule ^/a /xx [R]
RewriteRule ^/b "/x y#f" [R=permanent]
RewriteRule ^/c "/x%20y#f" [R=307,NE]
RewriteRule ^/d/(.*) http://o.test/$1
RewriteRule ^/e /bar [R=foo]
RewriteRule ^/f$ rel/x [R=303]
RewriteRule ^/g mailto:a@b?x=1 [R]
RewriteRule ^/h/(.*) /xx?y=$1 [R]
RewriteRule ^/i - [R]
RewriteRule ^/j http://o.test [R=seeother,L]
""",
    [
        get(path)
        for path in (
            "/a?a=%20b%26",
            "/b",
            "/c",
            "/d/a%20b%c3%a9?x=%41",
            "/e",
            "/f",
            "/g",
            "/h/a%20b%26",
            "/i",
            "/j?k",
        )
    ],
    sees="302 301 307 302 302 303 302 302 404 303",
)
scenario(
    "queries are kept replaced appended and dropped",
    ON
    + r"""RewriteRule ^/keep http://${M1}/x [P]
RewriteRule ^/new http://${M1}/x?b=2 [P]
RewriteRule ^/add http://${M1}/x?b=2 [P,QSA]
RewriteRule ^/none http://${M1}/x? [P]
RewriteRule ^/drop http://${M1}/x [P,QSD]
RewriteRule ^/both http://${M1}/x?b=2& [P,QSD,QSA]
RewriteRule ^/first http://${M1}/x?a?b [P]
RewriteRule ^/last http://${M1}/x?a?b [P,QSL]
""",
    [
        get(f"/{word}{query}")
        for word in ("keep", "new", "add", "none", "drop", "both", "first", "last")
        for query in ("?a=1", "", "?")
    ],
    sees=" ".join(24 * "1"),
)
scenario(
    "rules answer with a status",
    ON
    + """RewriteRule ^/f - [F]
RewriteRule ^/g /x [G]
RewriteRule ^/t /x [R=404]
RewriteRule ^/u - [R=503]
RewriteRule ^/n - [R=204]
ErrorDocument 410 "it went away"
ProxyPass / http://${M1}/
""",
    [get(f"/{c}") for c in "fgtunx"] + [request("HEAD", "/f"), post("/g", b"x")],
    sees="403 410 404 503 204 1 403 410",
)
scenario(
    "variables are set unset and seen by what follows",
    ON
    + """RewriteRule ^/e/(.*)$ /p/$1 [E=FOO:a:$1,E=!BAR,E=BAZ,PT]
RewriteCond %{ENV:FOO} ^a
RewriteRule ^ - [E=SEEN:yes]
ProxyPass /p http://${M1}
SetEnvIf Request_URI . BAR=early
RequestHeader set X-Told "%{FOO}e %{BAR}e %{BAZ}e %{SEEN}e %{SCRIPT_URL}e %{SCRIPT_URI}e"
""",
    [get("/e/zz"), get("/p/1")],
    sees="1 1",
)
scenario(
    "L stops C skips S jumps and N begins anew",
    ON
    + r"""RewriteRule ^/s - [S=2,E=T:s]
RewriteRule ^ - [E=T:%{ENV:T}1]
RewriteRule ^ - [E=T:%{ENV:T}2]
RewriteRule ^ - [E=T:%{ENV:T}3]
RewriteRule ^/nomatch - [C,E=T:%{ENV:T}c]
RewriteRule ^ - [C,E=T:%{ENV:T}4]
RewriteRule ^ - [E=T:%{ENV:T}5]
RewriteRule ^ - [E=T:%{ENV:T}6]
RewriteRule ^(.*)/n(.*)$ $1/$2 [N]
RewriteRule ^/few(.*) /few$1x [N=3]
RewriteRule ^/long(.*)$ /long$1$1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa [N]
RewriteRule ^/l - [L]
RewriteRule ^/ http://${M1}/x%{REQUEST_FILENAME}?%{ENV:T} [P]
""",
    [get("/s"), get("/a"), get("/n/n/q"), get("/few"), get("/l"), get("/long")],
    sees="1 1 1 500 404 500",
)
scenario(
    "texts compare by length first and without case when asked",
    holding(
        "RewriteCond abc >ab",
        "RewriteCond b >ab",
        "RewriteCond abc <abd",
        "RewriteCond abc <=abc",
        "RewriteCond zz >=zz",
        "RewriteCond abc =abc",
        "RewriteCond ABC =abc",
        "RewriteCond ABC =abc [NC]",
        'RewriteCond %{ENV:NO} =""',
        'RewriteCond %{ENV:NO} !=""',
        "RewriteCond %{ENV:NO} =",
        "RewriteCond b >aB [NC]",
        "RewriteCond b <aB [NC]",
    ),
    get("/c"),
    sees="1",
)
scenario(
    "numbers compare as numbers",
    holding(
        "RewriteCond 10 -gt9",
        'RewriteCond 10 "-gt 9"',
        "RewriteCond 10 -gt",
        "RewriteCond x -eq0",
        "RewriteCond 10x -eq10",
        "RewriteCond 3 !-lt3",
        "RewriteCond 3 -le3",
        "RewriteCond 3 -ne3",
        "RewriteCond 03 -eq3",
        "RewriteCond 5 -GE5",
        "RewriteCond 5 -eqx",
    ),
    get("/c"),
    sees="1",
)
scenario(
    "files are looked at on the disk",
    holding(
        "RewriteCond /etc/passwd -f",
        "RewriteCond /etc -d",
        "RewriteCond /etc !-f",
        "RewriteCond /bin -l",
        "RewriteCond /bin -h",
        "RewriteCond /bin -L",
        "RewriteCond /bin/ls -x",
        "RewriteCond /dev/null -s",
        "RewriteCond /etc/passwd -s",
        "RewriteCond /etc/passwd -e",
        "RewriteCond %{DOCUMENT_ROOT}/passwd -f",
        "RewriteCond %{REQUEST_FILENAME} -f",
    )
    + "DocumentRoot /etc\n",
    [get("/c"), get("/etc/passwd")],
    sees="1 1",
)
scenario(
    "patterns and their combinations",
    holding(
        "RewriteCond %{QUERY_STRING} ABC",
        "RewriteCond %{QUERY_STRING} ABC [NC]",
        "RewriteCond %{QUERY_STRING} !x(.)",
        'RewriteCond "%{QUERY_STRING} x" "abc=1 x"',
        "RewriteCond %{QUERY_STRING}\\ x abc=1\\ x",
        "RewriteCond a b [OR]\nRewriteCond a a",
        "RewriteCond a a [OR]\nRewriteCond a b\nRewriteCond a a",
        "RewriteCond a b [OR]\nRewriteCond a c\nRewriteCond a a",
        "RewriteCond a a\nRewriteCond a b [OR]",
        "RewriteCond a b [OR]\nRewriteCond a a [ornext]\nRewriteCond a b",
        "RewriteCond %{HTTP:X-A} ^1$ [NV]",
        "RewriteCond 'a b' '^a b$'",
        "RewriteCond !a !b",
        "RewriteCond a b [OR]\nRewriteCond a b [OR]",
    ),
    get("/c?abc=1", "X-A: 1"),
    sees="1",
)
scenario(
    "variables that conditions may ask",
    holding(
        "RewriteCond %{TIME_YEAR}%{TIME_WDAY} ^2...[0-6]$",
        "RewriteCond %{http:x-a} 1",
        "RewriteCond %{HTTP:X-A:} 1",
        'RewriteCond %{SSL:SSL_PROTOCOL}%{NOPE}%{handler} =""',
        "RewriteCond %{IPV6}%{HTTPS} offoff",
        'RewriteCond %{THE_REQUEST} "^GET /c\\?abc=1 HTTP/1.1$"',
        "RewriteCond %{SERVER_NAME}:%{SERVER_PORT} ^lb.test:80$",
        "RewriteCond %{REMOTE_PORT} ^[0-9]+$",
        "RewriteCond %{REQUEST_URI}%{REQUEST_FILENAME}%{SCRIPT_FILENAME} =/c/c/c",
        "RewriteCond %{REMOTE_ADDR}%{SERVER_ADDR} =127.0.0.1127.0.0.1",
        "RewriteCond %{API_VERSION} ^2012",
        "RewriteCond %{HTTP_HOST}%{HTTP_USER_AGENT}%{HTTP_COOKIE} =lb.testmea=b",
        "RewriteCond %{REQUEST_METHOD}%{REQUEST_SCHEME}%{SERVER_PROTOCOL} =GEThttpHTTP/1.1",
        "RewriteCond %{request_uri} =/c",
        "RewriteCond %{SERVER_SOFTWARE} .",
    ),
    get("/c?abc=1", "X-A: 1", "User-Agent: me", "Cookie: a=b"),
    sees="1",
)
scenario(
    "a condition may be an expression",
    holding(
        'RewriteCond expr "%{QUERY_STRING} =~ /abc=(.)/"',
        'RewriteCond expr "true"',
        'RewriteCond expr "false"',
        'RewriteCond expr "!false"',
        "RewriteCond expr \"-f '/etc/passwd'\"",
        "RewriteCond expr \"%{REQUEST_URI} == '/c'\"",
        'RewriteCond EXPR "true"',
        "RewriteCond expr !false",
        'RewriteCond expr "%{QUERY_STRING} =~ /abc=(.)/"\nRewriteCond x%1 =x1',
    ),
    get("/c?abc=1"),
    sees="1",
)
scenario(
    "groups of the rule and of the last condition fill the substitution",
    ON
    + r"""RewriteCond %{QUERY_STRING} ^(.*)-(.*)$
RewriteRule ^/a/([^/]*)/(.*)$ http://${M1}/x/$0/$1/$2/$3/%0/%1/%2/\$1/%%1/$a/%{NOPE}/%{}/$&? [P]
RewriteCond abc (b)
RewriteRule !^/n http://${M1}/y/$0/%1/%0 [P]
RewriteRule ^/n(o)?(x)?$ http://${M1}/z/$1.$2.$9 [P]
""",
    [get("/a/b/c%20d?u-v"), get("/q"), get("/n"), get("/nx")],
    sees="1 1 1 1",
)
scenario(
    "back references are escaped as the B flags say",
    ON
    + r"""RewriteRule ^/b0/(.*)$ http://${M1}/x?q=$1 [P,B]
RewriteRule ^/b1/(.*)$ http://${M1}/x?q=$1 [P,B=#?;+]
RewriteRule ^/b2/(.*)$ http://${M1}/x?q=$1 [P,B,BNP]
RewriteRule ^/b3/(.*)$ http://${M1}/x?q=$1 [P,B,BNE=/:]
RewriteRule ^/b4/(.*)$ http://${M1}/x?q=$1 [P,BCTLS]
RewriteRule ^/b5/(.*)$ http://${M1}/x?q=$1 [P,BCTLS,BNE=/]
RewriteRule ^/b6/(.*)$ http://${M1}/x?q=$1 [P]
RewriteRule ^/b7/(.*)$ http://${M1}/x/$1 [P,B]
""",
    [get(f"/b{n}/a%20b%26%2b%23%3b/:%c3%a9_-.~") for n in range(8)]
    + [get("/b4/a%01%7f%0d%0a"), get("/b0/a%01%7f"), get("/b6/a%01"), get("/b1/a%3bb%2b")],
    sees="1 403 1 1 1 1 403 1 1 1 403 1",
)
scenario(
    "an encoded question mark in what the request brings is refused",
    ON
    + r"""RewriteRule ^/b8/(.*)$ http://${M1}/x/$1 [P,UnsafeAllow3F]
RewriteCond %{REQUEST_URI} ^/b9/(.*)
RewriteRule ^/b9/ http://${M1}/x/%1 [P]
RewriteRule ^/b10/ http://${M1}%{REQUEST_URI} [P]
RewriteRule ^/b11/(.*) http://${M1}/$1?x [P]
RewriteRule ^/b12/(.*) http://${M1}/?$1 [P]
RewriteRule ^/b13/(.*) http://${M1}/$1 [P,B]
RewriteRule ^/b14/(.*) http://${M1}/${lc:$1} [P]
RewriteMap lc int:tolower
""",
    [get(f"/b{n}/a%3fb") for n in range(8, 15)],
    sees="1 403 403 403 1 1 403",
)
scenario(
    "a request cannot be split by what a rule puts into its target",
    ON
    + "RewriteRule ^/here/(.*) http://${M1}/?x=$1 [P]\nRewriteRule ^/path/(.*) http://${M1}/$1 [P]\n"
    + "RewriteRule ^/to/(.*) /x/$1 [R]\nRewriteRule ^/raw/(.*) /x/$1 [R,NE]\n"
    + "RewriteRule ^/ne/(.*) http://${M1}/$1 [P,NE]\n",
    [
        get(f"/{way}/a%20HTTP/1.1%0d%0aX:%20y%0d%0a%0d%0aGET%20/S")
        for way in ("here", "path", "to", "ne")
    ]
    + [get("/ne/a%41b?q")],
    sees="403 1 302 403 1",
)
scenario(
    "a dot matches a line end and a dollar only the end",
    ON
    + """RewriteRule ^/path/(.*) http://${M1}/$1 [P]
RewriteRule ^/end$ http://${M1}/endonly [P]
ProxyPassMatch ^/pm/(.*) http://${M1}/$1
ProxyPassMatch ^/pe$ http://${M1}/pe
""",
    [get("/path/a%0ab"), get("/end%0a"), get("/pm/a%0ab"), get("/pe%0a")],
    sees="1 404 1 404",
)
scenario(
    "cookies are set once a name",
    ON
    + """RewriteRule ^/c1$ - [CO=n:v:lb.test]
RewriteRule ^/c2$ - [CO=n:v:lb.test:0:/p:secure:httponly:lax]
RewriteRule ^/c3$ - [CO=;n;v:w;lb.test;0;/;false;1;0]
RewriteRule ^/c4$ - [CO=n:v]
RewriteRule ^/c5$ - [CO=n:v:lb.test,CO=n:w:lb.test,CO=m:w:lb.test:0]
RewriteRule ^/c6$ - [CO=n:v:lb.test,F]
RewriteRule ^/c7$ /y [CO=n:v:lb.test,R]
RewriteRule ^/c8$ - [CO=n::d]
RewriteRule ^/c9$ - [CO=n:%{QUERY_STRING}:d:x:/q:1:true:Strict:zz]
Header always set X-A b
Header set Set-Cookie mine
ProxyPass / http://${M1}/
""",
    [get(f"/c{n}?q") for n in range(1, 10)],
    sees="1 1 1 1 1 403 302 1 1",
)
scenario(
    "a cookie may end after some minutes",
    ON + "RewriteRule ^ - [CO=n:v:lb.test:10]\nProxyPass / http://${M1}/\n",
    get("/"),
    mask=((r"expires=\w{3}, \d\d-\w{3}-\d{4} \d\d:\d\d:\d\d GMT", "expires=(soon)"),),
    sees="1",
)
scenario(
    "maps are looked up in files",
    ON
    + r"""RewriteMap t txt:map.txt
RewriteMap r rnd:map.txt
RewriteMap n map.txt
RewriteRule ^/t/(.*) http://${M1}/t?${t:$1|none}|${t:$1}|${n:$1|x$1} [P]
RewriteRule ^/r/(.*) http://${M1}/r?${r:$1|a|b} [P]
RewriteRule ^/n/(.*) http://${M1}/e?${t:${t:$1}|${t:a|k}} [P]
RewriteRule ^/x/(.*) http://${M1}/e?${t:|k}|${t:a${t}|${nomap:x|dd}${nomap:x} [P]
""",
    [get(f"/t/{key}") for key in ("a", "b", "c", "d", "A", "long", "tab", "x")]
    + [get("/r/one"), get("/n/a"), get("/n/z"), get("/x/1")],
    files={
        "map.txt": (
            "# c\na va\nb  vb rest\nc\nd \t \n#k v\n\nlong 'q v' w\n tab x\none solo\ntab\tvt\n"
            "k kk\nA upper\na second\nva nested\n"
        )
    },
    sees=" ".join(12 * "1"),
)
scenario(
    "maps convert texts",
    ON
    + r"""RewriteMap e int:escape
RewriteMap u int:unescape
RewriteMap up int:toupper
RewriteMap lo int:tolower
RewriteRule ^/a/(.*) http://${M1}/e?${e:$1}|${up:$1x|d}|${lo:ABC$1}|${u:%{QUERY_STRING}} [P]
""",
    [get("/a/b%26c?x%26"), get("/a/b?%zz"), get("/a/b?a%2fb"), get("/a/%c3%a9")],
    sees="1 1 1 1",
)
scenario(
    "rules in a Location see the proxied URL",
    LOAD
    + """RequestHeader set X-Told "%{S}e %{V}e"
ProxyPass /p http://${M1}/q
<Location /p/a>
RewriteEngine On
RewriteRule (.*) - [E=S:$1]
RewriteRule ^/?a - [E=V:a]
</Location>
<Location /p/b>
RewriteEngine On
RewriteCond %{REQUEST_URI} ^/p/b/(.*)$
RewriteRule ^proxy:(.*) http://${M2}/z/%1 [P]
</Location>
<Location /p/c>
RewriteRule (.*) - [E=S:engine-off]
</Location>
<Location /p/d>
RewriteEngine On
RewriteRule ^ http://${M2}/z?new [P,QSA]
</Location>
<Location /p/e>
RewriteEngine On
RewriteRule ^ http://${M2}/z%{REQUEST_URI} [P,NE]
</Location>
<Location /p/f>
RewriteEngine On
RewriteRule ^ - [F]
</Location>
<Location /p/g>
RewriteEngine On
RewriteRule ^ /moved [R=301]
</Location>
<Location /p/h>
RewriteEngine On
RewriteRule ^(.*)$ $1?x
</Location>
""",
    [
        get("/p/a/x%20y?k=%20v"),
        get("/p/b/x%20y?k=v"),
        get("/p/c"),
        get("/p/d?x=1"),
        get("/p/e/a%20b?x=1"),
        get("/p/f"),
        get("/p/g/h?i"),
        get("/p/h"),
    ],
    sees="1 2 1 2 403 403 301 1",
)
scenario(
    "rules in a Location that proxies nothing begin anew elsewhere",
    LOAD
    + """DocumentRoot /etc
<Location /l>
RewriteEngine On
RewriteCond %{REQUEST_URI} !^/l/done
RewriteRule (.*) /p/$1?s=%{ENV:REDIRECT_STATUS} [E=S:$1]
</Location>
<Location /m>
RewriteEngine On
RewriteRule ^(.*)$ /m/x
</Location>
<Location /r>
RewriteEngine On
RewriteRule ^(.*)$ /moved$1 [R]
</Location>
<Location /u>
RewriteEngine On
RewriteRule ^ u/x
</Location>
<Location /d>
RewriteEngine On
RewriteRule ^ /etc/p/stripped
</Location>
<Location /p/again>
RewriteEngine On
RewriteRule ^ /p/other
</Location>
<Location /nowhere>
RewriteEngine On
RewriteRule ^ /nothing/there
</Location>
RequestHeader append X-Told "%{S}e|%{REDIRECT_S}e|%{REDIRECT_STATUS}e|%{REDIRECT_URL}e"
SetEnv FOO 1
ProxyPass /p http://${M1}/q
""",
    [
        get("/l/a%20b?x=1"),
        get("/m/z"),
        get("/r/z?q=1"),
        get("/u/x"),
        get("/d"),
        post("/p/again?z=1", b"kept"),
        get("/l/done"),
        get("/l/%2541"),
        get("/nowhere"),
    ],
    sees="1 500 302 500 1 1 404 1 404",
)
scenario(
    "the server's switch is that of its sections and inner rules replace outer ones",
    ON
    + """<Location /p/a>
RewriteRule ^ - [F]
</Location>
<Location /p/a/b>
SetEnv x 1
</Location>
<Location /p/a/c>
RewriteEngine Off
</Location>
<Location /p/a/d>
RewriteRule ^ - [G]
</Location>
<Location /p/a/e>
RewriteOptions Inherit
RewriteRule ^nothing - [G]
</Location>
<Location /p/a/f>
RewriteRule ^nothing - [G]
</Location>
ProxyPass /p http://${M1}/q
""",
    [get(f"/p/a{rest}") for rest in ("", "/b", "/c", "/d", "/e", "/f")],
    sees="403 403 1 410 403 1",
)
scenario(
    "rules in LocationMatch If and Proxy",
    LOAD
    + """RequestHeader set X-Told "%{S}e %{V}e %{W}e"
<LocationMatch ^/p/(a|b)>
RewriteEngine On
RewriteRule (.*) - [E=S:$1]
</LocationMatch>
<If "true">
RewriteEngine On
RewriteOptions Inherit
RewriteRule (.*) - [E=V:$1]
RewriteRule ^.*/relme rel
</If>
<Proxy http://${M1}>
RewriteEngine On
RewriteOptions Inherit
RewriteRule (.*) - [E=W:$1]
</Proxy>
ProxyPass /p http://${M1}/q
""",
    [get("/p/a"), get("/p/c"), get("/relme")],
    sees="1 1 400",
)
VHOST = """<VirtualHost *:${PORT}>
ServerName lb.test:${PORT}
ServerAlias other.test
%s
RewriteRule ^/x - [G]
RewriteRule ^/s1 http://lb.test:${PORT}/local [PT]
RewriteRule ^/s2 http://other.test:${PORT}/local [PT]
RewriteRule ^/s3 http://lb.test/local [PT]
RewriteRule ^/s4 http://lb.test:${PORT}/local
RewriteRule ^/s5 http://LB.test:${PORT} [PT]
RewriteRule ^/s6 http://lb.test:${PORT}/local [R]
<Location /loc>
RewriteRule ^ - [F]
</Location>
ProxyPass /local http://${M1}/loc
ProxyPass / http://${M2}/
</VirtualHost>
"""
ASKED = [get(path) for path in ("/x", "/main", "/loc", "/s1?x", "/s2", "/s3", "/s4", "/s5", "/s6")]
scenario(
    "a virtual host has the main server's switch but rules of its own",
    ON + "RewriteRule ^/main - [F]\n" + VHOST % "",
    ASKED,
    sees="410 2 403 1 1 400 404 2 302",
)
scenario(
    "a virtual host may take the main server's rules",
    ON + "RewriteRule ^/(main|x) - [F]\n" + VHOST % "RewriteOptions Inherit",
    ASKED[:3],
    sees="410 403 403",
)
scenario(
    "a virtual host may take the main server's rules first",
    ON + "RewriteRule ^/(main|x) - [F]\n" + VHOST % "RewriteOptions InheritBefore",
    ASKED[:3],
    sees="403 403 403",
)
scenario(
    "the main server may give its rules down",
    ON + "RewriteOptions InheritDown\nRewriteRule ^/(main|x) - [F]\n" + VHOST % "",
    ASKED[:3],
    sees="410 403 403",
)
scenario(
    "a virtual host may refuse what is given down",
    ON
    + "RewriteOptions InheritDownBefore\nRewriteRule ^/(main|x) - [F]\n"
    + VHOST % "RewriteOptions IgnoreInherit",
    ASKED[:3],
    sees="410 2 403",
)
scenario(
    "a virtual host may be switched off",
    ON + VHOST % "RewriteEngine Off",
    ASKED[:4],
    sees="2 2 2 2",
)
scenario(
    "END keeps sections from rewriting further",
    ON
    + """RewriteRule ^/end /p/end [END,PT]
RewriteRule ^/p/end/here - [END]
RewriteRule ^/last /p/end [L,PT]
<Location /p/end>
RewriteRule ^ - [F]
</Location>
ProxyPass /p http://${M1}/p
""",
    [get("/end"), get("/last"), get("/p/end/here")],
    sees="403 403 1",
)
scenario(
    "an error document is found through rules",
    ON
    + """RewriteRule ^/gone - [G]
RewriteRule ^/err /p/e [PT]
ErrorDocument 410 /err
ErrorDocument 403 /p/f403
<Location /loc>
RewriteRule ^ /forb
</Location>
<Location /forb>
Require all denied
</Location>
Header always set X-A 1
ProxyPass /p http://${M1}/p
""",
    [get("/gone?x"), get("/loc/x?y")],
    sees="1 1",
)
scenario(
    "rules come before TRACE is refused and after a path is decoded",
    ON + "TraceEnable off\nRewriteCond %{REQUEST_METHOD} ^TRACE\nRewriteRule ^ - [F]\n"
    "RewriteRule ^/g - [G]\nProxyPass / http://${M1}/\n",
    [request("TRACE", "/x"), get("/%67"), get("/a%2fb"), get("http://lb.test/g"), get("//g")],
    sees="403 410 404 410 410",
)
scenario(
    "rules are asked about what an encoded mapping found, too",
    ON
    + "RewriteRule ^/p/f - [F]\nRewriteRule ^proxy:.*/g - [G]\n"
    + "ProxyPass /p http://${M1}/p mapping=encoded\n",
    [get("/p/x"), get("/p/f"), get("/p/g"), get("/q")],
    sees="1 1 410 404",
)
scenario(
    "a WebSocket goes through a rule with ws and loses its upgrade with http",
    ON
    + r"""RewriteCond %{HTTP:Upgrade} websocket [NC]
RewriteCond %{HTTP:Connection} upgrade [NC]
RewriteRule ^/w/(.*) ws://${M1}/$1 [P]
RewriteRule ^/w/(.*) http://${M2}/$1 [P]
RewriteRule ^/n/(.*) ws://${M1}/$1 [P]
""",
    [
        get("/w/a", *WEBSOCKET),
        get("/w/a"),
        get("/n/a?q", *WEBSOCKET),
        get("/n/a"),
        get("/n/a", "Connection: Upgrade", "Upgrade: h2c"),
    ],
    sees="1 2 1 1 1",
)
scenario(
    "members and routes may be ws",
    """ProxyPass /pw ws://${M1}/pw
ProxyPass /px ws://${M2}/pu upgrade=foo
BalancerMember balancer://c ws://${M3}
ProxyPass /c balancer://c
""",
    [get(path, *WEBSOCKET) for path in ("/pw", "/px", "/c/x")] + [get("/pw"), get("/c/y?z")],
    sees="1 2 3 1 3",
)
for name, line, fate in (
    ("without a substitution", "RewriteRule a", "refused"),
    ("whose pattern is wrong", "RewriteRule ( b", "refused"),
    ("with an unknown flag", "RewriteRule a b [Q]", "refused"),
    ("with flags without brackets", "RewriteRule a b Q", "refused"),
    ("with blanks between its flags", "RewriteRule a b [ L , NC ]", "refused"),
    ("with an empty flag", "RewriteRule a b []", "refused"),
    ("with a status that does not exist", "RewriteRule a b [R=999]", "refused"),
    ("with words behind its flags", "RewriteRule a b [L] x", "ok"),
    ("with flags in quotes", 'RewriteRule a b "[E=a:b c,L]"', "ok"),
    ("whose flags want no value", "RewriteRule a b [L=3,P=1,N=x,S=x,CO,E,S,R=foo]", "ok"),
    ("with BNE alone", "RewriteRule a b [BNE]", "refused"),
):
    scenario(f"a rule {name}", ON + line + "\n", check_only=True, sees=fate)
for name, line, fate in (
    ("a condition without a pattern", "RewriteCond a", "refused"),
    ("a condition with an unknown flag", "RewriteCond a b [Q]", "refused"),
    ("a condition whose expression is wrong", "RewriteCond expr foo", "refused"),
    ("a quote in a quoted condition", 'RewriteCond "a\\"b" "a.b"', "refused"),
    ("a map whose file is missing", "RewriteMap m txt:/nonexistent", "refused"),
    ("a map that is not internal", "RewriteMap m int:foo", "refused"),
    ("an unknown rewrite option", "RewriteOptions foo", "refused"),
    ("a rewrite base at server level", "RewriteBase /x", "refused"),
    ("a map in a Location", "<Location />\nRewriteMap m int:tolower\n</Location>", "refused"),
    ("a rewrite base in a Location", "<Location />\nRewriteBase /x\n</Location>", "ok"),
):
    scenario(name, ON + line + "\n", check_only=True, sees=fate)
scenario(
    "a rule that looks ahead",
    ON + "RewriteCond %{LA-U:REMOTE_USER} ^$\nRewriteCond /etc/passwd -F\nRewriteRule ^/a - [F]\n",
    check_only=True,
    sees="ok",
)
scenario(
    "a map that asks a program",
    ON + "RewriteMap m prg:/bin/cat\nRewriteRule ^/a/(.*) /${m:$1} [PT]\n",
    check_only=True,
    sees="ok",
)
scenario(
    "a handler that a rule named answers for no error document",
    "LoadModule status_module /usr/lib/apache2/modules/mod_status.so\n"
    + ON
    + "RewriteRule ^/x - [H=server-status]\n<Location /x>\nRequire all denied\n</Location>\n"
    + "ErrorDocument 403 /page\nProxyPass /page http://${M1}/denied\n",
    [get("/x"), get("/page")],
    sees="1 1",
)
scenario(
    "a rule that answers with 200",
    ON + "RewriteRule ^/ok - [R=200]\nProxyPass / http://${M1}/\n",
    [get("/ok"), get("/other")],
    sees="200 1",
)
