"""The measuring programs against each other: a fault in them would pass for one of a proxy.

STEELYARD_BENCH_PROGRAMS names the directory that holds them; without it there is nothing to test.
"""

import os
import pathlib
import socket
import subprocess
import unittest

from fixture import Stage

PROGRAMS = os.environ.get("STEELYARD_BENCH_PROGRAMS")
CORE = min(os.sched_getaffinity(0))


def ask(address: str, request: bytes) -> bytes:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@unittest.skipUnless(PROGRAMS, "STEELYARD_BENCH_PROGRAMS is not set")
class ProgramsTest(unittest.TestCase):
    def setUp(self):
        self.stage = self.enterContext(Stage(pathlib.Path(PROGRAMS)))
        _, self.members = self.stage.start_listening("member", ["--listeners", "3"], CORE)

    def relay(self, *switches: str) -> str:
        arguments = [*switches, "--to", ",".join(self.members)]
        return self.stage.start_listening("relay", arguments, CORE)[1][0]

    def load(self, address: str, *arguments: str) -> dict:
        return self.stage.load(address, [*arguments, "--connections", "8"], CORE, 20)

    def test_each_listener_is_a_member_of_its_own(self):
        self.assertEqual(len(set(self.members)), 3)
        for address in self.members:
            self.assertTrue(ask(address, b"GET /1k HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_the_member_answers_pipelined_requests_in_order_and_swallows_bodies(self):
        answers = ask(self.members[0], b"POST /1k HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello"
                                       b"GET /none HTTP/1.1\r\n\r\n"
                                       b"GET /1k HTTP/1.1\r\nConnection: close\r\n\r\n")
        heads = [part.split(b"\r\n")[0] for part in answers.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(heads, [b"200 OK", b"404 Not Found", b"200 OK"])
        self.assertIn(b"Connection: close", answers)

    def test_the_member_refuses_a_chunked_body_and_an_endless_head(self):
        chunked = ask(self.members[0], b"POST /1k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.assertTrue(chunked.startswith(b"HTTP/1.1 501 "))
        endless = ask(self.members[0], b"GET /1k HTTP/1.1\r\nX: ".ljust(16384, b"y"))
        self.assertTrue(endless.startswith(b"HTTP/1.1 404 "))

    def test_every_kind_of_load_passes_both_relays_without_an_error(self):
        kinds = (["--path", "/1k"], ["--path", "/64k"], ["--path", "/1m"], ["--fresh"],
                 ["--post", "4096"], ["--rate", "2000"])
        for address in (self.relay(), self.relay("--splice")):
            for kind in kinds:
                with self.subTest(kind=kind):
                    counted = self.load(address, *kind, "--requests", "200")
                    self.assertEqual((counted["requests"], counted["errors"]), (200, 0))

    def test_an_answer_other_than_200_is_an_error(self):
        counted = self.load(self.members[0], "--path", "/none", "--requests", "10")
        self.assertEqual((counted["requests"], counted["errors"]), (0, 10))

    def test_a_target_that_refuses_connections_ends_the_run(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            counted = self.load(f"127.0.0.1:{closed.getsockname()[1]}")
        self.assertEqual(counted["requests"], 0)
        self.assertGreaterEqual(counted["errors"], 1000)

    def test_held_connections_stay_open(self):
        command = [str(self.stage.programs / "load"), "--to", self.relay(), "--hold",
                   "--connections", "100", "--seconds", "20"]
        process = self.stage.start(command, CORE, "load.log", stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.assertIn(b'"requests": 100, "errors": 0', process.stdout.readline())
        self.assertEqual(process.stdout.readline(), b"held\n")
        process.stdin.close()
        self.assertEqual(process.stdout.read(), b'{"still_open": 100}\n')


if __name__ == "__main__":
    unittest.main()
