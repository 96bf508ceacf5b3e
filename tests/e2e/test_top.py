"""steelyard top: a table for scripts, a screen for people."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from test_operators import World

WAIT_S = 20


@pytest.fixture
def world(server, port, farm):
    one = World(server, port, farm)
    yield one
    server.stop()
    farm.retire(one.members)


def words(world, *more):
    return [world.server.binary, "top", "-d", str(world.server.root), "-f",
            str(world.server.config_path), *more]


class Screen:
    """A terminal with the program in it."""

    def __init__(self, command, rows=10, columns=200):
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._master)
        self.process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal,
                                        env={"TERM": "xterm", **os.environ, "NO_COLOR": "1"})
        os.close(terminal)
        self.seen = b""

    def read_until(self, wanted):
        """What was written from now on until the text is there."""
        seen, deadline = b"", time.monotonic() + WAIT_S
        while wanted not in seen:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self._master], [], [], left)[0], (wanted, seen)
            seen += os.read(self._master, 65536)
        return seen.decode()

    def press(self, keys):
        os.write(self._master, keys)

    def ended(self):
        # The terminal takes what is written at the end only while somebody reads it.
        self.read_until(b"\x1b[?1049l")
        return self.process.wait(WAIT_S)

    def attributes(self):
        return termios.tcgetattr(self._master)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_S)
        os.close(self._master)


@pytest.fixture
def screen(world):
    world.start()
    one = Screen(words(world))
    yield one
    one.close()


def test_where_there_is_no_terminal_it_prints_one_table_and_ends(world):
    world.start()
    world.answers(4)
    done = subprocess.run(words(world), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WAIT_S)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("BALANCER") and len(lines) == 3
    assert world.members[0].address in lines[1] and "in service" in lines[1]
    status, said = world.ctl("top", "--json")
    assert status == 0 and '"rows":' in said
    done = subprocess.run(words(world, "--balancer", "none"), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 1 and "none" in done.stderr


def test_a_terminal_that_knows_no_escapes_gets_one_table(world):
    world.start()
    one = Screen(["env", "TERM=dumb", *words(world)])
    try:
        seen = one.read_until(world.members[1].address.encode())
        assert "BALANCER" in seen and "\x1b" not in seen
        assert one.process.wait(WAIT_S) == 0
    finally:
        one.close()


@pytest.mark.parametrize("command", [["top"], ["ctl", "members"], ["ctl", "export"], ["ctl", "help"]])
def test_what_cannot_be_written_is_no_success(world, command):
    world.start()
    whole = words(world)
    whole[1:2] = command[:1]
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(whole + command[1:], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=WAIT_S)
    assert done.returncode == 1
    assert done.stderr == f"steelyard {command[0]}: the answer could not be written: No space left on device\n"


def test_a_screen_follows_requests_sorts_pauses_and_ends(world, screen):
    screen.read_until(b"2 of 2 members in service")
    assert world.ctl("set", "app", "m1", "+D")[0] == 0
    screen.read_until(b"1 of 2 members in service")
    screen.press(b">>")
    screen.read_until(b"STATE^")
    screen.press(b"p")
    screen.read_until(b"PAUSED")
    assert world.ctl("set", "app", "m1", "-D")[0] == 0
    screen.press(b"r")
    assert "1 of 2" in screen.read_until(b"STATEv")
    screen.press(b" ")
    screen.read_until(b"2 of 2 members in service")
    screen.press(b"q")
    assert screen.ended() == 0
    assert screen.attributes() == screen.before


def test_a_signal_leaves_the_terminal_as_it_was(screen):
    screen.read_until(b"2 of 2 members in service")
    screen.process.send_signal(signal.SIGTERM)
    assert screen.ended() == 0
    assert screen.attributes() == screen.before


def test_it_goes_on_when_the_server_comes_back(world, screen):
    screen.read_until(b"2 of 2 members in service")
    world.server.stop()
    screen.read_until(b"no server listens")
    world.start()
    screen.read_until(b"requests/s, 0 in flight, 0 errors/min\x1b[K")  # and nothing behind it


def test_without_a_server_it_says_so(world):
    world.start()
    world.server.stop()
    done = subprocess.run(words(world), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WAIT_S)
    assert done.returncode == 1 and "steelyard top:" in done.stderr
