"""The test pieces themselves: members record and answer exactly, the client cuts responses right."""

import socket
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import ask as asking  # noqa: E402
from support.member import Farm  # noqa: E402
from support.ports import HeldPort  # noqa: E402
from support.wire import Connection  # noqa: E402


@pytest.fixture(scope="module")
def farm():
    one = Farm()
    yield one
    one.close()


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


def talk(member, data, method="GET"):
    connection = Connection("127.0.0.1", member.held.port)
    connection.send(data)
    response = connection.read_response(method)
    return connection, response


def test_a_request_is_recorded_byte_for_byte(member):
    head = b"POST /x?y HTTP/1.1\r\nhOsT:  a \r\nX:\t1\r\nContent-Length: 3\r\n\r\n"
    talk(member, head + b"a\r\n")
    got = member.received[0]
    assert (got.head, got.body, got.length, got.complete) == (head, b"a\r\n", 3, True)
    assert (got.connection, got.nth) == (1, 1)


def test_a_chunked_body_is_joined_and_its_trailers_kept(member):
    talk(
        member,
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT:"
            b" 1\r\n\r\n"
        ),
    )
    got = member.received[0]
    assert (got.body, got.trailers, got.chunked) == (b"abc", b"T: 1\r\n", True)


def test_the_query_decides_the_answer(member):
    connection, response = talk(
        member,
        b"GET /?status=404&reason=No&h=A:%201&chunked=2&body=hello&trailer=T:%20x HTTP/1.1\r\n\r\n",
    )
    assert response.head.startswith(b"HTTP/1.1 404 No\r\n")
    assert response.header("A") == b"1"
    assert (response.body, response.trailers, response.ended) == (b"hello", b"T: x\r\n", "chunked")
    assert not connection.closed_by_peer()


def test_a_wish_for_another_member_is_not_ours(member):
    _, response = talk(member, b"GET /?status=404@M2&h=X:%20y@M1 HTTP/1.1\r\n\r\n")
    assert response.status == "200"
    assert response.header("X") == b"y"


def test_half_a_body_and_silence_and_garbage_are_told_apart(member):
    assert talk(member, b"GET /?length=9&body=abc HTTP/1.1\r\n\r\n")[1].ended == "cut short, eof"
    assert talk(member, b"GET /?drop=1 HTTP/1.1\r\n\r\n")[1].ended == "nothing, eof"
    assert talk(member, b"GET /?raw=hello HTTP/1.1\r\n\r\n")[1].framing == "eof"
    assert talk(member, b"GET /?eof=1&body=x HTTP/1.1\r\n\r\n")[1].body == b"x"
    assert talk(member, b"HEAD /?size=10 HTTP/1.1\r\n\r\n", "HEAD")[1].ended == "bodiless"


def test_interim_answers_come_before_the_final_one(member):
    _, response = talk(member, b"GET /?interim=103&ih=L:%20x HTTP/1.1\r\n\r\n")
    assert response.interim == [b"HTTP/1.1 103 Interim\r\nL: x\r\n\r\n"]
    assert response.status == "200"


def test_a_held_answer_waits_for_its_word(member):
    connection = Connection("127.0.0.1", member.held.port)
    connection.send(b"GET /?hold=go HTTP/1.1\r\n\r\n")
    assert member.wait_for(1)
    assert connection.read_response(timeout_s=0.05).ended == "nothing, timed out"
    member.gates.release("go")
    assert connection.read_response().status == "200"


def test_a_member_goes_down_and_comes_back_on_its_port(member):
    connection, _ = talk(member, b"GET / HTTP/1.1\r\n\r\n")
    member.kill()
    assert connection.closed_by_peer(1.0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", member.held.port), 1)
    member.listen()
    assert talk(member, b"GET / HTTP/1.1\r\n\r\n")[1].status == "200"
    member.forget()
    assert member.received == []


def test_refusing_keeps_the_connections_that_exist(member):
    connection, _ = talk(member, b"GET / HTTP/1.1\r\n\r\n")
    member.refuse()
    connection.send(b"GET / HTTP/1.1\r\n\r\n")
    assert connection.read_response().status == "200"


def test_pipelined_answers_are_read_one_by_one(member):
    connection = Connection("127.0.0.1", member.held.port)
    connection.send(b"GET /?body=a HTTP/1.1\r\n\r\nGET /?body=b HTTP/1.1\r\n\r\n")
    assert [connection.read_response().body for _ in range(2)] == [b"a", b"b"]


def test_a_held_port_is_nobody_elses():
    held = HeldPort()
    assert HeldPort().port != held.port
    first = held.listening_socket()
    first.close()
    held.listening_socket().close()
    held.close()


def test_a_unix_socket_member(farm, tmp_path):
    member = farm.member("U1", str(tmp_path / "u.sock"))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(member.path)
    sock.sendall(b"GET /?close=1 HTTP/1.1\r\n\r\n")
    data = b""
    while piece := sock.recv(4096):
        data += piece
    assert data.endswith(b"\r\n\r\nU1\n")
    farm.retire([member])


def test_wish_writes_what_from_target_reads():
    text = asking.wish(status=404, at="M1", h=["A: 1", "B: 2&3"])
    ask = asking.from_target(b"/?" + text.encode(), "M1")
    assert (ask.status, ask.headers) == (404, [b"A: 1", b"B: 2&3"])
    assert asking.from_target(b"/?" + text.encode(), "M2").status == 200


def test_many_clients_at_once(member):
    results = []

    def one(n):
        results.append(talk(member, b"GET /?body=%d HTTP/1.1\r\n\r\n" % n)[1].body)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results, key=int) == [b"%d" % n for n in range(20)]
