"""Answers that pass through the filter DEFLATE: which ones, what their heads and bodies are."""

from scenario import get, request, scenario
from support.ask import wish

MODULES = "".join(
    f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
    for name in ("deflate", "filter", "mime")
) + "TypesConfig /dev/null\n"
DIRECT = "ProxyPass / http://${M1}/\n"
ALL = MODULES + DIRECT + "SetOutputFilter DEFLATE\n"
GZIP = "Accept-Encoding: gzip"


def answered(*fields, status="200 OK", size=100, path="/a", accepts=(GZIP,), method="GET"):
    """A request, and the head and the size of what the member answers."""
    lines = (f"HTTP/1.1 {status}", *fields, f"Content-Length: {size}", "X-Member: M1")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    body = b"" if method == "HEAD" or status[:3] in ("204", "304") else b"hello"[:1] * size
    return request(method, path + "?" + wish(raw=head + body, rawkeep=1), *accepts)


HTML = "Content-Type: text/html"

scenario(
    "answers are compressed for who takes gzip",
    ALL,
    [
        answered(HTML, accepts=accepts)
        for accepts in (
            (GZIP,),
            (),
            ("Accept-Encoding: gzip;q=0",),
            ("Accept-Encoding: x-gzip",),
            ("Accept-Encoding: *",),
            ("Accept-Encoding: deflate, GZIP;q=0.5",),
            ("Accept-Encoding: deflate", GZIP),
            ("Accept-Encoding: identity;q=1,gzip ;q=0.2",),
            ("Accept-Encoding: ;gzip",),
            ('Accept-Encoding: "gzip"',),
        )
    ],
    sees=" ".join(10 * ["1"]),
)
scenario(
    "what a compressed answer says of itself",
    ALL + 'Header set X-Seen "expr=%{resp:Content-Encoding} %{resp:Content-Length}"\n'
    "Header append Vary User-Agent\nHeader merge Vary accept-encoding\n",
    [
        answered('ETag: "abc"', "Accept-Ranges: bytes", "Content-MD5: x"),
        answered('ETag: W/"abc"', "Vary: Cookie"),
        answered("ETag: abc", "Vary: accept-encoding, Cookie"),
        answered('ETag: ""', "Vary: Cookie", "X-Y: 1", "Vary: foo"),
        answered('ETag: "a"', "X-Y: 1", 'ETag: "b"', "Vary: *"),
        answered("Content-Encoding: identity"),
        answered("Content-Encoding: 7bit,binary"),
        answered("Cache-Control: no-transform"),
    ],
    sees=" ".join(8 * ["1"]),
)
scenario(
    "answers that pass as they are",
    ALL,
    [
        answered(size=68),
        answered(size=69),
        answered("Content-Encoding: gzip"),
        answered("Content-Encoding: identity, br"),
        answered("Content-Range: bytes 0-99/200", status="206 Partial Content"),
        answered('ETag: "abc"', status="304 Not Modified"),
        answered('ETag: "abc"', status="204 No Content"),
        answered(size=0),
        answered('ETag: "abc"', method="HEAD"),
        get("/a?chunked=5&size=0", GZIP),
    ],
    sees="1 1 1 1 206 304 204 1 1 1",
)
scenario(
    "errors are compressed, and answers in pieces",
    ALL,
    [
        answered(HTML, status="404 Not Found"),
        answered(HTML, status="302 Found"),
        answered(HTML, status="500 Oops"),
        get("/a?chunked=50&size=120", GZIP),
        request("POST", "/a?size=300", GZIP, body=b"x"),
    ],
    ignore={"connections"},
    sees="404 302 500 1 1",
)
scenario(
    "by type, of answers that are no errors",
    MODULES + DIRECT + "AddOutputFilterByType DEFLATE text/css\n<Location /in>\n"
    "AddOutputFilterByType DEFLATE text/html text/plain\n</Location>\n<Location /in/errors>\n"
    "SetEnv filter-errordocs 1\n</Location>\n<Location /in/all>\nSetOutputFilter DEFLATE\n"
    "</Location>\n",
    [
        answered("Content-Type: text/css"),
        answered(HTML),
        answered("Content-Type: text/css", path="/in/a"),
        answered(HTML, path="/in/a"),
        answered("Content-Type: text/html;charset=x", path="/in/a"),
        answered("Content-Type: text/html ; charset=x", path="/in/a"),
        answered("Content-Type: TEXT/html", path="/in/a"),
        answered("Content-Type: text/htmlx", path="/in/a"),
        answered(path="/in/a"),
        answered(HTML, path="/in/a", status="404 Not Found"),
        answered(HTML, path="/in/a", status="201 Created"),
        answered(HTML, path="/in/errors/a", status="404 Not Found"),
        answered("Content-Type: image/png", path="/in/all/a"),
    ],
    sees="1 1 1 1 1 1 1 1 1 404 201 404 1",
)
scenario(
    "by the endings of names",
    MODULES + DIRECT + "AddOutputFilter DEFLATE js .CSS\n<Location /in>\n"
    "RemoveOutputFilter .js\n</Location>\n",
    [
        answered(path=path)
        for path in ("/a.js", "/a.js.map", "/a.JS", "/a.css", "/js", "/a.js/a", "/.js", "/in/a.js",
                     "/in/a.css", "/..js", "/a.", "/a.jsx")
    ],
    sees=" ".join(12 * ["1"]),
)
scenario(
    "the innermost SetOutputFilter counts",
    ALL + "<Location /none>\nSetOutputFilter none\n</Location>\n<Location /none/again>\n"
    "SetOutputFilter DEFLATE\n</Location>\n<Location /nothing>\nSetOutputFilter ;\n</Location>\n",
    [answered(path=path) for path in ("/a", "/none/a", "/none/again/a", "/nothing/a")],
    sees="1 1 1 1",
)
scenario(
    "variables and request headers have a say",
    ALL + "SetEnvIf X-No . no-gzip\nSetEnvIf X-Html . gzip-only-text/html\n"
    "<Location /force>\nSetEnv force-gzip 1\n</Location>\n<Location /unset>\n"
    "RequestHeader unset Accept-Encoding\n</Location>\n",
    [
        answered(HTML, accepts=(GZIP, "X-No: 1")),
        answered(HTML, accepts=(GZIP, "X-Html: 1")),
        answered("Content-Type: text/plain", accepts=(GZIP, "X-Html: 1")),
        answered(HTML, path="/force/a", accepts=()),
        answered(HTML, path="/unset/a"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "how it is compressed, and what logs learn of it",
    ALL + "DeflateCompressionLevel 1\nDeflateWindowSize 9\nDeflateMemLevel 3\n"
    "DeflateAlterETag NoChange\nDeflateFilterNote Input in\nDeflateFilterNote Output out\n"
    "DeflateFilterNote ratio\n"
    'LogFormat "%r %>s %B %{in}n %{out}n %{ratio}n" sizes\nCustomLog sizes.log sizes\n',
    [
        answered('ETag: "a"', size=3000),
        answered('ETag: "a"', size=68),
        get("/a?size=2000", GZIP),
    ],
    logs=("sizes.log",),
    sees="1 1 1",
)
scenario(
    "an ErrorDocument of a member is compressed as its own path says",
    MODULES + "ErrorDocument 503 /doc\nProxyPass /doc http://${M1}/doc\n"
    "ProxyPass / http://127.0.0.1:1/\nAddOutputFilterByType DEFLATE text/html\n",
    get("/gone", GZIP),
    sees="1",
)
scenario(
    "a page of the server's own where answers are compressed",
    MODULES + "LoadModule status_module /usr/lib/apache2/modules/mod_status.so\n"
    "SetOutputFilter DEFLATE\n<Location /status>\nSetHandler server-status\n"
    "Require local\n</Location>\n",
    get("/status?auto", GZIP),
)
