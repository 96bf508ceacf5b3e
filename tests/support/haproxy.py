"""HAProxy on a held port: in front of a program under test, or behind it.

It is the reference for the PROXY protocol: what it sends is right, and what it takes, too.
"""

import subprocess
from pathlib import Path

from .ports import HeldPort
from .process import until

HAPROXY = "/usr/sbin/haproxy"

CONFIG = """\
global
    maxconn 200
defaults
    mode {mode}
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    option http-server-close
frontend front
    bind {own}{bind}
    default_backend back
backend back
{more}    server member {to} {server}
"""


class Haproxy:
    """Passes on to `to` (host:port) until close(); mode tcp or http."""

    def __init__(self, directory, to, server="", bind="", mode="tcp", more=""):
        self.held = HeldPort()
        self.root = Path(directory)
        self.root.mkdir(parents=True)
        path = self.root / "haproxy.cfg"
        path.write_text(CONFIG.format(own=self.held, bind=" " + bind, to=to, server=server,
                                      mode=mode, more=more))
        with open(self.root / "output.txt", "wb") as output:
            self.process = subprocess.Popen([HAPROXY, "-db", "-f", str(path)],
                                            stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT)

    @property
    def address(self):
        return str(self.held)

    def await_listening(self):
        inode = f"{self.held.port:04X}"
        assert until(lambda: self.process.poll() is not None or listens(inode)), "never listened"
        assert self.process.poll() is None, (self.root / "output.txt").read_text()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.held.close()


def listens(port_in_hex):
    """By the kernel's table: connecting would be a client that the program must make sense of."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(":" + port_in_hex) and row.split()[3] == "0A"
               for row in rows)
