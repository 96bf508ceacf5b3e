"""Passwords in front of balancer-manager and an application (AuthType Basic), with curl."""

import base64
import socket
import subprocess

import pytest
from support.process import until
from support.server import MODULE_DIRECTORY, complete

LOAD = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in "authn_core authn_file auth_basic authz_user authz_groupfile status".split()
)
CONFIG = LOAD + """\
Listen 127.0.0.1:{port}
<Proxy balancer://app>
    BalancerMember http://{member}
</Proxy>
ProxyPass /app balancer://app/
<Location /balancer-manager>
    SetHandler balancer-manager
    AuthType Basic
    AuthName "Restricted"
    AuthUserFile users
    AuthGroupFile groups
    Require group admins
</Location>
<Location /app>
    AuthType Basic
    AuthName "Restricted"
    AuthUserFile users
    Require valid-user
</Location>
<Location /missing>
    AuthType Basic
    AuthName "Restricted"
    AuthUserFile nowhere
    Require valid-user
</Location>
"""
GUESSES = 100
COST = 8  # of bcrypt: some 15 ms a guess
CHANGE_S = 5.0


def htpasswd(path, user, password, *how):
    command = ["htpasswd", "-b", *how, *([] if path.exists() else ["-c"]), path, user, password]
    subprocess.run(command, check=True, capture_output=True)


class House:
    def __init__(self, server, port, member):
        self.server, self.port = server, port
        htpasswd(server.root / "users", "bob", "bobpw", "-B", "-C", str(COST))
        htpasswd(server.root / "users", "ann", "annpw", "-m")
        (server.root / "groups").write_text("admins: bob\n")
        server.start(complete(CONFIG.format(port=port.port, member=member.address)), [port.port])

    def curl(self, path, *more):
        """Status, WWW-Authenticate and body."""
        url = f"http://127.0.0.1:{self.port.port}{path}"
        form = "\n%{http_code} %header{www-authenticate}"
        command = ["curl", "-s", "-m", "20", "-w", form, *more, url]
        body, _, last = subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout.rpartition("\n")
        status, _, asked = last.partition(" ")
        return int(status), asked, body

    def status(self, path, *more):
        return self.curl(path, *more)[0]


@pytest.fixture
def house(server, port, farm):
    member = farm.member("M1")
    yield House(server, port, member)
    farm.retire([member])


def test_the_manager_is_for_the_group(house):
    assert house.curl("/balancer-manager")[:2] == (401, 'Basic realm="Restricted"')
    assert house.status("/balancer-manager", "-u", "bob:wrong") == 401
    assert house.status("/balancer-manager", "-u", "ann:annpw") == 401
    status, _, page = house.curl("/balancer-manager", "-u", "bob:bobpw")
    assert status == 200 and "balancer://app" in page


# With a password in front of it, it is no longer for this machine alone.
def test_who_has_the_password_may_come_from_elsewhere(house):
    elsewhere = ("-H", "X-Forwarded-For: 192.0.2.1", "-H", "Host: somewhere.example")
    assert house.status("/balancer-manager", *elsewhere, "-u", "bob:bobpw") == 200


def test_the_application_is_for_known_users(house):
    assert house.status("/app/x") == 401
    assert house.status("/app/x", "-u", "ann:annpw") == 200
    assert house.status("/app/x", "-u", "bob:bobpw") == 200
    log = lambda: house.server.read("access.log")
    assert until(lambda: " - ann " in log() and " - bob " in log()), log()


def test_a_changed_file_counts_within_a_second(house):
    assert house.status("/app/x", "-u", "bob:bobpw") == 200
    htpasswd(house.server.root / "users", "bob", "other", "-B", "-C", str(COST))
    assert until(lambda: house.status("/app/x", "-u", "bob:bobpw") == 401, CHANGE_S)
    assert house.status("/app/x", "-u", "bob:other") == 200
    (house.server.root / "users").unlink()
    assert until(lambda: house.status("/app/x", "-u", "bob:other") == 500, CHANGE_S)
    assert until(lambda: "AH01620: Could not open password file:" in house.server.read("error.log"))


def test_a_missing_file_is_told_by_the_check(house):
    told = subprocess.run(house.server.command("-t"), capture_output=True, text=True)
    assert told.returncode == 0 and "nowhere: there is no such file" in told.stderr
    assert house.status("/missing", "-u", "bob:bobpw") == 500


class Guesser:
    """Wrong passwords, each on a connection of its own, all at once."""

    def __init__(self, port):
        self.sockets = []
        for number in range(GUESSES):
            one = socket.create_connection(("127.0.0.1", port))
            login = base64.b64encode(f"bob:guess{number}".encode()).decode()
            head = f"GET /app/x HTTP/1.1\r\nHost: lb.test\r\nAuthorization: Basic {login}\r\n\r\n"
            one.sendall(head.encode())
            self.sockets.append(one)
        self.statuses = []

    def answered(self):
        """How many have an answer so far, without waiting."""
        count = 0
        for one in self.sockets:
            one.setblocking(False)
            try:
                count += bool(one.recv(16, socket.MSG_PEEK))
            except BlockingIOError:
                pass
        return count

    def collect(self):
        for one in self.sockets:
            one.settimeout(30)
            self.statuses.append(one.recv(64).split()[1])
            one.close()


def test_guessing_holds_nobody_up(house):
    assert house.status("/app/x", "-u", "bob:bobpw") == 200  # now it is known
    guesser = Guesser(house.port.port)
    # Who is known is let in, who needs none is served, while guesses are still being checked.
    assert house.status("/app/x", "-u", "bob:bobpw") == 200
    assert house.status("/elsewhere") == 404
    assert guesser.answered() < GUESSES
    # Who was not known waits for the turn of another address, not for a hundred guesses.
    assert house.status("/app/x", "--interface", "127.0.0.2", "-u", "ann:annpw") == 200
    assert guesser.answered() < GUESSES
    guesser.collect()
    assert set(guesser.statuses) == {b"401"}
