"""The live page of the balancer-manager, in Chromium."""

import os
import signal
from pathlib import Path

import pytest
from browser import ENTER, ESCAPE, TAB, Browser
from support.ports import HeldPort
from support.process import until
from support.server import MODULE_DIRECTORY
from support.wire import Connection
from test_balancer_manager import World
from test_demo_page import CONTRAST

ROWS = "[...document.querySelectorAll('section.balancer tbody tr')]"
NAMES = ROWS + ".map(row => row.querySelector('.name').textContent)"
TOASTS = "return [...document.querySelectorAll('.toast p')].map(one => one.textContent).join('|')"


@pytest.fixture(scope="module")
def browser():
    one = Browser()
    yield one
    one.close()


class Page:
    def __init__(self, world, browser):
        self.world, self.browser = world, browser

    def open(self):
        self.browser.resize(1440)
        self.browser.open("about:blank")
        self.browser.complaints()  # of whoever was here before
        self.browser.open(self.world.url + "?live")
        self.await_state("live")
        return self

    def state(self):
        return self.browser.run("return document.getElementById('connection-text').textContent")

    def await_state(self, state):
        assert until(lambda: self.state() == state), self.state()

    def names(self):
        return self.browser.run("return " + NAMES)

    def cell(self, member, css):
        """Text of a part of the member's row."""
        return self.browser.run(
            f"const row = {ROWS}.find(row => row.textContent.includes('{member.address}'));"
            f"const part = row && row.querySelector('{css}');"
            "return part ? (part.value ?? part.innerText) : null")

    def part(self, member, css):
        """A selector of it that clicks can be sent to."""
        self.browser.run(
            f"const row = {ROWS}.find(row => row.textContent.includes('{member.address}'));"
            "document.querySelectorAll('[data-test]').forEach(one => one.removeAttribute('data-test'));"
            f"row.querySelector('{css}').setAttribute('data-test', '')")
        return "[data-test]"

    def tap(self, member, css):
        self.browser.tap(self.part(member, css))

    def shows(self, member, css, text):
        assert until(lambda: text in (self.cell(member, css) or "")), (text, self.cell(member, css))

    def focus(self, script):
        self.browser.run(f"{script}.focus()")

    def told(self):
        return self.browser.run(TOASTS)


@pytest.fixture
def world(server, port, farm):
    one = World(server, port, farm)
    yield one
    server.stop()
    farm.retire(one.members)


@pytest.fixture
def page(world, browser):
    return Page(world, browser)


DRAIN, STOP, STANDBY = (f".toggles button:nth-child({i})" for i in (1, 2, 3))


def test_members_are_shown_and_numbers_follow_requests(page):
    page.world.start()
    first, second, _ = page.world.members
    page.open()
    assert page.names() == [f"http://{first.address}", f"http://{second.address}"]
    page.shows(first, ".route", "route m1")
    page.shows(first, "td.state .word", "in service")
    assert page.cell(first, "td.rate") == "0"
    for _ in range(3):
        page.world.who(8)
        page.shows(first, "td.rate", ".")
    page.shows(first, "td.share", "50 % / 50 %")
    assert until(lambda: page.cell(first, "td.p99") != "–")
    assert until(lambda: page.browser.run(
        "return document.querySelector('#totals dd').textContent") != "0")
    assert not page.browser.complaints()


def test_it_asks_nobody_else_for_anything(page):
    page.world.start()
    page.open()
    assert until(lambda: page.browser.run("return document.querySelectorAll('canvas').length") >= 2)
    asked = page.browser.run("return performance.getEntries().map(entry => entry.name)"
                             ".filter(name => name.includes('://'))")
    own = f"http://127.0.0.1:{page.world.port.port}/balancer-manager?live"
    assert len(asked) >= 5 and all(url.startswith(own) for url in asked), asked
    assert not page.browser.complaints()


def test_its_parts_are_for_those_whom_the_configuration_lets_in(world):
    world.start(require="Require ip 192.0.2.7")
    for part in ("", "=feed", "=events", "=hour&balancer=app", "=app.js"):
        assert world.ask(f"/balancer-manager?live{part}")[0] == "403"
    world.reload(require="Require all granted")  # then to this machine alone
    assert world.ask("/balancer-manager?live")[0] == "200"
    assert world.ask("/balancer-manager?live", "X-Forwarded-For: 192.0.2.1\r\n")[0] == "403"


def test_a_policy_lets_it_have_its_own_files_and_nothing_else(world):
    world.start()
    connection = Connection("127.0.0.1", world.port.port)
    connection.send(b"GET /balancer-manager?live HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    head = connection.read_response().head.decode()
    connection.close()
    policy = next(line for line in head.splitlines() if line.startswith("Content-Security-Policy"))
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_a_member_is_drained_and_that_is_undone_in_place(page):
    page.world.start()
    first = page.world.members[0]
    page.open()
    page.tap(first, DRAIN)
    page.shows(first, "td.state .word", "draining")
    assert page.world.told(first, "status") == "Init Drn Ok "
    assert until(lambda: "none → draining" in page.told()), page.told()
    page.browser.tap(".toast .undo")
    page.shows(first, "td.state .word", "in service")
    assert page.world.told(first, "status") == "Init Ok "
    assert until(lambda: "Taken back" in page.told())
    for css, word, status in ((STOP, "stopped", "Init Stop "), (STANDBY, "standby", "Init Stby Ok ")):
        page.tap(first, css)
        page.shows(first, "td.state .word", word)
        assert page.world.told(first, "status") == status
        page.tap(first, css)
        page.shows(first, "td.state .word", "in service")
    assert not page.browser.complaints()


def test_what_takes_a_member_out_is_taken_back_by_undo(page):
    page.world.start()
    first = page.world.members[0]
    page.open()
    for css, word, status in ((STOP, "stopped", "Init Stop "), (STANDBY, "standby", "Init Stby Ok ")):
        page.tap(first, css)
        page.shows(first, "td.state .word", word)
        assert page.world.told(first, "status") == status
        page.browser.press("u")
        page.shows(first, "td.state .word", "in service")
        assert page.world.told(first, "status") == "Init Ok "
    page.tap(first, ".name")
    page.browser.tap("#detail .toggles button:nth-child(3)")
    page.shows(first, "td.state .word", "disabled")
    assert page.world.told(first, "status") == "Init Dis "
    page.browser.press(ESCAPE)
    page.browser.press("u")
    page.shows(first, "td.state .word", "in service")
    assert page.world.told(first, "status") == "Init Ok "
    assert not page.browser.complaints()


def test_errors_bytes_connections_and_the_queue_are_those_of_the_traffic(page):
    first, second, third = page.world.members
    third.refuse()
    page.world.start(after=f"""
<Proxy balancer://line>
    BalancerMember http://{third.address} retry=60
    ProxySet queue=1/30
</Proxy>
<Location /line>
    ProxyPass balancer://line/
</Location>""")
    page.open()
    assert page.cell(first, "td.error_count") == "0" and page.cell(first, "td.open") == "0 + 0"
    for _ in range(4):  # in turns
        assert page.world.ask("/?status=500")[0] == "500"
    for member in (first, second):
        page.shows(member, "td.error_count", "2\nanswered 5xx 2")
        page.shows(member, "td.open", "0 + 1")
    second.kill()
    assert until(lambda: page.world.ask("/")[0] == "200" and page.cell(second, "td.state .word") == "in error")
    page.shows(second, "td.error_count", "connect 1")

    def bytes_are_told():
        page.world.ask("/?size=100000")
        return all(f"{way} 0" not in page.cell(first, "td.traffic") for way in ("to", "from"))

    assert until(bytes_are_told, 20), page.cell(first, "td.traffic")
    # One waits for its member, and who comes then finds the queue full.
    waiting = Connection("127.0.0.1", page.world.port.port)
    waiting.send(b"GET /line HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    figures = "return document.querySelector('.balancer:nth-of-type(2)').innerText"
    assert until(lambda: "1 of 1" in page.browser.run(figures)), page.browser.run(figures)
    assert page.world.ask("/line")[0] == "503"
    page.shows(third, "td.error_count", "connect 1")
    waiting.close()
    assert not page.browser.complaints()


def test_weight_and_set_are_changed_by_keyboard_and_taken_back_by_a_key(page):
    page.world.start()
    first = page.world.members[0]
    page.open()
    page.focus(f"document.querySelector('{page.part(first, 'td.weight input')}')")
    page.browser.press("3", ".", "5", ENTER)
    assert until(lambda: page.world.told(first, "loadfactor") == "3.50")
    page.shows(first, "td.share", "/ 78 %")
    page.focus(f"document.querySelector('{page.part(first, 'td.lbset input')}')")
    page.browser.press("2", ENTER)
    assert until(lambda: page.world.told(first, "lbset") == "2")
    # The page knows of a change, and can take it back, once its answer is there.
    assert until(lambda: "0 → 2" in page.told()), page.told()
    page.browser.press("u")
    assert until(lambda: page.world.told(first, "lbset") == "0")
    assert until(lambda: "2 → 0" in page.told()), page.told()
    page.browser.press("u")
    assert until(lambda: page.world.told(first, "loadfactor") == "1.00")
    page.shows(first, "td.share", "/ 50 %")
    assert page.cell(first, "td.weight input") == "1"


def test_what_cannot_be_is_refused_with_the_reason_and_escape_changes_nothing(page):
    page.world.start()
    first = page.world.members[0]
    page.open()
    page.focus(f"document.querySelector('{page.part(first, 'td.weight input')}')")
    page.browser.press("9", "9", "9", ENTER)
    assert until(lambda: "is as it was" in page.told()), page.told()
    assert until(lambda: page.cell(first, "td.weight input") == "1")
    page.focus(f"document.querySelector('{page.part(first, 'td.weight input')}')")
    page.browser.press("7", ESCAPE)
    assert page.cell(first, "td.weight input") == "1"
    assert page.world.told(first, "loadfactor") == "1.00"


def test_what_others_change_is_seen_and_can_be_taken_back_from_the_history(page):
    page.world.start()
    first = page.world.members[0]
    page.open()
    page.world.change("w_lf=4", first)
    assert until(lambda: page.cell(first, "td.weight input") == "4")
    history = "return document.getElementById('history').innerText"
    assert until(lambda: "weight 1 → 4" in page.browser.run(history)), page.browser.run(history)
    page.browser.tap("#history .undo")
    assert until(lambda: page.world.told(first, "loadfactor") == "1.00")
    assert until(lambda: "taken back" in page.browser.run(history))


def test_a_balancer_without_a_nonce_is_looked_at_and_not_touched(page):
    page.world.start(more="nonce=None")
    first = page.world.members[0]
    page.open()
    page.shows(first, "td.state .word", "in service")
    assert page.browser.run(f"return {ROWS}.every(row => [...row.querySelectorAll('.toggles button')]"
                            ".every(button => button.disabled))")
    assert page.browser.run(f"return {ROWS}.every(row => row.querySelector('input').readOnly)")


def test_members_are_filtered_and_sorted(page):
    page.world.start()
    first, second, _ = page.world.members
    page.world.change("w_lf=7", second)
    page.open()
    page.browser.press("/")
    assert page.browser.run("return document.activeElement.id") == "filter"
    page.browser.press("m", "2")
    assert until(lambda: page.names() == [f"http://{second.address}"])
    page.browser.run("const filter = document.getElementById('filter'); filter.value = '';"
                     "filter.dispatchEvent(new Event('input'))")
    assert until(lambda: len(page.names()) == 2)
    header = "thead th.weight"
    for order, names in (("descending", [second, first]), ("ascending", [first, second])):
        page.browser.tap(f"{header} button")
        expected = [f"http://{member.address}" for member in names]
        assert until(lambda wanted=expected: page.names() == wanted), (order, page.names())
        assert page.browser.run(f"return document.querySelector('{header}').ariaSort") == order
    page.world.change("w_status_S=1", second)
    page.browser.run("const show = document.getElementById('show'); show.value = 'trouble';"
                     "show.dispatchEvent(new Event('change'))")
    assert until(lambda: page.names() == [f"http://{second.address}"])


def test_a_member_is_opened_and_closed_by_keyboard(page):
    page.world.start()
    first = page.world.members[0]
    page.world.who(8)
    page.open()
    page.focus(f"document.querySelector('{page.part(first, '.name')}')")
    page.browser.press(ENTER)
    assert until(lambda: page.browser.run("return document.getElementById('detail').open"))
    assert page.browser.text("#detail-title") == f"http://{first.address}"
    assert until(lambda: page.browser.run("return document.querySelectorAll('#detail canvas').length") == 3)
    page.browser.press(ESCAPE)
    assert until(lambda: not page.browser.run("return document.getElementById('detail').open"))
    assert page.browser.run("return document.activeElement.className") == "name"
    page.browser.press(TAB)
    assert page.browser.run("return document.activeElement.tagName") == "INPUT"  # the next control
    assert not page.browser.complaints()


def test_everything_that_can_be_used_has_a_name_and_the_table_is_one(page):
    page.world.start()
    page.open()
    nameless = page.browser.run(
        "return [...document.querySelectorAll('button, input, select, a')].filter(one =>"
        " !(one.ariaLabel || one.textContent.trim() || (one.labels && one.labels.length)))"
        ".map(one => one.outerHTML)")
    assert nameless == []
    for width in (1440, 390):  # as a table and as cards
        page.browser.resize(width)
        assert page.browser.run(
            "return [...document.querySelectorAll('table')].every(table => table.caption.textContent"
            " && table.getAttribute('role') === 'table'"
            " && [...table.querySelectorAll('tbody > tr')].every(row => row.getAttribute('role') === 'row'"
            "   && row.querySelector('th[scope=row]'))"
            " && table.querySelectorAll('thead th[scope=col]').length === 13)")
    charts = "return [...document.querySelectorAll('[role=img]')].map(one => one.ariaLabel || '')"
    assert len(page.browser.run(charts)) >= 5 and all(page.browser.run(charts))
    summary = "return document.getElementById('summary').textContent"
    assert until(lambda: page.browser.run(summary) == "No member is in trouble.")


def test_hostile_names_stay_text(page):
    evil = "%253Cimg%2520src=x%2520onerror=document.title=1%253E"
    page.world.start()
    first = page.world.members[0]
    page.world.change(f"w_wr={evil}", first)
    page.open()
    page.shows(first, ".route", "<img src=x onerror=document.title=1>")
    history = "return document.getElementById('history').innerText"
    assert until(lambda: "<img" in page.browser.run(history))
    page.tap(first, ".name")
    assert until(lambda: "<img" in page.browser.text("#detail"))
    assert page.browser.run("return document.images.length") == 0
    assert "Steelyard" in page.browser.run("return document.title")


def test_it_goes_on_after_a_reload_and_after_a_restart(page):
    page.world.start()
    third = page.world.members[2]
    page.open()
    extra = f"<Proxy balancer://more>\nBalancerMember http://{third.address}\n</Proxy>\n"
    page.world.reload(after=extra)
    assert until(lambda: f"http://{third.address}" in page.names()), page.names()
    page.await_state("live")
    page.world.server.stop()
    page.await_state("no word from the server, asking again")
    page.world.start()
    page.await_state("live")
    assert until(lambda: len(page.names()) == 2)


def test_a_row_and_its_dialog_stay_the_members_over_a_reload_that_moves_it(page):
    page.world.start()
    first, second, third = page.world.members
    page.open()
    page.focus(f"document.querySelector('{page.part(second, '.name')}')")
    page.browser.press(ENTER)
    assert until(lambda: page.browser.run("return document.getElementById('detail').open"))
    # The third becomes the first: every member stands elsewhere than before.
    text = page.world.text()
    page.world.server.write(text.replace(
        f"BalancerMember http://{first.address}",
        f"BalancerMember http://{third.address} route=m3\n    BalancerMember http://{first.address}"))
    page.world.server.signal(signal.SIGUSR1)
    everyone = [f"http://{member.address}" for member in (third, first, second)]
    assert until(lambda: page.names() == everyone), page.names()
    assert page.browser.run("return document.getElementById('detail').open")
    assert page.browser.text("#detail-title") == f"http://{second.address}"
    page.browser.press(ESCAPE)
    assert until(lambda: not page.browser.run("return document.getElementById('detail').open"))
    assert page.browser.run("return document.activeElement.textContent") == f"http://{second.address}"
    page.tap(second, DRAIN)
    page.shows(second, "td.state .word", "draining")
    assert "Drn" in page.world.told(second, "status")
    assert "Drn" not in page.world.told(first, "status") + page.world.told(third, "status")


def test_trouble_with_the_journal_is_told_where_changes_are_made(page):
    page.world.server.root.mkdir(exist_ok=True)
    (page.world.server.root / "httpd.pid.journal").write_text("no folder")
    page.world.start(after="BalancerPersist On")
    first = page.world.members[0]
    page.open()
    told = "return document.getElementById('troubles').innerText"
    assert page.browser.run(told).startswith("Changes are refused: the journal is not open")
    page.tap(first, DRAIN)
    assert until(lambda: "journal" in page.told())
    assert "<strong>Changes are refused: " in page.world.curl(page.world.url)
    refused = page.world.change("w_status_N=1", first)
    assert "503" in refused and page.world.told(first, "status") == "Init Ok "
    page.world.server.stop()
    (page.world.server.root / "httpd.pid.journal").unlink()
    page.world.start(after="BalancerPersist On")
    assert until(lambda: page.browser.run(told) == "")


def test_a_cluster_out_of_reach_is_told_where_changes_are_made(page):
    nobody = HeldPort()
    try:
        page.world.start(after=f"SteelyardCluster etcd://127.0.0.1:{nobody.port}/x")
        page.open()
        told = "return document.getElementById('troubles').innerText"
        words = f"Not connected to etcd://127.0.0.1:{nobody.port}/x"
        assert until(lambda: page.browser.run(told).startswith(words)), page.browser.run(told)
        assert f"<strong>{words}" in page.world.curl(page.world.url)
        page.world.change("w_lf=2", page.world.members[0])
        assert until(lambda: "1 order not shared yet" in page.browser.run(told)), page.browser.run(told)
    finally:
        nobody.close()


def test_a_failed_health_check_is_told_with_its_reason_and_the_next_one(page):
    hcheck = f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so"
    page.world.start(after=hcheck)
    first = page.world.members[0]
    page.world.change("w_hm=GET&w_hi=200&w_hf=1&w_hu=/checked", first)
    page.open()
    page.shows(first, "td.state .why", "check passed")
    page.shows(first, "td.state .why", "next")


def test_a_thousand_members_are_turned_over_page_by_page(page):
    lines = "\n".join(f"    BalancerMember http://127.0.0.1:{20000 + i} route=w{i}" for i in range(1000))
    page.world.start(after=f"<Proxy balancer://big>\n{lines}\n</Proxy>\n")
    page.open()
    assert until(lambda: len(page.names()) == 52)
    pager = ".balancer:nth-of-type(2) .pager"
    assert "1–50 of 1,000" in page.browser.text(pager)
    page.browser.tap(f"{pager} button:last-child")
    assert until(lambda: "51–100 of 1,000" in page.browser.text(pager))
    page.browser.tap("#filter")
    page.browser.press(*"w777")
    assert until(lambda: page.names() == ["http://127.0.0.1:20777"])
    assert not page.browser.complaints()


TWO_BALANCERS = """
<Proxy balancer://big>
{}
</Proxy>
""".format("\n".join(f"    BalancerMember http://127.0.0.1:{20000 + i} route=w{i}" for i in range(60)))
SHOWN = "return [...document.querySelectorAll('section.balancer h2')].map(one => one.textContent)"
LEFT_OUT = "return document.getElementById('left-out').innerText"


def ask_for(page, text):
    page.browser.run(f"const filter = document.getElementById('filter'); filter.value = '{text}';"
                     "filter.dispatchEvent(new Event('input'))")


def test_balancers_without_a_member_that_is_looked_for_are_left_out(page):
    page.world.start(after=TWO_BALANCERS)
    page.open()
    assert page.browser.run(SHOWN) == ["app", "big"] and page.browser.run(LEFT_OUT) == ""
    ask_for(page, "w33")
    assert until(lambda: page.browser.run(SHOWN) == ["big"])
    assert page.browser.run(LEFT_OUT) == "1 other balancer has no member like that."
    ask_for(page, "nobody")
    assert until(lambda: page.browser.run(SHOWN) == [])
    assert page.browser.run(LEFT_OUT) == "No member is like that."
    ask_for(page, "")
    assert until(lambda: page.browser.run(SHOWN) == ["app", "big"])


@pytest.mark.parametrize("width", [1440, 390])
def test_a_link_leads_to_each_balancer(page, width):
    page.world.start(after=TWO_BALANCERS + "<Proxy balancer://last>\n    BalancerMember http://127.0.0.1:9\n</Proxy>\n")
    page.open()
    page.browser.resize(width)
    links = page.browser.run("return [...document.querySelectorAll('#jump a')].map(one => one.innerText)")
    assert [" ".join(link.split()) for link in links] == ["app 2 of 2", "big 60 of 60", "last 1 of 1"]
    page.browser.tap("#jump a:last-child")
    # Its title is in sight, and not below the bar at the top.
    sight = ("const title = [...document.querySelectorAll('h2')].find(one => one.textContent === 'last');"
             "const box = title.getBoundingClientRect();"
             "const hit = document.elementFromPoint(box.left + 5, box.top + 5);"
             "return hit === title")
    assert until(lambda: page.browser.run(sight))
    page.browser.open(page.browser.run("return location.href"))  # and so does its address
    page.await_state("live")
    assert until(lambda: page.browser.run(sight))


def test_a_row_is_no_higher_than_what_it_tells(page):
    page.world.start()
    page.open()
    for width in (1280, 1440):
        page.browser.resize(width)
        heights = page.browser.run(f"return {ROWS}.map(row => row.offsetHeight)")
        assert len(heights) == 2 and max(heights) < 60, heights


def test_long_names_and_routes_stay_within_their_cells(page):
    page.world.start(after=f"""
<Proxy balancer://long>
    BalancerMember http://127.0.0.1:9/{"path/" * 15}{"p" * 20} route={"r" * 60} status=+D
</Proxy>""")
    page.open()
    for width in (390, 820, 1440):
        page.browser.resize(width)
        over = page.browser.run(
            f"return {ROWS}.flatMap(row => [...row.querySelectorAll('.name, .route')].map(one => {{"
            " const words = document.createRange(); words.selectNodeContents(one);"
            " const cell = one.closest('th').getBoundingClientRect();"
            " return words.getBoundingClientRect().right - cell.right; }))")
        assert len(over) == 6 and max(over) <= 0, (width, over)
        assert page.browser.run("return document.documentElement.scrollWidth") <= width


def test_a_lone_answer_is_seen_in_the_chart_of_times(page):
    """Two samples make a line; with few requests most have no neighbour."""
    page.world.start()
    page.world.who(1)
    page.open()
    drawn = """
      const figure = [...document.querySelectorAll('.chart')].find(one => one.textContent.includes('Time to answer'));
      const canvas = figure.querySelector('canvas');
      if (!canvas) return -1;
      const warn = getComputedStyle(document.documentElement).getPropertyValue('--warn').trim();
      const wanted = [1, 3, 5].map(at => parseInt(warn.slice(at, at + 2), 16));
      const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 200 && wanted.every((value, k) => Math.abs(data[i + k] - value) < 12)) ++count;
      return count;"""
    assert until(lambda: page.browser.run(drawn) > 0, 25), page.browser.run(drawn)


def test_who_listens_when_too_many_do_is_told_so_and_let_in_later(page):
    page.world.start()
    others = []
    for _ in range(64):
        one = Connection("127.0.0.1", page.world.port.port)
        one.send(b"GET /balancer-manager?live=feed HTTP/1.1\r\nHost: lb.test\r\n\r\n")
        one.await_data()
        others.append(one)
    page.browser.resize(1440)
    page.browser.open(page.world.url + "?live")
    page.await_state("too many pages listen already, asking again")
    assert "too many pages listen already" in page.browser.text("#balancers")
    for one in others:
        one.close()
    page.await_state("live")
    assert len(page.names()) == 2


def test_an_order_without_an_answer_may_have_been_obeyed(page):
    page.world.start()
    first = page.world.members[0]
    page.open()
    page.world.server.stop()
    page.tap(first, STOP)
    assert until(lambda: "the server does not answer" in page.told()), page.told()
    assert "not known" in page.told() and "as it was" not in page.told()


SIZES = [(390, 844), (820, 1180), (1240, 800), (1280, 800), (1366, 768), (1440, 900)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen(page, size, scheme, tmp_path):
    page.world.start(after=f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so")
    first, second, _ = page.world.members
    page.world.change("w_status_N=1", first)
    page.world.change("w_status_S=1", second)
    page.world.change("w_hm=GET&w_hi=200&w_hf=1&w_hu=/checked/by/a/path/that/is/long", second)
    page.world.who(8)
    page.open()
    page.browser.resize(*size)
    page.browser.prefer(scheme)
    page.shows(first, "td.state .word", "draining")
    page.shows(second, "td.state .why", "next")
    assert page.browser.run("return document.documentElement.scrollWidth") <= size[0]
    # Nor is a part of the table out of sight.
    assert page.browser.run("return [...document.querySelectorAll('.scroller')].map(one =>"
                            " one.scrollWidth - one.clientWidth)") == [0]
    assert page.browser.run(CONTRAST) >= 4.5
    keep = Path(os.environ.get("STEELYARD_SCREENSHOTS", tmp_path))
    page.browser.screenshot(keep / f"live-{size[0]}-{scheme}.png")


def test_the_theme_can_be_chosen_and_is_remembered(page):
    page.world.start()
    page.browser.prefer("light")
    page.open()
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.browser.run(ground)
    page.browser.tap("#theme")
    assert page.browser.text("#theme") == "Theme: light"
    page.browser.tap("#theme")
    assert page.browser.text("#theme") == "Theme: dark"
    dark = page.browser.run(ground)
    assert dark != light
    page.open()
    assert page.browser.run(ground) == dark
    page.browser.tap("#theme")
    assert page.browser.run(ground) == light


def test_the_classic_page_leads_here_and_back(page):
    page.world.start()
    page.browser.open(page.world.url)
    page.browser.click("a[href$='?live']")
    page.await_state("live")
    page.browser.click(".classic")
    assert "Load Balancer Manager" in page.browser.text("h1")
    assert "?live" not in page.world.curl(page.world.url)  # scripts see what httpd shows


def test_a_graceful_stop_does_not_wait_for_pages_that_listen(page):
    page.world.start()
    page.open()
    page.world.server.signal(signal.SIGWINCH)
    assert page.world.server.ended(20)
