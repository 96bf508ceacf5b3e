"""Processes of a comparison: built, started on their core, watched, and ended by their ids.

Everything a run starts goes through one Stage, which ends all of it when the run is over for
whatever reason; a process whose driver was killed outright is told by the kernel (PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ("apache2", "nginx", "haproxy")
TOOLS = ("curl", "nghttp2-client")  # h2load
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 5.0
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Failed(Exception):
    """What the person who runs the comparison should read instead of a traceback."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def install_peers() -> None:
    """Installs the packaged peers and stops the services that their packages start."""
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [*as_root, "apt-get", "install", "-y", "--no-install-recommends", *PACKAGES, *TOOLS]
    subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
    for service in PACKAGES:
        subprocess.run([*as_root, "service", service, "stop"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def build(build_dir: pathlib.Path, targets: list[str]) -> None:
    if not (build_dir / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release", "-B", str(build_dir)], check=True, cwd=ROOT,
                       stdout=sys.stderr)
    subprocess.run(["ninja", "-C", str(build_dir), *targets], check=True, stdout=sys.stderr)


def key_pair(directory: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate on the curve P-256 and its key; also both in one file, which haproxy wants."""
    certificate, key, both = (directory / f"tls.{end}" for end in ("pem", "key", "both"))
    if not both.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate, key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def version_of(command: list[str]) -> str:
    """The first line that a program says about its version."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = (result.stdout + result.stderr).strip().splitlines()
    return lines[0].strip() if lines else "unknown"


def h2load_counts(output: str, times: str) -> dict:
    """What the other load generators count, of h2load's report and its log: a line a request, with
    its begin, its status and how long it took, in microseconds."""
    totals = re.search(r"^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", output, re.M)
    finished = re.search(r"^finished in ([\d.]+)(us|ms|s),", output, re.M)
    if not totals or not finished:
        raise ValueError("no report")
    took = sorted(int(line.split("\t")[2]) for line in times.splitlines())
    seconds = float(finished[1]) * {"s": 1, "ms": 1e-3, "us": 1e-6}[finished[2]]
    return {"requests": int(totals[1]), "errors": int(totals[2]) + int(totals[3]), "seconds": seconds,
            "p50_us": took[len(took) // 2] if took else 0,
            "p99_us": took[len(took) * 99 // 100] if took else 0}


def go_first() -> None:
    """Runs whenever it can, before everything that is not real-time; the kernel leaves those 5 %.

    A low nice value would not do: a process that wakes up would still wait for the end of another's slice.
    """
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


class Stage:
    """The scratch directory and the processes of one run, in the order they were started."""

    def __init__(self, programs: pathlib.Path, first: bool = False) -> None:
        self.programs = programs
        self.first = first
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="steelyard-compare-"))
        self.directory.chmod(0o755)
        self.processes: list[subprocess.Popen] = []
        self.handlers: dict = {}

    def __enter__(self) -> Stage:
        self.handlers = {number: signal.signal(number, lambda *_: sys.exit(130))
                         for number in END_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        for process in reversed(self.processes):
            self.stop(process)
        shutil.rmtree(self.directory, ignore_errors=True)
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def start(self, command: list[str], core: int, log: str, **streams: object) -> subprocess.Popen:
        """Starts a program on one core, in a session of its own, with its messages in a file."""

        def prepare() -> None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            os.sched_setaffinity(0, {core})
            if self.first:
                go_first()

        with open(self.directory / log, "ab") as messages:
            streams = {"stdout": messages, "stderr": messages, "stdin": subprocess.DEVNULL, **streams}
            process = subprocess.Popen(command, preexec_fn=prepare, start_new_session=True,
                                       cwd=self.directory, **streams)
        self.processes.append(process)
        return process

    def stop(self, process: subprocess.Popen) -> None:
        if process in self.processes:
            self.processes.remove(process)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what is left of its own session
        except ProcessLookupError:
            pass
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()

    def start_listening(self, name: str, arguments: list[str], core: int) -> tuple:
        """One of our own programs: it prints its addresses and "ready"."""
        process = self.start([str(self.programs / name), *arguments], core, f"{name}.log",
                             stdout=subprocess.PIPE)
        addresses = []
        for line in process.stdout:
            if line.strip() == b"ready":
                return process, addresses
            addresses.append(line.decode().strip())
        raise Failed(f"{name} did not start: {self.tail(name + '.log')}")

    def wait_until_open(self, process: subprocess.Popen, port: int, log: str) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise Failed(f"ended at its start: {self.tail(log)}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise Failed(f"does not listen after {START_SECONDS_MAX:.0f} s: {self.tail(log)}")

    def tail(self, log: str) -> str:
        try:
            return (self.directory / log).read_text(errors="replace").strip()[-2000:]
        except OSError:
            return "(no messages)"

    def load(self, target: str, arguments: list[str], core: int, seconds: float,
             tls: bool = False) -> dict:
        """Runs the load generator to its end and returns what it counted."""
        command = [str(self.programs / ("tls_load" if tls else "load")), "--to", target, "--seconds", str(seconds), *arguments]
        try:
            return json.loads(self._output_of(command, core, seconds))
        except ValueError:
            raise Failed(f"the load generator said nothing: {self.tail('load.log')}") from None

    def h2load(self, target: str, arguments: list[str], core: int, seconds: float,
               tls: bool = False) -> dict:
        """The same by h2load, which speaks HTTP/2 and reads chunks. The last argument is the path."""
        times = self.directory / "h2load.log"
        times.unlink(missing_ok=True)
        url = f"{'https' if tls else 'http'}://{target}{arguments[-1]}"
        command = ["h2load", "-D", str(max(1, round(seconds))), f"--log-file={times}",
                   *arguments[:-1], url]
        output = self._output_of(command, core, seconds).decode(errors="replace")
        try:
            return h2load_counts(output, times.read_text(encoding="ascii"))
        except (ValueError, OSError):
            raise Failed(f"h2load said: {output[-2000:]}") from None

    def _output_of(self, command: list[str], core: int, seconds: float) -> bytes:
        process = self.start(command, core, "load.log", stdout=subprocess.PIPE)
        try:
            return process.communicate(timeout=seconds + 15)[0]
        except subprocess.TimeoutExpired:
            raise Failed(f"the load generator did not end: {self.tail('load.log')}") from None
        finally:
            self.stop(process)
