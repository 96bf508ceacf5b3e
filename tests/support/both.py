"""The same file for apache2 and for steelyard, and what each is found to do with it."""

import contextlib
import socket

from .server import APACHE, Scratch, Server, StartFailed, complete

PROGRAMS = ("httpd", "ours")
WAIT_S = 10


def by_both(binary, text, ports, ask):
    """{program: what `ask` finds out about it}."""
    found = {}
    for name, program in zip(PROGRAMS, (APACHE, binary)):
        scratch = Scratch("steelyard-both-")
        one = Server(program, scratch.path)
        try:
            one.start(complete(text), ports)
            found[name] = ask()
        finally:
            one.stop()
            scratch.close()
    return found


@contextlib.contextmanager
def one_side_each(programs, make):
    """{name: make(name, scratch)} for each of the programs; all are closed at the end."""
    scratch = Scratch()
    sides = {}
    try:
        for name in programs:
            sides[name] = make(name, scratch)
        yield sides
    finally:
        for side in sides.values():
            side.close()
        scratch.close()


def starts(program, text, port):
    """Whether it serves with this file, which says `Listen` for the port: and then it is stopped.
    apache2 may listen before it finds out that it cannot start."""
    scratch = Scratch("steelyard-both-")
    one = Server(program, scratch.path)
    try:
        one.start(complete(text), [port])
        with socket.create_connection(("127.0.0.1", port), WAIT_S) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(1) != b""
    except (StartFailed, ConnectionError):
        return False
    finally:
        one.stop()
        scratch.close()
