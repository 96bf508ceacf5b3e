"""Where log lines go: files, programs, rotation, full disks."""

import os
import pathlib
import pwd
import re
import signal
import subprocess

import pytest
from support.process import RESUMES, reload, until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ServerName lb.test
Listen 127.0.0.1:{port}
PidFile httpd.pid
ErrorLog error.log
LogFormat "%U %>s" short
{more}
"""


def start(server, port, more):
    server.start(CONFIG.format(port=port.port, more=more), [port.port])


def ask(port, *paths):
    connection = Connection("127.0.0.1", port.port)
    for path in paths:
        connection.send(b"GET %s HTTP/1.1\r\nHost: lb.test\r\n\r\n" % path.encode())
        assert connection.read_response().status == "404"
    connection.close()


def lines(server, name, count=1):
    assert until(lambda: server.read(name).count("\n") >= count), server.read(name)
    return server.read(name).splitlines()


def test_lines_stand_in_the_order_of_the_answers(server, port):
    start(server, port, "SteelyardShards 1\nKeepAliveTimeout 30\nMaxKeepAliveRequests 0\nCustomLog access.log short")
    paths = [f"/{number}" for number in range(200)]
    ask(port, *paths)
    assert server.stop() == 0
    assert server.read("access.log").splitlines() == [f"{path} 404" for path in paths]


def test_lines_of_several_shards_stand_in_the_order_in_which_a_client_had_its_answers(server, port):
    start(server, port, "SteelyardShards 4\nCustomLog access.log short")
    paths = [f"/{number}" for number in range(400)]
    for path in paths:
        connection = Connection("127.0.0.1", port.port)
        closes = "Connection: close\r\n" if int(path[1:]) % 2 else ""
        connection.send(f"GET {path} HTTP/1.1\r\nHost: lb.test\r\n{closes}\r\n".encode())
        assert connection.read_response().status == "404"
        connection.close()
    assert server.stop() == 0
    assert server.read("access.log").splitlines() == [f"{path} 404" for path in paths]


def test_one_file_may_serve_several_logs(server, port):
    start(server, port, "CustomLog access.log short\nCustomLog access.log short")
    ask(port, "/twice")
    assert server.stop() == 0
    assert server.read("access.log").splitlines() == ["/twice 404"] * 2


def test_a_program_reads_the_lines_and_ends_with_the_server(server, port):
    start(server, port, f'CustomLog "|$cat >> {server.root}/piped.log; echo over >> {server.root}/piped.log" short')
    ask(port, "/one", "/two")
    assert lines(server, "piped.log", 2) == ["/one 404", "/two 404"]
    assert server.stop() == 0
    assert lines(server, "piped.log", 3)[-1] == "over"


def has_ended(pid):
    """Gone, or only waiting for its parent to notice."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_program_that_dies_is_started_again(server, port):
    script = server.root / "reader"
    script.write_text(f"#!/bin/sh\necho $$ > {server.root}/reader.pid\nexec cat >> {server.root}/piped.log\n")
    script.chmod(0o755)
    start(server, port, f'CustomLog "|{script}" short')
    ask(port, "/one")
    lines(server, "piped.log", 1)
    first = int(server.read("reader.pid"))
    os.kill(first, signal.SIGKILL)
    assert until(lambda: has_ended(first))  # until then it may take a line along
    ask(port, "/two")
    assert lines(server, "piped.log", 2) == ["/one 404", "/two 404"]
    assert int(server.read("reader.pid")) != first


def test_a_program_that_ends_by_itself_is_told_of_and_so_are_the_lines_that_nobody_read(server, port):
    start(server, port, 'CustomLog "|/bin/false" short')
    ask(port, "/one", "/two")
    assert until(lambda: "ended unexpectedly" in server.read("error.log")), server.read("error.log") + server.read("output.txt")
    assert server.stop() == 0
    assert "2 lines for log /bin/false were lost" in server.read("error.log")


def test_a_program_that_cannot_be_started_prevents_the_start(server, port):
    server.write(CONFIG.format(port=port.port, more='CustomLog "|/nonexistent/program" short'))
    done = subprocess.run(server.command("-DFOREGROUND"), stderr=subprocess.PIPE, timeout=20)
    assert done.returncode == 1
    assert b"/nonexistent/program" in done.stderr


def test_a_rotated_file_is_opened_anew_and_no_line_is_lost(server, port):
    start(server, port, "CustomLog access.log short")
    ask(port, "/before")
    lines(server, "access.log", 1)
    (server.root / "access.log").rename(server.root / "access.log.1")
    reload(server)
    ask(port, "/after")
    assert lines(server, "access.log", 1) == ["/after 404"]
    assert server.read("access.log.1").splitlines() == ["/before 404"]


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root's rights up")
UNPRIVILEGED = "User www-data\nGroup www-data\n"


@only_root
def test_a_rotated_file_is_opened_anew_after_root_was_given_up(server, port):
    start(server, port, UNPRIVILEGED + "CustomLog access.log short")
    ask(port, "/before")
    lines(server, "access.log", 1)
    for name in ("access.log", "error.log"):
        (server.root / name).rename(server.root / f"{name}.1")
    server.signal(signal.SIGUSR1)
    assert until(lambda: RESUMES in server.read("error.log"))
    ask(port, "/after")
    assert lines(server, "access.log", 1) == ["/after 404"]
    assert server.read("access.log.1").splitlines() == ["/before 404"]
    assert "could not open" not in server.read("error.log") + server.read("error.log.1")


@only_root
def test_a_new_log_is_opened_by_a_reload_after_root_was_given_up(server, port):
    start(server, port, UNPRIVILEGED + "CustomLog access.log short")
    (server.root / "sub").mkdir()
    more = UNPRIVILEGED + "CustomLog access.log short\nCustomLog sub/second.log short"
    server.write(CONFIG.format(port=port.port, more=more))
    server.signal(signal.SIGUSR1)
    assert until(lambda: (server.root / "sub/second.log").exists())
    assert until(lambda: "resuming normal" in server.read("error.log").split("graceful")[-1])
    ask(port, "/one")
    assert lines(server, "sub/second.log", 1) == ["/one 404"]


@only_root
def test_a_log_in_a_directory_of_the_user_is_opened_with_the_users_rights(server, port):
    """There its owner could have put a link to any file of root's."""
    www_data = pwd.getpwnam("www-data")
    (server.root / "theirs").mkdir()
    os.chown(server.root / "theirs", www_data.pw_uid, www_data.pw_gid)
    start(server, port, UNPRIVILEGED + "CustomLog theirs/access.log short")
    ask(port, "/before")
    lines(server, "theirs/access.log", 1)
    victim = server.root / "victim"
    victim.write_text("")
    victim.chmod(0o600)
    (server.root / "theirs/access.log").rename(server.root / "theirs/access.log.1")
    (server.root / "theirs/access.log").symlink_to(victim)
    server.signal(signal.SIGUSR1)
    assert until(lambda: "lines go on to the file" in server.read("error.log"))
    ask(port, "/after")
    assert lines(server, "theirs/access.log.1", 2) == ["/before 404", "/after 404"]
    assert victim.read_text() == ""


@only_root
def test_a_program_is_roots_after_a_reload_too(server, port):
    (server.root / "deep").mkdir(mode=0o700)
    command = f"id -u >> {server.root}/deep/piped.log; cat >> {server.root}/deep/piped.log"
    start(server, port, UNPRIVILEGED + f'CustomLog "|${command}" short')
    ask(port, "/one")
    assert lines(server, "deep/piped.log", 2) == ["0", "/one 404"]
    server.signal(signal.SIGUSR1)
    assert lines(server, "deep/piped.log", 3)[-1] == "0"
    ask(port, "/two")
    assert lines(server, "deep/piped.log", 4)[-1] == "/two 404"


def test_a_full_disk_is_reported_once_and_serving_goes_on(server, port):
    start(server, port, "CustomLog /dev/full short\nCustomLog access.log short")
    ask(port, "/one", "/two")
    lines(server, "access.log", 2)
    assert until(lambda: "No space left on device" in server.read("error.log"))
    ask(port, "/three")
    lines(server, "access.log", 3)
    assert server.read("error.log").count("No space left on device") == 1


def test_the_error_log_has_httpds_layout(server, port):
    start(server, port, "")
    assert server.stop() == 0
    line = server.read("error.log").splitlines()[-2]
    assert re.fullmatch(
        r"\[\w{3} \w{3} \d\d \d\d:\d\d:\d\d\.\d{6} \d{4}\] \[core:notice\] \[pid \d+:tid \d+\] .* "
        r"configured -- resuming normal operations",
        line,
    )
