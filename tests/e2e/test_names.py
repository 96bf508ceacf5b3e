"""What names of members lead to, and that it changes under load without a client noticing.

A name server of our own (support/name_server.py) is what SteelyardResolver names; members listen at
one port of several loopback addresses and answer with their address.
"""

import http.server
import signal
import socket
import threading
import time
from collections import Counter

import pytest
from support.name_server import NameServer
from support.process import reload, until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen {port}
PidFile httpd.pid
ErrorLog error.log
LogLevel info
SteelyardResolver 127.0.0.1:{names}
{rest}
"""
BALANCER = """\
<Proxy balancer://c>
{members}
</Proxy>
ProxyPass / balancer://c/ stickysession=SID
"""


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.server.hosts.add(self.headers["Host"])
        body = self.server.server_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Place(http.server.ThreadingHTTPServer):
    """A member at 127.0.0.N."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, port=0):
        self.hosts = set()
        self.connections = set()
        super().__init__((address, port), Answers)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def port(self):
        return self.server_address[1]

    def get_request(self):
        connection, peer = super().get_request()
        self.connections.add(connection)
        return connection, peer

    def handle_error(self, *_):
        pass

    def die(self):
        """No listener and no connection is left."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.fixture
def names():
    with NameServer() as server:
        yield server


@pytest.fixture
def places():
    """127.0.0.2, .3 and .4, all at one port."""
    first = Place("127.0.0.2")
    all_of_them = [first] + [Place(f"127.0.0.{n}", first.port) for n in (3, 4)]
    yield all_of_them
    for place in all_of_them:
        if place._thread.is_alive():
            place.die()


def config(port, names, rest):
    return CONFIG.format(port=port, names=names.port, rest=rest)


def balancer(*members):
    return BALANCER.format(members="\n".join(f"    BalancerMember {one}" for one in members))


def known(server, name="app.example"):
    """The name was looked up; before that, connections look it up themselves."""
    return until(lambda: f"{name} leads to " in server.read("error.log"))


def get(port, cookie=None):
    """Who answered, or the status."""
    client = Connection("127.0.0.1", port.port)
    extra = f"Cookie: SID={cookie}\r\n" if cookie else ""
    client.send(f"GET / HTTP/1.1\r\nHost: lb.test\r\n{extra}Connection: close\r\n\r\n".encode())
    response = client.read_response()
    client.close()
    return response.body.decode() if response.status == "200" else response.status or response.ended


def seen(port, count=6):
    return {get(port) for _ in range(count)}


class Load:
    """Clients that ask all the time; every answer is counted."""

    def __init__(self, port, clients=4):
        self.answers = Counter()
        self._port, self._lock, self._over = port, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def _ask(self):
        while not self._over.is_set():
            answer = get(self._port)
            with self._lock:
                self.answers[answer] += 1

    def errors(self):
        return {one: n for one, n in self.answers.items() if not one.startswith("127.")}

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def mark(self):
        with self._lock:
            return Counter(self.answers)


def test_a_change_of_addresses_is_seen_within_its_ttl_and_costs_nobody_anything(
    server, port, names, places
):
    names.set("app.example", ["127.0.0.2"], ttl=1)
    member = f"http://app.example:{places[0].port}"
    server.start(config(port, names, balancer(member)), [port.port])
    assert known(server)
    with Load(port) as load:
        assert until(lambda: load.answers["127.0.0.2"] > 20)
        names.set("app.example", ["127.0.0.3"], ttl=1)
        began = time.monotonic()
        assert until(lambda: "leads to 127.0.0.3 now" in server.read("error.log"))
        assert time.monotonic() - began < 4
        before = load.mark()
        assert until(lambda: load.answers["127.0.0.3"] > 50)
        after = load.mark()
    # What was under way may still end at the old address; pooled connections to it are not used.
    assert after["127.0.0.2"] - before["127.0.0.2"] <= 4
    assert load.errors() == {}


def test_a_name_server_that_dies_changes_nothing_and_is_logged_once(server, port, names, places):
    names.set("app.example", ["127.0.0.2"], ttl=1)
    server.start(
        config(port, names, balancer(f"http://app.example:{places[0].port}")), [port.port]
    )
    assert known(server)
    assert get(port) == "127.0.0.2"
    with Load(port) as load:
        names.die()
        assert until(lambda: "looking up app.example failed" in server.read("error.log"), 20)
        assert until(lambda: load.answers["127.0.0.2"] > 100)
    assert load.errors() == {}
    assert server.read("error.log").count("looking up app.example failed") == 1
    names.revive()
    assert until(lambda: "app.example is answered again: 127.0.0.2" in server.read("error.log"), 30)


@pytest.mark.parametrize("resolve", ["one", "each"])
@pytest.mark.parametrize("way", ["nxdomain", "servfail", "silence", "garbage"])
def test_a_start_is_not_held_up_and_the_member_comes_up_with_its_name(
    server, port, names, places, way, resolve
):
    names.say("app.example", way)
    by_name = f"http://app.example:{places[0].port} resolve={resolve}"
    rest = balancer(by_name, f"http://127.0.0.3:{places[0].port}")
    began = time.monotonic()
    server.start(config(port, names, rest), [port.port])
    assert time.monotonic() - began < 4
    failed = "looking up app.example failed"
    assert until(lambda: failed in server.read("error.log"), 20), server.read("error.log")
    with Load(port, 2) as load:
        assert until(lambda: load.answers["127.0.0.3"] > 20)
        names.set("app.example", ["127.0.0.2"], ttl=1)
        assert until(lambda: load.answers["127.0.0.2"] > 5, 30)
    assert load.errors() == {}


def test_the_line_about_no_usable_member_says_that_its_name_leads_nowhere(server, port, names):
    server.start(config(port, names, balancer("http://nowhere.example:81")), [port.port])
    assert until(lambda: "looking up nowhere.example failed" in server.read("error.log"))
    assert get(port) == "503"
    reason = "its name leads nowhere: no such name"
    wanted = f"All workers are in error state; http://nowhere.example:81 ({reason})"
    assert until(lambda: wanted in server.read("error.log"))


def test_a_truncated_answer_is_asked_for_again_over_tcp(server, port, names, places):
    names.set("app.example", ["127.0.0.2"], ttl=60)
    names.say("app.example", "truncated")
    server.start(
        config(port, names, balancer(f"http://app.example:{places[0].port}")), [port.port]
    )
    assert known(server)
    assert get(port) == "127.0.0.2"


def test_a_name_that_leads_nowhere_any_more_leads_where_it_did(server, port, names, places):
    names.set("app.example", ["127.0.0.2"], ttl=1)
    member = f"http://app.example:{places[0].port}"
    for resolve in ("", " resolve=each"):
        names.set("app.example", ["127.0.0.2"], ttl=1)
        server.start(config(port, names, balancer(member + resolve)), [port.port])
        assert known(server)
        assert get(port) == "127.0.0.2"
        names.set("app.example", [], ttl=1)
        assert until(lambda: "it goes on leading to 127.0.0.2" in server.read("error.log"))
        assert seen(port) == {"127.0.0.2"}
        server.stop()
        (server.root / "error.log").unlink()


def test_the_next_address_is_tried_when_one_refuses(server, port, names, places):
    names.set("app.example", ["127.0.0.2", "127.0.0.3"], ttl=60)
    server.start(
        config(port, names, balancer(f"http://app.example:{places[0].port}")), [port.port]
    )
    assert known(server)
    first = get(port)
    other = {"127.0.0.2": "127.0.0.3", "127.0.0.3": "127.0.0.2"}[first]
    next(place for place in places if place.server_address[0] == first).die()
    with Load(port) as load:
        assert until(lambda: sum(load.mark().values()) > 50)
    assert set(load.answers) == {other}
    assert load.errors() == {}


@pytest.mark.parametrize("ttl, sees_it", [("-1", False), ("1", True)])
def test_addressttl_decides_as_in_httpd(server, port, names, places, ttl, sees_it):
    names.set("app.example", ["127.0.0.2"], ttl=1 if ttl == "-1" else 3600)
    names.set("other.example", ["127.0.0.2"], ttl=1)
    member = f"http://app.example:{places[0].port} addressttl={ttl}"
    other = f"http://other.example:{places[0].port} status=D"
    server.start(config(port, names, balancer(member, other)), [port.port])
    assert known(server) and known(server, "other.example")
    assert get(port) == "127.0.0.2"
    names.set("app.example", ["127.0.0.3"], ttl=1)
    names.set("other.example", ["127.0.0.3"], ttl=1)
    wanted = "app.example" if sees_it else "other.example"
    assert until(lambda: f"{wanted} leads to 127.0.0.3 now" in server.read("error.log"))
    assert seen(port) == ({"127.0.0.3"} if sees_it else {"127.0.0.2"})


def test_each_address_is_a_member_of_its_own_that_comes_and_goes(server, port, names, places):
    names.set("app.example", ["127.0.0.2", "127.0.0.3"], ttl=1)
    member = f"http://app.example:{places[0].port} resolve=each"
    server.start(config(port, names, balancer(member)), [port.port])
    with Load(port) as load:
        assert until(lambda: load.answers["127.0.0.2"] > 20 and load.answers["127.0.0.3"] > 20)
        names.set("app.example", ["127.0.0.3", "127.0.0.4"], ttl=1)
        assert until(lambda: load.answers["127.0.0.4"] > 20)
        before = load.mark()
        assert until(lambda: sum((load.mark() - before).values()) > 100)
        late = load.mark() - before
        places[0].die()
        gone = load.mark()
        assert until(lambda: sum((load.mark() - gone).values()) > 50)
    assert late["127.0.0.2"] == 0
    assert load.errors() == {}
    # The Host field stays the name's.
    assert places[2].hosts == {f"app.example:{places[0].port}"}


def test_a_reload_that_tells_addresses_apart_waits_for_no_name_server(server, port, names, places):
    names.set("app.example", ["127.0.0.2", "127.0.0.3"], ttl=60)
    member = f"http://app.example:{places[0].port}"
    server.start(config(port, names, balancer(member)), [port.port])
    assert known(server)
    with Load(port) as load:
        assert until(lambda: sum(load.mark().values()) > 20)
        names.die()
        server.write(config(port, names, balancer(f"{member} resolve=each")))
        reload(server, signal.SIGUSR1)
        before = load.mark()
        assert until(lambda: all((load.mark() - before)[f"127.0.0.{n}"] > 20 for n in (2, 3)))
    assert load.errors() == {}


def test_sessions_stick_to_one_address_by_its_tag_across_reloads(server, port, names, places):
    names.set("app.example", ["127.0.0.2", "127.0.0.3", "127.0.0.4"], ttl=60)
    number = places[0].port
    for route, tag in (("", f"127-0-0-3-{number}"), (" route=web-%a", "web-127-0-0-3")):
        text = config(port, names, balancer(f"http://app.example:{number} resolve=each{route}"))
        if server.process is None:
            server.start(text, [port.port])
        else:
            server.write(text)
            reload(server, signal.SIGUSR1)
        assert {get(port, f"id.{tag}") for _ in range(9)} == {"127.0.0.3"}
        assert seen(port, 40) == {"127.0.0.2", "127.0.0.3", "127.0.0.4"}


def test_services_are_members_by_priority_and_weight(server, port, names, places):
    number = places[0].port
    for n in (2, 3, 4):
        names.set(f"s{n}.example", [f"127.0.0.{n}"], ttl=1)
    services = [(1, 3, number, "s2.example"), (1, 1, number, "s3.example"), (7, 1, number, "s4.example")]
    names.set_services("_http._tcp.app.example", services, ttl=1)
    member = "http://_http._tcp.app.example resolve=srv"
    server.start(config(port, names, balancer(member)), [port.port])
    assert until(lambda: get(port).startswith("127."))
    assert Counter(get(port) for _ in range(40)) == {"127.0.0.2": 30, "127.0.0.3": 10}
    assert get(port, f"id.s4-{number}") == "127.0.0.4"
    with Load(port) as load:
        assert until(lambda: sum(load.mark().values()) > 20)
        names.set_services("_http._tcp.app.example", services[2:], ttl=1)
        assert until(lambda: load.answers["127.0.0.4"] > 20)
    assert load.errors() == {}


def test_a_member_that_stands_for_many_is_refused_what_cannot_work(server, port, names):
    for line, reason in (
        ("BalancerMember balancer://c http://127.0.0.1:1 resolve=each", "an address is no name"),
        ("BalancerMember balancer://c http://a:1 resolve=srv route=x", "told apart by sessions"),
        ("BalancerMember balancer://c http://a:1 resolve=all", "resolve must be one|each|srv"),
        ("ProxyPass / http://a:1/ resolve=each", "only members of balancers"),
        ("SteelyardResolver name.example", "is not the address of a name server"),
    ):
        status, said = server.check(config(port, names, line))
        assert status != 0 and reason in said, said


def test_a_reload_while_the_name_server_is_dead_begins_with_what_is_known(
    server, port, names, places
):
    names.set("app.example", ["127.0.0.2", "127.0.0.3"], ttl=1)
    member = f"http://app.example:{places[0].port} resolve=each"
    server.start(config(port, names, balancer(member)), [port.port])
    assert known(server)
    names.die()
    with Load(port) as load:
        for _ in range(3):
            reload(server, signal.SIGUSR1)
        before = load.mark()
        assert until(lambda: all((load.mark() - before)[f"127.0.0.{n}"] > 10 for n in (2, 3)))
    assert load.errors() == {}


def test_members_of_a_name_are_checked_each_at_its_own_address(server, port, names, places):
    names.set("app.example", ["127.0.0.2", "127.0.0.3"], ttl=1)
    places[1].die()
    member = f"http://app.example:{places[0].port} resolve=each hcmethod=TCP hcinterval=150ms"
    module = "LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so\n"
    server.start(config(port, names, module + balancer(member)), [port.port])
    number = places[0].port
    assert until(lambda: f"DISABLING http://127.0.0.3:{number}" in server.read("error.log"))
    assert seen(port) == {"127.0.0.2"}
    # A member that comes later is checked too.
    names.set("app.example", ["127.0.0.2", "127.0.0.5"], ttl=1)
    assert until(lambda: f"DISABLING http://127.0.0.5:{number}" in server.read("error.log"))
    assert f"DISABLING http://127.0.0.2:{number}" not in server.read("error.log")
