"""The balancer-manager as scripts and people use it: curl with a Referer and the nonce, a browser."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import threading
import xml.etree.ElementTree as ElementTree

import pytest
from browser import Browser
from support.process import reload, until
from support.server import MODULE_DIRECTORY, complete
from support.wire import Connection

CONFIG = """\
Listen 127.0.0.1:{port}
<Proxy balancer://app>
    BalancerMember http://{m1} route=m1
    BalancerMember http://{m2} route=m2
    ProxySet growth=2 stickysession=sid {more}
</Proxy>
ProxyPass /balancer-manager !
ProxyPass / balancer://app/
<Location /balancer-manager>
    SetHandler balancer-manager
    {require}
</Location>
{after}
"""
NAMESPACE = "{http://httpd.apache.org}"


class World:
    """A balancer of two members with room for two more, and scripts that manage it."""

    def __init__(self, server, port, farm):
        self.server, self.port, self.farm = server, port, farm
        self.members = [farm.member(f"M{i}") for i in (1, 2, 3)]
        self.settings = {}

    def text(self, require="Require ip 127.0.0.1", more="", after=""):
        m1, m2, _ = (member.address for member in self.members)
        return complete(CONFIG.format(port=self.port.port, m1=m1, m2=m2, require=require, more=more,
                                      after=after))

    def start(self, **settings):
        self.settings = settings
        self.server.start(self.text(**settings), [self.port.port])

    def reload(self, **settings):
        reload(self.server, text=self.text(**{**self.settings, **settings}))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port.port}/balancer-manager"

    def curl(self, *arguments, referer=True):
        """As in the scripts that are around: the body, or `curl: (22)` for an error."""
        command = ["curl", "-sS", "--fail", "--max-time", "20"]
        command += ["-H", f"Referer: {self.url}"] if referer else []
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30)
        return done.stdout if done.returncode == 0 else done.stderr

    def nonce(self, balancer="app"):
        page = self.curl(self.url)
        return re.search(rf"\?b={balancer}&amp;nonce=([^\"]*)", page)[1]

    def change(self, what, member=None):
        address = f"w=http://{member.address}&" if member else ""
        data = f"b=app&{address}nonce={self.nonce()}&{what}"
        return self.curl("-d", data, self.url)

    def told(self, member, element):
        tree = ElementTree.fromstring(self.curl(f"{self.url}?xml=1"))
        for worker in tree.iter(NAMESPACE + "worker"):
            if worker.find(NAMESPACE + "name").text == f"http://{member.address}":
                return worker.find(NAMESPACE + element).text
        return None

    def who(self, times=8, session=""):
        """Who answers so many requests."""
        found = set()
        for _ in range(times):
            found.add(self.ask("/", f"Cookie: sid={session}\r\n" if session else "")[1])
        return found

    def ask(self, path, fields=""):
        connection = Connection("127.0.0.1", self.port.port)
        try:
            connection.send(f"GET {path} HTTP/1.1\r\nHost: lb.test\r\n{fields}\r\n".encode())
            response = connection.read_response()
            return response.status, response.body.decode("latin1").strip()
        finally:
            connection.close()


@pytest.fixture
def world(server, port, farm):
    one = World(server, port, farm)
    yield one
    server.stop()
    farm.retire(one.members)


def test_members_are_drained_disabled_and_weighted_by_curl(world):
    world.start()
    first, second, _ = world.members
    assert world.who() == {"M1", "M2"}
    world.change("w_status_N=1", first)
    assert world.told(first, "status") == "Init Drn Ok "
    assert world.who() == {"M2"} and world.who(session="x.m1") == {"M1"}
    world.change("w_status_N=0&w_status_D=1", first)
    assert world.told(first, "status") == "Init Dis "
    assert world.who(session="x.m1") == {"M2"}
    page = world.change("w_status_D=0&w_lf=3", first)
    assert "<td>3.00</td>" in page
    assert world.told(first, "loadfactor") == "3.00"
    answers = [world.ask("/")[1] for _ in range(8)]
    assert answers.count("M1") == 6 and answers.count("M2") == 2
    assert f"http://{first.address} in balancer://app: loadfactor from" in world.server.read("error.log")
    assert world.told(second, "status") == "Init Ok "


def test_a_member_is_added_and_enabled(world):
    world.start()
    third = world.members[2]
    page = world.change(f"b_wyes=1&b_nwrkr=http%3A%2F%2F{third.address.replace(':', '%3A')}")
    assert "<td>4 [3 Used]</td>" in page
    assert world.told(third, "status") == "Init Dis "
    assert world.who() == {"M1", "M2"}
    world.change("w_status_D=0&w_wr=m3", third)
    assert world.who() == {"M1", "M2", "M3"}
    assert world.who(session="x.m3") == {"M3"}
    assert "400" in world.change(f"b_wyes=1&b_nwrkr=http://{third.address}/deeper")


def test_an_added_member_has_its_name_looked_up(world):
    world.start()
    third = world.members[2]
    name = f"localhost:{third.address.split(':')[1]}"
    world.change(f"b_wyes=1&b_nwrkr=http://{name}")
    world.curl("-d", f"b=app&w=http://{name}&nonce={world.nonce()}&w_status_D=0", world.url)
    assert until(lambda: "M3" in world.who())


def test_health_checks_that_an_operator_turns_on_are_made(world):
    hcheck = f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so"
    world.start(after=hcheck)
    first = world.members[0]
    world.change("w_hm=GET&w_hi=100&w_hu=/checked", first)
    assert until(lambda: any(b"/checked" in one.head for one in first.received))


def test_changes_survive_a_graceful_reload_unless_the_file_says_something_else(world):
    world.start()
    first, second, third = world.members
    nonce = world.nonce()
    world.change("w_status_D=1&w_lf=5", first)
    world.change(f"b_wyes=1&b_nwrkr=http://{third.address}")
    world.reload(after="ProxyPass /gone !")
    assert world.nonce() == nonce
    assert world.told(first, "status") == "Init Dis " and world.told(first, "loadfactor") == "5.00"
    assert world.told(third, "status") == "Init Dis "
    assert world.who() == {"M2"}
    assert world.told(second, "loadfactor") == "1.00"


def test_a_manager_that_a_reload_adds_is_answered(world):
    world.start(require="SetHandler none")
    assert world.ask("/balancer-manager")[0] == "404"
    world.reload(require="Require all granted")
    assert "Load Balancer Manager" in world.curl(world.url)


def test_none_is_read_only(world):
    world.start(more="nonce=None")
    first = world.members[0]
    world.curl("-d", f"b=app&w=http://{first.address}&nonce=&w_status_D=1", world.url)
    assert world.told(first, "status") == "Init Ok "


def test_who_comes_from_elsewhere_changes_nothing(world):
    world.start()
    first = world.members[0]
    data = f"b=app&w=http://{first.address}&nonce={world.nonce()}&w_status_D=1"
    for foreign in (
        [],
        ["-H", "Referer: http://evil.example/"],
        ["-H", f"Referer: {world.url}", "-H", "Origin: http://evil.example"],
        ["-H", f"Referer: {world.url}", "-H", "Sec-Fetch-Site: cross-site"],
    ):
        assert "Load Balancer Manager" in world.curl(*foreign, "-d", data, world.url, referer=False)
    assert world.told(first, "status") == "Init Ok "
    log = world.server.read("error.log")
    assert "it has no Referer" in log and "its Origin is" in log


def test_left_open_it_is_for_this_machine_alone(world):
    status, said = world.server.check(world.text(require=""))
    assert status == 0
    line = world.text(require="").splitlines().index("<Location /balancer-manager>") + 1
    assert f"on line {line} of" in said
    assert "is open to everybody" in said and "Require expr true" in said
    world.start(require="Require all granted")
    assert world.ask("/balancer-manager")[0] == "200"
    for field in ("X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 front"):
        assert world.ask("/balancer-manager", field + "\r\n")[0] == "403", field
    told = "balancer-manager is left open to everybody"
    assert until(lambda: told in world.server.read("error.log"))
    assert world.server.read("error.log").count("is open to everybody") == 1  # at the start
    world.reload(require="Require expr true")
    assert world.ask("/balancer-manager", "X-Forwarded-For: 192.0.2.1\r\n")[0] == "200"
    status, said = world.server.check(world.text(require="Require expr true"))
    assert "is open to everybody" not in said


def test_no_page_is_lost_at_a_graceful_stop(world):
    world.start()
    answers = []

    def ask(connection):
        answers.append(connection.read_response().status)

    connections = [Connection("127.0.0.1", world.port.port) for _ in range(20)]
    threads = [threading.Thread(target=ask, args=(one,)) for one in connections]
    for one in connections:
        one.send(b"GET /balancer-manager HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    world.server.signal(signal.SIGWINCH)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in connections:
        one.close()
    assert answers == ["200"] * 20
    assert world.server.ended(20)


def test_scripts_write_and_read_at_once_and_all_is_counted(world):
    world.start(after="SteelyardShards 2")
    first, second, _ = world.members
    nonce = world.nonce()
    faults = []

    def script(member, flag):
        data = f"b=app&w=http://{member.address}&nonce={nonce}&w_status_{flag}="
        for i in range(30):
            page = world.curl("-d", f"{data}{i % 2}", world.url)
            if "</html>" not in page:
                faults.append(page)

    scripts = [threading.Thread(target=script, args=pair)
               for pair in ((first, "D"), (second, "I"), (second, "N"))]
    for one in scripts:
        one.start()
    for one in scripts:
        one.join()
    assert not faults
    assert world.told(first, "status") == "Init Dis "
    assert world.told(second, "status") == "Init Ign Drn Ok "


def test_a_thousand_members_are_shown_quickly(world):
    lines = "\n".join(f"    BalancerMember http://127.0.0.1:{20000 + i}" for i in range(1000))
    world.start(after=f"<Proxy balancer://big>\n{lines}\n</Proxy>\n")
    page = world.curl(world.url)
    assert page.count("<a href=") == 1004
    assert "curl" not in world.curl("--max-time", "2", world.url)


@pytest.fixture(scope="module")
def browser():
    one = Browser()
    yield one
    one.close()


def test_a_person_disables_a_member_in_a_browser(world, browser, tmp_path):
    world.start()
    first = world.members[0]
    world.change("w_wr=%253Cb%253E", first)
    browser.open(world.url)
    assert browser.text("h1") == "Load Balancer Manager for 127.0.0.1"
    assert "<b>" in browser.text("body")  # as text
    colour = "return getComputedStyle(document.querySelector('th')).backgroundColor"
    assert browser.run(colour) == "rgb(211, 211, 211)"  # its style is let in
    browser.click(f"a[href*='w=http://{first.address}']")
    assert browser.run("return document.querySelector('#w_status_D0').checked")
    browser.run("document.querySelector('#w_status_D1').checked = true")
    browser.click("input[type=submit]")
    assert "Init Dis" in browser.text("body")
    assert browser.run("return document.querySelector('#w_status_D1').checked")
    assert world.told(first, "status") == "Init Dis "
    assert world.who() == {"M2"}
    browser.click("h3 a")
    browser.run("document.querySelector('#b_tmo').value = '7'")
    browser.click("input[type=submit]")
    assert browser.run("return document.querySelector('#b_tmo').value") == "7"
    assert browser.complaints() == []
    browser.screenshot(tmp_path / "manager.png")


def test_a_change_that_cannot_be_kept_says_why(world):
    world.start(after="BalancerPersist On")
    nonce = world.nonce()
    shutil.rmtree(world.server.root / "httpd.pid.journal")
    form = f"b=app&w=http://{world.members[0].address}&nonce={nonce}&w_ls=3"
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "-H", f"Referer: {world.url}", "-d", form, world.url],
                          capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("Nothing was changed.\nChanges are refused: the journal's file was deleted")
    assert world.told(world.members[0], "lbset") == "0"


class TextBrowser:
    """w3m in a terminal of its own, with keys as somebody would press them."""

    def __init__(self, url, home):
        self.screen = b""
        self.process, self.terminal = None, None
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 160, 0, 0))
        self.process = subprocess.Popen(
            ["w3m", "-no-mouse", url], stdin=theirs, stdout=theirs, stderr=theirs,
            env={"PATH": os.environ["PATH"], "TERM": "linux", "HOME": str(home), "LANG": "C.UTF-8"},
            start_new_session=True)
        os.close(theirs)
        self.terminal = ours

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def shows(self, text):
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                self.screen += os.read(self.terminal, 65536)
            except OSError:  # it has ended
                break
        return text.encode() in self.screen

    def close(self):
        self.process.kill()
        self.process.wait(20)
        os.close(self.terminal)


def test_a_text_browser_shows_the_members_and_sends_the_form(world, scratch):
    world.start()
    first, second, _ = world.members
    dump = subprocess.run(["w3m", "-dump", "-cols", "200", world.url], capture_output=True, text=True,
                          timeout=30, env={"PATH": os.environ["PATH"], "HOME": str(scratch)}).stdout
    assert "Load Balancer Manager" in dump
    for member in (first, second):
        (line,) = (line for line in dump.splitlines() if f"http://{member.address}" in line)
        assert "Init Ok" in line and "1.00" in line, line
    browser = TextBrowser(world.url, scratch)
    try:
        assert until(lambda: browser.shows(first.address)), browser.screen[-2500:]
        browser.press(f"/{first.address}\r\r")  # the member's link
        assert until(lambda: browser.shows("[Submit]")), browser.screen[-2500:]
        browser.press("/Load factor\r\t\r")  # to the field behind the words, to type into it
        assert until(lambda: browser.shows("TEXT:")), browser.screen[-2500:]
        browser.press("\x153\r")  # ^U
        browser.press("/Submit\r\r")
        assert until(lambda: world.told(first, "loadfactor") == "3.00"), browser.screen[-3000:]
        assert world.told(second, "loadfactor") == "1.00"
    finally:
        browser.close()
