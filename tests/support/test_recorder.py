"""The recording member itself: what it takes for a request, for a fault and for a leftover."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.recorder import Recorder  # noqa: E402
from support.wire import Connection  # noqa: E402

HOST = b"Host: x\r\n"


@pytest.fixture
def recorder():
    one = Recorder()
    yield one
    one.close()


@pytest.fixture
def client(recorder):
    one = Connection("127.0.0.1", recorder.held.port)
    yield one
    one.close()


def test_whole_requests_are_recorded_and_answered_one_by_one(recorder, client):
    client.send(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\nPOST /b HTTP/1.1\r\n" + HOST)
    client.send(b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: 1\r\n\r\n")
    assert [client.read_response().body for _ in range(2)] == [b"answer to /a\n", b"answer to /b\n"]
    seen = recorder.take()
    assert seen.lines == [b"GET /a HTTP/1.1", b"POST /b HTTP/1.1"]
    assert (seen.requests[1].body, seen.requests[1].trailers) == (b"ab", b"T: 1\r\n")
    assert recorder.take().requests == []


@pytest.mark.parametrize(
    "data",
    [
        b"GET  /a HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"X : 1\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"X: a\nb: c\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_a_fault(recorder, client, data):
    client.send(data)
    assert client.closed_by_peer(5.0)
    seen = recorder.take()
    assert (seen.requests, len(seen.faults)) == ([], 1)


def test_what_breaks_off_is_a_leftover(recorder, client):
    client.send(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nab")
    client.close()
    assert recorder.wait_for(lambda seen: seen.leftovers)
    assert recorder.take().requests == []


def test_an_answer_may_come_early_or_in_two_parts(recorder, client):
    recorder.next_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly", early=True)
    recorder.next_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nla", then=b"te")
    client.send(b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n")
    assert client.read_response().body == b"early"
    client.send(b"abGET /b HTTP/1.1\r\n" + HOST + b"\r\n")
    assert client.read_response(timeout_s=0.1).body == b"la"
    recorder.go_on()
    assert client.read_to_end(0.2)[0] == b"te"
    assert recorder.take().lines == [b"POST /a HTTP/1.1", b"GET /b HTTP/1.1"]
