"""What parameters and directives do to the sockets that lead to members, asked of the kernel."""

import re
import subprocess
import time

import pytest
from support.ports import FullPort
from support.process import until
from support.wire import Connection

CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen {port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
{directives}
<Proxy "balancer://app">
    BalancerMember "http://{first}" {parameters}
    {more}
</Proxy>
ProxyPass "/" "balancer://app/"
"""


class Stage:
    def __init__(self, server, port, farm):
        self.server, self.port = server, port
        self.member = farm.member("M1")

    def start(self, directives="", parameters="", first=None, more=""):
        self.server.start(
            CONFIG.format(
                port=self.port,
                directives=directives,
                parameters=parameters,
                first=first or self.member.address,
                more=more,
            ),
            [self.port.port],
        )

    def ask(self, target="/"):
        connection = Connection("127.0.0.1", self.port.port)
        connection.send(f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
        answer = connection.read_response()
        connection.close()
        return answer.status

    def socket_to_member(self):
        """What the kernel says of the one that the program keeps; its own address comes first."""
        assert self.ask() == "200"
        kept = ["ss", "-tmoeHn", "state", "established", "dst", self.member.address]
        text = subprocess.run(kept, capture_output=True, text=True, check=True).stdout
        assert text.count("skmem:") == 1, text
        return text


@pytest.fixture
def stage(server, port, farm):
    one = Stage(server, port, farm)
    yield one
    server.stop()
    farm.retire([one.member])


def own_address(told):
    return re.search(r"\s(127\.[0-9.]+):\d+\s+127\.0\.0\.1:", told)[1]


def receive_bytes(told):
    return int(re.search(r"skmem:\(r\d+,rb(\d+)", told)[1])


def test_members_see_the_address_that_connections_come_from(stage):
    stage.start("ProxySourceAddress 127.0.0.7")
    assert own_address(stage.socket_to_member()) == "127.0.0.7"


def test_without_a_source_address_the_system_chooses(stage):
    stage.start()
    told = stage.socket_to_member()
    assert own_address(told) == "127.0.0.1"
    assert "timer:(keepalive" not in told


# Linux doubles what it is asked for: its own records of what waits are in there.
@pytest.mark.parametrize(
    "directives, parameters, asked",
    [
        ("ProxyReceiveBufferSize 20000", "", 20000),
        ("", "receivebuffersize=30000", 30000),
        ("ProxyReceiveBufferSize 20000", "receivebuffersize=30000", 30000),
    ],
)
def test_receive_buffers_are_as_large_as_said(stage, directives, parameters, asked):
    stage.start(directives, parameters)
    assert receive_bytes(stage.socket_to_member()) == 2 * asked


def test_a_receive_buffer_of_zero_is_the_systems(stage):
    stage.start("ProxyReceiveBufferSize 0")
    assert receive_bytes(stage.socket_to_member()) not in (0, 512, 1024, 40000)


@pytest.mark.parametrize("word, probes", [("On", True), ("Off", False)])
def test_the_kernel_probes_kept_connections_if_it_is_asked_to(stage, word, probes):
    stage.start(parameters=f"keepalive={word}")
    assert ("timer:(keepalive," in stage.socket_to_member()) == probes


@pytest.fixture
def full():
    one = FullPort()
    yield one
    one.close()


def test_a_connection_that_is_not_made_in_its_time_goes_elsewhere(stage, full):
    second = f'BalancerMember "http://{stage.member.address}" timeout=60'
    stage.start(first=full, parameters="connectiontimeout=700ms timeout=60 retry=600", more=second)
    began = time.monotonic()
    assert stage.ask("/once") == "200"
    assert time.monotonic() - began >= 0.7
    assert [got.target for got in stage.member.received] == [b"/once"]
    said = f"attempt to connect to {full} "
    assert until(lambda: said in stage.server.read("error.log")), stage.server.read("error.log")
    # It is in error: nobody else waits for it.
    began = time.monotonic()
    assert [stage.ask() for _ in range(3)] == ["200"] * 3
    assert time.monotonic() - began < 0.7
    assert stage.server.read("error.log").count(said) == 1


def test_the_time_for_connecting_is_not_the_time_for_an_answer(stage):
    stage.start(parameters="connectiontimeout=100ms")
    assert stage.ask("/?delay=0.5") == "200"
