"""Clients on kept connections that ask without a pause, and what each of them got.

    with SteadyLoad(port) as load:
        load.serve(60)                      # returns after 60 more good answers
        ...
    load.errors()                           # {"POST nothing": 2}

A good answer carries the id of its request and the body made of it. Every other end has a word:

    nothing   the connection ended without a byte
    cut       the head came, and some of the own body
    502, ...  a status, from the balancer or from a member that was asked

Anything else (a foreign id, a body that is not the own one, no end at all) is no outcome but a
fault: `faults`.
"""

import threading
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from .faulty import body_for
from .wire import Connection

WAIT_S = 20.0
BODY_BYTES = 64
# One client each, so that as many of each method are under way when all of them wait.
METHODS = ("GET", "GET", "PUT", "PUT", "POST", "POST")


@dataclass(frozen=True)
class Outcome:
    method: str
    id: str
    word: str
    by: str  # the member that says it answered


def sent_body(method, identity):
    """Tells of its request, so that no other body passes for it."""
    if method == "GET":
        return b""
    text = f"{identity} ".encode()
    return (text * (BODY_BYTES // len(text) + 1))[:BODY_BYTES]


def digest_of(method, identity):
    return sha256(sent_body(method, identity)).hexdigest()[:16]


def request_bytes(method, identity):
    body = sent_body(method, identity)
    head = f"{method} /x HTTP/1.1\r\nHost: lb.test\r\nX-Id: {identity}\r\n"
    if method != "GET":
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def word_of(identity, response):
    # Who is not told waits for ever.
    assert not response.ended.endswith("timed out"), response
    if not response.head:
        assert not response.body, response
        return "nothing"
    own = response.header("X-Id")
    if own is None:
        assert response.status != "200" and response.header("X-Member") is None, response
        return response.status
    assert own == identity.encode(), response
    if response.ended.startswith("cut short"):
        assert body_for(identity).startswith(response.body), response
        return "cut"
    assert response.body == body_for(identity), response
    return "ok" if response.status == "200" else response.status


class HeedfulConnection(Connection):
    """Says when something came."""

    def __init__(self, port, heard):
        super().__init__("127.0.0.1", port, timeout_s=WAIT_S)
        self._heard = heard

    def _fill(self, deadline):
        super()._fill(deadline)
        self._heard()


class SteadyLoad:
    def __init__(self, port):
        self._port = port
        self._changed = threading.Condition()
        self._over = False
        self._answering = set()  # clients whose answer has begun and not ended
        self.outcomes, self.faults = [], []
        self._threads = [
            threading.Thread(target=self._go_on, args=(number, method))
            for number, method in enumerate(METHODS)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        for thread in self._threads:
            thread.join()

    def serve(self, count, by=None):
        """Waits for so many more good answers (of one member)."""
        with self._changed:
            wanted = self._good(by) + count
            enough = self._changed.wait_for(
                lambda: self.faults or self._good(by) >= wanted, WAIT_S
            )
            assert enough and not self.faults, (self.errors(), self.faults)

    def wait_answering(self, count):
        """Until so many clients have got the beginning of an answer and wait for its rest."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self._answering) >= count, WAIT_S)
            assert enough, (self._answering, self._bad())

    def wait_errors(self, count):
        """Until so many answers in all were not good."""
        with self._changed:
            enough = self._changed.wait_for(lambda: sum(self._bad().values()) >= count, WAIT_S)
            assert enough, (self._bad(), self.faults)

    def errors(self):
        """How often clients got what is no good answer: {"METHOD word": count}."""
        with self._changed:
            return dict(self._bad())

    def served(self):
        """Good answers by member."""
        with self._changed:
            return Counter(one.by for one in self.outcomes if one.word == "ok")

    def _good(self, by):
        return sum(one.word == "ok" and by in (None, one.by) for one in self.outcomes)

    def _bad(self):
        return Counter(f"{one.method} {one.word}" for one in self.outcomes if one.word != "ok")

    def _go_on(self, number, method):
        client, asked = None, 0
        while not self._over:
            client = client or HeedfulConnection(self._port, lambda: self._begins(number))
            asked += 1
            identity = f"{method.lower()}-{number}-{asked}"
            client.send(request_bytes(method, identity))
            response = client.read_response(method)
            try:
                word = word_of(identity, response)
            except AssertionError as fault:
                self.faults.append(fault)
                word = "fault"
            if response.will_close:
                client.close()
                client = None
            by = (response.header("X-Member") or b"").decode()
            with self._changed:
                self._answering.discard(number)
                self.outcomes.append(Outcome(method, identity, word, by))
                self._changed.notify_all()
        if client:
            client.close()

    def _begins(self, number):
        with self._changed:
            self._answering.add(number)
            self._changed.notify_all()
