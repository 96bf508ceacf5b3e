"""Where log lines go: files, programs, rotation, full disks."""

import os
import re
import signal
import subprocess

from support.wire import Connection
from test_process import until

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


def test_a_program_that_dies_is_started_again(server, port):
    script = server.root / "reader"
    script.write_text(f"#!/bin/sh\necho $$ > {server.root}/reader.pid\nexec cat >> {server.root}/piped.log\n")
    script.chmod(0o755)
    start(server, port, f'CustomLog "|{script}" short')
    ask(port, "/one")
    lines(server, "piped.log", 1)
    first = int(server.read("reader.pid"))
    os.kill(first, signal.SIGKILL)
    ask(port, "/two")
    assert lines(server, "piped.log", 2) == ["/one 404", "/two 404"]
    assert int(server.read("reader.pid")) != first


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
    server.signal(signal.SIGUSR1)
    assert until(lambda: (server.root / "access.log").exists())
    ask(port, "/after")
    assert lines(server, "access.log", 1) == ["/after 404"]
    assert server.read("access.log.1").splitlines() == ["/before 404"]


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
