"""A balancer in front of a Recorder, and the questions every attack is judged by."""

import itertools
from dataclasses import dataclass

import pytest

from .ports import HeldPort
from .recorder import Recorder
from .server import Scratch, Server, complete
from .wire import Connection

ANSWER_S = 5.0

# What an attacker wants to get to a member behind the balancer's back.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: lb.test\r\n\r\n"

CONFIG = """\
Listen 127.0.0.1:{port}
KeepAliveTimeout 30
MaxKeepAliveRequests 0
<Location /secret>
    Require all denied
</Location>
<Location /paged>
    Require all denied
    ErrorDocument 403 /page-of-403
</Location>
Redirect /moved http://lb.test/elsewhere
ProxyPass /moved !
ProxyPass /local !
ProxyPass /ws http://{member}/ws upgrade=websocket
ProxyPassMatch (?s)^/here/(.*)$ http://{member}/?x=$1
<Proxy balancer://c>
    BalancerMember http://{member}/sticky route=r1
    ProxySet stickysession=sid
</Proxy>
ProxyPass /sticky/ balancer://c/
<Location /cookies>
    ProxyPassReverseCookiePath /inner /cookies
    ProxyPassReverseCookieDomain inner.test outer.test
</Location>
ProxyPass / http://{member}/
"""


@dataclass
class Reply:
    """What came back for some bytes: the first response, what came behind it, and the end."""

    first: object
    rest: bytes
    closed: bool

    @property
    def status(self):
        return self.first.status


class Fortress:
    """The balancer, its member and a counter for honest clients."""

    def __init__(self, binary, more=""):
        self.member = Recorder()
        self.held = HeldPort()
        self.scratch = Scratch("steelyard-attacks-")
        self.server = Server(binary, self.scratch.path / "balancer")
        self._honest = itertools.count(1)
        more = more.replace("{member}", self.member.address)
        text = CONFIG.format(port=self.held.port, member=self.member.address)
        self.server.start(complete(more + text), [self.held.port])

    def close(self):
        status = self.server.stop()
        self.member.close()
        self.held.close()
        self.scratch.close()
        assert status == 0, f"the balancer ended with {status}"

    def connect(self, receive_bytes=None):
        return Connection("127.0.0.1", self.held.port, ANSWER_S, receive_bytes)

    def ask_until_closed(self, data, method="GET"):
        """Sends the bytes; what came back, up to the end of the connection."""
        connection = self.connect()
        try:
            connection.send(data)
            first = connection.read_response(method)
            rest, closed = connection.read_to_end()
            return Reply(first, rest, closed)
        finally:
            connection.close()

    def honest_exchange(self, connection=None):
        """An ordinary request, which must get its own answer; the line its member sees."""
        target = b"/honest?n=%d" % next(self._honest)
        own = connection or self.connect()
        try:
            own.send(b"GET " + target + b" HTTP/1.1\r\nHost: lb.test\r\n\r\n")
            response = own.read_response()
            told = (response.status, response.body)
            assert told == ("200", b"answer to " + target + b"\n"), f"{target} got {response}"
        finally:
            if connection is None:
                own.close()
        return b"GET " + target + b" HTTP/1.1"

    def expect_only(self, lines):
        """The member saw these requests whole, nothing else and nothing that can be misread."""
        seen = self.member.take()
        told = (seen.lines, seen.faults, seen.leftovers)
        assert told == (lines, [], []), f"the member saw {told!r:.2000}"
        return seen


def each_row(cases):
    """Runs a test with each of the cases as `case`, named by its row and its name."""
    ids = [f"{case.row}-{case.name}" for case in cases]
    assert len(set(ids)) == len(ids)
    return pytest.mark.parametrize("case", cases, ids=ids)
