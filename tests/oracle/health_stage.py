"""Members that answer health checks by a script, and what traffic sees of it.

Health checks run by the clock, so the two programs cannot be compared request by request.  Instead
each case has members of its own for either program, both programs run side by side, and a script
says how the Nth check is answered.  Between two checks a few requests tell who serves:

    script   + - - +      a check passes, fails, fails, passes
    seen     M M o o M    before the first check, and after each: M the checked member serves,
                          o only the other one does, n nobody does

A check that has come is not answered before that was asked: then the verdict on the one before it
is certainly known, and no later one can be.  So the sequence does not depend on how fast anything is.
The times between the end of one check and the next are recorded beside it.
"""

import asyncio
import struct
import time
from dataclasses import dataclass, field

from support import ajp

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 503 Bad\r\nContent-Length: 3\r\n\r\nbad"
SAMPLES = 4
CHECK_WAIT_S = 12.0


@dataclass
class Case:
    name: str
    script: str  # One sign a check, see `answers`.
    seen: str  # What apache2 shows, one sign more.
    member: str = ""  # Parameters of the checked member.
    other: str | None = ""  # Parameters of the other member; None: there is none.
    proxy_pass: str = ""
    answers: dict = field(default_factory=dict)  # Further signs, or others for + and -.
    pauses: dict = field(default_factory=dict)  # Sign -> seconds before the answer.
    silent: str = ""  # Signs that are never answered.
    kept: str = ""  # Signs after whose answer the connection stays open.
    traffic: bytes = b""  # What the checked member tells clients; nothing: a plain 200.
    path: str = ""  # Of the member's URL.
    host: str = "127.0.0.1"  # Where the checked member listens.
    scheme: str = "http"  # Of the checked member: http or ajp.
    in_virtual_host: bool = False  # Clients ask a virtual host that has the main server's balancer.
    interval_ms: int = 300

    @property
    def asks_nothing(self):
        return self.member.startswith("hcmethod=TCP")

    @property
    def ends_unseen(self):
        """The member cannot tell exactly when the program was through with a check."""
        return bool(self.asks_nothing or self.silent or self.kept)

    @property
    def slug(self):
        return self.name.replace(" ", "-")


@dataclass
class Checked:
    began: float
    ended: float
    head: bytes


class Member:
    """One listening member.  It tells checks from traffic by X-Client, which only clients send."""

    def __init__(self, sign, case=None):
        self.sign = sign
        self.case = case
        self.checks = []  # Those that were answered.
        self.came = 0
        self._arrived = asyncio.Event()
        self._let_go = asyncio.Semaphore(0)
        self._server = None
        self.port = 0

    async def listen(self, held):
        self.port = held.port
        self._server = await asyncio.start_server(self._serve, sock=held.listening_socket())

    @property
    def address(self):
        host = self.case.host if self.case else "127.0.0.1"
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    async def close(self):
        self._server.close()

    async def _serve(self, reader, writer):
        began = time.monotonic()
        try:
            while await self._exchange(reader, writer, began):
                began = time.monotonic()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader, writer, began):
        """True while the connection may bring another request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            if self.case and self.case.asks_nothing and not cut.partial:
                self._arrive()
                self.checks.append(Checked(began, began, b""))
            return False
        if b"X-Client" in head:
            writer.write(self._traffic())
            await writer.drain()
            return True
        self._arrive()
        await self._let_go.acquire()
        sign = self._next_sign()
        await asyncio.sleep(self.case.pauses.get(sign, 0.0))
        ended = time.monotonic()
        if sign not in self.case.silent:
            writer.write(self._answer(sign, head))
            await writer.drain()
        if sign in self.case.silent + self.case.kept:
            await reader.read()  # Until the program gives up, or has enough.
            ended = time.monotonic()
        self.checks.append(Checked(began, ended, head))
        return False

    def _answer(self, sign, head):
        answer = {"+": OK, "-": BAD, **self.case.answers}[sign]
        return answer(head) if callable(answer) else answer

    def _traffic(self):
        if self.case and self.case.traffic:
            return self.case.traffic
        return b"HTTP/1.1 200 OK\r\nX-Member: %s\r\nContent-Length: 0\r\n\r\n" % self.sign.encode()

    def _next_sign(self):
        script = self.case.script
        return script[min(len(self.checks), len(script) - 1)]

    def _arrive(self):
        self.came += 1
        self._arrived.set()

    def let_go(self):
        """The check that waits for its answer, or the next, is answered."""
        self._let_go.release()

    async def wait_for_check(self, number):
        """Until that many have come.  False when they do not."""
        deadline = time.monotonic() + CHECK_WAIT_S
        while self.came < number:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), deadline - time.monotonic())
            except asyncio.TimeoutError:
                return False
        return True


class AjpMember(Member):
    """The same for AJP13: every CPING is a check, every other packet traffic."""

    async def _exchange(self, reader, writer, began):
        head = await reader.readexactly(4)
        packet = head + await reader.readexactly(struct.unpack(">2xH", head)[0])
        if packet[4:] != b"\x0a":
            writer.write(ajp.send_headers(200, "OK", [(b"X-Member", self.sign.encode())]))
            writer.write(ajp.end())
            await writer.drain()
            return True
        self._arrive()
        await self._let_go.acquire()
        writer.write(self._answer(self._next_sign(), packet))
        await writer.drain()
        self.checks.append(Checked(began, time.monotonic(), packet))
        return False


def member_for(sign, case):
    return (AjpMember if case.scheme == "ajp" else Member)(sign, case)


async def ask(port, slug):
    """Who answers: the member's sign, or the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        request = f"GET /{slug}/x HTTP/1.1\r\nHost: lb.test\r\nX-Client: 1\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        head = (await asyncio.wait_for(reader.read(), 5.0)).split(b"\r\n\r\n")[0]
    finally:
        writer.close()
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"x-member: "):
            return line[10:].decode()
    return head[9:12].decode()


@dataclass
class Outcome:
    """What one program did with one case."""

    seen: str = ""
    statuses: list = field(default_factory=list)
    checks: list = field(default_factory=list)

    @property
    def gaps_ms(self):
        pairs = zip(self.checks, self.checks[1:])
        return [round(1000 * (after.began - before.ended)) for before, after in pairs]


async def look(port, case):
    """One sign for who is in service now, and the answers it was told by."""
    answers = [await ask(port, case.slug) for _ in range(SAMPLES)]
    if "M" in answers:
        return "M", answers
    return ("o" if "o" in answers else "n"), answers


async def follow(port, case, member):
    """The whole script of one case at one program."""
    outcome = Outcome()
    for number in range(1, len(case.script) + 2):
        if not await member.wait_for_check(number):
            outcome.seen += "?"
            break
        sign, answers = await look(port, case)
        outcome.seen += sign
        outcome.statuses.append(answers)
        member.let_go()
    outcome.checks = member.checks[: len(case.script)]
    return outcome
