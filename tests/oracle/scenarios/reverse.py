"""Mapping responses back: Location and its kin, cookies, dates."""

from scenario import ONE, TWO, get, scenario


def redirected(path, value, name="Location"):
    return get(f"{path}?status=302&h={name}:%20{value}")


PAIR = "ProxyPass /a http://${M1}\nProxyPassReverse /a http://${M1}\n"

scenario(
    "Location is mapped back to the request's own host",
    PAIR,
    [
        redirected("/a", "http://${M1}/z"),
        redirected("/a", "http://${M1}"),
        redirected("/a", "HTTP://${M1}/z%253Fq=1"),
        redirected("/a", "http://other.test/z"),
        redirected("/a", "/local"),
        redirected("/a", "https://${M1}/z"),
    ],
    sees="302 302 302 302 302 302",
)
scenario(
    "the Host of the request decides how Location looks",
    PAIR,
    [
        get("/a?status=302&h=Location:%20http://${M1}/z", host="Shop.Example:8443"),
        get("/a?status=302&h=Location:%20http://${M1}/z", host="shop.example"),
        get("/a?status=302&h=Location:%20http://${M1}/z", host=None, version="1.0"),
    ],
    sees="302 302 302",
)
scenario(
    "UseCanonicalName On takes the server's name for Location",
    "UseCanonicalName On\n" + PAIR,
    get("/a?status=302&h=Location:%20http://${M1}/z", host="Shop.Example:8443"),
    sees="302",
)
scenario(
    "an entry at server level serves every path",
    "ProxyPass /a http://${M1}\nProxyPass /b http://${M1}\nProxyPassReverse /b http://${M1}\n",
    [redirected("/a", "http://${M1}/z"), redirected("/b", "http://${M1}/z")],
    sees="302 302",
)
scenario(
    "an entry in a Location serves that section only",
    (
        "<Location /a>\nProxyPass http://${M1}\nProxyPassReverse http://${M1}\n</Location>\n"
        "ProxyPass /b http://${M1}\n"
    ),
    [redirected("/a", "http://${M1}/z"), redirected("/b", "http://${M1}/z")],
    sees="302 302",
)
scenario(
    "Content-Location and URI and Destination are mapped too",
    PAIR,
    [
        redirected("/a", "http://${M1}/z", name)
        for name in ("Content-Location", "URI", "Destination", "Link")
    ],
    sees="302 302 302 302",
)
scenario(
    "a path target compares the path of the header",
    "ProxyPass /a http://${M1}/in\nProxyPassReverse /a /in\n",
    [redirected("/a", "http://${M1}/in/z"), redirected("/a", "/in/z"), redirected("/a", "/out/z")],
    sees="302 302 302",
)
scenario(
    "a balancer target tries every member",
    TWO + "ProxyPass /a balancer://c/in\nProxyPassReverse /a balancer://c/in\n",
    [
        redirected("/a", "http://${M2}/in/z"),
        redirected("/a", "http://${M1}/in"),
        redirected("/a", "http://${M1}/x"),
    ],
    sees="302 302 302",
)
scenario(
    "the first matching entry wins",
    (
        "ProxyPass /a http://${M1}\nProxyPassReverse /one http://${M1}/x\nProxyPassReverse /two"
        " http://${M1}/xy\n"
    ),
    redirected("/a", "http://${M1}/xyz"),
    sees="302",
)
scenario(
    "cookie paths are replaced whole",
    "ProxyPass /a http://${M1}/b\nProxyPassReverseCookiePath /b /a\n",
    [
        get("/a?h=Set-Cookie:%20k=v;%20path=/b/q"),
        get("/a?h=Set-Cookie:%20k=v;%20Path=/b;%20HttpOnly"),
        get("/a?h=Set-Cookie:%20k=v;%20path=/c;%20domain=x.test"),
        get("/a?h=Set-Cookie:%20k=v;PATH=/b;Secure&h=Set-Cookie:%20j=w;%20path=/B"),
        get("/a?h=Set-Cookie:%20k=v;%20path=/b;%20path=/b/c"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "cookie domains are replaced without regard to case",
    ONE + "ProxyPassReverseCookieDomain inner.test outer.test\n",
    [
        get("/a?h=Set-Cookie:%20k=v;%20domain=inner.test"),
        get("/a?h=Set-Cookie:%20k=v;%20Domain=INNER.test;%20path=/"),
        get("/a?h=Set-Cookie:%20k=v;%20domain=other.test"),
        get("/a?h=Set-Cookie:%20k=v;domain=inner.testing"),
    ],
    sees="1 1 1 1",
)
scenario(
    "several cookies stay several lines",
    ONE,
    get("/a?h=Set-Cookie:%20a=1&h=Set-Cookie:%20b=2&h=set-cookie:%20c=3"),
    sees="1",
)
scenario(
    "obsolete dates are normalised",
    ONE,
    [
        get("/a?h=Last-Modified:%20Sun%20Nov%20%206%2008:49:37%201994"),
        get("/a?h=Expires:%20Sunday,%2006-Nov-94%2008:49:37%20GMT"),
        get("/a?h=Expires:%20never"),
        get("/a?h=Last-Modified:%20Sun,%2006%20Nov%201994%2008:49:37%20GMT"),
        get("/a?h=Expires:%200"),
    ],
    sees="1 1 1 1 1",
)
scenario(
    "interpolated reverse mappings",
    "ProxyPassInterpolateEnv On\nSetEnvIf X-To (.+) to=$1\n"
    + ONE
    + "ProxyPassReverse /a http://${to} interpolate\n",
    [
        get("/a?status=302&h=Location:%20http://there.test/z", "X-To: there.test"),
        redirected("/a", "http://there.test/z"),
    ],
    sees="302 302",
)
