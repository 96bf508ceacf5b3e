"""Scriptable members: many listening addresses served by one event loop in one thread.

Each member records every request exactly as it came in and answers what the request asks for
(ask.py).  A test may take a member down, let it refuse, bring it back, or tell it what to answer.

    farm = Farm()
    m1 = farm.member("M1")              # listens on a port of its own
    ... requests ...
    m1.received[0].head, m1.received[0].body

Threads: members run on the farm's thread; the public methods may be called from any other thread
and return when their effect is complete.
"""

import argparse
import asyncio
import os
import socket
import struct
import sys
import threading
from dataclasses import dataclass

from . import ask as asking
from .ports import HeldPort

HEAD_BYTES_MAX = 1 << 20
FIXED_DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"


@dataclass
class Received:
    """One request as it arrived.  `body` grows until `complete`; `chunked` tells the framing."""

    member: str
    connection: int
    nth: int
    head: bytes
    body: bytes = b""
    trailers: bytes = b""
    length: int | None = None
    chunked: bool = False
    complete: bool = False
    answered_early: bool = False

    @property
    def target(self):
        words = self.head.split(b"\r\n", 1)[0].split(b" ")
        return words[1] if len(words) > 1 else b""

    def header(self, name):
        wanted = name.lower().encode() + b":"
        for line in self.head.split(b"\r\n")[1:]:
            if line.lower().startswith(wanted):
                return line.split(b":", 1)[1].strip()
        return None


class Gates:
    """Answers that wait for the test's word: hold=WORD waits until WORD is released."""

    def __init__(self, farm):
        self._farm = farm
        self._events = {}

    def gate(self, word):
        return self._events.setdefault(word, asyncio.Event())

    def release(self, word):
        """Lets every answer held on `word` go, now and later."""
        self._farm.run(self._open([word]))

    def await_open(self, word):
        """Returns once WORD is released, by the test or by a member."""
        self._farm.run(self.gate(word).wait())

    def reset(self):
        """Lets everything go and starts afresh."""
        self._farm.run(self._open(list(self._events)))
        self._events.clear()

    async def _open(self, words):
        for word in words:
            self.gate(word).set()


class Member:
    """One address.  `answer` (an Ask) is what it says when the request's query says nothing."""

    def __init__(self, farm, name, path=None, gates=None):
        self.farm = farm
        self.name = name
        self.gates = gates or Gates(farm)
        self.path = path
        self.held = None if path else HeldPort()
        self.answer = None
        self.received = []
        self._connections = 0
        self._writers = set()
        self._server = None

    @property
    def address(self):
        return self.path or str(self.held)

    def listen(self):
        self.farm.run(self._listen())

    def refuse(self):
        """Stops listening; connections that exist stay."""
        self.farm.run(self._refuse())

    def kill(self):
        """As if the process died: nobody listens and every connection is closed."""
        self.farm.run(self._kill())

    def hang_up(self):
        """Closes every connection that exists; keeps listening."""
        self.farm.run(self._hang_up())

    def forget(self):
        """Back to a fresh start: listening, no records, no standing answer."""
        self.farm.run(self._forget())

    def wait_for(self, count, timeout_s=5.0):
        """True when `count` requests have arrived in total."""
        with self.farm.changed:
            return self.farm.changed.wait_for(lambda: len(self.received) >= count, timeout_s)

    @property
    def open_connections(self):
        return len(self._writers)

    def left_alone(self, timeout_s=5.0):
        """True when nobody is connected any more (or everybody leaves within the time)."""
        with self.farm.changed:
            return self.farm.changed.wait_for(lambda: not self._writers, timeout_s)

    async def _listen(self):
        if self._server:
            return
        if self.path:
            if os.path.exists(self.path):
                os.unlink(self.path)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.bind(self.path)
            os.chmod(self.path, 0o777)
            sock.listen(128)
        else:
            sock = self.held.listening_socket()
        self._server = await asyncio.start_server(self._serve, sock=sock, limit=HEAD_BYTES_MAX)

    async def _refuse(self):
        if self._server:
            self._server.close()
            self._server = None

    async def _hang_up(self):
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)  # One turn of the loop: the closes are carried out there.

    async def _kill(self):
        await self._refuse()
        await self._hang_up()

    async def _forget(self):
        await self._hang_up()
        await self._listen()
        self.received = []
        self.answer = None
        self._connections = 0

    async def _serve(self, reader, writer):
        self._connections += 1
        number = self._connections
        self._writers.add(writer)
        try:
            nth = 0
            while True:
                nth += 1
                if not await self._exchange(reader, writer, number, nth):
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
            pass  # The proxy hung up or talked nonsense: what arrived is on record.
        finally:
            with self.farm.changed:
                self._writers.discard(writer)
                self.farm.changed.notify_all()
            writer.close()

    async def _exchange(self, reader, writer, number, nth):
        head = await reader.readuntil(b"\r\n\r\n")
        got = Received(self.name, number, nth, head)
        ask = asking.from_target(got.target, self.name, self.answer)
        encoding = (got.header("Transfer-Encoding") or b"").lower()
        got.chunked = encoding == b"chunked"
        length = got.header("Content-Length")
        got.length = int(length) if length and length.isdigit() else None
        got.answered_early = ask.early
        self._record(got)
        if got.header("Expect") and not ask.no100 and not ask.early and not ask.drop:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
        if ask.early:
            keep = await self._answer(ask, got, writer)
            if keep:
                await self._read_body(reader, got)
            return keep
        await self._read_body(reader, got)
        return await self._answer(ask, got, writer)

    def _record(self, got):
        with self.farm.changed:
            self.received.append(got)
            self.farm.changed.notify_all()

    async def _read_body(self, reader, got):
        pieces = []
        try:
            if got.chunked:
                while True:
                    size = int((await reader.readuntil(b"\n")).split(b";")[0], 16)
                    if size == 0:
                        break
                    pieces.append((await reader.readexactly(size + 2))[:-2])
                while (line := await reader.readuntil(b"\n")) not in (b"\r\n", b"\n"):
                    got.trailers += line
            elif got.length:
                left = got.length
                while left:
                    piece = await reader.read(min(left, 1 << 16))
                    if not piece:
                        raise asyncio.IncompleteReadError(b"", left)
                    pieces.append(piece)
                    left -= len(piece)
            got.complete = True
        finally:
            got.body = b"".join(pieces)

    async def _answer(self, ask, got, writer):
        """Carries out the wish; False when the connection is to be closed after it."""
        if ask.hold:
            await self.gates.gate(ask.hold).wait()
        if ask.delay:
            await asyncio.sleep(ask.delay)
        for status, lines in zip(ask.interim, _spread(ask.interim_headers, len(ask.interim))):
            writer.write(b"HTTP/1.1 " + status + b" Interim\r\n" + lines + b"\r\n")
        if ask.reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        if ask.drop or (ask.stale and got.nth > 1):
            return False
        data, keep = compose(ask, got, self.name.encode())
        if ask.raw is not None:
            data, keep = ask.raw, ask.rawkeep
        if not keep and not self.path:
            # The last bytes and the end travel together: no peer finds the connection still open.
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        writer.write(data)
        if not keep:
            writer.write_eof()
        await writer.drain()
        return keep


def _spread(lines, count):
    """Gives every interim answer its header line, if there is one."""
    for i in range(count):
        yield lines[i] + b"\r\n" if i < len(lines) else b""


def compose(ask, got, name):
    """The answer's bytes, and whether the connection may serve another request."""
    method = got.head.split(b" ", 1)[0]
    body = ask.body if ask.body is not None else name + b"\n"
    if ask.size is not None:
        body = (b"0123456789abcdef" * (ask.size // 16 + 1))[: ask.size]
    bodiless = ask.status in (204, 304) or method == b"HEAD"
    lines = b"HTTP/%s %d %s\r\n" % (ask.version, ask.status, ask.reason)
    if not ask.plain:
        lines += FIXED_DATE + b"Server: member\r\n"
    lines += b"X-Member: " + name + b"\r\n"
    if ask.chunked:
        lines += b"Transfer-Encoding: chunked\r\n"
        pieces = [body[i : i + ask.chunked] for i in range(0, len(body), ask.chunked)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        body += b"0\r\n" + b"".join(line + b"\r\n" for line in ask.trailers) + b"\r\n"
    elif not ask.eof and ask.status != 204:
        announced = ask.length if ask.length is not None else len(body)
        lines += b"Content-Length: %d\r\n" % announced
    lines += b"".join(line + b"\r\n" for line in ask.headers)
    asked_to_close = (got.header("Connection") or b"").lower() == b"close"
    over = ask.close or ask.eof or ask.length is not None or ask.version == b"1.0"
    if ask.close:
        lines += b"Connection: close\r\n"
    keep = not (over or asked_to_close or got.head.split(b"\r\n")[0].endswith(b"/1.0"))
    return lines + b"\r\n" + (b"" if bodiless else body), keep


class Farm:
    """All members of a test run and the thread that serves them."""

    def __init__(self):
        self.changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._members = []

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def member(self, name, path=None, gates=None, kind=None):
        """`kind`: a class of members; Member itself speaks HTTP/1."""
        member = (kind or Member)(self, name, path, gates)
        member.listen()
        self._members.append(member)
        return member

    def retire(self, members):
        for member in members:
            member.gates.reset()
            member.kill()
            if member.held:
                member.held.close()
            else:
                os.unlink(member.path)
            self._members.remove(member)

    def close(self):
        self.retire(list(self._members))
        self.run(self._finish_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish_tasks(self):
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def main():
    """Serves members until standard input ends; prints one NAME ADDRESS line each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="+", help="M1 M2 ..., or a path for a unix socket")
    farm = Farm()
    for name in parser.parse_args().names:
        member = farm.member(name, name if "/" in name else None)
        print(name, member.address, flush=True)
    sys.stdin.read()
    farm.close()


if __name__ == "__main__":
    main()
