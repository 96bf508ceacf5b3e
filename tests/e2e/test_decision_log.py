"""What the error log tells at debug of every decision about a session: why this member and no other."""

import re

import pytest
from support.process import until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
LoadModule headers_module modules/mod_headers.so
ServerName lb.test
Listen {port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
LogLevel debug
Header set X-Changed "%{{BALANCER_ROUTE_CHANGED}}e"
<Proxy "balancer://app">
    BalancerMember "http://{one}" route=r1 retry=600
    BalancerMember "http://{two}" route=r2 retry=600
    BalancerMember "http://{three}" route=r3 status=+D
    ProxySet stickysession=SID|sid scolonpathdelim=On {more}
</Proxy>
ProxyPass "/" "balancer://app/"
"""
DECISION = re.compile(r"\[proxy_balancer:debug\] .*?\[client [^]]*\] (?:balancer://app: )?(.*)")


class Stage:
    def __init__(self, server, port, farm):
        self.server, self.port, self.farm = server, port, farm
        self.members = [farm.member(name) for name in ("M1", "M2", "M3")]

    def start(self, more=""):
        one, two, three = (member.address for member in self.members)
        text = CONFIG.format(port=self.port, one=one, two=two, three=three, more=more)
        self.server.start(text, [self.port.port])
        return self

    def ask(self, target, cookie=None, decisions=1):
        """Status, whether the route changed, and what the log says of it with members' names."""
        connection = Connection("127.0.0.1", self.port.port)
        fields = f"Cookie: {cookie}\r\n" if cookie else ""
        head = f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n{fields}Connection: close\r\n\r\n"
        connection.send(head.encode())
        answer = connection.read_response()
        connection.close()
        assert until(lambda: self._decisions() == decisions), self._lines()
        return answer.status, answer.header("X-Changed"), self._lines()

    def _decisions(self):
        lines = self._lines()
        return sum(" chose " in line or line.startswith("nobody chosen") for line in lines)

    def _lines(self):
        log = self.server.read("error.log")
        for member in self.members:
            log = log.replace(f"http://{member.address}", member.name)
        lines = (DECISION.search(line) for line in log.splitlines())
        return [found[1] for found in lines if found]


@pytest.fixture
def stage(server, port, farm):
    one = Stage(server, port, farm)
    yield one
    server.stop()
    farm.retire(one.members)


def candidate(name, states, credit, verdict):
    return f"candidate {name} [{states}] lbset 0 factor 100 lbstatus {credit} busy 0: {verdict}"


# Disabled as long as the file says so: in every decision.
THIRD = candidate("M3", "Init Dis ", 0, "unusable")


def test_without_a_session_the_policy_chooses(stage):
    assert stage.start().ask("/") == ("200", b"1", [
        "no session: neither 'sid' in the URL nor cookie 'SID' has a value",
        candidate("M1", "Init Ok ", 100, "chosen"),
        candidate("M2", "Init Ok ", 100, "eligible"),
        THIRD,
        "byrequests chose M1 (policy, route changed)",
    ])


def test_a_cookie_leads_to_its_member_and_the_policy_is_not_asked(stage):
    assert stage.start().ask("/", "SID=abc.r2") == ("200", b"(null)", [
        "found value 'abc.r2' for stickysession SID in the cookie: route 'r2'",
        candidate("M1", "Init Ok ", 100, "not asked"),
        candidate("M2", "Init Ok ", 100, "chosen"),
        candidate("M3", "Init Dis ", 0, "not asked"),
        "byrequests chose M2 (session)",
    ])


@pytest.mark.parametrize("target", ["/a;sid=abc.r2", "/a?sid=abc.r2"])
def test_a_session_in_the_url_is_said_to_be_there(stage, target):
    status, changed, lines = stage.start().ask(target, "SID=other.r1")
    assert (status, changed) == ("200", b"(null)")
    assert lines[0] == "found value 'abc.r2' for stickysession sid in the URL: route 'r2'"
    assert lines[-1] == "byrequests chose M2 (session)"


def test_the_session_of_a_dead_member_goes_elsewhere_and_both_decisions_are_told(stage):
    stage.start()
    stage.members[1].kill()
    status, changed, lines = stage.ask("/", "SID=abc.r2", decisions=2)
    assert (status, changed) == ("200", b"1")
    found = "found value 'abc.r2' for stickysession SID in the cookie: route 'r2'"
    assert lines.count(found) == 2
    assert lines[4] == "byrequests chose M2 (session)"
    assert "M2 [Init Err ]" in "".join(line for line in lines[5:] if "candidate" in line)
    assert lines[-1] == "byrequests chose M1 (policy, route changed)"


def test_a_route_that_nobody_has_is_left_to_the_policy(stage):
    status, changed, lines = stage.start().ask("/", "SID=abc.r9")
    assert (status, changed) == ("200", b"1")
    assert lines == [
        "found value 'abc.r9' for stickysession SID in the cookie: route 'r9'",
        candidate("M1", "Init Ok ", 100, "chosen"),
        candidate("M2", "Init Ok ", 100, "eligible"),
        THIRD,
        "byrequests chose M1 (policy, route changed)",
    ]


def test_a_value_without_a_route_is_told_from_none(stage):
    _, _, lines = stage.start().ask("/", "SID=abc")
    assert lines[0] == "found value 'abc' for stickysession SID in the cookie, but it has no route"


def test_without_failover_nobody_is_chosen(stage):
    stage.start(more="nofailover=On")
    status, _, lines = stage.ask("/", "SID=abc.r3")
    assert status == "503"
    assert lines[0] == "found value 'abc.r3' for stickysession SID in the cookie: route 'r3'"
    assert lines[-1].startswith("nobody chosen: ")
