"""A member that dies on cue, and the ledger of what it executed before it did.

    death = Death("whole", "rst", nth=2)  # the second request of a connection is read, then: gone
    mortal = Mortal("M1", port.listening_socket(), Ledger(path), death)

Where in an exchange it dies (`stage`), `nth` counting the requests of one connection:

    accepted      a connection is taken, nothing is read
    silent        bytes of a request are there, none is read
    half_head     some of the head is read
    half_body     the head and some of the body are read
    whole         all of it is read and executed, nothing is answered
    status_line   some of the answer's first line is sent
    answer_head   some of the answer's head is sent
    length_body   head and half of the body are sent, framed by a length
    chunked_body  the same, framed by chunks
    eof_body      the same, framed by the end of the connection

How (`way`): `fin` and `rst` end the connection and the member lives on; a lasting death ends every
later connection at that stage, too. `kill` is SIGKILL to the process, for which the member runs in
one of its own: MortalProcess. Connections that lie idle are ended with end_idle().

A request is executed once it was read whole. The ledger is a file, written before anything is
answered, so that it outlives its writer.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from .threaded_member import ThreadedMember

HALF_HEAD_BYTES = 24
ANSWER_PIECE = b"0123456789abcdef" * 512
# A death in the middle of a body leaves no doubt about its being the middle.
ANSWER_PIECES = 2


class Death:
    def __init__(self, stage, way, nth=1, lasting=False):
        self.stage, self.way, self.nth, self.lasting = stage, way, nth, lasting

    def words(self):
        return [self.stage, self.way, str(self.nth), "1" if self.lasting else ""]


class Ledger:
    """One line for each execution: MEMBER METHOD ID DIGEST-OF-BODY."""

    def __init__(self, path):
        self.path = str(path)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def enter(self, member, request):
        digest = sha256(request.body).hexdigest()[:16]
        line = f"{member} {request.method} {request.id} {digest}\n"
        os.write(self._fd, line.encode())

    def entries(self, wanted=None):
        """All entries as (member, method, id, digest), or those of one id."""
        with open(self.path) as file:
            found = [tuple(line.split()) for line in file]
        return [entry for entry in found if wanted is None or entry[2] == wanted]

    def by(self, member):
        return [entry for entry in self.entries() if entry[0] == member]

    def close(self):
        os.close(self._fd)


class Ended(Exception):
    """The peer is gone, or the member is."""


class Request:
    """One request as it is read from `connection`, piece by piece."""

    def __init__(self, connection, unread):
        self._connection = connection
        self.unread = unread
        self.head = self.body = b""

    @property
    def method(self):
        return self.head.split(b" ", 1)[0].decode()

    @property
    def id(self):
        return (self.header(b"x-id") or b"?").decode()

    def header(self, name):
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return None

    def _fill(self):
        data = self._connection.recv(1 << 16)
        if not data:
            raise Ended
        self.unread += data

    def _take(self, count):
        while len(self.unread) < count:
            self._fill()
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def _take_line(self):
        while b"\n" not in self.unread:
            self._fill()
        return self._take(self.unread.index(b"\n") + 1)

    def read_some_of_head(self):
        self.unread += self._connection.recv(HALF_HEAD_BYTES)

    def read_head(self):
        while b"\r\n\r\n" not in self.unread:
            self._fill()
        self.head = self._take(self.unread.index(b"\r\n\r\n") + 4)

    def read_half_of_body(self):
        length = self.header(b"content-length")
        self._take(int(length) // 2 if length else 8)

    def read_body(self):
        if self.header(b"transfer-encoding"):
            while size := int(self._take_line(), 16):
                self.body += self._take(size + 2)[:-2]
            while self._take_line() != b"\r\n":
                pass
        else:
            self.body = self._take(int(self.header(b"content-length") or 0))


class Mortal(ThreadedMember):
    def __init__(self, name, listening, ledger, death=None):
        self.name = name
        self.dead = threading.Event()  # the death was died at least once
        self._ledger = ledger
        self._death = death
        super().__init__(listening)

    def end_idle(self, way):
        """Every connection, none of which has a request on it, is ended: `fin` or `rst`."""
        with self._changed:
            ending = list(self._connections)
            for connection in ending:
                if way == "rst":
                    reset_on_close(connection)
                # Only its own thread may close it; that one waits for a request and wakes up now.
                connection.shutdown(socket.SHUT_RD)
        for thread in self._threads[1:]:
            thread.join()
        return len(ending)

    def _converse(self, connection):
        nth, unread = 1, b""
        with suppress(Ended):
            while True:
                request = Request(connection, unread)
                self._exchange(request, connection, nth)
                unread, nth = request.unread, nth + 1

    def _exchange(self, request, connection, nth):
        if nth == 1:
            self._pass("accepted", connection, nth)
        if self._dies_at("silent", nth) and not connection.recv(1, socket.MSG_PEEK):
            raise Ended
        self._pass("silent", connection, nth)
        if self._dies_at("half_head", nth):
            request.read_some_of_head()
        self._pass("half_head", connection, nth)
        request.read_head()
        if self._dies_at("half_body", nth):
            request.read_half_of_body()
        self._pass("half_body", connection, nth)
        request.read_body()
        self._ledger.enter(self.name, request)
        self._pass("whole", connection, nth)
        self._answer(request, connection, nth)

    def _answer(self, request, connection, nth):
        lines = b"X-Member: %s\r\nX-Id: %s\r\n" % (self.name.encode(), request.id.encode())
        for stage, half in halves(lines):
            if self._dies_at(stage, nth):
                connection.sendall(half)
                self._pass(stage, connection, nth)
        body = b"" if request.method == "HEAD" else request.id.encode()
        length = len(request.id)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (lines, length, body)
        )

    def _dies_at(self, stage, nth):
        death = self._death
        if death is None or death.stage != stage:
            return False
        return death.lasting if self.dead.is_set() else nth == death.nth

    def _pass(self, stage, connection, nth):
        """Goes on, unless this is the place to die at."""
        if not self._dies_at(stage, nth):
            return
        if self._death.way == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self.dead.set()
        if self._death.way == "rst":
            reset_on_close(connection)
            connection.close()
        else:
            connection.shutdown(socket.SHUT_WR)
        # Unread bytes would turn a close into a reset; what comes is read and not executed.
        while self._death.way == "fin" and connection.recv(1 << 16):
            pass
        raise Ended


def reset_on_close(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def halves(lines):
    """What is sent of an answer before a death in the middle of it."""
    head = b"HTTP/1.1 200 OK\r\n" + lines
    piece = ANSWER_PIECE
    length = len(piece) * ANSWER_PIECES
    yield "status_line", head[:10]
    yield "answer_head", head + b"Content-Le"
    yield "length_body", head + b"Content-Length: %d\r\n\r\n" % length + piece
    yield "chunked_body", head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % length + piece
    yield "eof_body", head + b"Connection: close\r\n\r\n" + piece


class MortalProcess:
    """The same member in a process of its own, which a death of the way `kill` really kills."""

    MODULE = __name__  # whose main() the process runs
    OUTPUT = None  # where what it prints goes

    def __init__(self, name, listening, ledger, death=None):
        self.name = name
        command = [sys.executable, "-E", "-s", "-S", "-m", self.MODULE, name]
        command += [str(listening.fileno()), ledger.path] + (death.words() if death else [])
        self._process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parents[1],  # where the package `support` is found
            pass_fds=[listening.fileno()],
            stdin=subprocess.PIPE,
            stdout=self.OUTPUT,
        )
        listening.close()

    def wait_dead(self, timeout_s):
        """Its exit status, once it has one."""
        return self._process.wait(timeout_s)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def close(self):
        self.kill()
        self._process.stdin.close()


def main():
    """NAME LISTENING-FD LEDGER [STAGE WAY NTH LASTING], until standard input ends."""
    name, number, path, *words = sys.argv[1:]
    death = Death(words[0], words[1], int(words[2]), bool(words[3])) if words else None
    Mortal(name, socket.socket(fileno=int(number)), Ledger(path), death)
    sys.stdin.read()


if __name__ == "__main__":
    main()
