"""A name server for tests: loopback, a port of its own, answers as scripted, UDP and TCP.

    with NameServer() as names:
        names.set("app.example", ["127.0.0.2"], ttl=1)
        names.set_services("_http._tcp.app.example", [(0, 10, 8080, "a.example")], ttl=1)
        names.say("app.example", "servfail")     # nxdomain, silence, garbage, truncated
"""

import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33
RCODES = {"servfail": 2, "nxdomain": 3, "refused": 5}


def encode_name(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def read_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


def record(name, kind, ttl, data):
    return encode_name(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


class NameServer:
    def __init__(self):
        self._lock = threading.Condition()
        self._records = {}  # (name, kind): (ttl, [data])
        self._ways = {}  # name: how it is answered instead
        self.asked = []  # (name, kind) in order
        self._open()

    def _open(self, port=0):
        self._tcp = socket.create_server(("127.0.0.1", port))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._threads = [
            threading.Thread(target=self._serve_udp, args=(self._udp,)),
            threading.Thread(target=self._serve_tcp, args=(self._tcp,)),
        ]
        for thread in self._threads:
            thread.start()

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            self._stopping = True
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    # The server dies, and comes back at the same port.
    die = close

    def revive(self):
        self._stopping = False
        self._open(self.port)

    _stopping = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self._stopping:
            self.close()

    def set(self, name, addresses, ttl=1):
        with self._lock:
            self._ways.pop(name, None)
            for kind, family, mark in ((A, socket.AF_INET, "."), (AAAA, socket.AF_INET6, ":")):
                data = [socket.inet_pton(family, one) for one in addresses if mark in one]
                self._records[name, kind] = (ttl, data)

    def set_services(self, name, services, ttl=1):
        """`services`: (priority, weight, port, target)."""
        with self._lock:
            self._ways.pop(name, None)
            data = [struct.pack("!HHH", *one[:3]) + encode_name(one[3]) for one in services]
            self._records[name, SRV] = (ttl, data)

    def say(self, name, way):
        with self._lock:
            self._ways[name] = way

    def wait_asked(self, name, count=1, timeout_s=10.0):
        """Waits for `count` more questions about the name."""
        with self._lock:
            start = sum(one == name for one, _ in self.asked)
            wanted = start + count
            assert self._lock.wait_for(
                lambda: sum(one == name for one, _ in self.asked) >= wanted, timeout_s
            ), f"nobody asked for {name}: {self.asked}"

    def _answer(self, message, over_tcp):
        """The reply's bytes; None: silence."""
        name, end = read_name(message, 12)
        (kind,) = struct.unpack("!H", message[end : end + 2])
        question = message[12 : end + 4]
        with self._lock:
            self.asked.append((name, kind))
            self._lock.notify_all()
            way = self._ways.get(name)
            known = any(one == name for one, _ in self._records)
            ttl, data = self._records.get((name, kind), (0, []))
        if way == "silence":
            return None
        if way == "garbage":
            return message[:2] + b"\x81\x80\0\1\0\x09\0\0\0\0" + question + b"\xc0\xff" * 7
        rcode = RCODES.get(way, 0 if known else RCODES["nxdomain"])
        truncated = way == "truncated" and not over_tcp
        answers = [] if rcode or truncated else [record(name, kind, ttl, one) for one in data]
        flags = 0x8180 | rcode | (0x0200 if truncated else 0)
        head = message[:2] + struct.pack("!HHHHH", flags, 1, len(answers), 0, 0)
        return head + question + b"".join(answers)

    def _serve_udp(self, udp):
        while True:
            message, peer = udp.recvfrom(4096)
            if self._stopping:
                return
            reply = self._answer(message, over_tcp=False) if len(message) > 16 else None
            if reply is not None:
                udp.sendto(reply, peer)

    def _serve_tcp(self, tcp):
        while True:
            try:
                connection, _ = tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                connection.settimeout(5)
                size = stream.read(2)
                if len(size) < 2:
                    continue
                reply = self._answer(stream.read(struct.unpack("!H", size)[0]), over_tcp=True)
                if reply is not None:
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
