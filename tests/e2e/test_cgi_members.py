"""php-fpm behind fcgi://, uWSGI behind uwsgi:// and scgi://, and scripted members that lie.

The tests with real members run against apache2, too: what they claim is httpd's behaviour.
"""

import hashlib

import pytest
from support.certificates import Authority
from support.cgi_member import (
    STDERR,
    STDOUT,
    CgiMember,
    cgi_answer,
    end_request,
    record,
    records,
)
from support.ports import HeldPort
from support.process import until
from support.script_members import PhpFpm, Uwsgi, told
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import TlsConnection
from support.wire import Connection

PROTOCOLS = ("fcgi", "scgi", "uwsgi")
MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("proxy_fcgi", "proxy_scgi", "proxy_uwsgi", "proxy_hcheck")
)
LARGE = b"a body of some size " * 150_000
FORM = ("Content-Type: application/x-www-form-urlencoded",)


class World:
    """A server in front of members, and a client."""

    def __init__(self, binary, scratch, conf, log_level="warn"):
        self.port = HeldPort()
        self.server = Server(binary, scratch / "server")
        text = MODULES + f"Listen 127.0.0.1:{self.port.port}\n" + conf
        self.server.start(complete(text, log_level), [self.port.port])

    def ask(self, target, *headers, method="GET", body=None, chunks=None):
        client = Connection("127.0.0.1", self.port.port)
        try:
            lines = [f"{method} {target} HTTP/1.1", "Host: lb.test", *headers]
            if body is not None:
                lines.append(f"Content-Length: {len(body)}")
            if chunks:
                lines.append("Transfer-Encoding: chunked")
                body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
            client.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
            return client.read_response(method)
        finally:
            client.close()

    def close(self):
        self.server.stop()
        self.port.close()


REAL_CONF = """
DocumentRoot {scripts}
ProxyPassMatch "^/php/(.*\\.php(/.*)?)$" "{one}{scripts}/$1"
<LocationMatch "^/page\\.php(/|$)">
    SetHandler "proxy:{unix}"
</LocationMatch>
SetEnvIf Request_URI "^/first/" proxy-fcgi-pathinfo=first-dot
ProxyPass /first/ {one}{scripts}/
ProxyPass /kept/ {two}{scripts}/ enablereuse=on
<Proxy balancer://php>
    BalancerMember {one} route=one retry=60
    BalancerMember {two} route=two retry=60
    ProxySet stickysession=ROUTE
</Proxy>
ProxyPass /pool balancer://php{scripts}
ProxyPass /uwsgi {uwsgi}
ProxyPass /scgi/ {scgi}/
"""


@pytest.fixture(scope="module", params=["apache2", "steelyard"])
def real(request, binary):
    scratch = Scratch("steelyard-e2e-")
    scripts = scratch.path / "scripts"
    members = {
        "one": PhpFpm("one", scratch.path / "one", scripts),
        "two": PhpFpm("two", scratch.path / "two", scripts),
        "unix": PhpFpm("unix", scratch.path / "unix", scripts, on_socket=True),
        "uwsgi": Uwsgi("uwsgi", "uwsgi", scratch.path / "uwsgi"),
        "scgi": Uwsgi("scgi", "scgi", scratch.path / "scgi", on_socket=True),
    }
    world = None
    try:
        for member in members.values():
            member.start()
        urls = {name: member.url for name, member in members.items()}
        conf = REAL_CONF.format(scripts=scripts, **urls)
        world = World(APACHE if request.param == "apache2" else binary, scratch.path, conf)
        world.members, world.scripts = members, scripts
        yield world
    finally:
        if world:
            world.close()
        for member in members.values():
            member.close()
        scratch.close()


def test_php_is_told_which_script_with_which_query(real):
    response = real.ask("/php/page.php?a=1&b=x%20y", "X-Mine: yes", "Cookie: c=d")
    page = told(response)
    assert page["get"] == {"a": "1", "b": "x y"}
    assert page["server"]["SCRIPT_FILENAME"] == f"{real.scripts}/page.php"
    assert page["server"]["REQUEST_URI"] == "/php/page.php?a=1&b=x%20y"
    assert page["server"]["HTTP_X_MINE"] == "yes"
    assert page["server"]["HTTP_COOKIE"] == "c=d"
    assert page["server"]["SERVER_NAME"] == "lb.test"
    assert "HTTP_X_FORWARDED_FOR" not in page["server"]
    cookies = [value for name, value in response.headers() if name.lower() == b"set-cookie"]
    assert cookies == [b"one=1", b"two=2"]
    assert response.header("Content-Type") == b"application/json"


def test_php_behind_a_handler_on_a_socket(real):
    page = told(real.ask("/page.php/more/path?x=y"))
    assert page["node"] == "unix"
    assert page["server"]["SCRIPT_FILENAME"] == f"{real.scripts}/page.php"
    assert page["server"]["PATH_INFO"] == "/more/path"
    assert page["server"]["SCRIPT_NAME"] == "/page.php"
    assert page["server"]["DOCUMENT_ROOT"] == str(real.scripts)


def test_php_finds_the_path_info_that_a_variable_asks_for(real):
    page = told(real.ask("/first/page.php/more"))
    assert page["server"]["PATH_INFO"] == "/more"


def test_php_reads_forms_and_large_bodies(real):
    page = told(real.ask("/php/page.php", *FORM, method="POST", body=b"a=1&b=two"))
    assert page["post"] == {"a": "1", "b": "two"}
    page = told(real.ask("/php/page.php", "Content-Type: a/b", method="PUT", body=LARGE))
    assert (page["bytes"], page["sha256"]) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())


def test_php_gets_the_length_of_a_short_chunked_body(real):
    page = told(real.ask("/php/page.php", *FORM, method="POST", chunks=[b"a=", b"1"]))
    assert page["post"] == {"a": "1"}


def test_php_answers_as_it_wants(real):
    away = real.ask("/php/page.php?do=away")
    assert (away.status, away.header("Location")) == ("303", b"/elsewhere")
    none = real.ask("/php/page.php?do=none")
    assert (none.status, none.body) == ("404", b"no such page")
    assert real.ask("/php/missing.php").status == "404"
    assert real.ask("/php/page.php", method="HEAD").ended == "bodiless"
    assert real.ask("/php/page.php?do=fail").status == "500"
    large = real.ask("/php/page.php?do=large")
    assert large.body == b"0123456789" * 400_000


def test_words_of_a_script_go_to_the_error_log(real):
    real.ask("/php/page.php?do=warn")
    assert until(lambda: "the script warns" in real.server.read("error.log"))


def test_kept_connections_serve_many_requests(real):
    pages = [told(real.ask(f"/kept/page.php?n={n}")) for n in range(40)]
    assert [page["get"]["n"] for page in pages] == [str(n) for n in range(40)]
    assert {page["node"] for page in pages} == {"two"}


def test_sessions_stay_and_move_when_their_member_dies(real):
    assert {told(real.ask("/pool/page.php"))["node"] for _ in range(4)} == {"one", "two"}
    for route in ("one", "two", "two", "one"):
        page = told(real.ask("/pool/page.php", f"Cookie: ROUTE=x.{route}"))
        assert page["node"] == route
    real.members["two"].stop()
    try:
        page = told(real.ask("/pool/page.php", "Cookie: ROUTE=x.two"))
        assert page["node"] == "one"
        page = told(real.ask("/pool/page.php", method="POST", body=b"x" * 3))
        assert (page["node"], page["bytes"]) == ("one", 3)
    finally:
        real.members["two"].start()


@pytest.mark.parametrize("protocol", ["uwsgi", "scgi"])
def test_uwsgi_serves_an_application(real, protocol):
    response = real.ask(f"/{protocol}/a%20b/c", "X-Mine: yes")
    page = told(response)
    assert page["node"] == protocol
    assert page["server"]["HTTP_X_MINE"] == "yes"
    assert page["server"]["REQUEST_URI"] == f"/{protocol}/a%20b/c"
    if protocol == "uwsgi":
        assert (page["server"]["SCRIPT_NAME"], page["server"]["PATH_INFO"]) == ("/uwsgi", "/a b/c")
    cookies = [value for name, value in response.headers() if name.lower() == b"set-cookie"]
    assert cookies == [b"a=1", b"b=2"]
    page = told(real.ask(f"/{protocol}/x", method="POST", body=LARGE))
    assert (page["bytes"], page["sha256"]) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    missing = real.ask(f"/{protocol}/x?404+Not+Here")
    assert missing.status == "404"
    assert missing.head.startswith(b"HTTP/1.1 404 Not Here\r\n")


@pytest.fixture
def members():
    made = {name: CgiMember(name, name) for name in PROTOCOLS}
    yield made
    for member in made.values():
        member.close()


@pytest.fixture
def world(binary, scratch, members):
    """Scripted members: /PROTOCOL/ once each, and a balancer of two that keep connections."""
    lines = ["Timeout 2"]
    lines.append(f"ProxyPass /kept/ {members['fcgi'].url}/kept/ enablereuse=on max=1")
    for name, member in members.items():
        lines.append(f"ProxyPass /{name}/ {member.url}/")
    one = World(binary, scratch, "\n".join(lines), "info")
    yield one
    one.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_client_chooses_http_proxy(world, members, protocol):
    """httpoxy (CVE-2016-5387)"""
    world.ask(f"/{protocol}/x", "Proxy: http://evil/", "proxy: http://evil/")
    assert not [name for name, _ in members[protocol].take()[0].variables if "PROXY" in name.upper()]


def test_no_record_has_padding(world, members):
    """CVE-2023-0836: bytes of padding that nobody wrote."""
    world.ask("/fcgi/x", *(f"X-{i}: {'v' * i}" for i in range(1, 40)), method="POST", body=LARGE)
    (asked,) = members["fcgi"].take()
    assert asked.body == LARGE
    at = 0
    while at < len(asked.raw):
        size = int.from_bytes(asked.raw[at + 4 : at + 6], "big")
        assert asked.raw[at + 6 : at + 8] == b"\0\0"
        at += 8 + size
    assert at == len(asked.raw)


def test_kept_connections_are_asked_for_and_used_again(world, members):
    for _ in range(3):
        assert world.ask("/kept/x").body == b"fcgi"
    asked = members["fcgi"].take(3)
    assert [one.keep for one in asked] == [True] * 3
    assert {one.connection for one in asked} == {1}
    world.ask("/fcgi/x")
    assert members["fcgi"].take()[0].keep is False


@pytest.mark.parametrize(
    "poison",
    [
        b"x",
        record(STDOUT, b"Status: 200 OK\r\n\r\npoison") + end_request(),
        end_request(),
        record(STDERR, b"late"),
    ],
    ids="byte answer end words".split(),
)
def test_what_lies_behind_an_answer_reaches_nobody(world, members, poison):
    members["fcgi"].next_answer(cgi_answer("fcgi", b"first") + poison, then_close=False)
    assert world.ask("/kept/x").body == b"first"
    assert world.ask("/kept/y").body == b"fcgi"
    asked = members["fcgi"].take(2)
    assert [one.connection for one in asked] == [1, 2]


def test_a_kept_connection_that_died_costs_no_request(world, members):
    members["fcgi"].next_answer(cgi_answer("fcgi", b"first"), then_close=True)
    assert world.ask("/kept/x").body == b"first"
    assert world.ask("/kept/y").body == b"fcgi"


@pytest.mark.parametrize(
    "protocol,data",
    [
        ("fcgi", record(STDOUT, b"X: 1\r\n\r\nhalf")),
        ("fcgi", record(STDOUT, b"X: 1\r\n\r\nhalf") + record(STDOUT, b"more")[:9]),
        ("fcgi", record(STDOUT, b"X: 1\r\n\r\nhalf") + record(STDOUT, b"x", version=9)),
        ("fcgi", record(STDOUT, b"X: 1\r\n\r\nhalf") + record(STDOUT, b"x", identity=2)),
        ("fcgi", record(STDOUT, b"X: 1\r\n\r\nhalf") + end_request(protocol_status=9)),
        ("uwsgi", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        ("scgi", b"X: 1\r\nContent-Length: 10\r\n\r\nhalf"),
        ("fcgi", record(STDOUT, b"Content-Length: 10\r\n\r\nhalf") + end_request()),
        ("fcgi", record(STDOUT, b"Content-Length: 10\r\n\r\nhalf") + record(STDOUT, b"")),
    ],
    ids="no-end half-a-record version id status length scgi-length told-length told-end".split(),
)
def test_half_an_answer_never_looks_whole(world, members, protocol, data):
    members[protocol].next_answer(data)
    response = world.ask(f"/{protocol}/x")
    assert response.status == "200"
    assert response.ended not in ("length", "chunked", "bodiless")


@pytest.mark.parametrize(
    "head",
    [
        b"X: a\x00b\r\n\r\n",
        b"X: a\rSet-Cookie: evil=1\r\n\r\n",
        b"X\x01: a\r\n\r\n",
        b"Bad Name: a\r\n\r\n",
        b"X: 1\r\n folded\r\n\r\n",
        b"X: " + b"x" * 9000 + b"\r\n\r\n",
        b"".join(b"X%d: 1\r\n" % n for n in range(1100)) + b"\r\n",
        b"X: 1\r\n" * 60000,
    ],
    ids="nul cr control-in-name blank-in-name folded long-line many-fields large".split(),
)
@pytest.mark.parametrize("protocol", ["fcgi", "scgi"])
def test_heads_that_cannot_be_passed_on_are_refused(world, members, protocol, head):
    members[protocol].next_answer(records(head) if protocol == "fcgi" else head)
    response = world.ask(f"/{protocol}/x")
    assert response.status == "500"
    assert b"evil" not in response.head + response.body
    assert world.ask(f"/{protocol}/y").status == "200"


def test_a_uwsgi_answer_cannot_frame_itself(world, members):
    """CVE-2023-27522: Transfer-Encoding of an application beside its own body."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
    body = b"0\r\n\r\nHTTP/1.1 200 OK\r\nX: smuggled\r\n\r\n"
    members["uwsgi"].next_answer(head + body)
    response = world.ask("/uwsgi/x")
    assert response.ended in ("length", "chunked")
    assert response.body in (body, body[:3])


@pytest.mark.parametrize("size,status", [(60, "200"), (66, "500")])
def test_a_request_that_fits_no_uwsgi_packet_is_refused(world, members, size, status):
    """CVE-2020-11984: lengths above two bytes"""
    headers = [f"X-B{n}: {'z' * 1000}" for n in range(size)]
    assert world.ask("/uwsgi/x", *headers).status == status


@pytest.mark.parametrize("protocol,status", [("fcgi", "504"), ("scgi", "504"), ("uwsgi", "500")])
def test_a_silent_member_is_given_up(world, members, protocol, status):
    """As httpd's three modules answer then."""
    members[protocol].next_answer(b"", then_close=False)
    assert world.ask(f"/{protocol}/x").status == status


def test_an_overloaded_server_is_left_to_another(binary, scratch, members):
    other = CgiMember("fcgi", "other")
    try:
        conf = (
            f"<Proxy balancer://b>\nBalancerMember {members['fcgi'].url}\n"
            f"BalancerMember {other.url} status=+H\n</Proxy>\nProxyPass / balancer://b/\n"
        )
        world = World(binary, scratch, conf)
        try:
            members["fcgi"].next_answer(end_request(protocol_status=2))
            assert world.ask("/x", method="POST", body=b"").body == b"other"
            assert len(other.take()) == 1
        finally:
            world.close()
    finally:
        other.close()


@pytest.mark.parametrize("method,status", [("GET", "200"), ("POST", "503")])
def test_what_a_member_may_have_acted_on_runs_twice_only_when_it_may(
    binary, scratch, members, method, status
):
    other = CgiMember("fcgi", "other")
    try:
        conf = (
            f"<Proxy balancer://b>\nBalancerMember {members['fcgi'].url}\n"
            f"BalancerMember {other.url} status=+H\n</Proxy>\nProxyPass / balancer://b/\n"
        )
        world = World(binary, scratch, conf)
        try:
            members["fcgi"].next_answer(b"")
            assert world.ask("/x", method=method, body=b"").status == status
            assert len(members["fcgi"].take()) == 1
            assert len(other.take(0)) == (1 if method == "GET" else 0)
        finally:
            world.close()
    finally:
        other.close()


def test_health_checks_by_connecting(binary, scratch, members):
    conf = (
        f"<Proxy balancer://b>\nBalancerMember {members['fcgi'].url} hcmethod=TCP hcinterval=100ms\n"
        f"</Proxy>\nProxyPass / balancer://b/\n"
    )
    world = World(binary, scratch, conf, "info")
    try:
        assert until(lambda: members["fcgi"].connections >= 2)
        assert members["fcgi"].take(0) == []
        assert world.ask("/x").body == b"fcgi"
    finally:
        world.close()


@pytest.mark.parametrize("program", ["apache2", "steelyard"])
def test_scripts_learn_of_tls(binary, scratch, members, tmp_path, program):
    files = Authority(tmp_path).issue("lb.test")
    tls = HeldPort()
    modules = "".join(
        f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
        for name in ("socache_shmcb", "ssl")
    )
    conf = (
        f"{modules}Listen 127.0.0.1:{tls.port}\n<VirtualHost 127.0.0.1:{tls.port}>\n"
        f"ServerName lb.test\nSSLEngine On\nSSLCertificateFile {files[0]}\n"
        f"SSLCertificateKeyFile {files[1]}\nProxyPass / {members['fcgi'].url}/\n"
        "<Location /std>\nSSLOptions +StdEnvVars\n</Location>\n</VirtualHost>\n"
    )
    world = World(APACHE if program == "apache2" else binary, scratch, conf)
    try:
        plain, all_of_them = [
            ask_over_tls(tls.port, target, members["fcgi"]) for target in ("/x", "/std")
        ]
        assert (plain["HTTPS"], plain["REQUEST_SCHEME"]) == ("on", "https")
        assert plain["SERVER_PORT"] == "443"
        assert "SSL_PROTOCOL" not in plain
        assert all_of_them["SSL_PROTOCOL"] == "TLSv1.3"
        assert "lb.test" in all_of_them["SSL_SERVER_S_DN_CN"]
    finally:
        world.close()
        tls.close()


def ask_over_tls(port, target, member):
    client = TlsConnection(port, "lb.test")
    try:
        client.send(f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
        assert client.read_response().status == "200"
    finally:
        client.close()
    return member.take()[0].named


def test_variables_are_in_the_access_log(binary, scratch, members):
    conf = (
        'LogFormat "%{SCRIPT_FILENAME}e %{HTTP_HOST}e" cgi\nCustomLog cgi.log cgi\n'
        f"ProxyPass / {members['fcgi'].url}/root/\n"
    )
    world = World(binary, scratch, conf)
    try:
        world.ask("/a.php")
        line = f"proxy:fcgi://{members['fcgi'].held}/root/a.php lb.test\n"
        assert until(lambda: line in world.server.read("cgi.log"))
    finally:
        world.close()
