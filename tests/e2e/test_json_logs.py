"""SteelyardJsonLog: one JSON object a line, whatever clients send; %{...}^sy beside it."""

import json
import re
import signal

import pytest
from support.ports import HeldPort
from support.process import until
from support.wire import Connection

CONFIG = """\
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen 127.0.0.1:{port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
MaxKeepAliveRequests 0
{more}
<Proxy balancer://app>
{members}
</Proxy>
<Location /secret>
    Require all denied
</Location>
ProxyPass /secret !
ProxyPass / balancer://app/
"""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class World:
    def __init__(self, server, port, farm):
        self.server, self.port, self.farm = server, port, farm
        self.member = farm.member("A")

    def text(self, more, members=None):
        lines = members or [f"BalancerMember http://{self.member.address} route=A"]
        return CONFIG.format(port=self.port.port, more=more, members="\n".join(lines))

    def start(self, more="SteelyardJsonLog access.json", **rest):
        self.server.start(self.text(more, **rest), [self.port.port])

    def send(self, data):
        client = Connection("127.0.0.1", self.port.port)
        client.send(data)
        answer = client.read_response()
        client.close()
        return answer

    def ask(self, target="/", *fields):
        head = [f"GET {target} HTTP/1.1", "Host: lb.test", *fields, "", ""]
        return self.send("\r\n".join(head).encode("latin1"))

    def lines(self, count, name="access.json"):
        path = self.server.root / name
        assert until(lambda: path.exists() and path.read_bytes().count(b"\n") >= count)
        return path.read_bytes().decode("utf-8").splitlines()

    def log(self, count):
        return [json.loads(line) for line in self.lines(count)]


@pytest.fixture
def world(server, port, farm):
    one = World(server, port, farm)
    yield one
    farm.retire([one.member])


def test_a_line_tells_the_request_and_its_attempt(world):
    world.start()
    answer = world.ask("/a%20b?x=1&size=10", "User-Agent: me", "Referer: http://x/")
    (line,) = world.log(1)
    (attempt,) = line.pop("attempts")
    assert TIME.fullmatch(line.pop("time"))
    assert 0 < line.pop("first_byte_us") <= line.pop("duration_us")
    assert line == {
        "server": "lb.test", "client": "127.0.0.1", "host": "lb.test", "method": "GET", "path": "/a b",
        "query": "?x=1&size=10", "protocol": "HTTP/1.1", "status": 200,
        "received_bytes": len("GET /a%20b?x=1&size=10 HTTP/1.1\r\nHost: lb.test\r\nUser-Agent: me\r\n"
                              "Referer: http://x/\r\n\r\n"),
        "sent_bytes": len(answer.head) + 10, "body_bytes": 10, "queue_us": 0,
        "balancer": "balancer://app", "ended_by": "backend", "end_cause": "complete",
        "referer": "http://x/", "user_agent": "me", "trace_id": None, "span_id": None}
    for stage in ("slot", "connect", "send", "wait", "relay", "attempt"):
        assert attempt.pop(stage + "_us") >= 0, stage
    assert attempt == {
        "member": f"http://{world.member.address}", "route": "A", "address": world.member.address,
        "reason": "policy", "proof": None, "outcome": "answered", "member_status": 200,
        "connection": "new", "attempt_span_id": None}


def test_a_failover_is_two_attempts(world):
    dead = HeldPort()
    world.start(members=[f"BalancerMember http://{dead} route=D",
                         f"BalancerMember http://{world.member.address} route=A"])
    assert world.ask("/").status == "200"
    dead.close()
    (line,) = world.log(1)
    told = [(each["route"], each["outcome"], each["proof"]) for each in line["attempts"]]
    assert told == [("D", "backend:connect", None), ("A", "answered", "not_sent")]
    assert line["attempts"][0]["member_status"] is line["attempts"][0]["wait_us"] is None


@pytest.mark.parametrize(
    ("target", "ended_by", "cause", "status"),
    [("/secret", "proxy", "complete", 403),
     ("/?drop=1", "backend", "closed", 502),
     ("/?status=500", "backend", "complete", 500),
     ("/?size=10&length=20", "backend", "cut_short", 200)],
)
def test_a_line_tells_who_ended_it(world, target, ended_by, cause, status):
    world.start()
    world.ask(target)
    (line,) = world.log(1)
    assert (line["ended_by"], line["end_cause"], line["status"]) == (ended_by, cause, status)


def test_a_balancer_without_a_member_says_so(world):
    world.start(members=[f"BalancerMember http://{world.member.address} status=+D"])
    assert world.ask("/").status == "503"
    (line,) = world.log(1)
    assert (line["ended_by"], line["end_cause"]) == ("proxy", "none_usable")
    assert (line["balancer"], line["attempts"]) == ("balancer://app", [])


def test_a_client_that_leaves_is_named(world):
    world.start()
    client = Connection("127.0.0.1", world.port.port)
    client.send(b"GET /?hold=gone HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert world.member.wait_for(1)
    client.close()
    world.member.gates.release("gone")
    (line,) = world.log(1)
    assert line["attempts"][0]["route"] == "A"


HOSTILE = [
    b"\"quotes\" and \\backslashes\\",
    b"\xff\xfe not text \x80",
    b"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
    b"\xed\xa0\x80 half a pair",
    b"</script><!--",
    b"\x9b31m \xc2\x9b31m",
    b"{\"fake\":\"line\"}",
    b"tab\there",
]


def test_no_client_can_break_a_line(world):
    world.start('SteelyardJsonLog access.json user_agent path query line=%r status "both=%{User-Agent}i|%U"')
    for text in HOSTILE:
        encoded = b"".join(b"%%%02x" % byte if byte != ord("/") else b"/" for byte in text)
        assert world.send(b"GET /" + encoded + b"?" + encoded + b" HTTP/1.1\r\nHost: lb.test\r\n"
                          b"User-Agent: " + text + b"\r\n\r\n").status == "200"
    lines = world.log(len(HOSTILE))
    assert world.server.stop() == 0
    assert len(world.log(0)) == len(HOSTILE)
    for text, line in zip(HOSTILE, lines):
        readable = text.decode("utf-8", "replace")
        assert line["user_agent"] == readable
        assert line["path"] == "/" + readable
        assert line["both"] == f"{readable}|/{readable}"
        assert line["status"] == 200


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n\r\n",
     b"G\"T /\\ HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/9.9\r\n\r\n", b"\x00\r\n\r\n"],
)
def test_a_request_that_is_none_has_a_line_too(world, request_bytes):
    world.start()
    answer = world.send(request_bytes)
    (line,) = world.log(1)
    assert line["status"] == int(answer.status) >= 400
    assert line["attempts"] == []


def test_fields_may_be_chosen_and_lines_left_out(world):
    world.start('SteelyardJsonLog access.json status agent=%{User-Agent}i attempts "expr=%{REQUEST_URI} != \'/no\'"')
    world.ask("/no")
    world.ask("/yes", "User-Agent: x")
    world.server.stop()
    (line,) = world.log(1)
    assert list(line) == ["status", "agent", "attempts"]
    assert (line["status"], line["agent"], len(line["attempts"])) == (200, "x", 1)


def test_a_program_may_read_the_lines(world):
    world.start(f'SteelyardJsonLog "|$cat >> {world.server.root}/access.json" status')
    world.ask("/")
    assert world.lines(1) == ['{"status":200}']


def test_a_rotated_file_is_opened_anew(world):
    world.start("SteelyardJsonLog access.json path")
    world.ask("/before")
    world.lines(1)
    (world.server.root / "access.json").rename(world.server.root / "access.json.1")
    world.server.signal(signal.SIGUSR1)
    assert until(lambda: (world.server.root / "access.json").exists())
    world.ask("/after")
    assert world.lines(1) == ['{"path":"/after"}']
    assert world.lines(1, "access.json.1") == ['{"path":"/before"}']


def test_formats_of_text_tell_the_same(world):
    world.start('CustomLog access.log "%>s %{attempts}^sy %{all:route}^sy %{all:outcome}^sy %{reason}^sy %{ended_by}^sy"',
                members=[f"BalancerMember http://{world.member.address} route=A"])
    world.ask("/?drop=1")
    world.ask("/")
    assert world.lines(2, "access.log") == [
        "502 1 A backend:closed policy backend", "200 1 A answered policy backend"]


def test_every_fault_is_told_with_its_line(world):
    status, said = world.server.check(world.text("""\
LogFormat "%{menber}^sy" one
CustomLog a.log "%{all:attempts}^sy"
SteelyardJsonLog b.json statsu
SteelyardJsonLog c.json status status=%s
SteelyardJsonLog d.json env=A status
SteelyardTrace Maybe
SteelyardTrace On sample=101 jion=all join=10.0.0.0/99
SteelyardTraceExport collector:4318
SteelyardTraceExport http://c/ timeout=1h header=x callers=-1 cafile=none.pem"""))
    assert status == 1
    for what in ("did you mean 'member'?", "chooses an attempt", "did you mean 'status'?",
                 "each name once", "is a condition", "must be On or Off", "sample=101", "join=?",
                 "10.0.0.0/99", "is no URL", "timeout=", "header=", "callers=-1", "none.pem"):
        assert what in said, (what, said)
    lines = [int(number) for number in re.findall(r"line (\d+)", said)]
    first = lines[0]
    assert {number - first for number in lines} == set(range(9))
