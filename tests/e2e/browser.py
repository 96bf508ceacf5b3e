"""A headless Chromium, steered through chromedriver's HTTP interface (WebDriver)."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from support.ports import HeldPort

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

# Keys for press().
TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"


class Browser:
    def __init__(self, trusts_everybody=False):
        self._profile = tempfile.mkdtemp(prefix="steelyard-browser-")
        self._port = HeldPort()
        port = self._port.port
        self._port.close()  # chromedriver shares a port with nobody, not even with one who waits.
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}", "--log-level=OFF"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._base = f"http://127.0.0.1:{port}"
        self._await_driver()
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", f"--user-data-dir={self._profile}"]
        wanted = {"browserName": "chrome", "acceptInsecureCerts": trusts_everybody,
                  "goog:chromeOptions": {"args": arguments},
                  "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = "/session/" + answer["sessionId"]

    def _await_driver(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)["value"]

    def _element(self, css):
        found = self._call("POST", self._session + "/element",
                           {"using": "css selector", "value": css})
        return f"{self._session}/element/{found[ELEMENT]}"

    def open(self, url):
        self._call("POST", self._session + "/url", {"url": url})

    def text(self, css):
        return self._call("GET", self._element(css) + "/text")

    def click(self, css):
        """Clicks what leads to another page and waits until that page is there."""
        before = self._element("html")
        self._call("POST", self._element(css) + "/click", {})
        for _ in range(500):
            if self._is_gone(before) and self._is_loaded():
                return
            time.sleep(0.02)  # the driver tells of no event for the end of a navigation
        raise AssertionError(f"clicking {css} led nowhere")

    def tap(self, css):
        """Clicks what changes this page."""
        self._call("POST", self._element(css) + "/click", {})

    def press(self, *keys):
        """Each key goes down and up, wherever the focus is; WebDriver's code points name special ones."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", self._session + "/actions",
                   {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def _is_loaded(self):
        try:
            return self.run("return document.readyState") == "complete"
        except urllib.error.HTTPError:
            return False  # still between two pages

    def _is_gone(self, element):
        try:
            self._call("GET", element + "/name")
        except urllib.error.HTTPError:
            return True
        return False

    def run(self, script):
        """A script that returns a promise is waited for."""
        return self._call("POST", self._session + "/execute/sync", {"script": script, "args": []})

    def resize(self, width, height=900):
        # The emulated screen may be narrower than any window.
        self._call("POST", self._session + "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        })

    def prefer(self, scheme):
        self._call("POST", self._session + "/goog/cdp/execute", {
            "cmd": "Emulation.setEmulatedMedia",
            "params": {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        })

    def complaints(self):
        entries = self._call("POST", self._session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if "favicon" not in entry["message"]]

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self._call("GET", self._session + "/screenshot")))

    def close(self):
        try:
            self._call("DELETE", self._session)
        except (AttributeError, urllib.error.URLError):
            pass
        self._driver.terminate()
        self._driver.wait(10)
        shutil.rmtree(self._profile, ignore_errors=True)
