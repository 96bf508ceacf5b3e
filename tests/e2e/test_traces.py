"""SteelyardTrace and SteelyardTraceExport: what members are told, and what a collector gets."""

import json
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest
from support.ajp import Container
from support.cgi_member import CgiMember
from support.collector import Collector
from support.http2_member import Http2Member
from support.member import Gates
from support.ports import HeldPort
from support.process import until
from support.server import MODULE_DIRECTORY
from support.wire import Connection

CONFIG = """\
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule headers_module modules/mod_headers.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen 127.0.0.1:{port}
SteelyardShards {shards}
PidFile httpd.pid
ErrorLog error.log
KeepAliveTimeout 30
MaxKeepAliveRequests 0
SteelyardJsonLog access.json
{more}
<Proxy balancer://app>
{members}
</Proxy>
ProxyPass /status !
ProxyPass / balancer://app/
<Location /status>
    SetHandler steelyard-metrics
    Require ip 127.0.0.1
</Location>
"""

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{CALLER}-01"
UNSAMPLED = f"00-{TRACE}-{CALLER}-00"


class World:
    def __init__(self, server, port, farm):
        self.server, self.port = server, port
        self.farm, self.members = farm, [farm.member("A")]
        self.client = None

    @property
    def member(self):
        return self.members[0]

    def text(self, more, members=None, shards=1):
        lines = members or [f"BalancerMember http://{one.address} route={one.name}" for one in self.members]
        return CONFIG.format(port=self.port.port, more=more, members="\n".join(lines), shards=shards)

    def start(self, more, **rest):
        self.server.start(self.text(more, **rest), [self.port.port])

    def ask(self, target="/", *fields, method="GET", body=b""):
        """On one connection, as long as it lasts."""
        if self.client is None:
            self.client = Connection("127.0.0.1", self.port.port)
        head = [f"{method} {target} HTTP/1.1", "Host: lb.test", *fields]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self.client.send("\r\n".join([*head, "", ""]).encode() + body)
        return self.client.read_response()

    def told(self, name):
        """What the member got last in a field; all of them if there are several."""
        wanted = name.lower() + ":"
        lines = self.member.received[-1].head.decode("latin1").split("\r\n")
        return [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith(wanted)]

    def log(self, count):
        assert until(lambda: self.server.read("access.json").count("\n") >= count)
        return [json.loads(line) for line in self.server.read("access.json").splitlines()]

    def errors(self):
        return self.server.read("error.log")

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port.port}/status") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.rsplit(" ", 1)[1])
        return 0.0

    def stop(self):
        """The program alone; another may start."""
        if self.client:
            self.client.close()
            self.client = None
        self.server.stop()

    def close(self):
        if self.client:
            self.client.close()
        self.farm.retire(self.members)


@pytest.fixture
def world(server, port, farm):
    one = World(server, port, farm)
    yield one
    one.close()


@pytest.fixture
def collector():
    with Collector() as one:
        yield one


def by_kind(spans, kind):
    return [span for span in spans if span.kind == kind]


def named(spans, name):
    return [span for span in spans if span.name == name]


def test_off_passes_whatever_there_is(world):
    world.start("")
    world.ask("/", "traceparent: nonsense", "TraceState: a=1", "tracestate: B")
    assert world.told("traceparent") == ["nonsense"]
    assert world.told("tracestate") == ["a=1, B"]
    assert world.log(1)[0]["trace_id"] is None


def test_a_callers_trace_is_joined_and_the_member_gets_a_parent_of_ours(world):
    world.start("SteelyardTrace On")
    for field in (SAMPLED, UNSAMPLED):
        world.ask("/", f"traceparent: {field}", "tracestate: congo=t61, rojo=1")
        (parent,) = world.told("traceparent")
        version, trace, span, flags = parent.split("-")
        assert (version, trace, flags) == ("00", TRACE, field[-2:])
        assert span not in (CALLER, "0" * 16)
        assert world.told("tracestate") == ["congo=t61, rojo=1"]
    first, second = world.log(2)
    assert first["trace_id"] == second["trace_id"] == TRACE
    assert first["span_id"] != second["span_id"]


@pytest.mark.parametrize(
    "field",
    ["", "nonsense", SAMPLED.upper(), f"ff{SAMPLED[2:]}", f"{SAMPLED}-more", f"00-{'0' * 32}-{CALLER}-01"],
)
def test_what_is_no_trace_begins_one_and_loses_its_state(world, field):
    world.start("SteelyardTrace On sample=0")
    world.ask("/", f"traceparent: {field}", "tracestate: a=1")
    (parent,) = world.told("traceparent")
    trace, flags = parent.split("-")[1::2]
    assert trace not in (TRACE, "0" * 32) and flags == "00"
    assert world.told("tracestate") == []


def test_two_traceparents_are_none(world):
    world.start("SteelyardTrace On")
    world.ask("/", f"traceparent: {SAMPLED}", f"traceparent: {SAMPLED}")
    (parent,) = world.told("traceparent")
    assert TRACE not in parent


def test_a_state_that_is_none_is_dropped_and_the_trace_goes_on(world):
    world.start("SteelyardTrace On")
    world.ask("/", f"traceparent: {SAMPLED}", "tracestate: a=1,a=2")
    assert TRACE in world.told("traceparent")[0]
    assert world.told("tracestate") == []


def test_only_some_callers_may_be_joined(world):
    world.start("SteelyardTrace On join=10.0.0.0/8,::1")
    world.ask("/", f"traceparent: {SAMPLED}")
    assert TRACE not in world.told("traceparent")[0]
    world.server.write(world.text("SteelyardTrace On join=10.0.0.0/8,127.0.0.0/8"))
    world.server.signal(signal.SIGUSR1)

    def is_joined():
        world.ask("/", f"traceparent: {SAMPLED}")
        return TRACE in world.told("traceparent")[0]

    assert until(is_joined)


class OtherMember:
    """One of another protocol than HTTP/1, and what it was told last in a field."""

    def __init__(self, scheme, farm):
        self.scheme, self.farm = scheme, farm
        if scheme == "ajp":
            self.member = farm.member("J1", None, Gates(farm), Container)
        else:
            self.member = Http2Member() if scheme == "h2c" else CgiMember(scheme)

    @property
    def url(self):
        if self.scheme in ("ajp", "h2c"):
            held = self.member.held if self.scheme == "h2c" else self.member.address
            return f"{self.scheme}://{held}"
        return self.member.url

    def told(self, *names):
        if self.scheme == "ajp":
            fields = [(name.lower(), value) for name, value, _ in self.member.received[-1].forward.fields]
        elif self.scheme == "h2c":
            fields = list(self.member.requests[-1].fields.items())
        else:
            fields = [(name.lower().removeprefix("http_"), value)
                      for name, value in self.member.take()[-1].variables]
        return [[value for known, value in fields if known == name] for name in names]

    def close(self):
        if self.scheme == "ajp":
            self.farm.retire([self.member])
        elif self.scheme == "h2c":
            self.member.__exit__()
        else:
            self.member.close()


@pytest.mark.parametrize("scheme", ["fcgi", "scgi", "uwsgi", "ajp", "h2c"])
def test_members_of_every_protocol_are_told_our_parent(world, scheme):
    module = "http2" if scheme == "h2c" else scheme
    load = f"LoadModule proxy_{module}_module {MODULE_DIRECTORY}/mod_proxy_{module}.so\n"
    other = OtherMember(scheme, world.farm)
    try:
        for tracing, sent, is_joined in (
            ("SteelyardTrace On", [f"TraceParent: {SAMPLED}", "tracestate: a=1", "tracestate: b=2"], True),
            ("SteelyardTrace On", [], False),
            ("SteelyardTrace On join=none", [f"traceparent: {SAMPLED}", "tracestate: a=1"], False),
        ):
            world.start(load + tracing, members=[f"BalancerMember {other.url}"])
            assert world.ask("/", *sent).status == "200"
            (parent,), states = other.told("traceparent", "tracestate")
            version, trace, span, flags = parent.split("-")
            assert (version, flags, trace == TRACE) == ("00", "01", is_joined)
            assert span not in (CALLER, "0" * 16)
            assert states == (["a=1, b=2"] if is_joined else [])
            world.stop()
    finally:
        other.close()


def test_the_id_is_there_for_other_directives(world):
    world.start("SteelyardTrace On\nHeader set X-Trace %{STEELYARD_TRACE_ID}e")
    assert world.ask("/").header("X-Trace").decode() == world.log(1)[0]["trace_id"]


def test_a_request_is_a_tree_of_spans(world, collector):
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url} service=edge")
    world.ask("/a%20b?secret=1&delay=0.05", f"traceparent: {SAMPLED}", "User-Agent: x\"y")
    (told,) = world.told("traceparent")
    spans = collector.wait_for(3)
    (server,), (client,) = by_kind(spans, "server"), by_kind(spans, "client")
    assert {span.trace for span in spans} == {TRACE}
    assert (server.parent, client.parent) == (CALLER, server.id)
    assert told.split("-")[2] == client.id
    assert server.name == "GET" and server.status == {} and client.status == {}
    assert server.resource["service.name"] == "edge"
    host, port = world.member.address.split(":")
    assert {key: server[key] for key in ("http.request.method", "http.response.status_code", "url.path",
                                         "url.scheme", "server.address", "user_agent.original",
                                         "client.address", "network.protocol.version",
                                         "steelyard.balancer", "steelyard.ended_by",
                                         "steelyard.end_cause", "steelyard.attempts")} == {
        "http.request.method": "GET", "http.response.status_code": 200, "url.path": "/a%20b",
        "url.scheme": "http", "server.address": "lb.test", "user_agent.original": 'x"y',
        "client.address": "127.0.0.1", "network.protocol.version": "1.1",
        "steelyard.balancer": "balancer://app", "steelyard.ended_by": "backend",
        "steelyard.end_cause": "complete", "steelyard.attempts": 1}
    assert {key: client[key] for key in ("http.request.method", "http.response.status_code",
                                         "server.address", "server.port", "network.peer.address",
                                         "network.peer.port", "steelyard.member", "steelyard.route",
                                         "steelyard.reason", "steelyard.connection")} == {
        "http.request.method": "GET", "http.response.status_code": 200, "server.address": host,
        "server.port": int(port), "network.peer.address": host, "network.peer.port": int(port),
        "steelyard.member": f"http://{world.member.address}", "steelyard.route": "A",
        "steelyard.reason": "policy", "steelyard.connection": "new"}
    (wait,) = named(spans, "wait")
    assert wait.parent == client.id and wait.kind == "internal"
    assert wait.ended - wait.began >= 40_000_000
    for span in spans:
        assert server.began <= span.began <= span.ended <= server.ended
    assert "secret" not in repr(spans)
    line = world.log(1)[0]
    assert (line["span_id"], line["attempts"][0]["attempt_span_id"]) == (server.id, client.id)


def test_a_second_attempt_is_a_span_beside_the_first(world, collector):
    with_dead = HeldPort()
    world.start(
        f"SteelyardTrace On\nSteelyardTraceExport {collector.url}",
        members=[f"BalancerMember http://{with_dead} route=dead",
                 f"BalancerMember http://{world.member.address} route=A"])
    assert world.ask("/").status == "200"
    with_dead.close()
    spans = collector.wait_for(3)
    (server,) = by_kind(spans, "server")
    first, second = by_kind(spans, "client")
    assert first.parent == second.parent == server.id and server.parent == ""
    assert (first["error.type"], first.status["code"]) == ("connect", 2)
    assert (first["steelyard.route"], first["steelyard.failed"]) == ("dead", "backend")
    assert "http.response.status_code" not in first.attributes
    assert second["http.response.status_code"] == 200 and second.status == {}
    assert (second["http.request.resend_count"], second["steelyard.proof"]) == (1, "not_sent")
    assert world.told("traceparent")[0].split("-")[2] == second.id


def test_a_repeat_on_a_new_connection_is_an_attempt_too(world, collector):
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    assert world.ask("/?stale=1").status == "200"
    assert world.ask("/?stale=1").status == "200"
    spans = collector.wait_for(5)
    first, dropped, repeated = by_kind(spans, "client")
    assert first.trace != dropped.trace == repeated.trace
    assert (dropped["steelyard.connection"], dropped["error.type"]) == ("pooled", "closed")
    assert (repeated["steelyard.connection"], repeated["steelyard.proof"]) == ("new", "idempotent")
    assert [each["connection"] for each in world.log(2)[1]["attempts"]] == ["pooled", "new"]
    ids = [got.header("traceparent").decode().split("-")[2] for got in world.member.received]
    assert ids == [first.id, dropped.id, repeated.id]


def test_an_answer_of_our_own_says_why(world, collector):
    world.member.kill()
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    assert world.ask("/").status == "503"
    (server,) = by_kind(collector.wait_for(2), "server")
    assert (server["steelyard.ended_by"], server["steelyard.end_cause"]) == ("backend", "connect")
    assert (server["error.type"], server.status) == ("connect", {"code": 2, "message": "connect"})
    assert server["http.response.status_code"] == 503


def test_bad_statuses_are_errors_by_the_conventions(world, collector):
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    world.ask("/?status=404")
    world.ask("/?status=500")
    spans = collector.wait_for(4)
    not_found, failed = by_kind(spans, "server")
    assert not_found.status == {} and "error.type" not in not_found.attributes
    assert failed.status == {"code": 2} and failed["error.type"] == "500"
    assert [span["error.type"] for span in by_kind(spans, "client")] == ["404", "500"]


def test_new_traces_are_sampled_as_told_and_callers_are_obeyed(world, collector):
    world.start(f"SteelyardTrace On sample=0\nSteelyardTraceExport {collector.url}")
    world.ask("/new")
    world.ask("/unsampled", f"traceparent: {UNSAMPLED}")
    world.ask("/sampled", f"traceparent: {SAMPLED}")
    spans = collector.wait_for(2)
    world.server.stop()
    assert {span["url.path"] for span in by_kind(collector.spans, "server")} == {"/sampled"}
    assert spans


def test_callers_cannot_make_the_export_expensive(world, collector):
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url} callers=3")
    for _ in range(40):
        world.ask("/", f"traceparent: {SAMPLED}")
        assert world.told("traceparent")[0].endswith("-01")  # the trace is sampled all the same
    took = world.log(40)
    world.server.stop()
    recorded = len(by_kind(collector.spans, "server"))
    began, ended = (line["time"] for line in (took[0], took[-1]))
    whole_seconds = int(ended[17:19]) - int(began[17:19]) if ended[:16] == began[:16] else 60
    assert 3 <= recorded <= 3 * (whole_seconds + 2)


def test_two_hundred_requests_at_once_keep_their_trees_apart(world, collector):
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url} callers=1000", shards=2)
    callers = {f"{i:032x}": f"{i:016x}" for i in range(1, 201)}

    def ask(some):
        for trace, parent in some:
            client = Connection("127.0.0.1", world.port.port)
            client.send(
                f"GET /{trace} HTTP/1.1\r\nHost: lb.test\r\ntraceparent: 00-{trace}-{parent}-01\r\n\r\n".encode())
            assert client.read_response().status == "200"
            client.close()

    listed = list(callers.items())
    threads = [threading.Thread(target=ask, args=(listed[i::20],)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.server.stop()
    spans = collector.wait_for(400)
    ids = {span.id: span for span in spans}
    assert len(ids) == len(spans)
    servers = by_kind(spans, "server")
    assert {span.trace: span.parent for span in servers} == callers
    for span in servers:
        assert span["url.path"] == "/" + span.trace
    for span in spans:
        if span.kind != "server":
            assert ids[span.parent].trace == span.trace
    sent = {got.header("traceparent").decode().split("-")[2] for got in world.member.received}
    assert sent == {span.id for span in by_kind(spans, "client")}


def test_a_collector_that_is_not_there_costs_nothing_but_spans(world):
    nobody = HeldPort()
    world.start(f"SteelyardTrace On\nSteelyardTraceExport http://{nobody}/v1/traces")
    for _ in range(50):
        assert world.ask("/").status == "200"
    assert until(lambda: "spans cannot be sent to" in world.errors())
    assert world.server.stop() == 0
    nobody.close()
    assert world.errors().count("spans cannot be sent to") == 1
    assert "spans were not delivered" in world.errors()


def test_what_waited_is_sent_when_the_collector_is_back(world, collector):
    collector.say(503, Retry_After="1")
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    assert world.ask("/first").status == "200"
    assert collector.wait_for_posts(1)
    began = time.monotonic()
    assert world.ask("/second").status == "200"
    collector.say(200)
    spans = collector.wait_for(4)
    assert time.monotonic() - began >= 0.9  # no sooner than it asked for
    assert [span["url.path"] for span in by_kind(spans, "server")] == ["/first", "/second"]
    assert until(lambda: "takes spans again" in world.errors())
    assert until(lambda: world.metric("steelyard_trace_spans_exported_total") >= len(spans))


def test_a_queue_that_is_full_drops_and_counts(world, collector):
    collector.hold()
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url} timeout=60", shards=2)
    assert world.ask("/first").status == "200"
    assert collector.wait_for_posts(1)
    request = b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n"
    dropped = 'steelyard_trace_spans_dropped_total{cause="queue_full"}'
    clients = [Connection("127.0.0.1", world.port.port) for _ in range(8)]

    def overflows():
        for client in clients:
            client.send(request * 50)
        for client in clients:
            assert all(client.read_response().status == "200" for _ in range(50))
        return world.metric(dropped) > 0

    assert until(overflows, 60)
    for client in clients:
        client.close()
    collector.release()
    assert until(lambda: "does not keep up" in world.errors())
    assert not collector.faults


def test_spans_that_a_collector_refuses_are_dropped_and_counted(world, collector):
    collector.say(400, b"no such tenant")
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    world.ask("/")
    assert until(lambda: "refuses spans: it answers 400 \"no such tenant\"" in world.errors())
    assert until(lambda: world.metric('steelyard_trace_spans_dropped_total{cause="refused"}') >= 2)
    collector.say(200, b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"one"}}')
    world.ask("/")
    collector.wait_for(2)
    assert until(lambda: world.metric("steelyard_trace_spans_exported_total") >= 1)


def test_each_reason_of_a_refusal_is_told_and_their_sum_at_the_end(world, collector):
    collector.say(500, b"broken")
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    refused = 'steelyard_trace_spans_dropped_total{cause="refused"}'
    world.ask("/")
    assert until(lambda: 'refuses spans: it answers 500 "broken"' in world.errors())
    posts = collector.posts
    world.ask("/")
    assert collector.wait_for_posts(posts + 1)
    # Another one at once, whenever the last line was written.
    collector.say(404, b"nobody")
    world.ask("/")
    assert until(lambda: 'refuses spans: it answers 404 "nobody"' in world.errors())
    # A page of somebody else is no answer of a collector.
    collector.say(202, b"log in", Content_Type="text/html; charset=utf-8")
    exported = world.metric("steelyard_trace_spans_exported_total")
    world.ask("/")
    assert until(lambda: "it answers 202 with what is no OTLP" in world.errors())
    assert world.metric("steelyard_trace_spans_exported_total") == exported
    # Who says it in his own words took them.
    collector.say(200, b"ok", Content_Type="text/plain")

    def recovers():
        world.ask("/")
        return "takes spans again" in world.errors()

    assert until(recovers)
    told = [int(count) for count in re.findall(r"; (\d+) were dropped for that", world.errors())]
    lost = int(re.search(r"; (\d+) were dropped meanwhile", world.errors())[1])
    assert len(told) >= 3 and lost == world.metric(refused) >= sum(told)


def test_a_refusal_in_ever_new_words_is_told_once_in_a_while(world, collector):
    collector.say(400, b"request 1 is no good")
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    refused = 'steelyard_trace_spans_dropped_total{cause="refused"}'
    for number in range(2, 5):
        before = world.metric(refused)
        world.ask("/")
        assert until(lambda: world.metric(refused) > before)  # noqa: B023
        collector.say(400, f"request {number} is no good".encode())
    assert world.errors().count("refuses spans") == 1, world.errors()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGWINCH])
def test_a_stop_sends_what_there_is(world, collector, how):
    world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
    collector.hold()
    assert world.ask("/one").status == "200"
    assert collector.wait_for_posts(1)
    assert world.ask("/two").status == "200"
    world.client.close()
    world.client = None
    world.server.signal(how)
    collector.release()
    assert world.server.ended(10)
    paths = [span["url.path"] for span in by_kind(collector.wait_for(4), "server")]
    assert paths == ["/one", "/two"]


def test_a_collector_that_is_silent_holds_up_no_stop(world):
    silent = socket.create_server(("127.0.0.1", 0))
    world.start(f"SteelyardTrace On\nSteelyardTraceExport http://127.0.0.1:{silent.getsockname()[1]}/ timeout=60")
    world.ask("/")
    taken, _ = silent.accept()
    assert taken.recv(10)
    assert world.server.stop() == 0  # and had not to be killed
    taken.close()
    silent.close()
    assert "spans were not delivered" in world.errors()


def test_a_reload_changes_where_spans_go(world, collector):
    with Collector() as other:
        world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
        world.ask("/here")
        collector.wait_for(2)
        world.server.write(world.text(f"SteelyardTrace On\nSteelyardTraceExport {other.url}"))
        world.server.signal(signal.SIGUSR1)

        def arrives():
            world.ask("/there")
            return bool(other.spans)

        assert until(arrives)
        before = len(collector.spans)
        world.server.write(world.text("SteelyardTrace On"))
        world.server.signal(signal.SIGUSR1)
        assert until(lambda: world.errors().count("resuming normal operations") >= 3)
        world.ask("/nowhere")
        world.server.stop()
        assert len(collector.spans) == before
        assert "/nowhere" not in {span.attributes.get("url.path") for span in other.spans}


def test_fields_of_the_export_are_sent(world, collector):
    more = f'SteelyardTrace On\nSteelyardTraceExport {collector.url} "header=Authorization: Bearer x y"'
    world.start(more)
    world.ask("/")
    collector.wait_for(2)
    assert collector.headers[0]["Authorization"] == "Bearer x y"
    assert "Expect" not in collector.headers[0]


def test_a_collector_may_speak_tls(world, scratch):
    pem = scratch / "collector.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=scratch, check=True, capture_output=True)
    pem.write_text((scratch / "key.pem").read_text() + (scratch / "certificate.pem").read_text())
    with Collector(pem) as collector:
        world.start(f"SteelyardTrace On\nSteelyardTraceExport {collector.url}")
        world.ask("/untrusted")
        assert until(lambda: "spans cannot be sent to" in world.errors())
        world.server.write(world.text(
            f"SteelyardTrace On\nSteelyardTraceExport {collector.url} cafile=certificate.pem"))
        world.server.signal(signal.SIGUSR1)
        collector.wait_for(2)
