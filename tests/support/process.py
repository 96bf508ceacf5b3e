"""What a test asks of a running program: call it, ask whether it answers, wait until it did."""

import signal
import socket
import subprocess
import time

from .wire import Connection


def until(claim, wait_s=10.0):
    """True as soon as the claim holds."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.01)
    return claim()


RESUMES = "resuming normal operations"


def reload(server, number=signal.SIGUSR1, words=RESUMES, text=None):
    """Has the server read its file again, with `text` if given, and waits until it says so."""
    # The start says the same words, perhaps a while after ports are open.
    assert until(lambda: RESUMES in server.read("error.log"))
    before = server.read("error.log").count(words)
    if text is not None:
        server.write(text)
    server.signal(number)
    assert until(lambda: server.read("error.log").count(words) > before), server.read("error.log")


def call(server, *arguments):
    done = subprocess.run(
        server.command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=20,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def answers(port):
    connection = Connection("127.0.0.1", port.port)
    try:
        connection.send(b"GET / HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        return connection.read_response().status
    finally:
        connection.close()


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port.port), 1).close()
        return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False  # caught between listening and not: ask again
