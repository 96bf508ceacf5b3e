"""Access-log formats, conditions and files."""

from scenario import DIRECT, ONE, STICKY, TWO, get, post, raw, request, scenario

scenario(
    "every item of a log format",
    r"""
LogFormat "%h %a %A %l %u %s %>s %<s %B %b %H %m %U %q \"%r\" %p %{canonical}p %v %V %X %k %R %f" a
LogFormat "%{X-In}i|%{X-Out}o|%{sid}C|%{K}e|%{nothing}e|%{proxy-status}n|%%|%{Host}i|%{Content-Type}o|%{Set-Cookie}o" b
LogFormat "%I %S %{c}a %{c}h" c
SetEnvIf X-In (.+) K=$1
CustomLog a.log a
CustomLog b.log b
CustomLog c.log c
CustomLog d.log "direct %s %U"
"""
    + DIRECT,
    [
        get("/x/y?q=1", 'X-In: in"side\\', "Cookie: a=b; sid=abc.r1 ; c=d"),
        get(
            "/x?h=X-Out:%20out&h=Content-Type:%20text/plain;%20charset=x&h=Set-Cookie:%20a=b&h=Set-Cookie:%20c=d"
        ),
        post("/p%20q?status=404&size=0", b"12345"),
        request("HEAD", "/h"),
        get("/\xe9%e9?\xe9"),
    ],
    logs=("a.log", "b.log", "c.log", "d.log"),
    sees="1 1 404 1 1",
)
scenario(
    "times and identities have their shapes",
    r"""
LogFormat "%t %D %T %{ms}T %{us}T %{s}T %P %{remote}p %{%Y}t %{sec}t %{msec}t %{usec}t %{begin:%H:%M:%S}t %{end:sec}t %{local}p" a
CustomLog a.log a
"""
    + DIRECT,
    [get("/"), get("/?delay=0.05")],
    logs=("a.log",),
    mask=(
        (r"\[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", "[time]"),
        (r"(?<=[ \]])\d[\d:]*(?= |$)", "N"),
    ),
    sees="1 1",
)
scenario(
    "status lists choose what is printed",
    r"""
LogFormat "%404,503{X-In}i %!200{X-In}i %!404{X-In}i %s" a
CustomLog a.log a
"""
    + ONE,
    [get("/a", "X-In: one"), get("/nowhere", "X-In: two"), get("/a?status=503", "X-In: three")],
    logs=("a.log",),
    sees="1 404 503",
)
scenario(
    "conditional logs",
    r"""
SetEnvIf Request_URI ^/a/quiet quiet
CustomLog loud.log "%U" env=!quiet
CustomLog quiet.log "%U" env=quiet
CustomLog moved.log "%U %{BALANCER_WORKER_ROUTE}e" env=BALANCER_ROUTE_CHANGED
ProxyPass / balancer://c/ stickysession=sid
"""
    + TWO,
    [get("/a"), get("/a/quiet"), get("/m?sid=x.r2"), get("/m?sid=x.r9")],
    logs=("loud.log", "quiet.log", "moved.log"),
    sees="1 2 2 1",
)
scenario(
    "the line people use to debug lost sessions",
    r"""
LogFormat "%s sticky=%{BALANCER_SESSION_STICKY}e route=%{BALANCER_SESSION_ROUTE}e worker=%{BALANCER_WORKER_ROUTE}e changed=%{BALANCER_ROUTE_CHANGED}e name=%{BALANCER_NAME}e url=%{BALANCER_WORKER_NAME}e" lb
CustomLog lb.log lb
BalancerMember balancer://c http://${DEAD} route=r0
"""
    + STICKY,
    [
        get("/?sid=a.r1"),
        get("/?sid=a.r0"),
        get("/", "Cookie: sid=a.r2"),
        get("/"),
        get("/", "Cookie: sid=a.rx"),
    ],
    logs=("lb.log",),
    sees="1 2 2 1 2",
)
scenario(
    "TransferLog uses the nameless format",
    'LogFormat "nameless %s %U"\nTransferLog t.log\n' + ONE,
    [get("/a"), get("/nowhere")],
    logs=("t.log",),
    sees="1 404",
)
scenario(
    "the default format is the common one",
    "TransferLog t.log\nCustomLog u.log unknown-nickname\n" + ONE,
    [get("/a"), get("/nowhere"), request("HEAD", "/a")],
    logs=("t.log", "u.log"),
    mask=(
        (r"\[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", "[time]"),
        (r'" 404 \d+$', '" 404 (page)'),
    ),
    sees="1 404 1",
)
scenario(
    "a vhost with its own log does not write the main one",
    r"""
CustomLog main.log "%v %U"
<VirtualHost *:${PORT}>
ServerName own.test
CustomLog own.log "%v %U"
ProxyPass / http://${M1}/
</VirtualHost>
<VirtualHost *:${PORT}>
ServerName shared.test
ProxyPass / http://${M1}/
</VirtualHost>
""",
    [
        get("/1", host="own.test", logged=False),
        get("/2", host="shared.test"),
        get("/3", host="own.test", logged=False),
    ],
    logs=("main.log", "own.log"),
    sees="1 1 1",
)
scenario(
    "original and final status after an internal redirect",
    r"""
CustomLog s.log "%s %<s %>s %r %>r %U %>U %m %>m %q %>q"
ErrorDocument 404 /a/err
"""
    + ONE,
    [get("/nothing?x=1"), post("/nothing", b"abc")],
    logs=("s.log",),
    sees="1 1",
)
scenario(
    "odd bytes are escaped",
    r"""
LogFormat "%{X-O}i \t%r\n%{User-Agent}i" esc
CustomLog e.log esc
"""
    + ONE,
    [
        get("/a", 'X-O: q"b\\t\ttab', "User-Agent: \xc3\xa9\x7f"),
        get("/a?%22%5c%0a"),
        get("/a", "X-O:"),
    ],
    logs=("e.log",),
    sees="400 1 1",
)
scenario(
    "broken requests are logged as received",
    'CustomLog b.log "%s %r"\n' + ONE,
    [
        raw(b"GARBAGE\r\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\nNoColon\r\n\r\n"),
        raw(b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
        raw(b"GET /a HTTP/1.1\r\n\r\n"),
        raw(b"GET /a XTTP/1.1\r\nHost: x\r\n\r\n"),
    ],
    logs=("b.log",),
    sees="400 400 400 400 400",
)
scenario(
    "Variables of TLS in a log without TLS",
    """\
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LogFormat "%h %{SSL_PROTOCOL}x %{SSL_CIPHER}x \\"%r\\" %b" tls
CustomLog tls.log tls
"""
    + ONE,
    [get("/a")],
    logs=("tls.log",),
    sees="1",
)
scenario(
    "the target in the log before and after it is made whole",
    r"""
LogFormat "%s %f" a
CustomLog a.log a
BalancerMember balancer://off http://${M1} status=D
ProxyPass /bare balancer://c
ProxyPass /b balancer://c/in
ProxyPass /off balancer://off/in
ProxyPass /raw http://${M1}/in nocanon
ProxyPass /host http://${M1}
ProxyPass /d http://${M1}/in
ErrorDocument 403 denied
<LocationMatch /den>
Require all denied
</LocationMatch>
"""
    + TWO,
    [
        request(method, start + end, *headers)
        for start in ("/bare", "/b", "/raw", "/host", "/d")
        for end, method, headers in (
            ("/x%20y|?a=b%20c", "GET", ()),
            ("/x%20y|?a=b%20c", "OPTIONS", ("Max-Forwards: 0",)),
            ("/x%20y|?a=b%20c", "GET", ("Max-Forwards: 0",)),
            ("/den%20y?a=b%20c", "GET", ()),
            ("", "OPTIONS", ("Max-Forwards: 0",)),
        )
    ]
    + [get("/off/x%20y?a")],
    logs=("a.log",),
    sees="1 200 400 403 200 2 200 400 403 200" + 3 * " 1 200 400 403 200" + " 503",
)
scenario(
    "the last request that MaxKeepAliveRequests allows counts whatever closes",
    "MaxKeepAliveRequests 1\n" + ONE,
    [
        2 * [get("/a", on="c")],
        get("/a", on="d"),
        get("/a", version="1.0", on="d"),
        get("/a", on="e"),
        get("/a", "Connection: close", on="e"),
        get("/a", on="f"),
        get("/a?status=400", on="f"),
        get("/a", on="g"),
        get("/a?eof=1", version="1.0", on="g"),
    ],
    sees="1 1 1 1 1 1 1 400 1 1",
)
scenario(
    "a request has a log id once something was logged of it",
    'LogFormat "id=%L %U" a\nCustomLog a.log a\nProxyPass /d http://${DEAD}\n' + DIRECT,
    [get("/"), get("/d"), get("/", on="k"), get("/d", on="k"), get("/")],
    logs=("a.log",),
    mask=((r"id=[^ ]{11} ", "id=(id) "),),
    sees="1 503 1 503 1",
)
SENT = "".join(
    f"%{{{name}}}o|"
    for name in (
        "X-Both X-Set X-Member Connection Keep-Alive Server Date Content-Length Transfer-Encoding"
        " Content-Type Set-Cookie Location Upgrade Vary"
    ).split()
)
SENT = rf"""
LogFormat "{SENT}%>s %U" a
CustomLog a.log a
CustomLog first.log "%U" "expr=resp('X-Both') == 'always'"
CustomLog second.log "%U" "expr=resp('X-Both') == 'set'"
CustomLog said.log "%U" "expr=-n resp('Connection') || -n resp('Date') || -n resp('Server')"
Header set X-Both set
Header always set X-Both always
Header set X-Set "expr=%{{resp:X-Both}}"
Header add Set-Cookie a=set
Header always add Set-Cookie a=always
Redirect /moved http://elsewhere.test/
ProxyPass /d http://${{DEAD}}
"""
SENT_LOGS = ("a.log", "first.log", "second.log", "said.log")
scenario(
    "a log tells of the fields that were sent",
    SENT + ONE,
    [
        get("/a?h=X-Member:%20m&h=X-Both:%20m&h=Server:%20M"),
        [get("/a", "Connection: keep-alive", on="k"), get("/a", on="k"), get("/none", on="k")],
        get("/none", "Connection: keep-alive", on="k"),
        get("/a", "Connection: close", on="k"),
        [get("/a", "Connection: keep-alive", version="1.0", on="o"), get("/a", version="1.0")],
        [get(path, "Connection: close") for path in ("/none", "/moved", "/d", "/a?status=404")],
        [get("/a?chunked=3"), get("/a?chunked=3", "Connection: close"), get("/a?eof=1")],
        get("/a?eof=1", version="1.0"),
        [get("/a?status=304", "Connection: close"), get("/a?status=204", "Connection: close")],
        [request("HEAD", path, "Connection: close") for path in ("/a", "/a?chunked=3", "/none")],
        [request("OPTIONS", path, "Connection: close") for path in ("/none", "*")],
        get("/a", host=None),
    ],
    logs=SENT_LOGS,
    sees="1 1 1 404 404 1 1 1 404 302 503 404 1 1 1 1 304 204 1 1 404 200 200 400",
)
RULED = """\
Header always set Connection always
Header set Connection set
Header set Keep-Alive mine
Header always set Date always
Header set Server set
"""
scenario(
    "a log tells what rules and our end say of the connection",
    "MaxKeepAliveRequests 3\n" + RULED + SENT + ONE,
    [
        [get("/a", "Connection: keep-alive", on="k") for _ in range(4)],
        [get("/a", on="n"), get("/none", on="n"), get("/none", "Connection: close", on="n")],
        [get("/a", version="1.0"), get("/a", "Connection: keep-alive", version="1.0")],
    ],
    logs=SENT_LOGS,
    sees="1 1 1 1 1 404 404 1 1",
)
scenario(
    "a log and a connection that a rule closes",
    "Header set Connection close\nHeader always set Keep-Alive mine\n" + SENT + ONE,
    [get("/a"), get("/a", "Connection: keep-alive"), get("/none")],
    logs=SENT_LOGS,
    sees="1 1 404",
)
scenario(
    "a log of connections that nothing keeps",
    "KeepAlive Off\n" + SENT + ONE,
    [get("/a"), get("/a", "Connection: keep-alive"), get("/none")],
    logs=SENT_LOGS,
    sees="1 1 404",
)
