"""Starting, stopping, -k, pid files, ports and rights, as scripts around httpd expect them."""

import os
import pwd
import signal
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from support.ports import HeldPort
from support.process import answers, call, refused, reload, until
from support.server import APACHE, Server, complete
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ServerName lb.test
Listen 127.0.0.1:{port}
PidFile httpd.pid
ErrorLog error.log
LogFormat "%U%q %>s" short
CustomLog access.log short
{more}
"""


def config(port, more=""):
    return CONFIG.format(port=port.port, more=more)


@pytest.fixture
def daemon(server, port):
    """A server in the background; ended by the pid in its file."""
    server.write(config(port))
    assert call(server, "-k", "start") == (0, "", "")
    pid = int((server.root / "httpd.pid").read_text())
    yield pid
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def gone(pid):
    try:
        os.kill(pid, 0)
        return False
    except ProcessLookupError:
        return True


def test_a_start_returns_when_clients_can_connect(daemon, port):
    assert answers(port) == "404"


def test_the_background_process_has_left_the_terminal(daemon):
    for number in (0, 1):
        assert os.readlink(f"/proc/{daemon}/fd/{number}") == "/dev/null"
    assert os.getsid(daemon) != os.getsid(0)


def test_last_words_of_the_background_process_go_into_the_error_log_that_a_reload_opened(daemon, server):
    log = server.root / "error.log"
    assert os.readlink(f"/proc/{daemon}/fd/2") == str(log)
    log.rename(server.root / "error.log.1")
    os.kill(daemon, signal.SIGUSR1)
    assert until(lambda: os.readlink(f"/proc/{daemon}/fd/2") == str(log))
    os.kill(daemon, signal.SIGABRT)
    assert until(lambda: gone(daemon))


def test_what_a_piped_program_complains_of_stands_in_the_error_log_and_notices_stand_there_once(server, port):
    server.write(config(port, 'CustomLog "|$echo a complaint >&2" "%U"'))
    assert call(server, "-k", "start")[0] == 0
    # The first one was started while there was a terminal.
    assert until(lambda: "a complaint" in server.read("error.log")), server.read("error.log")
    assert server.read("error.log").count("ended unexpectedly") == 1
    assert call(server, "-k", "stop")[0] == 0


def test_a_second_start_says_that_one_is_running(server, daemon):
    status, said, _ = call(server, "-k", "start")
    assert (status, said) == (0, f"steelyard (pid {daemon}) already running\n")


def test_stop_ends_it_and_takes_the_pid_file_away(server, daemon, port):
    assert call(server, "-k", "stop")[0] == 0
    assert until(lambda: gone(daemon))
    assert not (server.root / "httpd.pid").exists()
    assert refused(port)
    assert "caught SIGTERM, shutting down" in server.read("error.log")


def test_stopping_what_does_not_run_is_no_failure(server, port):
    server.write(config(port))
    assert call(server, "-k", "stop") == (0, "steelyard (no pid file) not running\n", "")


def test_a_graceful_restart_of_nothing_starts(server, port):
    server.write(config(port))
    status, said, _ = call(server, "-k", "graceful")
    pid = int((server.root / "httpd.pid").read_text())
    try:
        assert (status, said) == (0, "steelyard not running, trying to start\n")
        assert answers(port) == "404"
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_left_over_pid_file_is_replaced_with_a_warning(server, port):
    server.root.mkdir(exist_ok=True)
    # Above what Linux gives out: no other process can have the number by now.
    (server.root / "httpd.pid").write_text("2147483646\n")
    server.start(config(port), [port.port])
    written = (server.root / "httpd.pid")  # behind the opening of the ports
    assert until(lambda: written.read_text() == f"{server.process.pid}\n"), written.read_text()
    assert server.stop() == 0
    assert "overwritten" in server.read("error.log")


def test_a_busy_port_is_said_with_its_directive(server, port):
    listening = port.listening_socket()
    try:
        server.write(config(port))
        status, _, said = call(server, "-DFOREGROUND")
    finally:
        listening.close()
    assert status == 1
    assert f"(98)Address already in use: could not bind to address {port}" in said
    assert "Listen on line 4" in said
    assert not (server.root / "httpd.pid").exists()


def test_a_start_in_the_background_that_fails_says_so(server, port):
    listening = port.listening_socket()
    try:
        server.write(config(port))
        status, _, said = call(server, "-k", "start")
    finally:
        listening.close()
    assert status == 1
    assert "Address already in use" in said


def test_a_log_that_cannot_be_opened_prevents_the_start(server, port):
    (server.root / "folder").mkdir()
    server.write(config(port, "CustomLog folder short"))
    status, _, said = call(server, "-DFOREGROUND")
    assert status == 1
    assert "unable to open logs" in said and "/folder" in said


def test_what_the_machine_does_not_have_is_found_by_the_check_with_its_line(server, port):
    server.write(config(port, "CustomLog missing/access.log short\nGroup nosuchgroup\n"
                        'TransferLog "|/nowhere/rotatelogs x 5"'))
    status, _, said = call(server, "-t")
    assert status == 1
    assert "line 9" in said and f"there is no directory {server.root}/missing" in said
    assert "line 10" in said and "bad group name nosuchgroup" in said
    assert "line 11" in said and "there is no program /nowhere/rotatelogs" in said


def test_listen_and_virtual_hosts_may_name_the_machine(server, port):
    text = (
        "LoadModule alias_module modules/mod_alias.so\n"
        "ServerName lb.test\nPidFile httpd.pid\nErrorLog error.log\n"
        f"Listen localhost:{port.port}\n"
        f"<VirtualHost localhost:{port.port}>\nServerName by.name\nRedirect / http://found.test/\n</VirtualHost>\n"
    )
    server.start(text, [port.port])
    assert answers(port) == "302"


def test_a_missing_file_is_all_there_is_to_say(server, port):
    status, _, said = call(server, "-t")
    assert status == 1
    assert said.splitlines() == [
        f"Could not open configuration file {server.config_path}: No such file or directory"
    ]


def test_a_change_of_user_is_told_to_need_a_start(server, port):
    server.start(config(port), [port.port])
    server.write(config(port, "User www-data"))
    server.signal(signal.SIGUSR1)
    assert until(lambda: "User or Group has changed" in server.read("error.log"))


def test_the_check_knows_good_from_bad(server, port):
    server.write(config(port))
    assert call(server, "-t") == (0, "", "Syntax OK\n")
    server.write(config(port, "Nonsense on"))
    status, _, said = call(server, "-t")
    assert status == 1
    assert "Nonsense" in said and "line 9" in said


def test_a_journal_that_could_not_be_made_is_found_by_the_check(server, port):
    server.write(config(port, "SteelyardJournal missing/journal"))
    status, _, said = call(server, "-t")
    assert status == 0
    assert f"The journal cannot be made: {server.root}/missing is no directory" in said
    (server.root / "missing").mkdir()
    assert call(server, "-t") == (0, "", "Syntax OK\n")
    server.write(config(port, "BalancerPersist On\nSteelyardJournal Off"))
    status, _, said = call(server, "-t")
    assert status == 1 and "BalancerPersist On needs a journal" in said


def test_a_journal_in_memory_is_warned_of_by_the_check_and_the_start(server, port):
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="steelyard-") as memory:
        server.write(config(port, f"SteelyardJournal {memory}/journal"))
        assert call(server, "-t") == (0, "", "Syntax OK\n")
        text = config(port, f"BalancerPersist On\nSteelyardJournal {memory}/journal")
        server.write(text)
        status, _, said = call(server, "-t")
        assert status == 0 and f"not over a boot: {memory}/journal is in memory" in said
        server.start(text, [port.port])
        assert f"not over a boot: {memory}/journal is in memory" in server.read("error.log")
        assert server.stop() == 0


def test_an_unknown_user_is_found_by_the_check(server, port):
    server.write(config(port, "User nosuchuser"))
    status, _, said = call(server, "-t")
    assert status == 1
    assert "bad user name nosuchuser" in said


@pytest.mark.parametrize("shell, status, says", [
    (". /etc/apache2/envvars", 0, "Syntax OK"),
    ("unset APACHE_RUN_USER", 1, 'run ". /etc/apache2/envvars" in the shell first')])
def test_debians_own_file_is_read_as_it_was_installed(binary, shell, status, says):
    command = f'{shell}; exec "$0" -t -f /etc/apache2/apache2.conf'
    done = subprocess.run(["sh", "-c", command, binary], capture_output=True, text=True, timeout=30)
    assert (done.returncode, says in done.stdout + done.stderr) == (status, True), done.stderr


def test_an_unknown_flag_shows_the_usage(server, port):
    server.write(config(port))
    status, _, said = call(server, "-q")
    assert status == 1
    assert "illegal option -- q" in said and "Usage:" in said


def test_version_and_modules(server, port):
    server.write(config(port))
    assert call(server, "-v")[1].startswith("Server version: Steelyard/")
    assert "core.c" in call(server, "-l")[1]
    assert "ProxyPass" in call(server, "-L")[1]
    assert call(server, "-M")[0] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root's rights up")
def test_root_is_given_up_once_the_ports_are_open(server, port):
    server.start(config(port, "User www-data\nGroup www-data"), [port.port])
    # Ports are open before root is given up, so a connection proves nothing yet; an answer does.
    assert answers(port) == "404"
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    uid = str(pwd.getpwnam("www-data").pw_uid)
    assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in status
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        if task.joinpath("comm").read_text().startswith("shard"):
            assert "CapEff:\t0000000000000000" in task.joinpath("status").read_text()
    assert server.stop() == 0
    assert not (server.root / "httpd.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root's rights up")
def test_the_pid_file_stays_roots(server, port):
    """Who could write to it could have root's -k stop signal any process."""
    server.start(config(port, "User www-data\nGroup www-data"), [port.port])
    assert answers(port) == "404"
    found = (server.root / "httpd.pid").stat()
    assert (found.st_uid, found.st_mode & 0o777) == (0, 0o644)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP], ids=["graceful", "restart"])
@pytest.mark.parametrize("program", ["httpd", "ours"])
def test_a_reload_puts_the_pid_file_right(binary, scratch, port, program, number):
    server = Server({"httpd": APACHE, "ours": binary}[program], scratch)
    server.start(complete(f"Listen 127.0.0.1:{port.port}\n"), [port.port])
    try:
        told = scratch / "httpd.pid"
        names_it = f"{server.process.pid}\n"
        assert until(told.exists)
        (scratch / "precious").write_text("kept")
        for other in (None, "", "garbage\n", f"{os.getpid()}\n", "a link"):
            told.unlink()
            if other == "a link":
                told.symlink_to("precious")
            elif other is not None:
                told.write_text(other)
            reload(server, number)
            assert until(lambda: told.exists() and told.read_text() == names_it), other
            found = told.lstat()
            assert stat.S_ISREG(found.st_mode)
            assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (os.geteuid(), 0o644)
        assert (scratch / "precious").read_text() == "kept"
        assert [file.name for file in scratch.glob("httpd.pid.*")
                if file.suffix not in (".ctl", ".lock")] == []
    finally:
        server.stop()
    assert not told.exists()


def test_a_reload_leaves_a_pid_file_alone_that_is_right(server, port):
    server.start(config(port), [port.port])
    told = server.root / "httpd.pid"
    assert until(told.exists)
    before = told.stat().st_ino
    reload(server)
    assert told.stat().st_ino == before
    assert "pid file" not in server.read("error.log")


def test_a_pid_file_that_cannot_be_put_right_stops_no_reload(server, port):
    server.start(config(port), [port.port])
    told = server.root / "httpd.pid"
    assert until(told.exists)
    told.unlink()
    told.mkdir()
    reload(server)
    assert "could not create pid file" in server.read("error.log")
    assert answers(port) == "404"


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root's rights up")
def test_the_keeper_of_roots_rights_ends_with_the_server(server, port):
    server.start(config(port, "User www-data\nGroup www-data"), [port.port])
    assert answers(port) == "404"
    (keeper,) = children(server.process.pid)
    assert Path(f"/proc/{keeper}/comm").read_text() == "keeper\n"
    server.process.kill()
    server.process.wait()
    assert until(lambda: gone(keeper))


def children_of_threads(pid):
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for file in found for word in file.read_text().split()]


def said_once(server, text):
    return server.read("error.log").count(text) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root's rights up")
def test_the_death_of_the_keeper_is_told_at_once_and_once(server, port):
    """Piped logs go on: a program that ends is started again, now as User."""
    more = 'User www-data\nGroup www-data\nCustomLog "|/bin/cat" short'
    server.start(config(port, more), [port.port])
    assert answers(port) == "404"
    (keeper,) = children(server.process.pid)
    (program,) = children(keeper)
    os.kill(keeper, signal.SIGKILL)
    assert until(lambda: said_once(server, "the keeper of root's rights is gone and cannot be"))
    assert answers(port) == "404"
    os.kill(program, signal.SIGKILL)
    assert until(lambda: len(children_of_threads(server.process.pid)) == 1, wait_s=20)
    (program,) = children_of_threads(server.process.pid)
    assert Path(f"/proc/{program}").stat().st_uid == pwd.getpwnam("www-data").pw_uid
    server.signal(signal.SIGUSR1)
    assert until(lambda: server.read("error.log").count("resuming normal operations") == 2)
    assert answers(port) == "404"
    assert said_once(server, "the keeper of root's rights is gone and cannot be")
    assert server.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root's rights up")
def test_without_a_user_there_is_no_keeper(server, port):
    server.start(config(port), [port.port])
    assert answers(port) == "404"
    assert children(server.process.pid) == []


def test_a_service_manager_is_told_when_clients_can_connect(server, port, scratch):
    path = str(scratch / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(10)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            server.start(config(port), [port.port])
        finally:
            del os.environ["NOTIFY_SOCKET"]
        assert manager.recv(100) == b"READY=1"
        server.signal(signal.SIGTERM)
        assert manager.recv(100) == b"STOPPING=1"


def test_a_graceful_stop_lets_the_last_answer_finish(server, port, farm):
    member = farm.member("M1")
    try:
        server.start(config(port, f'ProxyPass / "http://{member.address}/"'), [port.port])
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET /?hold=last HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        assert member.wait_for(1)
        server.signal(signal.SIGWINCH)
        assert until(lambda: refused(port))
        assert not (server.root / "httpd.pid").exists()
        member.gates.release("last")
        assert connection.read_response().status == "200"
        assert server.process.wait(10) == 0
        assert '/?hold=last 200' in server.read("access.log")
    finally:
        farm.retire([member])


def test_a_graceful_stop_answers_who_has_just_connected(server, port):
    server.start(config(port), [port.port])
    connection = Connection("127.0.0.1", port.port)
    server.signal(signal.SIGWINCH)
    assert until(lambda: refused(port))
    connection.send(b"GET /first HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert connection.read_response().status == "404"
    connection.close()
    assert server.process.wait(10) == 0
    assert "/first 404" in server.read("access.log")


def test_a_graceful_stop_ends_when_its_time_is_over(server, port, farm):
    member = farm.member("M1")
    try:
        more = f'GracefulShutdownTimeout 1\nProxyPass / "http://{member.address}/"'
        server.start(config(port, more), [port.port])
        connection = Connection("127.0.0.1", port.port)
        connection.send(b"GET /?hold=never HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        assert member.wait_for(1)
        server.signal(signal.SIGWINCH)
        assert server.process.wait(10) == 0
        assert "GracefulShutdownTimeout has passed" in server.read("error.log")
    finally:
        farm.retire([member])


def listening_sockets(port):
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        count += words[1].endswith(f":{port.port:04X}") and words[3] == "0A"
    return count


def test_every_shard_has_its_socket(server, port):
    server.start(config(port, "SteelyardShards 3"), [port.port])
    assert listening_sockets(port) == 3
    assert [answers(port) for _ in range(20)] == ["404"] * 20


def shards(pid):
    names = [task.joinpath("comm").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(name.startswith("shard") for name in names)


def test_there_is_a_shard_for_each_processor_that_may_be_used(server, port):
    """The machine's count is no measure: taskset, CPUAffinity= and containers give fewer."""
    mine = os.sched_getaffinity(0)
    server.write(config(port))
    for usable in ({min(mine)}, mine):
        os.sched_setaffinity(0, usable)  # a child has what its parent has
        try:
            server.start(config(port), [port.port])
        finally:
            os.sched_setaffinity(0, mine)
        assert answers(port) == "404"
        assert until(lambda: shards(server.process.pid) == len(usable))  # a thread names itself
        assert listening_sockets(port) == len(usable)
        assert server.stop() == 0


def test_all_addresses_means_both_families(server):
    held = HeldPort("127.0.0.1")
    try:
        text = f"ServerName lb.test\nListen {held.port}\nPidFile httpd.pid\nErrorLog error.log\n"
        server.start(text, [held.port])
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, held.port), 2).close()
    finally:
        server.stop()
        held.close()


def test_start_up_messages_can_be_asked_for(server, port):
    server.write(config(port))
    status, _, said = call(server, "-k", "start", "-e", "info")
    call(server, "-k", "stop")
    assert status == 0
    assert "[core:info] " in said and f"listening on {port} for " in said
