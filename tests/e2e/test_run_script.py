"""./run as somebody new to the project uses it."""

import os
import re
import signal
import socket
import subprocess
import time

import pytest
from support.process import until
from support.server import PROJECT

RUN = str(PROJECT / "run")
PORTS = (8080, 8101, 8102, 8103)  # the quickstart's, as its file and the README say


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def get(port):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_build_prints_the_path_of_the_program_last(binary):
    done = subprocess.run([RUN, "--build"], stdout=subprocess.PIPE, text=True, timeout=900)
    assert done.returncode == 0
    program = done.stdout.splitlines()[-1]
    assert os.access(program, os.X_OK)


def test_arguments_go_to_the_program(binary):
    done = subprocess.run([RUN, "-v"], stdout=subprocess.PIPE, text=True, timeout=900)
    assert done.stdout.startswith("Server version: Steelyard/")


def test_a_busy_port_is_said_and_nothing_is_left_running(binary):
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not connects(8080):
            busy.bind(("127.0.0.1", 8080))
            busy.listen()
        done = subprocess.run([RUN], stderr=subprocess.PIPE, text=True, timeout=900)
    assert done.returncode == 1
    assert "Port 8080 of 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_show_starts_in_seconds_and_stops_as_a_whole(binary, number):
    if any(connects(port) for port in PORTS):
        pytest.skip("another program serves one of the quickstart's fixed ports")
    started = time.monotonic()
    show = subprocess.Popen([RUN], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        for line in show.stdout:
            if "http://127.0.0.1:8080/" in line:
                break
        assert time.monotonic() - started < 30
        seen = {re.search(rb"<h1>(.*?)</h1>", get(8080))[1] for _ in range(3)}
        assert seen == {b"member 1", b"member 2", b"member 3"}
        # Ctrl-C reaches every process of the terminal, TERM only the script.
        os.killpg(show.pid, number) if number == signal.SIGINT else show.send_signal(number)
        show.wait(20)
        assert until(lambda: not any(connects(port) for port in PORTS))
    finally:
        try:
            os.killpg(show.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        show.stdout.close()
