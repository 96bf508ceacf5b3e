"""Taking members out of service by `steelyard ctl`: sessions stay, nothing is lost, scripts learn
how it ended; and the control socket behind it."""

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import threading

import pytest
from support.ports import HeldPort
from support.process import answers, reload, until
from support.server import PROJECT, Server
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
<Proxy balancer://app>
    BalancerMember http://{m1} route=m1
    BalancerMember http://{m2} route=m2
    ProxySet stickysession=sid
</Proxy>
ProxyPass / balancer://app/
{more}
"""

WAIT_S = 20


class World:
    """A sticky balancer of two members, and what a script and clients do with it."""

    def __init__(self, server, port, members):
        self.server, self.port, self.members = server, port, members

    def text(self, more=""):
        m1, m2 = (member.address for member in self.members)
        return CONFIG.format(port=self.port, m1=m1, m2=m2, more=more)

    def start(self, more=""):
        self.server.start(self.text(more), [self.port.port])
        assert self.get() in ("M1", "M2")

    def reload(self, more=""):
        reload(self.server, text=self.text(more))

    def get(self, session="", query=""):
        """Who answered; "" for anything but a 200."""
        connection = Connection("127.0.0.1", self.port.port)
        try:
            ask(connection, session, query)
            return told_by(connection)
        finally:
            connection.close()

    def command(self, *words):
        return [self.server.binary, "ctl", "-d", str(self.server.root), "-f",
                str(self.server.config_path), *words]

    def ctl(self, *words, **more):
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, timeout=WAIT_S,
                              capture_output=True, text=True, **more)
        return done.returncode, done.stdout, done.stderr

    def begin(self, *words):
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def view(self, route):
        status, said, _ = self.ctl("members", "--balancer", "app", "--json")
        assert status == 0
        return next(one for one in json.loads(said)["members"] if one["route"] == route)

    @property
    def socket_path(self):
        return self.server.root / "httpd.pid.ctl"


def ask(connection, session="", query=""):
    cookie = f"Cookie: sid={session}\r\n" if session else ""
    connection.send(f"GET /{query} HTTP/1.1\r\nHost: lb.test\r\n{cookie}\r\n".encode())


def told_by(connection):
    response = connection.read_response()
    return response.body.decode().strip() if response.status == "200" else ""


def ended(process):
    said, complaint = process.communicate(timeout=WAIT_S)
    return process.returncode, said, complaint


@pytest.fixture
def world(server, port, farm):
    members = [farm.member("M1"), farm.member("M2")]
    yield World(server, port, members)
    server.stop()
    farm.retire(members)


def test_sessions_stay_newcomers_go_elsewhere_and_the_end_stops_the_member(world):
    world.start()
    assert [world.get("one.m1"), world.get("two.m1")] == ["M1", "M1"]
    assert world.view("m1")["sessions"]["1m"] == 2
    # The process has not run for the window yet: what was before is not known.
    waiting = world.begin("drain", "app", "m1", "--sessions", "0", "--window", "2s", "--wait")
    assert until(lambda: world.view("m1")["status"] == "Init Drn Ok")
    for _ in range(10):
        assert world.get("one.m1") == "M1"
        assert world.get() == "M2"
    assert waiting.poll() is None
    status, said, _ = ended(waiting)
    assert status == 0
    assert said.splitlines()[-1] == "drained: no session for 2 s"
    assert world.get("one.m1") == "M2"
    assert world.view("m1")["status"] == "Init Drn Stop"
    assert "drained: no session for 2 s" in world.ctl("history", "app", "m1")[1]
    assert world.ctl("wait", "app", "m1")[0] == 0
    log = world.server.read("error.log")
    assert "is over: drained (no session for 2 s)" in log


def test_a_control_socket_that_was_removed_is_made_anew_by_a_reload(world):
    world.start()
    world.socket_path.unlink()
    assert world.ctl("members")[0] == 1
    world.reload()
    assert until(lambda: world.ctl("members")[0] == 0, WAIT_S)
    assert "the control socket was gone, and is made anew" in world.server.read("error.log")
    # One that is there stays, with whoever listens to it.
    before = world.socket_path.stat().st_ino
    world.reload()
    assert world.ctl("members")[0] == 0 and world.socket_path.stat().st_ino == before
    world.server.stop()
    assert not world.socket_path.exists()


def test_a_deadline_cuts_no_exchange_and_tells_what_was_left(world):
    world.start()
    held = Connection("127.0.0.1", world.port.port)
    ask(held, "one.m1", "?hold=deadline")
    assert until(lambda: world.view("m1")["busy"] == 1)
    status, said, _ = world.ctl("drain", "app", "m1", "--deadline", "1s", "--sessions", "0",
                                "--wait")
    assert status == 3
    assert "1 session and 1 exchange under way left at the deadline" in said
    assert world.get("one.m1") == "M2"
    world.members[0].gates.release("deadline")
    assert told_by(held) == "M1"
    held.close()


def test_a_kick_sends_sessions_away_and_waits_for_exchanges(world):
    world.start()
    held = Connection("127.0.0.1", world.port.port)
    ask(held, "one.m1", "?hold=kick")
    assert until(lambda: world.view("m1")["busy"] == 1)
    waiting = world.begin("drain", "app", "m1", "--kick", "--wait")
    assert until(lambda: world.view("m1")["status"] == "Init Drn Stop")
    assert world.get("one.m1") == "M2"
    assert waiting.poll() is None
    world.members[0].gates.release("kick")
    assert told_by(held) == "M1"
    assert ended(waiting)[0] == 0
    held.close()


def test_waiting_may_time_out_and_undrain_takes_it_back(world):
    world.start()
    assert world.get("one.m1") == "M1"
    status, said, _ = world.ctl("drain", "app", "m1", "--sessions", "0", "--wait",
                                "--timeout", "300ms")
    assert (status, said.splitlines()[-1]) == (4, "timed out: the drain goes on")
    waiting = world.begin("wait", "app", "m1")
    assert until(lambda: "wait" in open(f"/proc/{waiting.pid}/cmdline").read())
    status, said, _ = world.ctl("undrain", "app", "m1")
    assert status == 0 and said.endswith("Init Ok\n")
    # Whether the undrain came before the wait or behind it.
    assert ended(waiting)[0] == 5
    assert "M1" in [world.get() for _ in range(4)]
    status, said, _ = world.ctl("undrain", "app", "m1")
    assert status == 0 and said.startswith("nothing changed: ") and said.endswith(" is not drained\n")


def test_another_change_by_an_operator_ends_the_order(world):
    world.start()
    assert world.ctl("drain", "app", "m1", "--deadline", "1h")[0] == 0
    assert world.ctl("set", "app", "m1", "+D")[0] == 0
    status, said, _ = world.ctl("wait", "app", "m1")
    assert (status, said) == (5, "cancelled: an operator changed the member\n")
    assert world.view("m1")["status"] == "Init Drn Dis"
    assert world.ctl("set", "app", "m1", "-D-N")[0] == 0
    assert world.view("m1")["status"] == "Init Ok"


def test_a_reload_in_between_keeps_order_and_sessions(world):
    world.start()
    assert world.get("one.m1") == "M1"
    waiting = world.begin("drain", "app", "m1", "--sessions", "0", "--window", "2s", "--wait")
    assert until(lambda: world.view("m1")["status"] == "Init Drn Ok")
    world.reload("ProxyPass /gone !")
    assert world.view("m1")["sessions"]["1m"] == 1
    assert world.get("one.m1") == "M1"
    assert ended(waiting)[0] == 0
    world.reload()
    assert world.view("m1")["status"] == "Init Drn Stop"


def test_a_drain_under_load_loses_no_request(world):
    world.start("SteelyardShards 2")
    stop = threading.Event()
    sessions = ["a.m1", "b.m1", "c.m2", ""]
    visits = dict.fromkeys(sessions, 0)
    lost = []

    def visit(session):
        while not stop.is_set():
            try:
                if not world.get(session):
                    lost.append(session)
            except Exception as trouble:  # else the thread would end unseen
                lost.append((session, trouble))
            visits[session] += 1

    clients = [threading.Thread(target=visit, args=(session,)) for session in sessions]
    for client in clients:
        client.start()
    try:
        for how in (["--deadline", "1s"], ["--kick"], ["--deadline", "1s", "--sessions", "9"]):
            assert world.ctl("drain", "app", "m1", *how, "--wait")[0] in (0, 3)
            # An exchange that had chosen the member and finds it stopped marks it, as in httpd.
            assert world.view("m1")["status"].removesuffix(" Err") == "Init Drn Stop"
            assert world.ctl("undrain", "app", "m1")[0] == 0
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert not lost
    assert min(visits.values()) > 0


def test_what_makes_no_sense_is_told_apart_from_what_is_not_there(world):
    alone = [world.server.binary, "ctl", "--socket", str(world.socket_path), "members"]
    nobody = subprocess.run(alone, timeout=WAIT_S, capture_output=True, text=True, check=False)
    assert nobody.returncode == 1
    assert "is it running?" in nobody.stderr
    world.start()
    assert world.ctl("drain", "app")[0] == 2
    assert world.ctl("drain", "app", "m1", "--window", "1ms", "--sessions", "0")[0] == 2
    assert world.ctl("set", "app", "m1", "+Q")[0] == 2
    status, _, said = world.ctl("drain", "shop", "m1")
    assert status == 1 and "balancer://app" in said
    assert world.ctl("drain", "app", "m9")[0] == 1
    assert world.ctl("wait", "app", "m1")[0] == 1
    assert world.ctl("help", "drain")[0] == 0


def test_members_are_shown_as_a_table(world):
    world.start()
    world.get("one.m1")
    status, said, _ = world.ctl("members")
    assert status == 0
    lines = said.splitlines()
    assert lines[0].split()[:4] == ["BALANCER", "MEMBER", "ROUTE", "STATUS"]
    assert lines[1].split()[:3] == ["balancer://app", f"http://{world.members[0].address}", "m1"]


def test_the_socket_is_the_owners_and_goes_with_the_server(world):
    world.start()
    found = world.socket_path.lstat()
    assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600
    assert world.server.stop() == 0
    assert not world.socket_path.exists()


def test_a_left_over_socket_is_replaced(world):
    world.start()
    world.server.process.kill()
    world.server.process.wait()
    assert world.socket_path.exists()
    world.start()
    assert world.ctl("members")[0] == 0


def test_a_second_instance_leaves_the_socket_to_the_first(world, binary, scratch):
    world.start()
    held = HeldPort()
    other = Server(binary, scratch / "other")
    try:
        path = f"SteelyardControlSocket {world.socket_path}"
        other.start(world.text(path).replace(f"Listen {world.port}", f"Listen {held}"),
                    [held.port])
        assert until(lambda: "another instance listens there" in other.read("error.log"))
        assert other.stop() == 0
        assert world.ctl("members")[0] == 0
    finally:
        other.stop()
        held.close()


def test_it_can_be_off_or_elsewhere(world, scratch):
    world.start("SteelyardControlSocket Off")
    assert not world.socket_path.exists()
    status, _, said = world.ctl("members")
    assert status == 1 and "SteelyardControlSocket Off" in said
    world.server.stop()
    folder = scratch / ("d" * 100)
    folder.mkdir()
    world.start(f"SteelyardControlSocket {folder}/ctl")
    assert world.ctl("members")[0] == 0
    world.reload("SteelyardControlSocket Off")
    assert "SteelyardControlSocket (or PidFile" in world.server.read("error.log")


def test_what_lies_in_its_place_is_left_alone_and_requests_are_served(world):
    world.server.root.mkdir(exist_ok=True)
    world.socket_path.write_text("precious")
    world.start()
    assert "is no socket, and is left alone" in world.server.read("error.log")
    world.server.stop()
    assert world.socket_path.read_text() == "precious"


def test_the_end_of_the_server_ends_who_waits(world):
    world.start()
    world.ctl("drain", "app", "m1", "--deadline", "1h")
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(WAIT_S)
        line.connect(str(world.socket_path))
        line.sendall(b'{"command":"wait","balancer":"app","member":"m1"}\n')
        world.server.signal(signal.SIGWINCH)
        assert line.recv(100) == b""
    assert until(lambda: not world.socket_path.exists())
    assert world.server.ended(WAIT_S)


def test_a_server_that_does_not_answer_is_given_up(world):
    world.start()
    world.server.signal(signal.SIGSTOP)
    try:
        done = subprocess.run(world.command("members"), stdin=subprocess.DEVNULL, timeout=60,
                              capture_output=True, text=True)
    finally:
        world.server.signal(signal.SIGCONT)
    assert (done.returncode, done.stderr) == (1, "steelyard ctl: the server does not answer\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_only_root_and_the_servers_user_may_speak(world):
    world.start("User www-data\nGroup www-data")
    uid = pwd.getpwnam("www-data").pw_uid
    assert world.ctl("members")[0] == 0
    nobody = pwd.getpwnam("nobody").pw_uid
    for user in (nobody, uid):
        status, _, said = world.ctl("members", user=user)
        assert status == 1 and "only root, or the user who started the server, may" in said
    # Even where the file would let them.
    world.socket_path.chmod(0o666)
    status, _, said = world.ctl("members", user=nobody)
    assert status == 1 and "only root and the server's own user may speak here" in said
    assert until(lambda: f"control socket: uid {nobody}" in world.server.read("error.log"))
    assert world.ctl("members", user=uid)[0] == 0
    assert world.server.stop() == 0
    assert not world.socket_path.exists()


def test_nonsense_on_the_socket_disturbs_nobody(world):
    world.start()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(WAIT_S)
        line.connect(str(world.socket_path))
        line.sendall(b"GET / HTTP/1.1\n\x00\xff\n" + b"x" * 100_000)
        said = b""
        try:
            while piece := line.recv(4096):
                said += piece
        except ConnectionResetError:
            pass  # it closed without reading the rest
    assert said.count(b'"ok":false') == 3
    assert answers(world.port) == "200"
    assert world.ctl("members")[0] == 0


def test_the_example_restarts_one_member_after_the_other(world, scratch):
    world.start()
    assert world.get("one.m1") == "M1"
    restarted = scratch / "restarted"
    restart = scratch / "restart"
    restart.write_text(f'#!/bin/sh\necho "$1" >> {restarted}\n[ "$1" != m9 ]\n')
    restart.chmod(0o755)
    script = PROJECT / "examples/rolling_restart/rolling_restart.sh"
    environment = {**os.environ, "CTL": " ".join(world.command()), "WINDOW": "1s",
                   "DEADLINE": "10s"}

    def run(*members):
        return subprocess.run([str(script), "app", str(restart), *members], env=environment,
                              timeout=60, capture_output=True, text=True)

    done = run("m1", "m2")
    assert done.returncode == 0, done.stderr
    assert restarted.read_text() == "m1\nm2\n"
    assert world.view("m1")["status"] == world.view("m2")["status"] == "Init Ok"
    assert run("m9").returncode == 1
    assert "m9" not in restarted.read_text()
