"""Expressions: conditions of <If>, Require, Header, SetEnvIfExpr and CustomLog."""

from scenario import DIRECT, ONE, TWO, get, post, request, scenario
from support.server import MODULE_DIRECTORY


def quoted(expression):
    return '"expr=' + expression.replace("\\", "\\\\").replace('"', '\\"') + '"'


def verdicts(*conditions):
    """One field in the answer for each condition that holds."""
    return "".join(
        f"Header always set C{number} holds {quoted(condition)}\n"
        for number, condition in enumerate(conditions)
    )


def values(*expressions):
    """One field in the answer for each text."""
    return "".join(
        f"Header always set V{number} {quoted('[' + expression + ']')}\n"
        for number, expression in enumerate(expressions)
    )


def when(condition, *lines, then=""):
    escaped = condition.replace("\\", "\\\\").replace('"', '\\"')
    return f'<If "{escaped}">\n' + "\n".join(lines) + f"\n</If>\n{then}"


def mark(text):
    """Adds a word to a field, so that the order of sections shows."""
    return f"Header append X-Order {text}"


def refused(name, conf):
    scenario(name, conf + DIRECT, check_only=True)


scenario(
    "how tightly operators bind",
    verdicts(
        "true || false && false",
        "(true || false) && false",
        "!false && false",
        "!(false && false)",
        "not false and false",
        "! 'a' == 'b'",
        "!!true",
        "not not false or true",
        "false || false || true",
        "true && true && false",
        "((true))",
        "true&&true||false",
    )
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "comparing texts",
    verdicts(
        "'a' == 'a'",
        "'a' = 'A'",
        "'a' != 'A'",
        "'a' < 'aa'",
        "'a' < 'B'",
        "'B' <= 'a'",
        "'b' > 'a'",
        "'a' >= 'aa'",
        "'\xe9' > 'z'",
        "1.2 == '12'",
        "-5 == '-5'",
        "'a'.'b' == 'ab'",
        "'a' . %{REQUEST_URI} . 1 == 'a/x/y1'",
        "\"a'c\" == 'a\\'c'",
        "'\\101\\x' == 'Ax'",
        "req('X-Any') == ''",
        "%{QUERY_STRING} = 'q=1'",
    )
    + DIRECT,
    [get("/x/y?q=1")],
    sees="1",
)
scenario(
    "comparing numbers",
    verdicts(
        "'1' -eq '1abc'",
        "'abc' eq 0",
        "' 12' -eq 12",
        "'+12' -eq 12",
        "'010' -eq 10",
        "'0x10' -eq 16",
        "'9223372036854775808' -eq '9223372036854775807'",
        "'99999999999999999999' -gt 5",
        "'-99999999999999999999' -lt '-9223372036854775807'",
        "-5 -lt -4",
        "'' -eq 0",
        "%{req:X-Count} -ge 10",
        "%{req:X-Count} le 9",
        "1 -ne 2",
        "1 ne 1",
        "2 gt 1",
        "'a'eq'b'",
    )
    + DIRECT,
    [get("/", "X-Count: 9"), get("/", "X-Count: 10")],
    sees="1 1",
)
scenario(
    "regular expressions and their separators",
    verdicts(
        "'abc' =~ /b/",
        "'abc' !~ /x/",
        "'ABC' =~ /abc/",
        "'ABC' =~ /abc/i",
        "'a/b' =~ m#a/b#",
        "'x' =~ m:x:",
        "'x' =~ m-x-i",
        "'x' =~ m|x|",
        "'x' =~ m^x^",
        "'x' =~ m,x,",
        "'x' =~ m;x;",
        "'x' =~ m?x?",
        "'x' =~ m!x!",
        "'x' =~ m.x.",
        "'x' =~ m'x'",
        "'x' =~ //",
        "'x' =~ /x/&& true",
        "%{REQUEST_URI} =~ m#^/x/\\w$#",
    )
    + DIRECT,
    [get("/x/y"), get("/x/y/z")],
    sees="1 1",
)
scenario(
    "groups in the same expression",
    verdicts(
        "'abc' =~ /(b)(c)/ && $1 == 'b' && $2 == 'c' && $0 == 'bc'",
        "'abc' =~ /(b)/ && 'xyz' =~ /y/ && $1 == 'b'",
        "'abc' =~ /(b)/ && 'xyz' =~ /y/ && $0 == 'b'",
        "'abc' =~ /b/ && $0 == ''",
        "'abc' =~ /(b)/ && ('xyz' =~ /(q)/ || $1 == 'b')",
        "'abc' =~ /(b)/ && ('xyz' =~ /(q)/ || $1 == '')",
        "'abc' =~ /(b)/ && ('xyz' =~ /q/ || $1 == 'b')",
        "'abc' !~ /(q)/ && $1 == ''",
        "!('abc' !~ /(b)/) && $1 == 'b'",
        "'abc' =~ /(b)(x)?/ && $2 == ''",
        "'abcdefghijkl' =~ /(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)/ && $9 == 'i'",
        "'abc' =~ /(b)/ && '$1$1x' == 'bbx'",
        "'abc' =~ /(b)/ && toupper($1) == 'B'",
        "'abc' =~ /(b)/ && '%{toupper:$1}' == 'B'",
        "$1 == ''",
        "%{REQUEST_URI} =~ m#^/(.*)$# && %{req:X-Path} == $1",
    )
    + DIRECT,
    [get("/p/q", "X-Path: p/q")],
    sees="1",
)
scenario(
    "lists and wildcards",
    verdicts(
        "'a' in {'b','a'}",
        "'A' in {'a'}",
        "'a' -in {'a'}",
        "'bc' in { 'b' . 'c' , 1 }",
        "%{REQUEST_METHOD} -in {'GET', 'POST'}",
        "'a/b.c' -strmatch '*.c'",
        "'a/b.c' -fnmatch '*.c'",
        "'a/b.c' -fnmatch '*/*.c'",
        "'A' -strmatch 'a'",
        "'A' -strcmatch 'a'",
        "'abc' -STRMATCH 'a[a-c]c'",
        "'abc' -strmatch 'a[!b]c'",
        "'a*c' -strmatch 'a\\\\*c'",
        "'abc' -strmatch 'a\\\\*c'",
        "'abc' -strmatch %{req:X-Pattern}",
    )
    + DIRECT,
    [get("/", "X-Pattern: a?c"), post("/", b"x", "X-Pattern: b*"), request("PUT", "/", body=b"")],
    sees="1 1 1",
)
scenario(
    "classes of a wildcard",
    verdicts(
        "'B' -strcmatch '[a-c]'",
        "'b' -strcmatch '[A-C]'",
        "'B' -strcmatch '[!b]'",
        "'b' -strcmatch '[^B]'",
        "'B' -strmatch '[a-c]'",
        "'_' -strcmatch '[A-z]'",
        "'X.b' -strcmatch 'x.[AB]'",
        "'\\\\' -strmatch '[\\\\]'",
        "'[\\\\]' -strmatch '[\\\\]'",
        "']' -strmatch '[\\\\]]'",
        "']' -strmatch '[]a]'",
        "'b' -strmatch '[\\\\a-\\\\c]'",
        "'-' -strmatch '[a-]'",
        "'[a/b]' -fnmatch '[a/b]'",
        "'a' -fnmatch '[a/b]'",
        "'a' -strmatch '[a/b]'",
    )
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "addresses and networks",
    verdicts(
        "-R '127.0.0.1'",
        "-R '127'",
        "-R '127.0.0.0/8'",
        "-R '127.0.0.0/255.0.0.0'",
        "-R '::1'",
        "-R '10.0.0.0/8'",
        "'10.1.2.3' -ipmatch '10.1'",
        "'10.1.2.3' -ipmatch '10.1.2.3/16'",
        "'abc.' -ipmatch '10.1'",
        "'::ffff:10.1.2.3' -ipmatch '10.1'",
        "'2001:db8::1' -ipmatch '2001:db8::/32'",
        "%{REMOTE_ADDR} -ipmatch '127.0.0.1'",
        "%{req:X-Real-IP} -ipmatch '192.168.0.0/16'",
    )
    + DIRECT,
    [get("/"), get("/", "X-Real-IP: 192.168.7.7")],
    sees="1 1",
)
scenario(
    "addresses in the forms of old",
    '<Location />\nRequire expr "%{QUERY_STRING} -ipmatch \'10.0.0.0/8\'"\n</Location>\n' + DIRECT,
    [get(f"/?{text}") for text in ("10.1.2.3", "0xa.1.2.3", "167838211", "10.1.2", "012.1.2.3")],
    sees="1 1 1 1 1",
)
scenario(
    "words that are asked about by letters",
    verdicts(
        "-n 'x'",
        "-n ''",
        "-z ''",
        "-z req('X-In')",
        "-n'a'.''",
        "-T 'OFF'",
        "-T '0'",
        "-T 'no'",
        "-T 'False'",
        "-T ''",
        "-T '00'",
        "-T 'yes'",
        "-T reqenv('ON')",
    )
    + "SetEnvIf X-In . ON=on\n"
    + DIRECT,
    [get("/"), get("/", "X-In: 1")],
    sees="1 1",
)
scenario(
    "files are looked at when a condition asks",
    verdicts(
        "-f '/etc/passwd'",
        "-e '/etc/passwd'",
        "-s '/etc/passwd'",
        "-d '/etc'",
        "-d '/etc/passwd'",
        "-f '/etc'",
        "-f '/nowhere'",
        "-e '/nowhere'",
        "-L '/etc/passwd'",
        "-L '/proc/self'",
        "-h '/etc/mtab'",
        "-f '/etc/mtab'",
        "-x '/bin/sh'",
        "-x '/etc/passwd'",
        "-x '/etc'",
        "-s '/etc'",
        "-s '/dev/null'",
        "-e '/dev/null'",
        "-e ''",
        "file('/etc/passwd') =~ /^root:/",
        "filesize('/etc/passwd') -gt 10",
        "filesize('/nowhere') == '0'",
        "filesize('/etc') == '0'",
        "%{file:/etc/passwd} =~ /^root:(.)/ && $1 == 'x'",
        "-f '/etc' . %{QUERY_STRING}",
    )
    + DIRECT,
    [get("/?/passwd"), get("/?/none")],
    sees="1 1",
)
scenario(
    "functions of an expression",
    verdicts(
        "req('Host') == 'lb.test'",
        "%{HTTP:host} == http('HOST')",
        "tolower(toupper('a').'B') == 'ab'",
        "md5 ('foo') == 'acbd18db4cc2f85cedef654fccc4a4d8'",
        "SHA1('foo') == '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33'",
        "%{tolower:%{req:X-In}} == 'mixed'",
        "%{tolower:A\\}B} == 'a}b'",
        "reqenv('K') == 'v' && env('K') == 'v' && note('K') == ''",
        "osenv('NOBODY_SETS_THIS') == ''",
        "unescape('a%20b') == 'a b' && escape('a b') == 'a%20b'",
        "unbase64(base64('text')) == 'text'",
        "req_novary('X-In') == 'Mixed'",
    )
    + "SetEnvIf Host . K=v\n"
    + DIRECT,
    [get("/", "X-In: Mixed"), get("/")],
    sees="1 1",
)
scenario(
    "digests and escapes as values",
    values(
        "%{md5:%{QUERY_STRING}}",
        "%{sha1:%{QUERY_STRING}}",
        "%{md5:%{req:X-None}}",
        "%{ldap:%{unescape:%{QUERY_STRING}}}",
        "%{base64:%{QUERY_STRING}}",
        "%{filesize:/nowhere}",
        "%{LAST_MODIFIED}%{SCRIPT_USER}%{SCRIPT_GROUP}",
    )
    + DIRECT,
    [
        get("/?foo"),
        get("/"),
        get("/?" + "0123456789" * 13),
        get("/?a,b+c%22d%5ce%3cf%3eg;h=i*j(k)l%23m%20n/o%7f%c3%a9!"),
    ],
    sees="1 1 1 1",
)
scenario(
    "variables of a request in a condition",
    verdicts(
        "%{REQUEST_METHOD} == 'GET' && %{REQUEST_SCHEME} == 'http'",
        "%{REQUEST_URI} == '/a b' && %{DOCUMENT_URI} == '/a b'",
        "%{QUERY_STRING} == 'c%20d'",
        "%{THE_REQUEST} == 'GET /a%20b?c%20d HTTP/1.1'",
        "%{REMOTE_ADDR} == '127.0.0.1' && %{CONN_REMOTE_ADDR} == '127.0.0.1'",
        "%{REMOTE_PORT} -gt 0",
        "%{REMOTE_HOST} == '127.0.0.1'",
        "%{REMOTE_USER} == '' && %{AUTH_TYPE} == '' && %{REMOTE_IDENT} == ''",
        "%{SERVER_NAME} == 'lb.test'",
        "%{SERVER_PROTOCOL} == 'HTTP/1.1'",
        "%{REQUEST_STATUS} == '200'",
        "%{HTTPS} == 'off' && %{HTTP2} == 'off' && %{IPV6} == 'off' && %{IS_SUBREQ} == 'false'",
        "%{HTTP_HOST} == 'lb.test' && %{http_accept} == 'text/html'",
        "%{HTTP_COOKIE} == 'a=1' && %{HTTP_USER_AGENT} == 'me' && %{HTTP_REFERER} == 'r'",
        "%{HTTP_FORWARDED} == '' && %{HTTP_PROXY_CONNECTION} == ''",
        "%{HANDLER} == 'proxy-server'",
        "%{REQUEST_FILENAME} =~ m#^proxy:http://# && %{SCRIPT_FILENAME} == %{REQUEST_FILENAME}",
        "%{CONTENT_TYPE} =~ m#^text/plain#",
        "%{TIME_YEAR} -ge 2024 && %{TIME} =~ /^\\d{14}$/ && %{TIME_WDAY} -in {0,1,2,3,4,5,6}",
        "%{TIME_HOUR} =~ /^\\d\\d$/ && %{TIME_MON} -le 12 && %{TIME_DAY} -ge 1 && %{TIME_SEC} -lt 61",
        "%{API_VERSION} == '20120211'",
        "%{PATH_INFO} == '' && %{CONTEXT_PREFIX} == ''",
    )
    + DIRECT,
    [
        get("/a%20b?c%20d", "Accept: text/html", "Cookie: a=1", "User-Agent: me", "Referer: r"),
        request("GET", "/a%20b?c%20d", version="1.0"),
    ],
    sees="1 1",
)
# What the manual's page on expressions lists, in its order.
EVERY_VARIABLE = """
HTTP_ACCEPT HTTP_COOKIE HTTP_FORWARDED HTTP_HOST HTTP_PROXY_CONNECTION HTTP_REFERER HTTP_USER_AGENT
REQUEST_METHOD REQUEST_SCHEME REQUEST_URI DOCUMENT_URI REQUEST_FILENAME SCRIPT_FILENAME
LAST_MODIFIED SCRIPT_USER SCRIPT_GROUP PATH_INFO QUERY_STRING IS_SUBREQ THE_REQUEST REMOTE_ADDR
REMOTE_PORT REMOTE_HOST REMOTE_USER REMOTE_IDENT SERVER_NAME SERVER_PORT SERVER_ADMIN
SERVER_PROTOCOL DOCUMENT_ROOT AUTH_TYPE CONTENT_TYPE HANDLER HTTP2 HTTPS IPV6 REQUEST_STATUS
REQUEST_LOG_ID CONN_LOG_ID CONN_REMOTE_ADDR CONTEXT_PREFIX CONTEXT_DOCUMENT_ROOT TIME_YEAR TIME_MON
TIME_DAY TIME_HOUR TIME_MIN TIME_SEC TIME_WDAY TIME SERVER_SOFTWARE API_VERSION
""".split()
scenario(
    "every variable of an expression",
    "\n".join(
        f'{line} X-{name} "expr=[%{{{name}}}]"'
        for name in EVERY_VARIABLE
        for line in ("Header always set", "RequestHeader set")
        if line[0] == "H" or "FILENAME" not in name
    )
    + "\nDocumentRoot /tmp\n"
    + DIRECT,
    [
        get("/a%20b/c?d=%20e", "Accept: text/*", "Cookie: a=1", "Referer: r", "User-Agent: me"),
        post("/", b"x", "Forwarded: for=1.2.3.4", "Proxy-Connection: close", "X-In: 1"),
        get("/?status=404"),
    ],
    mask=(
        (r"(X-REMOTE_PORT: )\[\d+\]", r"\1(port)"),
        (r"(X-TIME(_YEAR|_MON|_DAY|_HOUR|_MIN|_SEC|_WDAY)?: )\[\d+\]", r"\1(now)"),
        (r"(X-SERVER_SOFTWARE: )\[[^]]+\]", r"\1(banner)"),
    ),
    sees="1 1 404",
)
scenario(
    "the name of a target in RequestHeader",
    'RequestHeader set X-F "expr=%{REQUEST_FILENAME}"\n' + DIRECT,
    [get("/a%20b?c=d")],
    sees="1",
)
scenario(
    "there is a document root without DocumentRoot",
    '<Location />\nRequire expr "-n %{DOCUMENT_ROOT}"\n</Location>\n' + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "a request has an id once a line about it was logged",
    'Header always set X-Id "expr=[%{REQUEST_LOG_ID}]"\n'
    + "ProxyPass /dead http://${DEAD}/\n"
    + DIRECT,
    [get("/"), get("/dead")],
    mask=((r"(X-Id: )\[[\w@+/-]+\]", r"\1(id)"),),
    sees="1 503",
)
scenario(
    "notes that the proxy leaves",
    f"LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so\n"
    + TWO
    + values(
        "%{note:session-route}|%{note:session-sticky}|%{note:proxy-status}",
        "%{env:session-route}|%{env:session-sticky}|%{reqenv:session-route}",
    )
    + verdicts("%{note:proxy-source-port} =~ /^[1-9]\\d+$/")
    + 'RequestHeader set X-Early "expr=%{note:session-route}%{note:proxy-source-port}"\n'
    + 'LogFormat "%{session-route}n %{session-sticky}n %{proxy-source-port}n" b\n'
    + "CustomLog b.log b\n"
    + "ProxyPass /direct http://${M1}/\nProxyPass /j ajp://${J1}/\n"
    + "ProxyPass /dead http://${DEAD}/\nProxyPass /u unix:${U1}|http://local/\n"
    + "ProxyPass / balancer://c/ stickysession=sid\n",
    [
        get("/?sid=a.r2"),
        get("/?sid=a.r2"),
        get("/", "Cookie: sid=a.nowhere"),
        get("/"),
        get("/direct"),
        get("/direct"),
        get("/j"),
        get("/dead"),
        get("/u/"),
    ],
    logs=("b.log",),
    mask=((r"\b\d{4,5}$", "(port)"),),
    sees="2 2 1 1 1 1 1 503 1",
)
scenario(
    "variables of TLS where its module is not loaded",
    "Header always set X-S %{HTTPS}s-%{SSL_PROTOCOL}s-%{SERVER_NAME}s\n"
    + 'Header always set X-E "expr=[%{HTTPS}]"\n'
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "variables of TLS on a connection without it",
    f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
    + "Header always set X-S %{HTTPS}s-%{SSL_PROTOCOL}s-%{SERVER_NAME}s\n"
    + 'Header always set X-E "expr=[%{HTTPS}]"\n'
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "a condition of Header sees the answer",
    verdicts(
        "resp('X-Out') == 'out'",
        "%{REQUEST_STATUS} -ge 400",
        "%{resp:X-Made} == 'early'",
        "%{resp:X-Late} == 'late'",
    )
    + 'Header set X-Made early "expr=true"\nHeader set X-Late late\n'
    + 'Header set X-After yes "expr=%{resp:X-Made} == \'early\' && resp(\'C0\') == \'holds\'"\n'
    + 'Header unset X-Out "expr=%{REQUEST_STATUS} == 404"\n'
    + 'Header edit X-Out (.) <$1> "EXPR=%{QUERY_STRING} =~ /edit/"\n'
    + DIRECT,
    [
        get("/?h=X-Out:%20out"),
        get("/?status=404&h=X-Out:%20out"),
        get("/?edit&h=X-Out:%20out"),
        get("/"),
    ],
    sees="1 404 1 1",
)
scenario(
    "conditions about the request are named in Vary",
    'Header set X-A 1 "expr=%{HTTP:X-In} == \'\' && req(\'Y\') == \'\' && %{HTTP_COOKIE} == \'\'"\n'
    'Header set X-B 1 "expr=%{HTTP:x-in} != \'\' || %{HTTP_HOST} == \'\'"\n'
    'Header always set X-C 1 "expr=req(\'Z\') == \'\' && req_novary(\'N\') == \'\'"\n'
    'Header set X-D "expr=%{req:W}"\n'
    + DIRECT,
    [
        get("/"),
        get("/", "X-In: 1"),
        get("/?h=Vary:%20Accept,%20%20z"),
        get("/?h=Vary:%20Accept&h=Vary:%20accept,Q"),
        get("/?h=Vary:%20*"),
        get("/?status=404"),
    ],
    sees="1 1 1 1 1 404",
)
scenario(
    "Vary of a member names each field once",
    DIRECT,
    [
        get("/?h=Vary:%20a,%20b,%20%20c"),
        get("/?h=Vary:%20a,%20A,%20b"),
        get("/?h=Vary:%20a,b&h=Vary:%20b,%20c"),
        get("/?h=Vary:%20*"),
    ],
    sees="1 1 1 1",
)
scenario(
    "conditions on pages of the proxy itself",
    'Header always set X-A 1 "expr=%{REQUEST_STATUS} == 404 && req(\'X-In\') == \'\'"\n'
    'Header always set X-B 1 "expr=%{REQUEST_STATUS} == 503"\n'
    'Header set X-C 1 "expr=true"\nProxyPass /dead http://${DEAD}/\n',
    [get("/nowhere"), get("/dead")],
    sees="404 503",
)
scenario(
    "RequestHeader with a condition",
    'RequestHeader set X-A 1 "expr=%{REQUEST_URI} =~ m#^/a#"\n'
    'RequestHeader set X-B "expr=%{req:X-A}%{REQUEST_METHOD}" "expr=-n req(\'X-A\')"\n'
    'RequestHeader unset X-In "expr=%{HTTP:X-In} -in {\'drop\'}"\n'
    'RequestHeader edit X-In e E "expr=%{REQUEST_STATUS} == 200"\n'
    + DIRECT,
    [get("/a", "X-In: keep"), get("/b", "X-In: drop"), get("/c")],
    sees="1 1 1",
)
scenario(
    "SetEnvIfExpr gives its groups to the values",
    'SetEnvIfExpr "%{REQUEST_URI} =~ m#^/(.)/(.)#" "V=$1-$2-$0 \\$1 %{REQUEST_URI}" W !X\n'
    "RequestHeader set X-V %{V}e\nRequestHeader set X-W %{W}e\nRequestHeader set X-X %{X}e\n"
    "SetEnvIf Request_URI . X=1\n"
    'SetEnvIfExpr "reqenv(\'W\') == 1 && reqenv(\'X\') == 1" Y=seen !X\n'
    "RequestHeader set X-Y %{Y}e\n"
    + DIRECT,
    [get("/p/q"), get("/p"), get("/%70/q")],
    sees="1 1 1",
)
scenario(
    "SetEnvIfExpr without groups of its own",
    'SetEnvIfExpr "%{REQUEST_URI} !~ m#^/(q)#" "A=$0-$1x"\n'
    'SetEnvIfExpr "%{REQUEST_URI} =~ m#^/(.)#" "B=$1"\n'
    'SetEnvIfExpr "true" "C=$1."\n'
    'SetEnvIfExpr "%{REQUEST_URI} =~ /./" "D=$1,"\n'
    "RequestHeader set X-V %{A}e%{B}e%{C}e%{D}e\n"
    + DIRECT,
    [get("/p")],
    sees="1",
)
scenario(
    "SetEnvIfExpr in a section sees where a request goes",
    "<Location /p>\n"
    'SetEnvIfExpr "%{REQUEST_FILENAME} =~ m#^(proxy):http# && %{HANDLER} =~ /(.*)-/" "V=$1"\n'
    "</Location>\nRequestHeader set X-V %{V}e\n"
    'SetEnvIfExpr "-n %{REQUEST_FILENAME}" EARLY\nRequestHeader set X-E %{EARLY}e\n'
    + DIRECT,
    [get("/p"), get("/q")],
    sees="1 1",
)
scenario(
    "Require expr grants and denies",
    "<Location /a>\nRequire expr %{HTTP:X-In} == 'yes' && %{REQUEST_URI} =~ m#^/a b?#\n</Location>\n"
    '<Location /b>\nRequire expr "%{REQUEST_URI} == \'/b\'"\n</Location>\n'
    "<Location /c>\n<RequireAll>\nRequire all granted\n"
    "Require not expr %{REQUEST_METHOD} == 'POST'\n</RequireAll>\n</Location>\n"
    "<Location /d>\nRequire expr false\nRequire method POST\n</Location>\n"
    "<Location /e>\n<RequireAll>\n<RequireNone>\nRequire expr %{QUERY_STRING} == 'x'\n"
    "</RequireNone>\nRequire all granted\n</RequireAll>\n</Location>\n"
    + DIRECT,
    [
        get("/a%20b", "X-In: yes"),
        get("/a", "X-In: no"),
        get("/b"),
        get("/b/c"),
        get("/c"),
        post("/c", b"x"),
        get("/d"),
        post("/d", b"x"),
        get("/e"),
        get("/e?x"),
    ],
    sees="1 403 1 403 1 403 403 1 1 403",
)
scenario(
    "Require expr that cannot be evaluated is a 500",
    "<Location /a>\nRequire expr file('/nowhere') == ''\n</Location>\n"
    "<Location /b>\n<RequireAll>\nRequire all granted\nRequire not expr file('/nowhere') == ''\n"
    "</RequireAll>\n</Location>\n"
    "<Location /c>\nRequire all granted\nRequire expr file('/nowhere') == ''\n</Location>\n"
    "<Location /d>\nRequire expr true || file('/nowhere') == ''\n</Location>\n"
    + DIRECT,
    [get("/a"), get("/b"), get("/c"), get("/d")],
    sees="500 500 1 1",
)
scenario(
    "Require expr sees variables that SetEnvIf sets in time",
    "SetEnvIf X-In yes SEEN\nSetEnv LATE 1\n"
    "<Location /a>\nSetEnvIf X-In . HERE=$0\nRequire expr -n reqenv('SEEN') && reqenv('HERE') == 'y'\n"
    "</Location>\n<Location /b>\nRequire expr -n reqenv('LATE')\n</Location>\n"
    + DIRECT,
    [get("/a", "X-In: yes"), get("/a"), get("/b")],
    sees="1 403 403",
)
scenario(
    "CustomLog with a condition",
    'CustomLog a.log "%U %>s" "expr=%{REQUEST_STATUS} -ge 400"\n'
    'CustomLog b.log "%U %>s" "expr=resp(\'X-Out\') == \'out\'"\n'
    'CustomLog c.log "%U %>s" "EXPR=%{REQUEST_URI} =~ m#^/a# && %{HANDLER} == \'proxy-server\'"\n'
    'CustomLog d.log "%U %>s" "expr=file(\'/nowhere\') == \'\'"\n'
    'CustomLog e.log "%U %>s" "expr=reqenv(\'BALANCER_WORKER_ROUTE\') == \'r1\'"\n'
    + "ProxyPass /c balancer://c\n"
    + TWO
    + "ProxyPass /nowhere !\n"
    + DIRECT,
    [get("/a?h=X-Out:%20out"), get("/b?status=404"), get("/c"), get("/c"), get("/nowhere")],
    logs=("a.log", "b.log", "c.log", "d.log", "e.log"),
    sees="1 404 1 2 404",
)
scenario(
    "a log asks the request that came when a document took its place",
    "ErrorDocument 404 /err\nSetEnvIf Request_URI nope V=1\n"
    + "".join(
        f"CustomLog {name}.log \"%s %>s %U\" {quoted(condition)}\n"
        for name, condition in (
            ("a", "%{REQUEST_STATUS} == '404'"),
            ("b", "%{REQUEST_STATUS} == '200'"),
            ("c", "%{REQUEST_URI} == '/nope'"),
            ("d", "%{REQUEST_URI} == '/err'"),
            ("e", "%{QUERY_STRING} == 'q=1'"),
        )
    )
    + "ProxyPass /err http://${M1}/err\n",
    [get("/nope?q=1"), get("/err")],
    logs=("a.log", "b.log", "c.log", "d.log", "e.log"),
    sees="1 1",
)
scenario(
    "sections with conditions count over all others",
    when("true", mark("server"))
    + "<Location /p>\n"
    + when("true", mark("location"))
    + mark("plain")
    + "\n</Location>\n<Proxy http://${M1}>\n"
    + when("true", mark("proxy"))
    + "</Proxy>\n"
    + DIRECT,
    [get("/p"), get("/q")],
    sees="1 1",
)
scenario(
    "inner conditions count over all outer ones",
    when(
        "true",
        when("true", when("true", mark("3")), mark("2")),
        mark("1"),
        when("false", mark("no"), then=f"<Else>\n{mark('2b')}\n</Else>"),
    )
    + when("true", mark("1c"), when("%{QUERY_STRING} == 'x'", mark("2c")))
    + DIRECT,
    [get("/"), get("/?x")],
    sees="1 1",
)
scenario(
    "of a chain the first branch that holds counts",
    when("%{QUERY_STRING} == 'a'", mark("a"))
    + "SetEnv BETWEEN 1\n"
    + f"<ElseIf \"%{{QUERY_STRING}} -in {{'a','b'}}\">\n{mark('b')}\n</ElseIf>\n"
    + f"<ElseIf \"%{{QUERY_STRING}} =~ /[abc]/\">\n{mark('c')}\n</ElseIf>\n"
    + f"<Else>\n{mark('d')}\n</Else>\n"
    + when("%{QUERY_STRING} != 'd'", mark("not-d"))
    + f"<Else>\n{mark('is-d')}\n</Else>\n"
    + DIRECT,
    [get("/?a"), get("/?b"), get("/?c"), get("/?d"), get("/?e")],
    sees="1 1 1 1 1",
)
scenario(
    "chains of a server and of a section are apart",
    when("false", mark("sif"), then=f"<Else>\n{mark('selse')}\n</Else>\n")
    + "<Location /p>\n"
    + when("true", mark("lif"))
    + f"<ElseIf true>\n{mark('lei')}\n</ElseIf>\n<Else>\n{mark('lelse')}\n</Else>\n</Location>\n"
    + DIRECT,
    [get("/p"), get("/q")],
    sees="1 1",
)
scenario(
    "conditions of a virtual host come after the main server's",
    "SetEnv proxy-nokeepalive 1\n"
    + when("true", mark("main"))
    + "<VirtualHost *>\nServerName lb.test\n"
    + when("%{HTTP_HOST} == 'lb.test'", mark("vhost"))
    + "</VirtualHost>\n<VirtualHost *>\nServerName other.test\n</VirtualHost>\n"
    + DIRECT,
    [get("/"), get("/", host="other.test")],
    sees="1 1",
)
scenario(
    "what a section with a condition may do",
    when(
        "req('X-In') == 'all'",
        "RequestHeader set X-R 1",
        "SetEnv E env",
        "SetEnvIf Request_URI (.)$ I=$1",
        'SetEnvIfExpr "%{REQUEST_URI} =~ /(p)/" J=$1',
        "RequestHeader set X-E %{E}e%{I}e%{J}e",
        "Header set X-A 1",
        "Header always set X-B 1",
        "ProxyPreserveHost On",
        "ProxyAddHeaders Off",
        "ProxyPassReverseCookiePath / /moved/",
        "AddDefaultCharset utf-8",
    )
    + DIRECT,
    [
        get("/p?h=Set-Cookie:%20a=b;%20Path=/&h=Content-Type:%20text/plain", "X-In: all"),
        get("/p?h=Set-Cookie:%20a=b;%20Path=/&h=Content-Type:%20text/plain"),
    ],
    sees="1 1",
)
scenario(
    "Require inside of a condition",
    when(
        "%{REQUEST_URI} =~ m#^/p# && req('X-Key') != 'open'",
        "Require all denied",
        'ErrorDocument 403 "no %{REQUEST_URI} for you"',
        "Header always set X-Why condition",
    )
    + "<Location /q>\nRequire all denied\n"
    + when("req('X-Key') == 'open'", "Require all granted")
    + "</Location>\n<Location /r>\n"
    + when("true", "<Limit POST>", "Require all denied", "</Limit>")
    + "</Location>\n"
    + DIRECT,
    [
        get("/p/x"),
        get("/p/x", "X-Key: open"),
        get("/q"),
        get("/q", "X-Key: open"),
        get("/r"),
        post("/r", b"x"),
    ],
    sees="403 1 403 1 1 403",
)
scenario(
    "Redirect inside of a condition",
    when("%{HTTP_HOST} == 'old.test'", "Redirect permanent / http://new.test/")
    + when("%{QUERY_STRING} == 'x'", 'Redirect "http://y.test%{REQUEST_URI}"')
    + when("%{QUERY_STRING} == 'm'", "RedirectMatch ^/(.)(.*) http://m.test/$2/$1")
    + when("%{QUERY_STRING} == 'g'", "Redirect gone /gone")
    + "Redirect /s http://s.test/\n"
    + when("true", "Header always set X-Seen yes")
    + "ProxyPass /p http://${M1}\n",
    [
        get("/p/a", host="old.test"),
        get("/nowhere", host="old.test"),
        get("/p/a?x"),
        get("/nowhere?x"),
        get("/p/a?m"),
        get("/gone/x?g"),
        get("/s/1"),
        get("/p"),
        get("/nowhere"),
    ],
    sees="301 301 302 302 302 410 302 1 404",
)
scenario(
    "conditions see what is known when they are asked",
    "SetEnvIf Request_URI x EARLY\nSetEnv LATE 1\n<Location /p>\nSetEnvIf Request_URI . SECTION\n</Location>\n"
    + when("-n reqenv('EARLY')", mark("early"))
    + when("-n reqenv('LATE')", mark("late"))
    + when("-n reqenv('SECTION')", mark("section"))
    + when("%{HANDLER} == 'proxy-server'", mark("handler"))
    + when("%{REQUEST_FILENAME} =~ /^proxy:http/", mark("filename"))
    + when("%{REQUEST_STATUS} == 200", mark("status"))
    + when("resp('X-Out') == 'out'", mark("answer"))
    + "<LocationMatch ^/(?<what>.)>\n"
    + when("reqenv('MATCH_WHAT') == 'p'", mark("match"))
    + "</LocationMatch>\n"
    + DIRECT,
    [get("/p/x?h=X-Out:%20out"), get("/q")],
    sees="1 1",
)
scenario(
    "a condition that cannot be evaluated does not hold",
    when("file('/nowhere') == ''", mark("if"), then=f"<Else>\n{mark('else')}\n</Else>\n")
    + 'Header set X-Ignored 1 "expr=file(\'/nowhere\') == \'x\'"\n'
    + 'SetEnvIfExpr "file(\'/nowhere\') == \'\'" V\nRequestHeader set X-V %{V}e\n'
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "a value that cannot be evaluated is empty",
    "<Location /a>\nHeader set X-A \"expr=a%{file:/nowhere}\"\n</Location>\n"
    "<Location /b>\nRequestHeader set X-A \"expr=a%{file:/nowhere}\"\n</Location>\n"
    + DIRECT,
    [get("/a"), get("/b"), get("/c")],
    sees="1 1 1",
)
scenario(
    "documents for errors inside of conditions",
    when("%{REQUEST_URI} =~ m#^/a#", "ErrorDocument 404 /err/a")
    + "<ElseIf \"%{REQUEST_URI} =~ m#^/b#\">\nErrorDocument 404 http://b.test/\n</ElseIf>\n"
    + "<Else>\nErrorDocument 404 \"text for %{REQUEST_URI}\"\n</Else>\n"
    + when("%{REQUEST_URI} =~ m#^/err#", "Header set X-Err %{REDIRECT_STATUS}e")
    + "ProxyPass /err http://${M1}\n",
    [get("/a"), get("/b"), get("/c")],
    sees="1 302 404",
)
scenario(
    "balanced members inside of conditions",
    when("req('X-In') == 'no'", "SetEnvIf Request_URI . nokeepalive")
    + when("%{REQUEST_METHOD} == 'POST'", "ProxyErrorOverride On", 'ErrorDocument 500 "ours"')
    + ONE,
    [
        get("/a"),
        get("/a", "X-In: no"),
        post("/a?status=500", b"x"),
        get("/a?status=500"),
    ],
    sees="1 1 500 500",
)
for text in (
    "a == b",
    "'a'",
    "'a' === 'a'",
    "TRUE",
    "true true",
    "true &",
    "((true",
    "'x' =~ /a\\/b/",
    "'x' =~ m{x}",
    "'x' =~ /x/g",
    "'x' =~ 'x'",
    "'a' in {}",
    "'a' in foo('x')",
    "-q 'x'",
    "'x' -foo 'y'",
    "'a' -EQ 'b'",
    "1eq1",
    "5-5 == 'x'",
    "-R '10.0.0.0/33'",
    "-R %{REQUEST_URI}",
    "'a' -ipmatch %{req:N}",
    "foo('x') == 'y'",
    "md5('x','y') == 'z'",
    "$10 == ''",
    "%{FOO} == ''",
    "%{FOO:x} == ''",
    "'abc",
    "'\\8' == ''",
    "'\\400' == ''",
    "-n ('x')",
):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    slug = "".join(c if c.isalnum() else f" {ord(c):x} " for c in text)
    refused(f"refused condition {slug}", f'<If "{escaped}">\n</If>\n')
for number, text in enumerate(
    (
        "<Else>\n</Else>\n",
        '<ElseIf "true">\n</ElseIf>\n',
        '<If "true">\n</If>\n<Else>\n</Else>\n<Else>\n</Else>\n',
        '<If "true">\n</If>\n<Location /x>\n<Else>\n</Else>\n</Location>\n',
        '<If "true">\n</If>\n<Else "x">\n</Else>\n',
        '<If "true" "false">\n</If>\n',
        "<If>\n</If>\n",
        '<If "true">\n<Location /x>\n</Location>\n</If>\n',
        '<If "true">\nProxyPass /x http://${M1}\n</If>\n',
        '<If "true">\nProxyPassReverse / http://${M1}\n</If>\n',
        '<If "true">\nTimeout 5\n</If>\n',
        '<Location /x>\nRequire expr "true" && false\n</Location>\n',
        "<Location /x>\nRequire expr 'true'\n</Location>\n",
        "<Location /x>\nRequire not expr true\n</Location>\n",
        "SetEnvIfExpr foo V\n",
        "SetEnvIfExpr true\n",
        'CustomLog x.log "%h" expr=foo\n',
        'CustomLog x.log "%h" expr=\n',
        'Header set A b "expr=foo"\n',
        'Header set A b expr=true early\n',
    )
):
    refused(f"refused lines around conditions {number}", text)
scenario(
    "conditions that both programs accept",
    "<If true>\n</If>\n<If 'true'>\n<IfModule headers_module>\nHeader set A b\n</IfModule>\n</If>\n"
    "<IfModule headers_module>\n<Else>\n</Else>\n</IfModule>\n"
    "<If \"true\">\n<Files x>\nRequire all denied\n</Files>\n<If \"%{REMOTE_ADDR} == '::1'\">\n</If>\n</If>\n"
    "<Directory />\n<If \"-f %{REQUEST_FILENAME}\">\nRequire all denied\n</If>\n</Directory>\n"
    + DIRECT,
    check_only=True,
)
# Differences by choice: deviations.py.
scenario(
    "a condition about what can be reached",
    "<If \"-U '/x' || -A '/x' || -F '/x'\">\n</If>\n" + DIRECT,
    check_only=True,
)
scenario(
    "a name where an address is compared",
    when("!('localhost' -ipmatch '127.0.0.0/8' || 'localhost' -ipmatch '::1')", "Require all denied")
    + DIRECT,
    [get("/")],
    sees="1",
)
scenario(
    "a condition in 300 parentheses",
    f"<If \"{'(' * 300}true{')' * 300}\">\n</If>\n" + DIRECT,
    check_only=True,
)
# mod_ssl tells of more than TLS.
TLS = f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
OF_SERVER = (
    "HTTP_USER_AGENT HTTP_REFERER HTTP_COOKIE HTTP_FORWARDED HTTP_HOST HTTP_PROXY_CONNECTION"
    " HTTP_ACCEPT HTTP:X-K HTTP:none THE_REQUEST REQUEST_FILENAME REQUEST_METHOD REQUEST_SCHEME"
    " REQUEST_URI REMOTE_USER IS_SUBREQ DOCUMENT_ROOT SERVER_ADMIN SERVER_NAME SERVER_PORT"
    " SERVER_PROTOCOL SCRIPT_FILENAME PATH_INFO QUERY_STRING REMOTE_HOST REMOTE_ADDR REMOTE_PORT"
    " SERVER_ADDR HTTPS API_VERSION ENV:FOO ENV:NONE FOO REQUEST_STATUS CONN_REMOTE_ADDR HANDLER"
    " SSL_PROTOCOL SSL_TLS_SNI remote_addr"
).split()
TOLD = "".join(f'Header set R{i} "[%{{{n}}}s]"\n' for i, n in enumerate(OF_SERVER)) + "".join(
    f'RequestHeader set Q{i} "[%{{{n}}}s]"\n'
    for i, n in enumerate(OF_SERVER)
    if not n.endswith("_FILENAME")
)
ASKED = [
    get(
        "/a%20/x?q=1&z=2",
        "User-Agent: u",
        "Referer: r",
        "Cookie: c=1",
        "Forwarded: f",
        "Accept: a",
        "X-K: k",
        host="Other.test:81",
    ),
    get("/a"),
]
scenario(
    "variables of the server by mod_ssl's format",
    TLS + "ServerAdmin a@b.test\nDocumentRoot /var/www\nSetEnv FOO bar\n" + TOLD + DIRECT,
    ASKED,
    sees="1 1",
)
scenario(
    "variables of the server without mod_ssl",
    'RequestHeader set X-A "%{REMOTE_ADDR}s"\nHeader set X-B "%{SERVER_PORT}s"\n' + DIRECT,
    ASKED,
    sees="1 1",
)
scenario(
    "variables of the time by mod_ssl's format",
    TLS
    + "".join(
        f'Header set T{i} "[%{{{name}}}s]"\n'
        for i, name in enumerate("TIME_YEAR TIME_MON TIME_DAY TIME_HOUR TIME_WDAY TIME".split())
    )
    + DIRECT,
    get("/"),
    mask=((r"\[(20\d{10})\d\d\]", r"[(stamp)]"),),
    sees="1",
)
UNIQUE = f"LoadModule unique_id_module {MODULE_DIRECTORY}/mod_unique_id.so\n"
NAMED = (
    'RequestHeader set X-Id "%{UNIQUE_ID}e"\nRequestHeader set X-First "%{REDIRECT_UNIQUE_ID}e"\n'
    'RequestHeader set X-E "expr=%{env:UNIQUE_ID} %{reqenv:UNIQUE_ID}"\n'
    'LogFormat "%U %{UNIQUE_ID}e" u\nCustomLog u.log u\nErrorDocument 404 /doc\n'
    "ProxyPass /none !\n"
)
scenario(
    "a request has a UNIQUE_ID",
    UNIQUE + NAMED + DIRECT,
    [get("/a"), get("/none")],
    mask=((r"[A-Za-z0-9@_-]{27}", "(id)"),),
    logs=("u.log",),
    sees="1 1",
)
scenario(
    "a request has no UNIQUE_ID without mod_unique_id",
    NAMED + DIRECT,
    [get("/a"), get("/none")],
    logs=("u.log",),
    sees="1 1",
)
scenario(
    "SERVER_PORT is the one that the client called",
    values("%{SERVER_PORT}") + DIRECT,
    [get("/", host="lb.test:81"), get("/", host="lb.test"), get("/", host="[::1]:82")],
    sees="1 1 1",
)
