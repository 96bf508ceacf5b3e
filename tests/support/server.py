"""Starts and stops a real apache2 or a steelyard in a scratch directory.

Both get the same file.  Paths in it are relative to ServerRoot, which is given on the command line,
so each program has a directory of its own:

    httpd.conf   access.log   error.log   output.txt (what the program itself printed)
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
APACHE = "/usr/sbin/apache2"
MODULE_DIRECTORY = "/usr/lib/apache2/modules"
MODULES = (
    "mpm_event authz_core authz_host proxy proxy_http slotmem_shm proxy_balancer "
    "lbmethod_byrequests lbmethod_bytraffic lbmethod_bybusyness headers env setenvif alias "
    "reqtimeout macro"
).split()

START_S = 15.0
STOP_S = 15.0

# One child, so that balancer state and connection pools are one; steelyard is told the same.
# %{local}p and %{remote}p name the connection a line belongs to (see runner.py).
LOG_FORMAT = (
    r"%{local}p %{remote}p | %h %l %u \"%r\" k=%k s=%s >s=%>s B=%B b=%b I=%I O=%O H=%H m=%m U=%U"
    r" q=%q "
    r"p=%p v=%v V=%V R=%R f=%f X=%X name=%{BALANCER_NAME}e worker=%{BALANCER_WORKER_NAME}e "
    r"wroute=%{BALANCER_WORKER_ROUTE}e sticky=%{BALANCER_SESSION_STICKY}e "
    r"route=%{BALANCER_SESSION_ROUTE}e changed=%{BALANCER_ROUTE_CHANGED}e "
    r"ct=%{Content-Type}o loc=%{Location}o xff=%{X-Forwarded-For}i host=%{Host}i sid=%{sid}C"
)

PROLOGUE = """\
%(modules)s
PidFile httpd.pid
User www-data
Group www-data
ServerName lb.test
ErrorLog error.log
LogLevel %(log_level)s
StartServers 1
ServerLimit 1
ThreadLimit 48
ThreadsPerChild 48
MinSpareThreads 1
MaxSpareThreads 48
MaxRequestWorkers 48
<IfModule !steelyard_module>
DefaultRuntimeDir .
</IfModule>
<IfModule steelyard_module>
SteelyardShards 1%(more)s
</IfModule>
"""

# Last in the file, so that every other log of a request is written before this one.
EPILOGUE = """
LogFormat "%(log_format)s" oracle
CustomLog access.log oracle
"""


def complete(text, log_level="warn", without_modules=()):
    """The whole file for both programs around a scenario's own text."""
    modules = [
        f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so"
        for name in MODULES
        if name not in without_modules
    ]
    # Lines that whoever runs the tests wants in every file (tests/kernel/run).
    more = "".join("\n" + line for line in os.environ.get("STEELYARD_TEST_LINES", "").splitlines())
    before = PROLOGUE % {"modules": "\n".join(modules), "log_level": log_level, "more": more}
    return before + text + EPILOGUE % {"log_format": LOG_FORMAT}


def steelyard_binary():
    told = os.environ.get("STEELYARD_BINARY")
    return Path(told) if told else PROJECT / "build/release/src/steelyard"


class StartFailed(Exception):
    pass


class Server:
    """One program with one configuration file, running between start() and stop()."""

    def __init__(self, binary, directory):
        self.binary = str(binary)
        self.root = Path(directory)
        self.process = None
        self.environment = None  # the tests' own

    @property
    def config_path(self):
        return self.root / "httpd.conf"

    def command(self, *more):
        return [self.binary, "-d", str(self.root), "-f", str(self.config_path), *more]

    def check(self, text):
        """Runs -t: (exit status, what it said)."""
        self.write(text)
        done = subprocess.run(
            self.command("-t"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20
        )
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def write(self, text):
        self.root.mkdir(parents=True, exist_ok=True)
        self.config_path.write_text(text)

    def start(self, text, ports):
        """Returns when every port accepts connections."""
        self.write(text)
        with open(self.root / "output.txt", "wb") as output:
            self.process = subprocess.Popen(
                self.command("-DFOREGROUND"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
            )
        deadline = time.monotonic() + START_S
        for port in ports:
            self._await_listening(port, deadline)

    def _await_listening(self, port, deadline):
        while True:
            if self.process.poll() is not None:
                raise StartFailed(self.complaint(f"exit status {self.process.returncode}"))
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise StartFailed(self.complaint(f"port {port} never opened")) from None
                time.sleep(0.003)

    def complaint(self, what):
        return f"{self.binary}: {what}\n{self.read('output.txt')}{self.read('error.log')[-2000:]}"

    def read(self, name):
        try:
            return (self.root / name).read_text("latin1")
        except FileNotFoundError:
            return ""

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self, wait_s):
        """True when the program has ended by itself within the wait."""
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def place(self, files):
        """Further files, by their path below ServerRoot."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def stop(self):
        """TERM to the process we started, and its exit status."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode


class Scratch:
    """A directory that an unprivileged server process can enter, gone at the end."""

    def __init__(self, prefix="steelyard-oracle-"):
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self.path.chmod(0o755)

    def close(self):
        if os.environ.get("STEELYARD_KEEP_SCRATCH"):
            print(f"kept {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)
