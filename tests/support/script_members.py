"""Real members of the CGI family: php-fpm for FastCGI, uWSGI for uwsgi and SCGI.

Each runs in a directory of its own on a held port or a unix socket there, and is stopped by the
process that started it.
"""

import json
import os
import socket
import time
from pathlib import Path

from .real_members import RealMember

PHP_FPM = next(iter(sorted(Path("/usr/sbin").glob("php-fpm*"))), None)
UWSGI = "/usr/bin/uwsgi"
START_S = 20.0

# A worker that stays with a connection serves nobody else.
FPM_CONF = """\
[global]
daemonize = no
error_log = fpm.log
[{name}]
{user}
listen = {listen}
listen.mode = 0666
pm = static
pm.max_children = 4
catch_workers_output = yes
ping.path = /ping
env[NODE] = {name}
"""

# Tells all it was told as JSON; ?do= makes it do something else.
PHP_PAGE = """\
<?php
$do = $_GET['do'] ?? '';
if ($do === 'fail') { undefined_function(); }
if ($do === 'warn') { error_log('the script warns'); }
if ($do === 'away') { header('Location: /elsewhere', true, 303); exit; }
if ($do === 'none') { http_response_code(404); echo 'no such page'; exit; }
if ($do === 'large') { for ($i = 0; $i < 4000; $i++) echo str_repeat('0123456789', 100); exit; }
header('Content-Type: application/json');
setcookie('one', '1'); setcookie('two', '2');
$body = file_get_contents('php://input');
echo json_encode(['server' => $_SERVER, 'get' => $_GET, 'post' => $_POST, 'node' => getenv('NODE'),
                  'bytes' => strlen($body), 'sha256' => hash('sha256', $body), 'pid' => getmypid()]);
"""

WSGI_APP = """\
import hashlib, json, os

def application(environ, start_response):
    body = environ['wsgi.input'].read()
    status = environ['QUERY_STRING'] or '200 OK'
    start_response(status.replace('+', ' '), [('Content-Type', 'application/json'),
                                              ('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')])
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    yield json.dumps({'server': told, 'node': os.environ['NODE'], 'bytes': len(body),
                      'sha256': hashlib.sha256(body).hexdigest()}).encode()
"""


class ScriptMember(RealMember):
    """Ready once it accepts a connection."""

    protocol = "fcgi"

    def __init__(self, name, directory, on_socket=False):
        super().__init__(name, directory)
        self.socket_path = str(self.root / "sock") if on_socket else None
        self.root.chmod(0o755)

    @property
    def listen(self):
        return self.socket_path or self.address

    @property
    def url(self):
        if self.socket_path:
            return f"unix:{self.socket_path}|{self.protocol}://localhost"
        return f"{self.protocol}://{self.address}"

    def _answers(self, patience_s):
        try:
            if self.socket_path:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(self.socket_path)
            else:
                socket.create_connection(("127.0.0.1", self.held.port), patience_s).close()
            return True
        except OSError:
            return False

    def start(self):
        self.begin()
        deadline = time.monotonic() + START_S
        while not self._answers(1.0):
            assert self.process.poll() is None, (self.root / "output.txt").read_text()
            assert time.monotonic() < deadline, f"{self.name} never listened"
            time.sleep(0.01)


class PhpFpm(ScriptMember):
    """Serves /page.php of `scripts`, and /ping."""

    def __init__(self, name, directory, scripts, on_socket=False):
        super().__init__(name, directory, on_socket)
        scripts.mkdir(exist_ok=True)
        (scripts / "page.php").write_text(PHP_PAGE)
        user = "user = www-data\ngroup = www-data" if os.getuid() == 0 else ""
        text = FPM_CONF.format(name=name, listen=self.listen, user=user)
        (self.root / "fpm.conf").write_text(text)

    def command(self):
        return [str(PHP_FPM), "--nodaemonize", "-y", str(self.root / "fpm.conf"), "-p", str(self.root)]


class Uwsgi(ScriptMember):
    """One WSGI application, over uwsgi or SCGI."""

    def __init__(self, protocol, name, directory, on_socket=False):
        super().__init__(name, directory, on_socket)
        self.protocol = protocol
        (self.root / "app.py").write_text(WSGI_APP)

    def command(self):
        return [
            "env", f"NODE={self.name}", UWSGI, "--plugin", "python3",
            f"--{self.protocol}-socket", self.listen, "--chmod-socket=666",
            "--wsgi-file", "app.py", "--master", "--die-on-term", "--buffer-size", "65535",
            "--need-app",
        ]  # fmt: skip


def told(response):
    """What the page says of its request."""
    assert response.status == "200", response
    return json.loads(response.body)
