"""Containers that speak AJP13 as they should and as they should not.

What httpd does in the same place is compared in tests/oracle/scenarios/ajp.py; here is what must
hold whatever httpd does: nothing of one exchange reaches another, and no answer that broke off
looks complete.  Rows of the known attacks on proxies: 103, 104, 105 and 111.
"""

import random
import threading

import pytest
from support.ajp import Container, body_chunk, end, reply, send_headers, string
from support.ask import Ask
from support.member import Gates
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, PROJECT, Scratch, Server, complete
from support.wire import Connection

LOAD = f"LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so\n"
CONFIG = """\
Listen 127.0.0.1:{port}
ProxyTimeout 5
ProxyPass /one ajp://{one}/t retry=0 secret=s3cr
ProxyPass /ping ajp://{two}/t retry=0 ping=300ms
<Proxy balancer://pair>
    BalancerMember ajp://{two} ping=300ms route=r2
    BalancerMember ajp://{one}/pair route=r1 status=+H
</Proxy>
ProxyPass /pair balancer://pair
"""


class Stage:
    """One program with two containers for a whole file."""

    def __init__(self, binary, farm):
        self.scratch = Scratch("steelyard-ajp-")
        self.port = HeldPort()
        self.gates = Gates(farm)
        self.farm = farm
        self.one = farm.member("J1", None, self.gates, Container)
        self.two = farm.member("J2", None, self.gates, Container)
        self.server = Server(binary, self.scratch.path)
        text = CONFIG.format(port=self.port.port, one=self.one.address, two=self.two.address)
        self.server.start(complete(LOAD + text), [self.port.port])

    def connect(self):
        return Connection("127.0.0.1", self.port.port)

    def ask(self, target, *lines, method="GET", body=None, version="1.1"):
        connection = self.connect()
        try:
            connection.send(request(target, *lines, method=method, body=body, version=version))
            return connection.read_response(method)
        finally:
            connection.close()

    def serves(self):
        """The next client gets its own answer, and its container its own request."""
        before = len(self.one.received)
        response = self.ask("/one/next?ajp=headers,chunk:mine,end")
        assert (response.status, response.body, response.ended) == ("200", b"mine", "chunked")
        assert [got.forward.path for got in self.one.received[before:]] == ["/t/next"]

    def forget(self):
        self.gates.reset()
        self.one.forget()
        self.two.forget()

    def close(self):
        self.gates.reset()
        self.server.stop()
        self.farm.retire([self.one, self.two])
        self.port.close()
        self.scratch.close()


def request(target, *lines, method="GET", body=None, version="1.1"):
    head = [f"{method} {target} HTTP/{version}", "Host: lb.test", *lines]
    if body is not None:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (body or b"")


@pytest.fixture(scope="module")
def lasting_stage(binary, farm):
    one = Stage(binary, farm)
    yield one
    one.close()


@pytest.fixture
def stage(lasting_stage):
    lasting_stage.forget()
    yield lasting_stage
    assert lasting_stage.server.process.poll() is None


def hexed(*packets):
    return "bytes:" + b"".join(packets).hex()


HEADERS = send_headers(200, "OK", [])
FIELD = b"\x04\x00\xc8" + string("OK")

# An answer that never began well: the client hears of a failure, and of nothing else.
NO_ANSWER = {
    "nothing": "drop",
    "a reset": "reset",
    "one byte": "bytes:41,drop",
    "half a packet's head": "bytes:414200,drop",
    "half a packet": hexed(HEADERS[:-1]) + ",drop",
    "headers and no more": "headers,drop",
    "an end without headers": "end",
    "a flush without headers": "flush,drop",
    "a body without headers": "chunk:poison,end",
    "a body before its headers": "chunk:poison,headers,end",
    "a wrong magic": "bytes:4141000205ff",
    "our own magic": hexed(b"\x12\x34" + HEADERS[2:], end()),
    "HTTP": hexed(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"),
    "an empty packet": "bytes:41420000",
    "a packet over the buffer": "bytes:4142ffff04",
    "a packet one byte over the buffer": "bytes:41421ffd04",
    "a kind that is none": hexed(reply(b"\x07poison")),
    "a shutdown": hexed(reply(b"\x07")),
    "a pong": "pong,drop",
    "a string past the packet": hexed(reply(b"\x04\x00\xc8\xff\xf0OK\x00")),
    "a string of 65535": hexed(reply(FIELD + b"\x00\x01\xff\xfea\x00")),
    "no NUL": hexed(reply(b"\x04\x00\xc8\x00\x02OKX\x00\x00")),
    "no fields where one is told": hexed(reply(FIELD + b"\x00\x01")),
    "65535 fields": hexed(reply(FIELD + b"\xff\xff")),
    "a field number that is none": hexed(reply(FIELD + b"\x00\x01\xa0\x0c" + string("a"))),
    "a split value": hexed(reply(FIELD + b"\x00\x01" + string("X") + string("a\r\nX-Poison: 1"))),
    "a split name": hexed(reply(FIELD + b"\x00\x01" + string("X: 1\r\nX-Poison") + string("1"))),
    "an empty name": hexed(reply(FIELD + b"\x00\x01" + string("") + string("1"))),
    "a NUL in a value": hexed(reply(FIELD + b"\x00\x01" + string("X") + string("a\0b"))),
    "surplus behind the fields": hexed(reply(FIELD + b"\x00\x00poison")),
    "a status of 0": hexed(send_headers(0, "OK", []), end()),
    "a status of 101": hexed(send_headers(101, "OK", []), end()),
    "a status of 1000": hexed(send_headers(1000, "OK", []), end()),
    "headers twice": "headers,headers,end",
    "a chunk past its packet": "headers," + hexed(reply(b"\x03\xff\xffpoison\x00"), end()),
    "a chunk with a byte too many": "headers," + hexed(reply(b"\x03\x00\x01ab\x00"), end()),
    "a chunk without its last byte": "headers," + hexed(reply(b"\x03\x00\x02ab"), end()),
    "a chunk without a length": "headers," + hexed(reply(b"\x03"), end()),
    "an end that says too much": "headers," + hexed(reply(b"\x05\x01\x01")),
    "an end that says too little": "headers," + hexed(reply(b"\x05")),
    "an endless wish for body": ",".join(100 * ["want"]) + ",headers,end",
}

# One that did: the client sees that it has no end.
CUT_SHORT = {
    "a hang-up": "drop",
    "a reset": "reset",
    "half a packet": hexed(body_chunk(b"poison")[:-2]) + ",drop",
    "a wrong magic": hexed(b"XX" + end()[2:]),
    "headers": "headers,end",
    "a pong": "pong,end",
    "a chunk past its packet": hexed(reply(b"\x03\xff\xffpoison\x00"), end()),
    "an end that says too much": hexed(reply(b"\x05\x01\x01")),
    "an end that says too little": hexed(reply(b"\x05")),
    "a flush and a hang-up": "flush,drop",
}


@pytest.mark.parametrize("words", NO_ANSWER.values(), ids=NO_ANSWER.keys())
def test_105_what_is_no_answer_is_a_failure(stage, words):
    response = stage.ask(f"/one/h?ajp={words}")
    assert response.status == "500"
    assert b"poison" not in response.head + response.body
    assert response.header("X-Poison") is None
    stage.serves()


@pytest.mark.parametrize("words", CUT_SHORT.values(), ids=CUT_SHORT.keys())
def test_an_answer_that_breaks_off_does_not_look_complete(stage, words):
    for version in ("1.1", "1.0"):
        response = stage.ask(f"/one/h?ajp=headers,chunk:begin,{words}", version=version)
        if response.status != "200":  # A reset takes along what was not read yet.
            assert (words, response.status) == ("reset", "500")
        elif version == "1.1":
            assert response.body == b"begin"
            assert response.ended.startswith("cut short")
        stage.serves()


def test_an_answer_that_breaks_off_resets_a_client_that_reads_to_the_end(stage):
    connection = stage.connect()
    connection.send(request("/one/h?ajp=headers,chunk:begin,hold:go,drop", version="1.0"))
    connection.await_data()
    stage.gates.release("go")
    with pytest.raises(ConnectionResetError):
        while connection.socket.recv(1 << 16):
            pass
    connection.close()


def test_a_trusted_length_that_lies_is_no_end(stage):
    # Without ap_trust_cgilike_cl the length is nobody's business.
    response = stage.ask("/one/h?ajp=headers,chunk:four,end&length=99")
    assert (response.body, response.ended, response.header("Content-Length")) == (
        b"four", "chunked", None,
    )


SECOND = "headers,chunk:poison,end"


@pytest.mark.parametrize(
    "words",
    [SECOND, "end", "chunk:poison,end", "bytes:41", "flush", "want", "pong", "bytes:585858585858"],
)
def test_111_what_follows_the_end_reaches_nobody(stage, words):
    response = stage.ask(f"/one/h?ajp=headers,chunk:own,end,{words},mark:done")
    assert (response.body, response.ended) == (b"own", "chunked")
    stage.gates.await_open("done")
    stage.serves()
    stage.serves()


@pytest.mark.parametrize("words", [SECOND, "end", "bytes:41", "want"])
def test_111_what_follows_the_end_later_reaches_nobody(stage, words):
    response = stage.ask(f"/one/h?ajp=headers,chunk:own,end,hold:go,{words},mark:done")
    assert response.body == b"own"
    stage.gates.release("go")
    stage.gates.await_open("done")
    stage.serves()
    stage.serves()


@pytest.mark.parametrize("method, status", [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_111_a_body_where_none_belongs_reaches_nobody(stage, method, status):
    response = stage.ask(f"/one/h?status={status}&ajp=headers,chunk:poison,end", method=method)
    assert (response.status, response.body) == (str(status), b"")
    stage.serves()


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: chunked, foo",),
        ("Transfer-Encoding: foo, chunked",),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding : chunked",),
        ("Content-Length: 5", "Content-Length: 6"),
    ],
)
def test_103_a_body_that_can_be_read_in_two_ways_is_refused(stage, lines):
    inner = b"5\r\nhello\r\n0\r\n\r\n" + request("/one/smuggled")
    connection = stage.connect()
    connection.send(request("/one/b", *lines, method="POST") + inner)
    response = connection.read_response("POST")
    assert response.status in ("400", "501")
    connection.close()
    assert stage.one.received == []


def test_103_a_body_travels_as_announced(stage):
    data = bytes(range(256)) * 100
    response = stage.ask("/one/b", method="POST", body=data)
    assert response.status == "200"
    got = stage.one.received[-1]
    assert got.body == data
    assert got.data[0] == 8186
    assert 0 not in got.data


def test_103_a_body_that_never_comes_is_not_made_up(stage):
    for sent in (b"", b"hello", 9000 * b"x"):
        connection = stage.connect()
        head = b"POST /one/b HTTP/1.1\r\nHost: lb.test\r\nContent-Length: 20000\r\n\r\n"
        connection.send(head + sent)
        connection.half_close()
        assert connection.read_response("POST").status == "400"
        connection.close()
        assert not any(got.complete for got in stage.one.received)
        stage.serves()


def test_a_client_that_waits_for_leave_to_send_gets_it(stage):
    connection = stage.connect()
    head = "POST /one/b HTTP/1.1\r\nHost: lb.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    connection.send(head.encode())
    assert b" 100 " in connection.read_response("POST", interim_only=True).interim[0]
    connection.send(b"hello")
    assert connection.read_response("POST").status == "200"
    assert stage.one.received[-1].body == b"hello"
    connection.close()


def test_104_what_a_client_says_stays_a_field(stage):
    stage.ask("/one/f", "secret: other", "remote_user: root", "AJP_REMOTE_PORT: 1")
    forward = stage.one.received[-1].forward
    attributes = [name for name, _ in forward.attributes]
    assert attributes == ["secret", "AJP_REMOTE_PORT", "AJP_LOCAL_ADDR"]
    assert forward.attribute("secret") == "s3cr"
    assert forward.attribute("AJP_REMOTE_PORT") != "1"
    assert forward.value("secret") == "other"


def test_flushed_bytes_are_with_the_client_before_the_end(stage):
    connection = stage.connect()
    connection.send(request("/one/f?ajp=headers,chunk:first,flush,hold:go,chunk:last,end"))
    connection.await_data()
    stage.gates.release("go")
    response = connection.read_response()
    assert (response.body, response.ended) == (b"firstlast", "chunked")
    connection.close()


def test_a_body_flows_while_the_answer_does(stage):
    data = 30000 * b"x"
    response = stage.ask(
        "/one/b?ajp=data,headers,chunk:a,ask,ask,ask,ask,chunk:b,end", method="POST", body=data
    )
    assert (response.body, response.ended) == (b"ab", "chunked")
    assert stage.one.received[-1].body == data


@pytest.mark.parametrize(
    "pong", ["drop", "reset", "hold:never", "bytes:414200020900", "headers,end"]
)
def test_a_container_that_does_not_pong_gets_no_request(stage, pong):
    stage.farm.run(set_answer(stage.two, pong))
    assert stage.ask("/ping/x").status == "503"
    # One that is only asked for its place falls to the other.
    assert stage.ask("/pair/x?q", method="POST", body=b"hello").status == "200"
    assert all(got.forward is None for got in stage.two.received)
    assert stage.one.received[-1].body == b"hello"


async def set_answer(member, pong):
    member.answer = Ask(pong=pong)


def test_a_pong_that_brings_an_answer_along_reaches_nobody(stage):
    stage.farm.run(set_answer(stage.two, "pong,headers,chunk:poison,end"))
    response = stage.ask("/ping/x")
    assert b"poison" not in response.body
    stage.farm.run(set_answer(stage.two, "pong"))
    response = stage.ask("/ping/x?ajp=headers,chunk:own,end")
    assert response.body == b"own"


CHECKED = """\
LoadModule proxy_hcheck_module {modules}/mod_proxy_hcheck.so
Listen 127.0.0.1:{port}
<Proxy balancer://pair>
    BalancerMember ajp://{one} hcmethod=CPING hcinterval=200ms
    BalancerMember ajp://{two} status=+H
</Proxy>
ProxyPass / balancer://pair/
"""


def test_a_container_is_checked_by_pings(binary, farm, scratch, port):
    gates = Gates(farm)
    pair = [farm.member(name, None, gates, Container) for name in ("J1", "J2")]
    one, two = pair
    server = Server(binary, scratch)
    text = CHECKED.format(
        modules=MODULE_DIRECTORY, port=port.port, one=one.address, two=two.address
    )

    def served_by():
        connection = Connection("127.0.0.1", port.port)
        connection.send(request("/x?ajp=headers,whole,end"))
        response = connection.read_response()
        connection.close()
        return response.body.decode().strip()

    try:
        server.start(complete(LOAD + text), [port.port])
        assert until(lambda: one.pings >= 2)
        assert served_by() == "J1"
        for pong, serves in (("drop", "J2"), ("pong", "J1"), ("headers,end", "J2"), ("pong", "J1")):
            farm.run(set_answer(one, pong))
            assert until(lambda wanted=serves: served_by() == wanted)
    finally:
        server.stop()
        farm.retire(pair)


def test_the_example_is_a_configuration_for_both_programs(binary, scratch):
    text = (PROJECT / "examples/tomcat_ajp/httpd.conf").read_text()
    for program in (binary, APACHE):
        status, said = Server(program, scratch / "example").check(text)
        assert status == 0, said


FAULTS = [*NO_ANSWER.values(), *(f"headers,chunk:begin,{words}" for words in CUT_SHORT.values()),
          "headers," + hexed(body_chunk(b"own"), end(), HEADERS, body_chunk(b"poison"), end())]


def test_many_clients_beside_a_container_that_fails_in_every_way(stage):
    """Each honest answer is the one that its request asked for."""
    wrong = []

    def client(seed):
        choice = random.Random(seed)
        for number in range(40):
            name = f"c{seed}n{number}"
            if choice.random() < 0.4:
                stage.ask(f"/one/{name}?ajp={choice.choice(FAULTS)}")
                continue
            response = stage.ask(f"/one/{name}?ajp=headers,chunk:{name},end")
            if (response.status, response.body) != ("200", name.encode()):
                wrong.append((name, response))

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(6)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert wrong == []
