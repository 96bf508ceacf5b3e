"""The cases of test_cgi.py: what is asked, what the member answers, and where steelyard differs.

Every request goes to a prefix of the configuration below; `answer` is in the words of a script
(`Status: 404 None`), which each member puts into those of its protocol.
"""

from dataclasses import dataclass, field

from support.cgi_member import STDOUT, end_request, record, records

PROTOCOLS = ("fcgi", "scgi", "uwsgi")

CONFIG = r"""
ServerAdmin me@lb.test
DocumentRoot ${ROOT}
Timeout 3
SetEnv MINE "1 2"
SetEnv REQUEST_METHOD bad
SetEnvIf Authorization "(.+)" HTTP_AUTHORIZATION=$1
RequestHeader set X-Added yes
RequestHeader unset X-Gone

ProxyPass /fcgi/ ${FCGI}/var/www/
ProxyPass /scgi/ ${SCGI}/var/www/
ProxyPass /uwsgi/ ${UWSGI}/
ProxyPass /mount/fcgi ${FCGI}
ProxyPass /mount/uwsgi ${UWSGI}
ProxyPass /deep/uwsgi/ ${UWSGI}/deep/uwsgi/
ProxyPass /unix/ unix:${SOCKET}|fcgi://localhost/srv/
ProxyPass /raw/ ${FCGI}/raw/ nocanon
RewriteEngine On
RewriteRule "^/rule/(.*\.php)$" "${FCGI}/srv/$1" [P]
ProxyPassMatch "^/match/(.*\.php(/.*)?)$" "${FCGI}/var/www/$1"

<Location /generic/>
    ProxyPass ${FCGI}/var/www/
    ProxyFCGIBackendType GENERIC
    ProxyFCGISetEnvIf "true" "!MINE"
    ProxyFCGISetEnvIf "reqenv('SCRIPT_FILENAME') =~ m#^/var/(\w+)/(.*)$#" SCRIPT_FILENAME "/srv/$2"
    ProxyFCGISetEnvIf "reqenv('SCRIPT_FILENAME') =~ m#^/srv/#" SEEN "%{reqenv:SCRIPT_FILENAME}"
    ProxyFCGISetEnvIf "reqenv('NOBODY') == 'x'" NEVER set
    ProxyFCGISetEnvIf "%{REQUEST_METHOD} == 'GET'" EMPTY
</Location>

<Proxy balancer://fcgi>
    BalancerMember ${FCGI}/member route=one
</Proxy>
<Proxy balancer://scgi>
    BalancerMember ${SCGI}/member route=one
</Proxy>
<Proxy balancer://uwsgi>
    BalancerMember ${UWSGI}/member route=one
</Proxy>
ProxyPass /balanced/fcgi balancer://fcgi/x stickysession=sid
ProxyPass /balanced/scgi balancer://scgi/x stickysession=sid
ProxyPass /balanced/uwsgi balancer://uwsgi/x stickysession=sid

SetEnvIf Request_URI "^/info/plain/" proxy-fcgi-pathinfo=1 proxy-scgi-pathinfo=1
SetEnvIf Request_URI "^/info/unescape/" proxy-fcgi-pathinfo=unescape
SetEnvIf Request_URI "^/info/first/" proxy-fcgi-pathinfo=first-dot
SetEnvIf Request_URI "^/info/last/" proxy-fcgi-pathinfo=Last-Dot
SetEnvIf Request_URI "^/info/full/" proxy-fcgi-pathinfo=full
ProxyPass /info/plain/scgi/ ${SCGI}/var/www/
ProxyPass /info/ ${FCGI}/var/www/

<LocationMatch "\.phx(/|$)">
    SetHandler "proxy:${FCGI}"
</LocationMatch>
<LocationMatch "\.unx(/|$)">
    SetHandler "proxy:unix:${SOCKET}|fcgi://localhost/"
</LocationMatch>
<If "%{REQUEST_URI} =~ m#^/if/.*\.php#">
    SetHandler "proxy:${FCGI}"
    ProxyFCGIBackendType GENERIC
</If>

<Location /passing/>
    CGIPassAuth On
</Location>
ProxyPass /passing/fcgi/ ${FCGI}/
ProxyPass /passing/scgi/ ${SCGI}/
ProxyPass /passing/uwsgi/ ${UWSGI}/

<Location /secret/>
    AuthType Basic
    AuthName "who is it"
    AuthUserFile users
    Require valid-user
</Location>
ProxyPass /secret/fcgi/ ${FCGI}/
ProxyPass /secret/scgi/ ${SCGI}/
ProxyPass /secret/uwsgi/ ${UWSGI}/

<Location /overridden/>
    ProxyErrorOverride On
</Location>
ErrorDocument 404 "not here"
ProxyPass /overridden/fcgi/ ${FCGI}/
ProxyPass /overridden/scgi/ ${SCGI}/
ProxyPass /overridden/uwsgi/ ${UWSGI}/
ErrorDocument 410 /fcgi/gone.php?why=410
Redirect gone /gone
"""


# Of carl the password is carlpw.
USERS = {"users": "carl:{SHA}0V4/FZJIDY0Oov2j6xkmwvgdQUg=\n"}


@dataclass
class Case:
    name: str
    target: str
    headers: tuple = ()
    method: str = "GET"
    version: str = "1.1"
    body: bytes | None = None
    chunks: tuple | None = None
    answer: bytes | None = None  # of a script; None: the member's usual one
    raw: bytes | None = None  # the same in the protocol's own bytes
    protocols: tuple = PROTOCOLS
    seen: str = ""  # what apache2 shows; empty: whatever it is
    ignore: tuple = ()  # variables


@dataclass
class Different:
    """What steelyard does otherwise on purpose; `case.seen` is what apache2 shows."""

    id: str
    text: str
    case: Case
    steelyard: str
    ignore: tuple = field(default=())


def fcgi(name, target, *headers, **more):
    return Case(name, target, headers, protocols=("fcgi",), **more)


def told(name, answer, **more):
    return Case(name, "/{}/x", answer=answer, **more)


HEADERS = (
    "Proxy: http://evil/",
    "X-Dash-Ed: 2",
    "X_Under: 1",
    "X.Dot: 1",
    "Accept: a",
    "Accept: b",
    "Content-Type: t/p",
    "Cookie: a=b; c=d",
    "X-Gone: 1",
    "User-Agent: me",
    "Connection: X-Hop",
    "X-Hop: 1",
    "X-Long: " + "l" * 5000,
)
WORD = ("Authorization: Basic Zm9vOmJhcg==", "Proxy-Authorization: Basic YTpi")

CASES = [
    Case("everything about a request", "/{}/x%20y/a.php/info?q=1&r=%41", HEADERS),
    Case("a password", "/{}/x", WORD),
    Case("a password that is passed on", "/passing/{}/x", WORD),
    Case("a password of ours", "/secret/{}/x", ("Authorization: Basic Y2FybDpjYXJscHc=",)),
    Case("an empty query and a host with a port", "/{}/x?", ("X: 1",)),
    Case("an old client", "/{}/x", version="1.0"),
    Case("HEAD", "/{}/x", method="HEAD"),
    Case("a body with a length", "/{}/x", ("Content-Type: a/b",), "POST", body=b"hello"),
    Case("an empty body", "/{}/x", method="POST", body=b""),
    Case("a large body", "/{}/x", method="PUT", body=b"0123456789" * 30000),
    Case("another method", "/{}/x", method="PURGE"),
    Case("a member of a balancer", "/balanced/{}/a%20b.php/i?q"),
    Case("a session", "/balanced/{}/a?sid=a.one"),
    Case("an error document of ours", "/overridden/{}/x", answer=b"Status: 404 Not Found\r\n\r\nmine",
         protocols=("fcgi", "uwsgi"), seen="404 not here"),
    Case("no error no document", "/overridden/{}/x", answer=b"Status: 302 No\r\n\r\nmine"),
    fcgi("a chunked body", "/fcgi/x", method="POST", chunks=(b"hel", b"lo")),
    fcgi("a mount without slashes", "/mount/fcgi/a/b.php"),
    fcgi("the mount itself", "/mount/fcgi"),
    fcgi("a socket", "/unix/a.php"),
    fcgi("nocanon", "/raw/a%20b%2Bc"),
    fcgi("a regular expression", "/match/a/b%20c.php/in%20fo?q=1"),
    fcgi("a rewrite rule", "/rule/a/b%20c.php?q=1"),
    fcgi("generic and lines that change variables", "/generic/a%20b.php?q=1"),
    fcgi("path info as it is", "/info/plain/v.1/x%20y.php/in.fo/r%20s?q"),
    fcgi("path info decoded", "/info/unescape/v.1/x%20y.php/in.fo/r%20s?q"),
    fcgi("path info behind the first dot", "/info/first/v.1/x%20y.php/in.fo/r%20s?q"),
    fcgi("path info behind the last dot", "/info/last/v.1/x%20y.php/in.fo/r%20s?q"),
    fcgi("path info without a dot", "/info/first/abc/d"),
    fcgi("path info of a file that is not there", "/info/full/v.1/x%20y.php/in.fo/r%20s?q"),
    Case("path info for scgi", "/info/plain/scgi/x%20y.php/r%20s", protocols=("scgi",)),
    fcgi("a script by SetHandler", "/sub/q.phx?a=1"),
    fcgi("a script by SetHandler and its path info", "/sub/x%20y.phx/pi/x%20y?a=1"),
    fcgi("a script by SetHandler on a socket", "/sub/q.unx/pi"),
    fcgi("a script by SetHandler in a condition", "/if/a.php"),
    fcgi("an error document by a script", "/gone?x=1"),
    Case("uwsgi mounted", "/mount/uwsgi/a/b%20c", protocols=("uwsgi",)),
    Case("uwsgi mounted itself", "/mount/uwsgi", protocols=("uwsgi",)),
    Case("uwsgi at the same path", "/deep/uwsgi/a//b", protocols=("uwsgi",)),
    Case("uwsgi at the root of a mount", "/uwsgi/", protocols=("uwsgi",)),
    Case(
        "more than a uwsgi packet", "/uwsgi/x",
        tuple(f"X-B{i}: {8000 * 'z'}" for i in range(10)), protocols=("uwsgi",),
        seen="500 (page)",
    ),
    fcgi("more than a record", "/fcgi/x", *(f"X-B{i}: {8000 * 'z'}" for i in range(10)),
         seen="200 fcgi"),
    told("a type", b"Content-Type: Text/PLAIN ; Charset=X\r\n\r\nbody"),
    told("an empty type", b"Content-Type:\r\nX: 1\r\n\r\nbody", seen="200 body"),
    told("line feeds alone", b"Content-Type: text/plain\n\nbody", seen="200 body"),
    told("a status", b"Status: 404 Nope\r\n\r\nx", seen="404 x"),
    told("a status without words", b"Status: 404\r\nX: 1\r\n\r\nx", protocols=("fcgi", "scgi")),
    told("a status of one's own", b"Status: 601 Odd\r\n\r\nx", seen="601 x"),
    told("a status glued to words", b"Status: 200OK\r\n\r\nx", protocols=("fcgi", "scgi")),
    told("a status below 100", b"Status: 99 low\r\n\r\nx", protocols=("fcgi", "scgi"),
         seen="500 x"),
    told("a status in words", b"Status: abc\r\n\r\nx", protocols=("fcgi", "scgi"), seen="500 x"),
    told("two statuses", b"Status: 200 OK\r\nStatus: 404 No\r\n\r\nx", protocols=("fcgi", "scgi")),
    told("an error with a page", b"Status: 500 Oops\r\nContent-Type: text/plain\r\n\r\nmine"),
    told("a location to elsewhere", b"Status: 302 Found\r\nLocation: http://x/y\r\n\r\n"),
    told("a location alone", b"Location: http://x/y\r\n\r\n", seen="200"),
    told("no content", b"Status: 204 No\r\nX: 1\r\n\r\n"),
    told("not modified", b"Status: 304 Not\r\nX: 1\r\n\r\n"),
    told("no body", b"X: 1\r\n\r\n"),
    told("cookies and fields twice",
         b"Set-Cookie: a\r\nSet-Cookie: b\r\nX: 1\r\nVary: a\r\n\r\nb"),
    told("dates", b"Status: 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"q\"\r\n"
         b"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbody"),
    told("a coding that is none",
         b"X: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    told("a length that is too short", b"X: 1\r\nContent-Length: 2\r\n\r\nbody",
         protocols=("fcgi", "scgi"), seen="200 body"),
    told("a length that counts", b"X: 1\r\nContent-Length: 2\r\n\r\nbody", protocols=("uwsgi",),
         seen="200 bo"),
    told("a long line", b"X: " + 8185 * b"y" + b"\r\n\r\nb"),
    told("a large body of an answer", b"X: 1\r\n\r\n" + 20000 * b"0123456789"),
    fcgi("records with padding and words of an error", "/fcgi/x",
         raw=records(b"X: 1\r\n\r\nbody", b"oops", 7, 3), seen="200 body"),
    fcgi("a head in several records", "/fcgi/x",
         raw=b"".join(record(STDOUT, b"%c" % c) for c in b"X: 1\r\n\r\nbody") + end_request()),
    fcgi("a connection that ends in silence", "/fcgi/x", raw=b"", seen="503 (page)"),
    fcgi("a record of another version", "/fcgi/x", raw=record(STDOUT, b"X: 1\r\n\r\nb", version=2),
         seen="503 (page)"),
    fcgi("a record for another request", "/fcgi/x", raw=record(STDOUT, b"X: 1\r\n\r\n", identity=2),
         seen="503 (page)"),
    Case("an scgi member that ends in silence", "/scgi/x", protocols=("scgi",), raw=b"",
         seen="500 (page)"),
    Case("an scgi line without a colon", "/scgi/x", protocols=("scgi",), answer=b"nocolon\r\n\r\n",
         seen="500 (page)"),
    Case("an scgi member that speaks HTTP", "/scgi/x", protocols=("scgi",),
         raw=b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nbody", seen="500 (page)"),
    Case("a uwsgi member that ends in silence", "/uwsgi/x", protocols=("uwsgi",), raw=b"",
         seen="500 (page)"),
    Case("a uwsgi line without a colon", "/uwsgi/x", protocols=("uwsgi",),
         answer=b"nocolon\r\n\r\n", seen="502 (page)"),
    Case("a uwsgi member that speaks CGI", "/uwsgi/x", protocols=("uwsgi",),
         raw=b"Status: 200 OK\r\n\r\nbody", seen="502 (page)"),
]

DIFFERENT = [
    Different(
        "cgi-bad-head",
        "An answer of a FastCGI member that is no script's head is a 500 with a page; httpd sends"
        " a 500 without a body.",
        fcgi("a head without a colon", "/fcgi/x", answer=b"nocolon\r\n\r\nx", seen="500"),
        "500 (page)",
    ),
    Different(
        "cgi-half-head",
        "Output of a FastCGI member that ends within its head is a 500; httpd sends the head's"
        " lines as the body of a 200.",
        fcgi("half a head", "/fcgi/x", answer=b"X: 1\r\n", seen="200 X: 1"),
        "500 (page)",
    ),
    Different(
        "cgi-no-output",
        "A FastCGI member that ends a request without a word is a 500, and a 503 (another member"
        " is asked) when it says that it is overloaded; httpd sends an empty 200.",
        fcgi("no output", "/fcgi/x", answer=b"", seen="200"),
        "500 (page)",
    ),
    Different(
        "cgi-overloaded",
        "The same for a server that says so.",
        fcgi("an overloaded server", "/fcgi/x", raw=end_request(0, 2), seen="200"),
        "503 (page)",
    ),
    Different(
        "cgi-interim",
        "A status below 200 of a member of the CGI family is a 500 (uwsgi: 502); httpd sends it as"
        " a head that no client understands.",
        fcgi("a status of 100", "/fcgi/x", answer=b"Status: 100 C\r\n\r\nbody", seen="none"),
        "500 (page)",
    ),
    Different(
        "cgi-hop-by-hop",
        "Connection, Keep-Alive and Upgrade of FastCGI and SCGI members stay here; httpd passes"
        " them on.",
        fcgi("fields of a connection", "/fcgi/x",
             answer=b"X: 1\r\nConnection: X-H\r\nX-H: 1\r\nUpgrade: y\r\n\r\nb",
             seen="200 b Upgrade"),
        "200 b",
    ),
    Different(
        "cgi-chunked-request",
        "A chunked request for SCGI and uwsgi members is received whole and told with its length;"
        " httpd answers 411.",
        Case("a chunked body", "/scgi/x", method="POST", chunks=(b"hel", b"lo"),
             protocols=("scgi",), seen="411 (page)"),
        "200 scgi",
    ),
    Different(
        "cgi-chunked-fcgi",
        "So it is for FastCGI members. Behind httpd a script sees none of a chunked body that is"
        " larger than 16 KiB: no length is told.",
        Case("a large chunked body", "/fcgi/x", method="POST", chunks=(b"x" * 100_000,),
             protocols=("fcgi",), seen="200 fcgi"),
        "200 fcgi",
    ),
    Different(
        "cgi-error-override",
        "ProxyErrorOverride replaces pages of SCGI members, too; httpd passes them on.",
        Case("a page to be replaced", "/overridden/scgi/x", protocols=("scgi",),
             answer=b"Status: 404 No\r\n\r\nmine", seen="404 mine"),
        "404 not here",
    ),
    Different(
        "cgi-local-location",
        "A Location that begins with a slash is passed on; httpd answers with what that path would"
        " have answered when an SCGI member says so.",
        Case("a local location", "/scgi/x", protocols=("scgi",),
             answer=b"Location: /nowhere\r\n\r\nlocal", seen="404 not here"),
        "200 local",
    ),
    Different(
        "cgi-told-length",
        "An answer of a FastCGI or SCGI member that is shorter than its Content-Length is cut off"
        " with the client's connection; httpd makes it look whole.",
        Case("a length that is too long", "/{}/x", answer=b"X: 1\r\nContent-Length: 20\r\n\r\nbody",
             protocols=("scgi",), seen="200 body"),
        "200 body (cut)",
    ),
    Different(
        "cgi-conditions",
        "A GET with conditions gets the whole answer of a FastCGI or SCGI member that says no"
        " status; httpd compares its ETag and Last-Modified with them itself.",
        fcgi("a condition", "/fcgi/x", 'If-None-Match: "q"', answer=b'ETag: "q"\r\n\r\nbody',
             seen="304"),
        "200 body",
    ),
]
