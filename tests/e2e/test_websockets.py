"""WebSockets through ws:// and wss:// members and upgrade=, with the library that people use and a browser."""

import json
import shutil
import subprocess
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from browser import Browser
from support.certificates import Authority
from support.ports import HeldPort
from support.server import MODULE_DIRECTORY, complete

PROGRAM = Path(__file__).resolve().parents[1] / "websocket"
MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("proxy_wstunnel", "ssl"))
CONFIG = MODULES + """
Listen {clear}
Listen {secure}
ProxyPass /upgraded http://{member}/upgraded upgrade=websocket
ProxyPass /talk ws://{member}/talk
ProxyPass /secret wss://{secret}/secret
ProxyPass / http://{member}/
SSLProxyEngine On
SSLProxyCACertificateFile {authority}
<VirtualHost *:{secure_port}>
    SSLEngine On
    SSLCertificateFile {certificate}
    SSLCertificateKeyFile {key}
    ProxyPass /upgraded http://{member}/upgraded upgrade=websocket
    ProxyPass /talk ws://{member}/talk
    ProxyPass /secret wss://{secret}/secret
    SSLProxyEngine On
    SSLProxyCACertificateFile {authority}
    ProxyPass / http://{member}/
</VirtualHost>
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """The program with its package, beside the sources and not among them."""
    place = tmp_path_factory.mktemp("websocket")
    for name in ("package.json", "package-lock.json", "talk.js"):
        shutil.copy(PROGRAM / name, place)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                   cwd=place, check=True, timeout=300)
    return place / "talk.js"


@contextmanager
def serving(talk, *words):
    playing = subprocess.Popen(["node", talk, "serve", *map(str, words)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        assert playing.stdout.readline() == b"up\n"
        yield
    finally:
        playing.communicate(timeout=20)


@pytest.fixture
def authorities(talk, server, port, tmp_path):
    """host:port by the scheme of a page there."""
    with ExitStack() as stack:
        member, secret, secure = (stack.enter_context(closing(HeldPort())) for _ in range(3))
        authority = Authority(tmp_path / "pki")
        certificate, key = authority.issue("127.0.0.1")
        stack.enter_context(serving(talk, member.port))
        stack.enter_context(serving(talk, secret.port, certificate, key))
        server.start(complete(CONFIG.format(
            clear=port, secure=secure, secure_port=secure.port, member=member, secret=secret,
            authority=authority.certificate, certificate=certificate, key=key)),
            [port.port, secure.port])
        yield {"http": str(port), "https": str(secure)}


@pytest.mark.parametrize("path", ["/talk", "/secret", "/upgraded"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_library_talks_to_itself(authorities, talk, scheme, path):
    url = scheme.replace("http", "ws") + "://" + authorities[scheme] + path
    done = subprocess.run(["node", talk, "ask", url], capture_output=True, timeout=60, check=True)
    told = json.loads(done.stdout)
    assert told == {"protocol": "chat", "extension": "permessage-deflate", "ponged": True,
                    "text": "hello", "large": True, "code": 4001, "reason": "done"}


def test_a_browser_talks(authorities):
    browser = Browser("--ignore-certificate-errors")
    try:
        for scheme in ("http", "https"):
            browser.open(f"{scheme}://{authorities[scheme]}/")
            deadline = time.monotonic() + 20
            # The page tells once its socket is closed; the driver tells of no event for that.
            while not (told := browser.text("#told")) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert told == "open chat, got hello, closed 4000 true", scheme
    finally:
        browser.close()
