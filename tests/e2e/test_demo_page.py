"""The quickstart as a person sees it: a browser, the balancer, three demo members."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from browser import Browser
from support.ports import HeldPort
from support.server import PROJECT, Scratch, Server

QUICKSTART = PROJECT / "examples/quickstart/httpd.conf"


class DemoMember:
    def __init__(self, binary, route):
        self.route = route
        self.process = subprocess.Popen(
            [binary, "demo-member", "--port", "0", "--name", f"member {route}", "--route", route],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline())[1])

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def browser():
    one = Browser()
    yield one
    one.close()


@pytest.fixture
def quickstart(binary):
    """The example's own file; only the port numbers are other ones."""
    port, scratch = HeldPort(), Scratch("steelyard-demo-")
    members = [DemoMember(binary, route) for route in ("m1", "m2", "m3")]
    text = QUICKSTART.read_text().replace("127.0.0.1:8080", str(port))
    for number, member in enumerate(members, 1):
        text = text.replace(f"127.0.0.1:810{number}", f"127.0.0.1:{member.port}")
    server = Server(binary, scratch.path)
    try:
        server.start(text, [port.port])
        yield f"http://{port}/", members, server
    finally:
        server.stop()
        for member in members:
            member.stop()
        port.close()
        scratch.close()


def answered_by(browser, address):
    browser.open(address)
    return browser.text("#route")


def test_reloading_shows_balancing_and_logging_in_shows_stickiness(browser, quickstart):
    address, members, _ = quickstart
    assert {answered_by(browser, address) for _ in range(3)} == {"m1", "m2", "m3"}
    browser.click("form[action='/login'] button")
    mine = browser.text("#route")
    assert browser.text("#session").endswith("." + mine)
    assert [answered_by(browser, address) for _ in range(6)] == [mine] * 6

    # The member goes down: another takes the session over and says so.
    next(one for one in members if one.route == mine).stop()
    other = answered_by(browser, address)
    assert other != mine
    assert f"began at {mine}" in browser.text("main")

    browser.click("form[action='/logout'] button")
    assert browser.text("#session") == "none"
    assert not browser.complaints()


def test_the_access_log_tells_how_each_request_found_its_member(browser, quickstart):
    address, _, server = quickstart
    browser.open(address)
    browser.click("form[action='/login'] button")
    mine = browser.text("#route")
    browser.open(address)
    server.stop()
    last = server.read("access.log").splitlines()[-1]
    assert f"wants={mine} got={mine} moved=-" in last


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_every_screen(browser, quickstart, width, scheme, tmp_path):
    address, _, _ = quickstart
    browser.resize(width)
    browser.prefer(scheme)
    browser.open(address)
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= width
    # What the colours are for: text that can be read. WCAG asks for 4.5 to 1.
    assert browser.run(CONTRAST) >= 4.5
    keep = Path(os.environ.get("STEELYARD_SCREENSHOTS", tmp_path))
    browser.screenshot(keep / f"demo-{width}-{scheme}.png")


CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function rgb(colour) {
  canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data;
}
function luminance(colour) {
  const [r, g, b] = [...rgb(colour)].slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ground(element) {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (colour !== 'rgba(0, 0, 0, 0)') return colour;
  }
  return 'white';
}
let least = 21;
for (const e of document.querySelectorAll('h1, h2, p, dt, dd, code, pre, button, a.button')) {
  const one = luminance(getComputedStyle(e).color), two = luminance(ground(e));
  least = Math.min(least, (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05));
}
return least;
"""
