"""Real nginx and real Tomcat as members of one configuration, curl as the client."""

import filecmp
import gzip
import hashlib
import os
import random
import re
import subprocess
from dataclasses import dataclass

import pytest
from support.ports import HeldPort
from support.process import until
from support.real_members import Nginx, Tomcat
from support.server import Scratch, Server, complete

# Both programs run it: `complete` adds the modules and one process, so that turns are one sequence.
CONFIG = """\
Listen 127.0.0.1:{port}
MaxKeepAliveRequests 0
LogFormat "%U %>s worker=%{{BALANCER_WORKER_ROUTE}}e session=%{{BALANCER_SESSION_ROUTE}}e changed=%{{BALANCER_ROUTE_CHANGED}}e" sessions
CustomLog sessions.log sessions

<Proxy balancer://files>
    BalancerMember http://{one}
    BalancerMember http://{two}
</Proxy>
ProxyPass /files balancer://files

# Members that know no sessions: the cookie is made here.
<Proxy balancer://routed>
    BalancerMember http://{one} route=one
    BalancerMember http://{two} route=two
    ProxySet stickysession=ROUTEID
</Proxy>
<Location /routed>
    ProxyPass balancer://routed
    Header add Set-Cookie "ROUTEID=.%{{BALANCER_WORKER_ROUTE}}e; path=/routed" env=BALANCER_ROUTE_CHANGED
</Location>

# Members that do: the route is Tomcat's jvmRoute.
<Proxy balancer://shop>
    BalancerMember http://{alfa} route=alfa
    BalancerMember http://{beta} route=beta
    ProxySet stickysession=JSESSIONID|jsessionid scolonpathdelim=On
</Proxy>
ProxyPass                  /store balancer://shop/shop
ProxyPassReverse           /store balancer://shop/shop
ProxyPassReverse           /store /shop
ProxyPassReverseCookiePath /shop /store
"""

WRITTEN = 1_700_000_000
TEXT = b"".join(b"line %d of a text that compresses well\n" % number for number in range(2000))
BIG_BYTES = 24 * 1000 * 1000
UPLOAD_BYTES = 3 * 1000 * 1000


@dataclass
class Site:
    """Everything that runs: the balancer, its members, and where a client asks."""

    server: Server
    port: int
    nginx: dict
    tomcat: dict

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def logged(self, path):
        """The log lines of that path."""
        lines = self.server.read("sessions.log").splitlines()
        return [line for line in lines if line.split()[0] == path]


@pytest.fixture(scope="module")
def site(binary):
    directory = Scratch("steelyard-members-")
    nginx = {name: Nginx(name, directory.path / name) for name in ("one", "two")}
    tomcat = {name: Tomcat(name, directory.path / name) for name in ("alfa", "beta")}
    members = {**nginx, **tomcat}
    held = HeldPort()
    server = Server(binary, directory.path / "balancer")
    try:
        for member in members.values():
            member.begin()
        big = random.Random(1).randbytes(BIG_BYTES)
        for member in nginx.values():
            (member.files / "text.txt").write_bytes(TEXT)
            os.utime(member.files / "text.txt", (WRITTEN, WRITTEN))  # nginx makes its ETag of it
            (member.files / "big.bin").write_bytes(big)
        for member in members.values():
            member.await_ready()
        addresses = {name: member.address for name, member in members.items()}
        server.start(complete(CONFIG.format(port=held.port, **addresses)), [held.port])
        yield Site(server, held.port, nginx, tomcat)
    finally:
        server.stop()
        for member in members.values():
            member.ask_to_stop()
        for member in members.values():
            member.close()
        held.close()
        directory.close()


@dataclass
class Answer:
    status: int
    fields: list
    body: bytes

    def field(self, name):
        found = self.all(name)
        return found[0] if found else None

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def said(self, name):
        """What the application's page says."""
        return re.search(rf"^{name}=(.*)$", self.body.decode(), re.M).group(1)


def curl(*arguments, stdin=None):
    """What it printed; a transfer that fails is a failed test."""
    command = ["curl", "--silent", "--show-error", "--max-time", "10", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def ask(*arguments, stdin=None):
    """One request, its final answer; what curl follows or was told to wait for is left out."""
    printed = curl("--include", *arguments, stdin=stdin)
    while True:
        head, _, body = printed.partition(b"\r\n\r\n")
        lines = head.decode("latin1").split("\r\n")
        status = int(lines[0].split()[1])
        follows = body.startswith(b"HTTP/1.1 ") and (status < 200 or "--location" in arguments)
        if not follows:
            fields = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
            return Answer(status, fields, body)
        printed = body


def cookies(jar):
    """name -> (path, value) of what curl keeps."""
    rows = [line.split("\t") for line in jar.read_text().splitlines() if line.count("\t") == 6]
    return {row[5]: (row[2], row[6]) for row in rows}


@pytest.fixture
def jar(tmp_path):
    return tmp_path / "jar"


def with_jar(jar):
    return ("--cookie", jar, "--cookie-jar", jar)


# nginx


def test_nginx_members_take_turns(site):
    nodes = [ask(site.url("/files/text.txt")).field("X-Node") for _ in range(6)]
    assert nodes in (["one", "two"] * 3, ["two", "one"] * 3)


def test_a_big_file_arrives_as_it_is(site, tmp_path):
    curl("--output", tmp_path / "big.bin", site.url("/files/big.bin"))
    assert filecmp.cmp(tmp_path / "big.bin", site.nginx["one"].files / "big.bin", shallow=False)


def test_connections_are_kept_on_both_sides(site):
    url = site.url("/files/up/probe.txt")
    before = {name: len(member.seen("/up/probe.txt")) for name, member in site.nginx.items()}
    connects = curl("--write-out", "%{num_connects} ", "--output", "/dev/null", f"{url}?n=[1-8]")
    assert connects.split() == [b"1"] + [b"0"] * 7
    for name, member in site.nginx.items():
        assert until(lambda: len(member.seen("/up/probe.txt")) == before[name] + 4)
        rows = member.seen("/up/probe.txt")[before[name] :]
        assert len({connection for _, _, connection, _ in rows}) == 1
        first = rows[0][3]
        assert [nth for _, _, _, nth in rows] == [first, first + 1, first + 2, first + 3]


def test_a_range_is_cut_by_nginx(site):
    answer = ask("--range", "100-299", site.url("/files/text.txt"))
    assert (answer.status, answer.body) == (206, TEXT[100:300])
    assert answer.field("Content-Range") == f"bytes 100-299/{len(TEXT)}"


def test_several_ranges_come_in_parts(site):
    answer = ask("--range", "0-9,50-59,-5", site.url("/files/text.txt"))
    assert answer.status == 206
    kind, _, boundary = answer.field("Content-Type").partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = answer.body.split(b"--" + boundary.encode())
    bodies = [part.split(b"\r\n\r\n")[1][:-2] for part in parts[1:-1]]
    assert bodies == [TEXT[:10], TEXT[50:60], TEXT[-5:]]


def test_a_range_behind_the_end_is_a_416(site):
    answer = ask("--range", f"{len(TEXT)}-", site.url("/files/text.txt"))
    assert (answer.status, answer.field("Content-Range")) == (416, f"bytes */{len(TEXT)}")


def test_a_broken_download_is_resumed(site, tmp_path):
    part = tmp_path / "big.bin"
    whole = (site.nginx["one"].files / "big.bin").read_bytes()
    part.write_bytes(whole[: BIG_BYTES // 2])
    curl("--continue-at", "-", "--output", part, site.url("/files/big.bin"))
    assert part.read_bytes() == whole


def test_a_head_has_the_length_and_no_body(site):
    url = site.url("/files/text.txt")
    first = ("--head", "--write-out", "%{num_connects} ", url)
    printed = curl(*first, "--next", "--silent", "--include", url)
    head, _, rest = printed.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(TEXT)}".encode() in head
    assert rest.startswith(b"1 HTTP/1.1 200")
    assert rest.endswith(b"\r\n\r\n" + TEXT)


def test_a_copy_that_is_still_good_is_a_304(site, tmp_path):
    url, tag = site.url("/files/text.txt"), tmp_path / "tag"
    fresh = ask("--etag-save", tag, url)
    assert fresh.status == 200
    by_tag = ask("--etag-compare", tag, url)
    assert (by_tag.status, by_tag.body, by_tag.field("ETag")) == (304, b"", fresh.field("ETag"))
    by_date = ask("--header", f"If-Modified-Since: {fresh.field('Last-Modified')}", url)
    assert (by_date.status, by_date.body) == (304, b"")
    changed = ask("--header", 'If-None-Match: "another"', url)
    assert (changed.status, changed.body) == (200, TEXT)


def test_compression_is_between_client_and_nginx(site):
    url = site.url("/files/text.txt")
    packed = ask("--header", "Accept-Encoding: gzip", url)
    assert packed.field("Content-Encoding") == "gzip"
    assert len(packed.body) < len(TEXT) / 4
    assert gzip.decompress(packed.body) == TEXT
    plain = ask(url)
    assert (plain.field("Content-Encoding"), plain.body) == (None, TEXT)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload_to_nginx_is_stored_whole(site, tmp_path, framing):
    data = random.Random(2).randbytes(UPLOAD_BYTES)
    (tmp_path / "data").write_bytes(data)
    url = site.url(f"/files/up/{framing}.bin")
    if framing == "length":
        answer = ask("--upload-file", tmp_path / "data", url)
    else:
        answer = ask("--upload-file", "-", url, stdin=data)
    assert answer.status == 201
    assert (site.nginx[answer.field("X-Node")].files / f"up/{framing}.bin").read_bytes() == data


def test_the_route_cookie_recipe_moves_a_client_once(site, jar):
    url = site.url("/routed/up/probe.txt")
    first = ask(*with_jar(jar), url)
    home = first.field("X-Node")
    other = {"one": "two", "two": "one"}[home]
    assert first.all("Set-Cookie") == [f"ROUTEID=.{home}; path=/routed"]
    for _ in range(3):
        again = ask(*with_jar(jar), url)
        assert (again.field("X-Node"), again.all("Set-Cookie")) == (home, [])
    site.nginx[home].stop()
    try:
        moved = ask(*with_jar(jar), url)
        assert (moved.status, moved.field("X-Node")) == (200, other)
        assert moved.all("Set-Cookie") == [f"ROUTEID=.{other}; path=/routed"]
    finally:
        site.nginx[home].begin()
        site.nginx[home].await_ready()
    settled = ask(*with_jar(jar), url)
    assert (settled.field("X-Node"), settled.all("Set-Cookie")) == (other, [])
    path = "/routed/up/probe.txt"
    assert until(lambda: len(site.logged(path)) >= 6)
    assert site.logged(path)[-6:] == [
        f"{path} 200 worker={home} session=- changed=1",
        *3 * [f"{path} 200 worker={home} session={home} changed=-"],
        f"{path} 200 worker={other} session={home} changed=1",
        f"{path} 200 worker={other} session={other} changed=-",
    ]


# Tomcat


def test_a_tomcat_session_stays_where_it_began(site, jar):
    answers = [ask(*with_jar(jar), site.url("/store/page.jsp")) for _ in range(5)]
    home = answers[0].said("node")
    assert answers[0].said("session").endswith(f".{home}")
    assert [answer.said("node") for answer in answers] == [home] * 5
    assert [answer.said("visits") for answer in answers] == ["1", "2", "3", "4", "5"]
    assert [len(answer.all("Set-Cookie")) for answer in answers] == [1, 0, 0, 0, 0]


def test_newcomers_are_spread_and_each_keeps_its_session(site, tmp_path):
    jars = [tmp_path / f"jar{number}" for number in range(12)]
    homes = {one: ask(*with_jar(one), site.url("/store/page.jsp")).said("node") for one in jars}
    # A session's requests are charged to its member, so the turns of newcomers are not even.
    assert set(homes.values()) == {"alfa", "beta"}
    for visit in ("2", "3"):
        for one, home in homes.items():
            answer = ask(*with_jar(one), site.url("/store/page.jsp"))
            assert (answer.said("node"), answer.said("visits")) == (home, visit)


@pytest.mark.parametrize("query", ["", "?item=4;v=1"])
def test_a_session_in_the_path_stays_where_it_began(site, query):
    session = ask(site.url("/store/page.jsp")).said("session")
    home = session.rpartition(".")[2]
    for visit in ("2", "3", "4"):
        answer = ask(site.url(f"/store/page.jsp;jsessionid={session}{query}"))
        assert (answer.said("node"), answer.said("visits")) == (home, visit)
        assert answer.said("session") == session


def test_the_cookies_path_is_the_clients_path(site, jar):
    answer = ask(*with_jar(jar), site.url("/store/page.jsp"))
    assert re.fullmatch(r"JSESSIONID=\w+\.\w+; Path=/store; HttpOnly", answer.field("Set-Cookie"))
    assert cookies(jar)["JSESSIONID"] == ("/store", answer.said("session"))


@pytest.mark.parametrize("kind", ["to", "far"])
def test_a_redirect_leads_back_to_the_balancer(site, jar, kind):
    url = site.url(f"/store/page.jsp?{kind}=/shop/page.jsp")
    redirected = ask(url)
    location = redirected.field("Location")
    assert redirected.status == 302
    wanted = re.escape(site.url("/store/page.jsp"))
    assert re.fullmatch(wanted + r";jsessionid=\w+\.(alfa|beta)", location)
    followed = ask(*with_jar(jar), "--location", url)
    home = cookies(jar)["JSESSIONID"][1].rpartition(".")[2]
    assert (followed.status, followed.said("node"), followed.said("visits")) == (200, home, "1")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload_to_tomcat_is_read_whole(site, framing):
    data = random.Random(3).randbytes(UPLOAD_BYTES)
    coding = ["--header", "Transfer-Encoding: chunked"] if framing == "chunked" else []
    answer = ask(
        "--data-binary",
        "@-",
        "--header",
        "Content-Type: application/octet-stream",
        *coding,
        site.url("/store/page.jsp"),
        stdin=data,
    )
    assert answer.said("bytes") == str(len(data))
    assert answer.said("sha256") == hashlib.sha256(data).hexdigest()


# The last of them, because a Tomcat takes seconds to come back.
def test_a_session_moves_when_its_tomcat_is_gone(site, jar):
    first = ask(*with_jar(jar), site.url("/store/page.jsp?move=me"))
    home = first.said("node")
    other = {"alfa": "beta", "beta": "alfa"}[home]
    site.tomcat[home].stop()
    moved = ask(*with_jar(jar), site.url("/store/page.jsp"))
    assert (moved.status, moved.said("node"), moved.said("visits")) == (200, other, "1")
    assert moved.said("session").endswith(f".{other}")
    assert moved.said("session") != first.said("session")
    after = ask(*with_jar(jar), site.url("/store/page.jsp"))
    assert (after.said("session"), after.said("visits")) == (moved.said("session"), "2")
    wanted = [
        f"/store/page.jsp 200 worker={other} session={home} changed=1",
        f"/store/page.jsp 200 worker={other} session={other} changed=-",
    ]
    assert until(lambda: site.logged("/store/page.jsp")[-2:] == wanted)
