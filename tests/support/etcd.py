"""A real etcd of a test: one member on loopback, which can be stopped, started again with what it had,
and cut off from those who reach it by a cable."""

import base64
import json
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

START_S = 30.0
STOP_S = 10.0
ETCD = "/usr/bin/etcd"


def free_ports(count):
    """Ports that nobody has now. etcd binds without SO_REUSEPORT, so they cannot be held for it."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def end_of(prefix):
    """The first key behind all that begin with it, encoded."""
    return encoded(prefix[:-1] + chr(ord(prefix[-1]) + 1))


class Authority:
    """Certificates of a test's own authority: for a server on 127.0.0.1, and for a client."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.ca, ca_key = self.folder / "ca.pem", self.folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
                      "-keyout", ca_key, "-out", self.ca)
        self.server = self._issue("server", ca_key, "subjectAltName=IP:127.0.0.1")
        self.client = self._issue("client", ca_key, "subjectAltName=DNS:client")

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    def _issue(self, name, ca_key, alternative):
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, more = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        # etcd speaks to itself with the server's certificate. Where logins are demanded it refuses certificates
        # with a CommonName over HTTP.
        more.write_text(f"{alternative}\nextendedKeyUsage=serverAuth,clientAuth\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/O={name}", "-keyout", key,
                      "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
                      "-CAcreateserial", "-days", "2", "-extfile", more, "-out", certificate)
        key.chmod(0o600)
        return certificate, key


class Etcd:
    def __init__(self, authority=None):
        self.folder = Path(tempfile.mkdtemp(prefix="steelyard-etcd-"))
        self.authority = authority
        self.port, self.peer_port = free_ports(2)
        self.process = None
        self.token = ""
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.authority else 'http'}://{self.address}"

    def start(self):
        peer = f"http://127.0.0.1:{self.peer_port}"
        command = [ETCD, "--name", "one", "--data-dir", str(self.folder / "data"),
                   "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                   "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                   "--initial-cluster", f"one={peer}"]
        if self.authority:
            certificate, key = self.authority.server
            command += ["--cert-file", str(certificate), "--key-file", str(key), "--client-cert-auth",
                        "--trusted-ca-file", str(self.authority.ca)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.ask("maintenance/status", {})
                return
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
                    raise RuntimeError(f"etcd did not start: {said}") from None
                time.sleep(0.02)

    def ask(self, path, body):
        request = urllib.request.Request(f"{self.url}/v3/{path}", data=json.dumps(body).encode(),
                                         headers={"Authorization": self.token} if self.token else {})
        context = None
        if self.authority:
            context = ssl.create_default_context(cafile=str(self.authority.ca))
            context.load_cert_chain(*map(str, self.authority.client))
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return json.load(answer)

    def put(self, key, value):
        return self.ask("kv/put", {"key": encoded(key), "value": encoded(value)})

    def erase(self, key):
        return self.ask("kv/deleterange", {"key": encoded(key)})

    def keys(self, prefix):
        found = self.ask("kv/range", {"key": encoded(prefix), "range_end": end_of(prefix)})
        return {base64.b64decode(one["key"]).decode(): base64.b64decode(one.get("value", "")).decode()
                for one in found.get("kvs", [])}

    def revision(self):
        return int(self.ask("kv/range", {"key": encoded("/")})["header"]["revision"])

    def compact(self):
        self.ask("kv/compaction", {"revision": str(self.revision()), "physical": True})

    def demand_login(self, user, password, prefix):
        """From now on only root, and this user under the prefix."""
        self.ask("auth/user/add", {"name": "root", "password": "root"})
        self.ask("auth/role/add", {"name": "root"})
        self.ask("auth/user/grant", {"user": "root", "role": "root"})
        self.ask("auth/role/add", {"name": "steelyard"})
        self.ask("auth/role/grant", {"name": "steelyard", "perm": {
            "permType": "READWRITE", "key": encoded(prefix), "range_end": end_of(prefix)}})
        self.ask("auth/user/add", {"name": user, "password": password})
        self.ask("auth/user/grant", {"user": user, "role": "steelyard"})
        self.ask("auth/enable", {})
        self.token = self.ask("auth/authenticate", {"name": "root", "password": "root"})["token"]

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.kill()
        process.wait(STOP_S)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Cable:
    """Hands on what comes to its port, until it is cut."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.whole = True
        self.lock = threading.Lock()
        self.pairs = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), 5) if self.whole else None
                except OSError:
                    far = None
                if far is None:
                    near.close()
                    continue
                self.pairs.append((near, far))
            threading.Thread(target=self._relay, args=(near, far), daemon=True).start()

    @staticmethod
    def _relay(near, far):
        other = {near: far, far: near}
        try:
            while True:
                for one in select.select([near, far], [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    other[one].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            for one in other:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                one.close()

    def cut(self):
        with self.lock:
            self.whole = False
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for one in pair:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def mend(self):
        with self.lock:
            self.whole = True

    def close(self):
        self.cut()
        # Wakes the thread that accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
