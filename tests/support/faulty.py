"""A member process whose faults a test drives by what the member has heard, never by the clock.

    one = FaultyProcess("a", port.listening_socket(), ledger)
    one.hold()                # requests that come from now on wait
    one.wait_held(6)          # until so many do
    one.serve()               # later ones are answered at once
    one.answer_held("rst")    # what becomes of those that wait

How a request is answered (`way`):

    honest             200 with the request's id and a body made of it
    503                the same with another status
    drip               the same in pieces, with a pause before each
    half               the head and half of the body, framed by a length; what follows is held
    first_chunk        the same, framed by chunks
    garbage            what is no chunk, behind first_chunk
    two_lengths        two lengths that differ
    length_and_chunks  a length beside chunks
    longer             honest, and behind it an answer that nobody asked for
    rst                the connection is reset (behind half and first_chunk: in mid-body)

A request without an id is a health check: it is not held, unless the member hangs, and not in the
ledger.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

from .mortal import Ended, Ledger, MortalProcess, Request, reset_on_close
from .threaded_member import ThreadedMember

ORDER_WAIT_S = 10.0
# With the pauses an answer takes longer than the time-out of a member that is said to be slow, and
# no single pause does.
DRIP_PIECES = 6
DRIP_PAUSE_S = 0.5
DRIP_TIMEOUT_S = 2
UNFINISHED = ("half", "first_chunk")
STRANGE = b"HTTP/1.1 200 OK\r\nX-Id: nobody-asked\r\nContent-Length: 7\r\n\r\npoison\n"


def body_for(identity):
    """Tells of its request from its first byte on."""
    return f"{identity} is answered\n".encode() * 12


def bytes_of(way, identity, member):
    status = b"503 Not Now" if way == "503" else b"200 OK"
    head = b"HTTP/1.1 %s\r\nX-Member: %s\r\nX-Id: %s\r\n" % (status, member, identity.encode())
    body = body_for(identity)
    length = b"Content-Length: %d\r\n" % len(body)
    chunked = b"Transfer-Encoding: chunked\r\n"
    half = body[: len(body) // 2]
    if way == "half":
        return head + length + b"\r\n" + half
    if way == "first_chunk":
        return head + chunked + b"\r\n%x\r\n%s\r\n" % (len(half), half)
    if way == "garbage":
        return b"zz\r\n" + half
    if way == "two_lengths":
        return head + length + b"Content-Length: 7\r\n\r\n" + body
    if way == "length_and_chunks":
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return head + b"Content-Length: 7\r\n" + chunked + b"\r\n" + chunks
    return head + length + b"\r\n" + body + (STRANGE if way == "longer" else b"")


def is_open(connection):
    """False when the peer has ended it, whether its thread knows or not."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False


class Faulty(ThreadedMember):
    """What runs in the process. `tell` says a line to the test."""

    def __init__(self, name, listening, ledger, tell):
        self._name, self._ledger, self._tell = name.encode(), ledger, tell
        self._mode, self._way = "serve", "honest"
        self._held = {}  # connection: the way it is told to answer, or None
        super().__init__(listening)

    def serve(self, way):
        self._mode, self._way = "serve", way

    def hold(self):
        self._mode = "hold"

    def hang(self):
        self._mode = "hang"

    def refuse(self):
        """Nobody listens any more; connections that are there stay."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()

    def answer_held(self, way):
        with self._changed:
            for connection in self._held:
                self._held[connection] = way
            self._changed.notify_all()
            self._changed.wait_for(lambda: way not in self._held.values())

    def _converse(self, connection):
        unread = b""
        with suppress(Ended):
            while True:
                request = Request(connection, unread)
                request.read_head()
                request.read_body()
                self._exchange(request, connection)
                unread = request.unread

    def _exchange(self, request, connection):
        is_check = request.header(b"x-id") is None
        if not is_check:
            self._ledger.enter(self._name.decode(), request)
        waits = self._mode == "hang" or (self._mode == "hold" and not is_check)
        if not waits:
            return self._answer(self._way, request, connection)
        with self._changed:
            self._held[connection] = None
            self._tell(f"held {request.method} {sum(map(is_open, self._connections))}")
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held[connection] is not None)
                way = self._held[connection]
            try:
                self._answer(way, request, connection)
            except (OSError, Ended):
                self._let_go(connection)
                raise
            if way not in UNFINISHED:
                return self._let_go(connection)
            with self._changed:
                self._held[connection] = None
                self._changed.notify_all()

    def _let_go(self, connection):
        with self._changed:
            del self._held[connection]
            self._changed.notify_all()

    def _answer(self, way, request, connection):
        if way == "rst":
            reset_on_close(connection)
            connection.close()
            raise Ended
        data = bytes_of(way, request.id, self._name)
        if way != "drip":
            return connection.sendall(data)
        size = len(data) // DRIP_PIECES + 1
        for at in range(0, len(data), size):
            time.sleep(DRIP_PAUSE_S)  # the slowness itself
            connection.sendall(data[at : at + size])


class FaultyProcess(MortalProcess):
    """A Faulty in a process of its own. Every order is carried out when its method returns."""

    MODULE = __name__
    OUTPUT = subprocess.PIPE

    def __init__(self, name, listening, ledger):
        super().__init__(name, listening, ledger)
        self._changed = threading.Condition()
        self._done = 0
        self._held = Counter()  # requests that were held since the last answer_held(), by method
        self.connections_max = 0  # how many were open when a request was held
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def serve(self, way="honest"):
        self._order(f"serve {way}")

    def hold(self):
        self._order("hold")

    def hang(self):
        self._order("hang")

    def refuse(self):
        self._order("refuse")

    def answer_held(self, way):
        with self._changed:
            self._held.clear()
        self._order(f"answer_held {way}")

    def wait_held(self, count):
        with self._changed:
            enough = self._changed.wait_for(lambda: self._held.total() >= count, ORDER_WAIT_S)
            assert enough, self._held

    def held(self):
        with self._changed:
            return Counter(self._held)

    def stop(self):
        """As a process that gets no processor any more."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self):
        super().close()
        self._reader.join()
        self._process.stdout.close()

    def _order(self, words):
        with self._changed:
            wanted = self._done + 1
            self._process.stdin.write(f"{words}\n".encode())
            self._process.stdin.flush()
            assert self._changed.wait_for(lambda: self._done >= wanted, ORDER_WAIT_S), words

    def _read(self):
        for line in self._process.stdout:
            word, *rest = line.decode().split()
            with self._changed:
                if word == "done":
                    self._done += 1
                else:
                    method, connections = rest
                    self._held[method] += 1
                    self.connections_max = max(self.connections_max, int(connections))
                self._changed.notify_all()


def main():
    """NAME LISTENING-FD LEDGER; orders come as lines, until standard input ends."""
    name, number, path = sys.argv[1:]

    def tell(line):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())

    one = Faulty(name, socket.socket(fileno=int(number)), Ledger(path), tell)
    for line in sys.stdin:
        order, *words = line.split()
        getattr(one, order)(*words)
        tell("done")
    os._exit(0)  # connections that are held have threads that wait for ever


if __name__ == "__main__":
    main()
