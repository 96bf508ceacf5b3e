"""What operators change by the JSON API and by steelyard ctl, and what of it a restart finds again."""

import json
import os
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
from support.process import reload, until
from support.server import complete
from support.wire import Connection

CONFIG = """\
Listen 127.0.0.1:{port}
ErrorDocument 404 "nothing of that kind"
{persist}
<Proxy balancer://app>
    BalancerMember http://{m1} route=m1 {of_m1}
    BalancerMember http://{m2} route=m2
    ProxySet stickysession=sid
</Proxy>
ProxyPass /admin !
ProxyPass / balancer://app/
<Location /admin>
    SetHandler steelyard-api
    Require ip 127.0.0.1
</Location>
"""
WAIT_S = 20


class World:
    """A balancer of two members, a third one for whoever adds it, the API and the control socket."""

    def __init__(self, server, port, farm):
        self.server, self.port, self.farm = server, port, farm
        self.members = [farm.member(f"M{i}") for i in (1, 2, 3)]
        self.settings = {}

    def text(self, persist="", of_m1=""):
        m1, m2, _ = (member.address for member in self.members)
        return complete(CONFIG.format(port=self.port.port, m1=m1, m2=m2, persist=persist, of_m1=of_m1))

    def start(self, **settings):
        self.server.start(self.text(**settings), [self.port.port])

    def reload(self, **settings):
        reload(self.server, text=self.text(**settings))

    def api(self, method, resource, body=None, fields=None, **parameters):
        """Status, object and fields of the answer."""
        query = urllib.parse.urlencode(parameters)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port.port}/admin/v1/{resource}?{query}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(fields or {})})
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                return answer.status, json.load(answer), answer.headers
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused), refused.headers

    def ctl(self, *words):
        """Exit status and all that was said."""
        command = [self.server.binary, "ctl", "-d", str(self.server.root), "-f",
                   str(self.server.config_path), *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=WAIT_S, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def answers(self, times=8):
        said = []
        for _ in range(times):
            connection = Connection("127.0.0.1", self.port.port)
            connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
            said.append(connection.read_response().body.decode("latin1").strip())
            connection.close()
        return said


@pytest.fixture
def world(server, port, farm):
    one = World(server, port, farm)
    yield one
    server.stop()
    farm.retire(one.members)


def test_a_member_is_changed_by_the_api_and_requests_follow(world):
    world.start()
    first = world.members[0]
    member = {"balancer": "app", "member": first.address}
    status, shown, fields = world.api("GET", "member", **member)
    assert status == 200 and shown["settings"]["route"] == "m1"
    status, shown, _ = world.api("PATCH", "member", {"loadfactor": 3}, {"If-Match": fields["ETag"]},
                                 **member)
    assert status == 200 and shown["settings"]["loadfactor"] == "3.00"
    assert world.answers().count("M1") == 6
    status, problem, _ = world.api("PATCH", "member", {"lbset": 1}, {"If-Match": fields["ETag"]}, **member)
    assert status == 412 and "somebody changed it" in problem["detail"]
    world.api("PATCH", "member", {"status": "D"}, **member)
    assert set(world.answers()) == {"M2"}
    status, problem, _ = world.api("PATCH", "member", {"status": "X"}, **member)
    assert status == 422 and problem["field"] == "status"


def test_an_error_document_takes_no_answer_of_the_api_away(world):
    world.start()
    status, problem, fields = world.api("GET", "member", balancer="app", member="nobody")
    assert status == 404 and "nobody" in problem["detail"]
    assert fields["Content-Type"] == "application/problem+json"
    status, _, fields = world.api("POST", "members", {}, balancer="app")
    assert status == 405 and fields.get_all("Allow") == ["HEAD, GET"]


def test_a_member_is_added_by_the_api_and_taken_away(world):
    world.start()
    third = world.members[2]
    member = {"balancer": "app", "member": f"http://{third.address}"}
    assert world.api("PUT", "member", **member)[0] == 201
    assert set(world.answers()) == {"M1", "M2"}
    world.api("PATCH", "member", {"status": ""}, **member)
    assert set(world.answers(9)) == {"M1", "M2", "M3"}
    world.reload()
    assert set(world.answers(9)) == {"M1", "M2", "M3"}
    assert world.api("DELETE", "member", **member)[0] == 200
    assert set(world.answers()) == {"M1", "M2"}
    assert world.api("GET", "member", **member)[0] == 404


def test_who_listens_is_told_of_a_change(world):
    world.start()
    url = f"http://127.0.0.1:{world.port.port}/admin/v1/live"
    with urllib.request.urlopen(url, timeout=WAIT_S) as live:
        assert live.headers["Content-Type"] == "text/event-stream"

        def next_event():
            assert live.readline() == b"event: members\n"
            event = json.loads(live.readline().removeprefix(b"data: "))
            assert live.readline() == b"\n"
            return {one["settings"]["route"]: one["status"] for one in event["members"]}

        assert next_event() == {"m1": "Init Ok", "m2": "Init Ok"}
        world.api("PATCH", "member", {"status": "D"}, balancer="app", member="m1")
        assert until(lambda: next_event() == {"m1": "Init Dis", "m2": "Init Ok"}, WAIT_S)
        # A reload ends it: whoever still wants to listen asks again.
        world.reload()
        assert until(lambda: live.readline() == b"", WAIT_S)


def test_who_listens_does_not_keep_the_server_from_stopping(world):
    world.start()
    url = f"http://127.0.0.1:{world.port.port}/admin/v1/live"
    with urllib.request.urlopen(url, timeout=WAIT_S) as live:
        assert live.readline() == b"event: members\n"
        world.server.signal(signal.SIGWINCH)
        assert world.server.process.wait(WAIT_S) == 0


def test_a_successor_has_the_changes_while_its_predecessor_still_serves(world):
    """A graceful stop with an exchange under way: pid file, socket and journal are free at once."""
    world.start(persist="BalancerPersist On")
    assert world.ctl("set", "app", "m1", "+D")[0] == 0
    slow = Connection("127.0.0.1", world.port.port)
    slow.send(b"POST / HTTP/1.1\r\nHost: lb.test\r\nContent-Length: 5\r\n\r\nab")
    first = world.server.process
    world.server.signal(signal.SIGWINCH)
    assert until(lambda: not (world.server.root / "httpd.pid").exists(), WAIT_S)
    # The port may still be the predecessor's: it answers whoever connected just now.
    begun = world.server.read("error.log").count("resuming normal operations")
    world.start(persist="BalancerPersist On")
    assert until(lambda: world.server.read("error.log").count("resuming normal operations") > begun)
    try:
        assert first.poll() is None
        assert set(world.answers()) == {"M2"}
        assert world.ctl("set", "app", "m2", "lbset=1")[0] == 0
    finally:
        slow.send(b"cde")
        slow.close()
        first.wait(WAIT_S)


OPEN = """\
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
    ServerName lb.test
    ServerAlias www.lb.test
    <Proxy balancer://app>
        BalancerMember http://{m1} route=m1
    </Proxy>
    ProxyPass /admin !
    <Location /admin>
        SetHandler steelyard-api
        {require}
    </Location>
</VirtualHost>
"""


@pytest.mark.parametrize("host, status", [
    ("lb.test", 200), ("www.lb.test", 200), ("localhost", 200), ("127.0.0.1", 200), ("[::1]", 200),
    ("evil.example", 403), ("192.0.2.1", 403)])
def test_a_page_left_open_is_for_who_knows_its_name(world, host, status):
    """Another site's page may have its name lead here (DNS rebinding)."""
    text = OPEN.format(port=world.port.port, m1=world.members[0].address, require="")
    world.server.start(complete(text), [world.port.port])
    connection = Connection("127.0.0.1", world.port.port)
    connection.send(f"GET /admin/v1/balancers HTTP/1.1\r\nHost: {host}:80\r\n\r\n".encode())
    assert connection.read_response().status == str(status)
    connection.close()


def test_a_limit_on_two_methods_leaves_the_others_open_and_t_says_so(world):
    require = "<Limit GET POST>\n Require ip 192.0.2.0/24\n </Limit>"
    text = OPEN.format(port=world.port.port, m1=world.members[0].address, require=require)
    world.server.start(complete(text), [world.port.port])
    assert "SetHandler steelyard-api is open to everybody" in world.server.check(complete(text))[1]
    connection = Connection("127.0.0.1", world.port.port)
    connection.send(b"PATCH /admin/v1/member?balancer=app&member=m1 HTTP/1.1\r\nHost: lb.test\r\n"
                    b"Via: 1.1 p\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
                    b'{"lbset": 1}')
    assert connection.read_response().status == "403"
    connection.close()


def test_parameters_and_members_by_ctl(world):
    world.start()
    third = world.members[2].address
    assert world.ctl("set", "app", "m1", "loadfactor=3", "lbset=0") == (
        0, f'http://{world.members[0].address} loadfactor: "1.00" -> "3.00"\n')
    assert world.ctl("set", "app", "m1", "loadfactor=3") == (0, "nothing changed: it was so already\n")
    assert world.answers().count("M1") == 6
    status, said = world.ctl("set", "app", "m1", "loadfactor=x")
    assert status == 2 and "loadfactor" in said
    assert world.ctl("set", "app", "lbmethod=bybusyness")[0] == 0
    assert world.ctl("add", "app", f"http://{third}", "route=m3", "status=")[0] == 0
    again = (0, f"nothing changed: http://{third} is there already\n")
    assert world.ctl("add", "app", f"http://{third}", "route=m3", "status=") == again
    assert world.ctl("add", "app", f"http://{third}", "route=m4")[0] == 1
    assert set(world.answers(12)) == {"M1", "M2", "M3"}
    status, said = world.ctl("export")
    assert status == 0 and f"BalancerMember http://{third} route=m3" in said
    assert "lbmethod=bybusyness" in said
    status, said = world.ctl("export", "--at", "2999-01-01T00:00:00Z")
    assert status == 2 and "2999-01-01T00:00:00Z has not come yet" in said
    assert world.ctl("remove", "app", "m3")[0] == 0
    assert set(world.answers()) == {"M1", "M2"}
    assert world.ctl("remove", "app", third) == (0, f'nothing changed: "{third}" is gone already\n')
    assert world.ctl("remove", "app", "127.0.0.1:1")[0] == 1
    status, said = world.ctl("changes")  # of this run: nobody wanted a journal
    assert status == 0 and 'loadfactor: "1.00" -> "3.00"' in said
    number = next(line.split()[0] for line in said.splitlines() if "lbmethod" in line)
    assert world.ctl("undo", number)[0] == 0
    assert "lbmethod" not in world.ctl("export")[1]
    status, said = world.ctl("generations")
    assert status == 0 and len(said.splitlines()) == 1
    world.reload()
    assert until(lambda: len(world.ctl("generations")[1].splitlines()) == 2)


def test_changes_come_back_after_a_restart_and_the_configuration_wins_where_it_changed(world):
    world.start(persist="BalancerPersist On")
    assert world.ctl("set", "app", "m1", "loadfactor=3", "--reason", "bigger machine")[0] == 0
    world.api("PATCH", "member", {"lbset": 1}, {"X-Reason": "by script"}, balancer="app", member="m2")
    assert world.ctl("set", "app", "m2", "+D")[0] == 0
    status, said = world.ctl("changes")
    assert status == 0 and "bigger machine" in said and "by script" in said
    assert len(said.splitlines()) == 3
    world.server.stop()
    world.start(persist="BalancerPersist On", of_m1="lbset=0 loadfactor=5")
    shown = {one["settings"]["route"]: one
             for one in world.api("GET", "members", balancer="app")[1]["members"]}
    assert shown["m1"]["settings"]["loadfactor"] == "5.00"
    assert shown["m2"]["settings"]["lbset"] == "1" and shown["m2"]["status"] == "Init Dis"
    assert until(lambda: "which counts" in world.server.read("error.log"))
    # Undone by its number.
    number = next(line.split()[0] for line in world.ctl("changes")[1].splitlines()
                  if 'status: "" -> "D"' in line)
    assert world.ctl("undo", number)[0] == 0
    assert world.api("GET", "member", balancer="app", member="m2")[1]["status"] == "Init Ok"


def test_a_factor_stays_the_number_that_was_said(world):
    """Also those of which a double is a little less: by orders, a restart, and what export writes."""
    world.start(persist="BalancerPersist On")

    def factor():
        return world.api("GET", "member", balancer="app", member="m1")[1]["settings"]["loadfactor"]

    for said in ("1.15", "1.14", "2.03", "4.02"):
        assert f'-> "{said}"' in world.ctl("set", "app", "m1", f"loadfactor={said}")[1]
        assert factor() == said and "it was so already" in world.ctl("set", "app", "m1",
                                                                     f"loadfactor={said}")[1]
    world.server.stop()
    world.start(persist="BalancerPersist On")
    assert factor() == "4.02"
    # The file says the same then, so that nothing is changed any more.
    exported = next(line for line in world.ctl("export")[1].splitlines() if "route=m1" in line)
    written = next(word for word in exported.split() if word.startswith("loadfactor="))
    world.server.stop()
    world.start(persist="BalancerPersist On", of_m1=written)
    assert factor() == "4.02" and "nothing is changed" in world.ctl("export")[1]


def test_a_deleted_journal_refuses_changes_until_a_reload_begins_it_anew(world):
    world.start(persist="BalancerPersist On")
    assert world.ctl("set", "app", "m1", "lbset=1")[0] == 0
    for file in (world.server.root / "httpd.pid.journal").iterdir():
        file.unlink()
    assert "Changes are refused: the journal's file was deleted" in world.ctl("members")[1]
    status, said = world.ctl("set", "app", "m1", "+D")
    assert status == 1 and "was deleted, moved or replaced" in said
    assert world.api("PATCH", "member", {"lbset": 2}, balancer="app", member="m1")[0] == 503
    shown = world.api("GET", "member", balancer="app", member="m1")[1]
    assert shown["settings"]["lbset"] == "1" and shown["status"] == "Init Ok"
    assert "changes are refused: the journal could not be written" in world.server.read("error.log")
    world.reload(persist="BalancerPersist On")
    assert until(lambda: world.ctl("set", "app", "m1", "+D")[0] == 0, WAIT_S), world.server.read("error.log")
    assert "Changes are refused" not in world.ctl("members")[1]
    world.server.process.kill()
    world.server.process.wait(WAIT_S)
    world.server.stop()
    world.start(persist="BalancerPersist On")
    shown = world.api("GET", "member", balancer="app", member="m1")[1]
    assert shown["settings"]["lbset"] == "1" and shown["status"] == "Init Dis"


def test_a_drained_member_is_undrained_after_a_restart(world):
    world.start(persist="BalancerPersist On")

    def status(route):
        return world.api("GET", "member", balancer="app", member=route)[1]["status"]

    assert world.ctl("drain", "app", "m1", "--kick", "--wait")[0] == 0
    assert world.ctl("set", "app", "m2", "+S")[0] == 0
    assert world.ctl("drain", "app", "m2", "--kick", "--wait")[0] == 0
    world.server.stop()
    world.start(persist="BalancerPersist On")
    assert status("m1") == status("m2") == "Init Drn Stop"
    for route in ("m1", "m2"):
        assert world.ctl("undrain", "app", route)[0] == 0
    assert status("m1") == "Init Ok"
    assert status("m2") == "Init Stop"  # an operator had stopped it before it was drained


def test_after_a_kill_what_was_acknowledged_is_there(world):
    world.start(persist="BalancerPersist On")
    assert world.ctl("set", "app", "m1", "+D")[0] == 0
    world.server.process.kill()
    world.server.process.wait(WAIT_S)
    world.server.stop()
    world.start(persist="BalancerPersist On")
    assert set(world.answers()) == {"M2"}


def test_without_persistence_a_restart_begins_anew(world):
    world.start()
    assert world.ctl("set", "app", "m1", "+D")[0] == 0
    world.server.stop()
    world.start()
    assert set(world.answers()) == {"M1", "M2"}
    assert not (world.server.root / "httpd.pid.journal").exists()


def test_a_journal_that_cannot_be_used_refuses_changes_and_the_server_serves(world):
    folder = world.server.root / "httpd.pid.journal"
    world.server.root.mkdir(parents=True, exist_ok=True)
    folder.write_text("no directory")
    world.start(persist="BalancerPersist On")
    assert set(world.answers()) == {"M1", "M2"}
    status, said = world.ctl("set", "app", "m1", "+D")
    assert status == 1 and "the journal is not open" in said
    status, problem, _ = world.api("PATCH", "member", {"status": "D"}, balancer="app", member="m1")
    assert status == 503 and "journal" in problem["detail"]
    assert set(world.answers()) == {"M1", "M2"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else to the journal")
def test_a_journal_that_could_only_be_read_is_written_to_after_a_reload(world):
    world.server.root.chmod(0o755)
    world.start(persist="BalancerPersist On\nUser www-data\nGroup www-data")
    assert world.ctl("set", "app", "m1", "lbset=1")[0] == 0
    assert world.server.stop() == 0
    folder = world.server.root / "httpd.pid.journal"
    file = folder / "changes.db"
    file.chmod(0o400)
    folder.chmod(0o500)
    world.start(persist="BalancerPersist On\nUser www-data\nGroup www-data")
    # The socket is there a little later than the ports.
    assert until(lambda: "no server listens" not in world.ctl("members")[1], WAIT_S)
    status, said = world.ctl("set", "app", "m1", "lbset=2")
    assert status == 1 and "read-only" in said
    _, member, _ = world.api("GET", "member", balancer="app", member="m1")
    assert member["settings"]["lbset"] == "1"
    folder.chmod(0o700)
    file.chmod(0o600)
    world.reload(persist="BalancerPersist On\nUser www-data\nGroup www-data")
    assert until(lambda: world.ctl("set", "app", "m1", "lbset=2")[0] == 0, WAIT_S)
    assert "can be written to again" in world.server.read("error.log")


def test_a_journal_that_another_process_had_is_used_after_a_reload(world):
    world.start(persist="BalancerPersist On")
    assert world.server.stop() == 0
    (journal,) = (path for path in (world.server.root / "httpd.pid.journal").iterdir()
                  if path.read_bytes().startswith(b"SQLite format 3"))
    change = lambda: world.api("PATCH", "member", {"lbset": "2"}, balancer="app", member="m1")[0]
    with sqlite3.connect(journal) as other:
        other.execute("BEGIN EXCLUSIVE")
        world.start(persist="BalancerPersist On")
        assert change() == 503
        world.reload(persist="BalancerPersist On")
        assert change() == 503
    other.close()
    world.reload(persist="BalancerPersist On")
    assert until(lambda: change() == 200), world.server.read("error.log")
    assert world.server.stop() == 0
    world.start(persist="BalancerPersist On")
    _, member, _ = world.api("GET", "member", balancer="app", member="m1")
    assert member["settings"]["lbset"] == "2"
