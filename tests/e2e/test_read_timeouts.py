"""RequestReadTimeout with MinRate: what comes buys time, and when it is used up a 408 is due.

Asserted are who is cut off before whom and that nobody is too early; httpd passes the same.
"""

import select
import time

import pytest
from support.server import APACHE, Server, complete
from support.wire import Connection

CONFIG = """\
Listen 127.0.0.1:{port}
RequestReadTimeout {limits}
ProxyPass / http://{member}/
"""
HEAD = b"GET / HTTP/1.1\r\nHost: lb.test\r\n"
POST = b"POST / HTTP/1.1\r\nHost: lb.test\r\nContent-Length: %d\r\n\r\n"


class Stage:
    def __init__(self, binary, scratch, port, farm):
        self.server, self.port, self.farm = Server(binary, scratch), port, farm
        self.member = farm.member("M1")

    def start(self, limits):
        text = CONFIG.format(port=self.port.port, limits=limits, member=self.member.address)
        self.server.start(complete(text), [self.port.port])

    def talk(self, data):
        """A connection on which this was sent, and since when it has existed."""
        began = time.monotonic()
        connection = Connection("127.0.0.1", self.port.port, timeout_s=15)
        connection.send(data)
        return connection, began

    def cut_off(self, talks):
        """Names in the order in which they are answered, after how many seconds, and all by 408."""
        waiting = {connection.socket: name for name, (connection, _) in talks.items()}
        order, seconds = [], {}
        while waiting:
            ready = select.select(list(waiting), [], [], 15)[0]
            assert ready, f"no answer for {sorted(waiting.values())}"
            for socket in ready:
                name = waiting.pop(socket)
                connection, began = talks[name]
                order.append(name)
                seconds[name] = time.monotonic() - began
                assert connection.read_response().status == "408", name
                assert connection.closed_by_peer(5)
        return order, seconds

    def close(self):
        self.server.stop()
        self.farm.retire([self.member])


@pytest.fixture(params=["httpd", "steelyard"])
def stage(request, binary, scratch, port, farm):
    one = Stage(APACHE if request.param == "httpd" else binary, scratch, port, farm)
    yield one
    one.close()


def head_of(size):
    """That many bytes of a request's head in whole lines, without its end."""
    return HEAD + b"X-Long: " + b"x" * (size - len(HEAD) - 10) + b"\r\n"


def test_what_comes_buys_time_at_the_rate(stage):
    stage.start("header=1,MinRate=100 body=1,MinRate=100")
    talks = {
        "no body": stage.talk(POST % 1000),
        "little of a head": stage.talk(HEAD),
        "much of a head": stage.talk(head_of(180)),
        "much of a body": stage.talk(POST % 1000 + b"x" * 180),
    }
    order, seconds = stage.cut_off(talks)
    assert order[:2] == ["no body", "little of a head"]
    assert seconds["no body"] >= 1
    assert seconds["little of a head"] >= 1 + len(HEAD) / 100
    assert min(seconds["much of a head"], seconds["much of a body"]) >= 2.8


def test_nothing_buys_more_than_the_most(stage):
    stage.start("header=1-2,MinRate=100 body=1-2,MinRate=100")
    talks = {
        "some of a head": stage.talk(head_of(60)),
        "some of a body": stage.talk(POST % 9000 + b"x" * 60),
        "much of a head": stage.talk(head_of(6000)),
        "much of a body": stage.talk(POST % 9000 + b"x" * 6000),
    }
    order, seconds = stage.cut_off(talks)
    assert sorted(order[:2]) == ["some of a body", "some of a head"]
    assert min(seconds.values()) >= 1.6
    assert min(seconds["much of a head"], seconds["much of a body"]) >= 2
    assert all(len(got.body) < 9000 for got in stage.member.received)


def test_without_a_rate_nothing_buys_time(stage):
    """Else the first would have its answer after more than a minute."""
    stage.start("header=2 body=2")
    talks = {
        "much of a head": stage.talk(head_of(6000)),
        "little of a head": stage.talk(HEAD),
        "much of a body": stage.talk(POST % 9000 + b"x" * 6000),
        "no body": stage.talk(POST % 9000),
    }
    _, seconds = stage.cut_off(talks)
    assert min(seconds.values()) >= 2


def test_who_keeps_the_rate_is_served(stage):
    stage.start("header=1,MinRate=100 body=1,MinRate=100")
    slow_head, began = stage.talk(HEAD)
    slow_body, _ = stage.talk(POST % 560)
    for number in range(7):
        time.sleep(0.4)
        slow_head.send(b"X-%d: " % number + b"x" * 80 + b"\r\n")
        slow_body.send(b"x" * 80)
    slow_head.send(b"\r\n")
    assert [one.read_response().status for one in (slow_head, slow_body)] == ["200", "200"]
    assert time.monotonic() - began >= 2.8
    served = {got.head.split(b" ")[0]: got for got in stage.member.received}
    assert served[b"GET"].header("X-6") == b"x" * 80
    assert served[b"POST"].body == b"x" * 560
