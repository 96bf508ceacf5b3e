"""-k restart and -k graceful-stop from end to end; httpd itself has to pass the same."""

import os
import signal
from pathlib import Path

import pytest
from support.process import answers, call, refused, until
from support.server import APACHE, Server, complete
from support.wire import Connection

CONFIG = """\
Listen 127.0.0.1:{port}
RedirectMatch 302 ^/generation$ http://lb.test/{generation}
ProxyPass /generation !
ProxyPass / http://{member}/
{more}
"""


def exists(pid):
    """Not if it has ended and waits for whoever has inherited it to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Stage:
    """A program in the background, known by its pid file alone."""

    def __init__(self, binary, name, scratch, port, farm):
        self.server, self.name = Server(binary, scratch), name
        self.port, self.farm = port, farm
        self.member = farm.member("M1")
        self.pid_file = self.server.root / "httpd.pid"
        self._pids = set()

    def write(self, generation=1, more=""):
        text = CONFIG.format(
            port=self.port.port, generation=generation, member=self.member.address, more=more
        )
        self.server.write(complete(text))

    def command(self, word):
        """Exit status and standard output, with the program's name taken out."""
        status, said, complaint = call(self.server, "-k", word)
        return status, said.replace(self.name, "NAME"), complaint

    def start(self):
        self.write()
        assert self.command("start")[0] == 0
        return self.running()

    def running(self):
        """The pid, once the program has written it and answers."""
        assert until(lambda: self.pid_file.exists() and self.pid_file.read_text().strip())
        pid = int(self.pid_file.read_text())
        self._pids.add(pid)
        assert until(lambda: self.log().count("resuming normal operations") > 0)
        return pid

    def log(self):
        return self.server.read("error.log")

    def generation(self):
        connection = Connection("127.0.0.1", self.port.port)
        connection.send(b"GET /generation HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
        place = connection.read_response().header("Location")
        connection.close()
        return place and int(place.rpartition(b"/")[2])

    def held_exchange(self, word):
        connection = Connection("127.0.0.1", self.port.port)
        connection.send(f"GET /?hold={word} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
        assert self.member.wait_for(1)
        return connection

    def close(self):
        for pid in self._pids:
            for number in (signal.SIGTERM, signal.SIGKILL):
                if exists(pid):
                    os.kill(pid, number)
                    until(lambda pid=pid: not exists(pid))
        self.farm.retire([self.member])


@pytest.fixture(params=["httpd", "steelyard"])
def stage(request, binary, scratch, port, farm):
    program = APACHE if request.param == "httpd" else binary
    one = Stage(program, request.param, scratch, port, farm)
    yield one
    one.close()


def test_a_restart_of_nothing_starts(stage):
    stage.write()
    status, said, complaint = stage.command("restart")
    # httpd forks with this line in its buffer: into a pipe both write it.
    assert (status, set(said.splitlines()), complaint) == (
        0,
        {"NAME not running, trying to start"},
        "",
    )
    stage.running()
    assert answers(stage.port) == "200"


@pytest.mark.parametrize("word", ["stop", "graceful-stop"])
def test_what_does_not_run_is_stopped_already(stage, word):
    stage.write()
    assert stage.command(word) == (0, "NAME (no pid file) not running\n", "")
    stage.pid_file.write_text("2147483646\n")
    assert stage.command(word) == (0, "NAME (pid 2147483646?) not running\n", "")


def test_a_restart_reads_the_file_anew_and_ends_what_is_under_way(stage):
    pid = stage.start()
    assert until(lambda: stage.generation() == 1)
    cut = stage.held_exchange("never")
    stage.write(generation=2)
    assert stage.command("restart") == (0, "", "")
    assert cut.read_response().status == ""
    assert cut.closed_by_peer(5)
    assert until(lambda: not refused(stage.port) and stage.generation() == 2)
    assert int(stage.pid_file.read_text()) == pid and exists(pid)
    assert "SIGHUP received.  Attempting to restart" in stage.log()
    assert until(lambda: stage.log().count("resuming normal operations") == 2)


def test_a_graceful_stop_lets_the_last_exchange_finish(stage):
    pid = stage.start()
    last = stage.held_exchange("last")
    assert stage.command("graceful-stop") == (0, "", "")
    assert until(lambda: refused(stage.port))
    assert until(lambda: not stage.pid_file.exists())
    assert exists(pid)
    stage.member.gates.release("last")
    assert last.read_response().body == b"M1\n"
    assert until(lambda: not exists(pid))
    assert "caught SIGWINCH, shutting down gracefully" in stage.log()
    assert "SIGTERM" not in stage.log()
    assert stage.command("graceful-stop") == (0, "NAME (no pid file) not running\n", "")


@pytest.mark.parametrize("word", ["restart", "graceful", "graceful-stop", "stop"])
def test_a_file_with_faults_stops_every_command_and_not_the_server(stage, word):
    pid = stage.start()
    stage.write(generation=2, more="Nonsense on")
    status, said, complaint = stage.command(word)
    assert (status, said) == (1, "")
    assert "Nonsense" in complaint and "line" in complaint
    assert stage.generation() == 1
    assert int(stage.pid_file.read_text()) == pid and exists(pid)
    assert "SIG" not in stage.log()
