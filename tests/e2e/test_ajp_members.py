"""Real Tomcats as members that are spoken with over AJP13, each with a secret."""

import hashlib
import re
from dataclasses import dataclass

import pytest
from support.certificates import Authority
from support.ports import HeldPort
from support.real_members import AjpTomcat
from support.server import MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import TlsConnection, context_for
from support.wire import Connection

MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("proxy_ajp", "socache_shmcb", "ssl")
)
SECRET = "s3cr-et"
LARGE = 65536

CONFIG = """\
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{tls}
LimitRequestFieldSize 40000
SetEnv AJP_TENANT seven

<Proxy balancer://shop>
    BalancerMember ajp://{alfa} route=alfa secret={secret} ping=2
    BalancerMember ajp://{beta} route=beta secret={secret} ping=2
    ProxySet stickysession=JSESSIONID|jsessionid scolonpathdelim=On
</Proxy>
ProxyPass /store balancer://shop/shop
ProxyPassReverse /store /shop
ProxyPassReverseCookiePath /shop /store
ProxyPass /large ajp://{large}/shop secret={secret} iobuffersize=65536
ProxyPass /wrong ajp://{alfa}/shop/wrong secret=wrong
ProxyPass /none ajp://{beta}/shop/none

<VirtualHost 127.0.0.1:{tls}>
    ServerName lb.test
    SSLEngine On
    SSLCertificateFile {certificate}
    SSLCertificateKeyFile {key}
    SSLCACertificateFile {authority}
    SSLVerifyClient optional
    ProxyPass /store balancer://shop/shop
</VirtualHost>
"""


@dataclass
class Site:
    server: Server
    port: HeldPort
    tls: HeldPort
    authority: Authority
    tomcats: dict

    def ask(self, target, *lines, method="GET", body=None, chunks=None, connection=None):
        own = connection or Connection("127.0.0.1", self.port.port)
        head = [f"{method} {target} HTTP/1.1", "Host: lb.test", *lines]
        data = b""
        if chunks is not None:
            head.append("Transfer-Encoding: chunked")
            data = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in chunks)
            data += b"0\r\n\r\n"
        elif body is not None:
            head.append(f"Content-Length: {len(body)}")
            data = body
        own.send("\r\n".join(head).encode() + b"\r\n\r\n" + data)
        response = own.read_response(method)
        if connection is None:
            own.close()
        return response


@pytest.fixture(scope="module")
def site(binary):
    directory = Scratch("steelyard-ajp-")
    tomcats = {
        "alfa": AjpTomcat("alfa", directory.path / "alfa", SECRET),
        "beta": AjpTomcat("beta", directory.path / "beta", SECRET),
        "large": AjpTomcat("large", directory.path / "large", SECRET, LARGE),
    }
    port, tls = HeldPort(), HeldPort()
    server = Server(binary, directory.path / "balancer")
    authority = Authority(directory.path / "authority")
    certificate, key = authority.issue("lb.test", "127.0.0.1")
    try:
        for tomcat in tomcats.values():
            tomcat.begin()
        for tomcat in tomcats.values():
            tomcat.await_ready()
        text = CONFIG.format(
            port=port.port,
            tls=tls.port,
            secret=SECRET,
            certificate=certificate,
            key=key,
            authority=authority.certificate,
            **{name: tomcat.ajp for name, tomcat in tomcats.items()},
        )
        server.start(complete(MODULES + text), [port.port, tls.port])
        yield Site(server, port, tls, authority, tomcats)
    finally:
        server.stop()
        for tomcat in tomcats.values():
            tomcat.ask_to_stop()
        for tomcat in tomcats.values():
            tomcat.close()
        port.close()
        tls.close()
        directory.close()


@pytest.fixture
def both(site):
    """Both Tomcats run, whatever a test before has done to one."""
    pair = [site.tomcats[name] for name in ("alfa", "beta")]
    for tomcat in pair:
        if tomcat.process is None:
            tomcat.begin()
    for tomcat in pair:
        tomcat.await_ready()
    return site


def said(response, name):
    """What the application's page says."""
    assert response.status == "200", response
    return re.search(rf"^{name}=(.*)$", response.body.decode(), re.M).group(1)


def session_of(response):
    """The cookie as a client sends it back."""
    cookie = response.header("Set-Cookie").decode()
    assert "Path=/store" in cookie
    return cookie.split(";")[0]


def test_a_container_is_told_who_asks(both):
    connection = Connection("127.0.0.1", both.port.port)
    response = both.ask("/store/told.jsp?a=b%20c", connection=connection)
    assert said(response, "query") == "a=b%20c"
    assert said(response, "client") == f"127.0.0.1:{connection.local_port}"
    assert said(response, "secure") == "false"
    assert said(response, "cipher") == "null"
    assert said(response, "tenant") == "seven"
    connection.close()


def test_methods_arrive_as_they_are(both):
    for method in ("GET", "POST"):
        assert said(both.ask("/store/told.jsp", method=method), "method") == method
    assert both.ask("/store/told.jsp", method="HEAD").status == "200"
    # Tomcat's pages take no others; the container knows which they are all the same.
    for method in ("PUT", "PATCH", "PROPFIND", "ACL", "NONSENSE"):
        assert both.ask("/store/told.jsp", method=method).status == "405"


def test_both_members_serve(both):
    seen = {said(both.ask("/store/told.jsp"), "node") for _ in range(4)}
    assert seen == {"alfa", "beta"}


def test_a_secret_that_is_wrong_or_missing_opens_nothing(both):
    assert both.ask("/wrong/told.jsp").status == "403"
    assert both.ask("/none/told.jsp").status == "403"


def test_a_session_stays_with_its_container(both):
    first = both.ask("/store/page.jsp")
    session = session_of(first)
    node = said(first, "node")
    assert session.endswith("." + node)
    for visits in range(2, 6):
        response = both.ask("/store/page.jsp", f"Cookie: {session}")
        assert (said(response, "node"), said(response, "visits")) == (node, str(visits))
    path = "/store/page.jsp;jsessionid=" + session.partition("=")[2]
    assert said(both.ask(path), "visits") == "6"


@pytest.mark.parametrize("size", [0, 1, 8186, 8187, 300_000])
def test_bodies_arrive_whole(both, size):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    wanted = hashlib.sha256(data).hexdigest()
    response = both.ask("/store/page.jsp", method="POST", body=data)
    assert (said(response, "bytes"), said(response, "sha256")) == (str(size), wanted)
    pieces = [data[i : i + 5000] for i in range(0, size, 5000)]
    response = both.ask("/store/page.jsp", method="POST", chunks=pieces)
    assert (said(response, "bytes"), said(response, "sha256")) == (str(size), wanted)


def test_a_larger_packet_takes_larger_fields(both):
    line = "X-Long: " + 30000 * "a"
    assert both.ask("/store/told.jsp", line).status == "400"
    assert said(both.ask("/large/told.jsp", line), "long") == "30000"
    body = 200_000 * b"b"
    assert said(both.ask("/large/page.jsp", method="POST", body=body), "bytes") == "200000"


def test_a_container_is_told_of_tls(both):
    certificate, key = both.authority.issue(subject="/O=Test/CN=ann")
    context = context_for(both.authority, (certificate, key))
    connection = TlsConnection(both.tls.port, "lb.test", context)
    response = both.ask("/store/told.jsp", connection=connection)
    assert said(response, "secure") == "true"
    assert said(response, "cipher") == connection.socket.cipher()[0]
    assert said(response, "bits") == str(connection.socket.cipher()[2])
    assert "CN=ann" in said(response, "subject")
    connection.close()


def test_a_session_whose_container_dies_begins_anew_at_the_other(both):
    first = both.ask("/store/page.jsp")
    session, node = session_of(first), said(first, "node")
    both.tomcats[node].kill()
    response = both.ask("/store/page.jsp", f"Cookie: {session}")
    assert said(response, "node") != node
    assert said(response, "visits") == "1"
    anew = session_of(response)
    assert anew.endswith("." + said(response, "node"))
    assert said(both.ask("/store/page.jsp", f"Cookie: {anew}"), "visits") == "2"


def test_a_container_that_dies_in_its_answer_leaves_it_unfinished(both):
    first = both.ask("/store/page.jsp")
    session, node = session_of(first), said(first, "node")
    connection = Connection("127.0.0.1", both.port.port)
    connection.send(
        f"GET /store/told.jsp?more=100000 HTTP/1.1\r\nHost: lb.test\r\nCookie: {session}\r\n\r\n"
        .encode()
    )
    connection.await_data()
    both.tomcats[node].kill()
    response = connection.read_response()
    assert response.status == "200"
    assert response.ended.startswith("cut short")
    connection.close()
    # And nothing of it comes to anybody else, once the other one is back in the balancer.
    later = [both.ask("/store/page.jsp") for _ in range(4)]
    served = [response for response in later if response.status == "200"]
    assert served
    assert {said(response, "visits") for response in served} == {"1"}
