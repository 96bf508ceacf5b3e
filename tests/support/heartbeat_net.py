#!/usr/bin/python3
"""A network of its own with real apache2 members that send heartbeats by multicast.

Run inside a fresh network namespace (`unshare --net`), which dies with it: a bridge, and behind it
one namespace for each member, as heartbeats are told apart by the address they come from.

    10.77.0.1 bridge ── veth ── 10.77.0.11 apache2 "one"
                     └─ veth ── 10.77.0.12 apache2 "two"

    heartbeat_net.py STEELYARD DIRECTORY

Prints one JSON object of what was observed.
"""

import http.client
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.server import APACHE, MODULE_DIRECTORY, Server  # noqa: E402

HUB = "10.77.0.1"
GROUP = "239.77.0.1:27999"
OWN_GROUP = ("239.77.0.2", 27998)
WAIT_S = 30.0
REQUESTS = 400

MEMBER = """\
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule heartbeat_module {modules}/mod_heartbeat.so
User www-data
Group www-data
ServerName {name}
PidFile httpd.pid
ErrorLog error.log
DefaultRuntimeDir .
Listen {address}:8080
DocumentRoot "{root}/files"
ServerLimit 1
StartServers 1
ThreadLimit {threads}
ThreadsPerChild {threads}
MinSpareThreads 1
MaxSpareThreads {threads}
MaxRequestWorkers {threads}
HeartbeatAddress {group}
"""

BALANCER = """\
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule slotmem_shm_module {modules}/mod_slotmem_shm.so
LoadModule proxy_balancer_module {modules}/mod_proxy_balancer.so
LoadModule heartmonitor_module {modules}/mod_heartmonitor.so
LoadModule lbmethod_heartbeat_module {modules}/mod_lbmethod_heartbeat.so
LoadModule heartbeat_module {modules}/mod_heartbeat.so
User www-data
Group www-data
ServerName lb.test
PidFile httpd.pid
ErrorLog error.log
DefaultRuntimeDir {root}
Listen {hub}:{port}
MaxRequestWorkers 150
HeartbeatListen {group}
HeartbeatMaxServers {slots}
HeartbeatStorage hb.dat
HeartbeatAddress {own_group}
<Proxy balancer://app>
    BalancerMember http://10.77.0.11:8080
    BalancerMember http://10.77.0.12:8080
    ProxySet lbmethod=heartbeat
</Proxy>
ProxyPass / balancer://app/
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def until(claim, wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def build_hub():
    ip("link", "set", "lo", "up")
    ip("link", "add", "hub", "type", "bridge", "mcast_snooping", "0")
    ip("address", "add", f"{HUB}/24", "dev", "hub")
    ip("link", "set", "hub", "up")
    ip("route", "add", "224.0.0.0/4", "dev", "hub")


class Member:
    """An apache2 in a namespace of its own, which ends with it."""

    def __init__(self, name, number, threads, directory):
        self.address = f"10.77.0.{number}"
        root = directory / name
        (root / "files").mkdir(parents=True)
        (root / "files/who").write_text(name)
        root.chmod(0o777)
        text = MEMBER.format(
            modules=MODULE_DIRECTORY,
            name=name,
            address=self.address,
            root=root,
            threads=threads,
            group=GROUP,
        )
        (root / "httpd.conf").write_text(text)
        steps = [
            "read -r go",
            "ip link set lo up",
            f"ip address add {self.address}/24 dev eth0",
            "ip link set eth0 up",
            "ip route add 224.0.0.0/4 dev eth0",
            f"exec {APACHE} -d {root} -f {root}/httpd.conf -DFOREGROUND",
        ]
        self.process = subprocess.Popen(
            ["unshare", "--net", "sh", "-ec", "\n".join(steps)],
            stdin=subprocess.PIPE,
            stdout=open(root / "output.txt", "wb"),
            stderr=subprocess.STDOUT,
        )
        own = os.readlink("/proc/self/ns/net")
        there = f"/proc/{self.process.pid}/ns/net"
        assert until(lambda: os.readlink(there) != own), "no namespace for a member"
        port, peer = f"port{number}", str(self.process.pid)
        ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", peer)
        ip("link", "set", port, "master", "hub", "up")
        self.process.stdin.write(b"go\n")
        self.process.stdin.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


def ask(port):
    """The member's name, or the status."""
    connection = http.client.HTTPConnection(HUB, port, timeout=10)
    try:
        connection.request("GET", "/who")
        answer = connection.getresponse()
        body = answer.read().decode()
        return body if answer.status == 200 else str(answer.status)
    finally:
        connection.close()


def balancer(binary, directory, port, slots):
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    server = Server(binary, directory)
    text = BALANCER.format(
        modules=MODULE_DIRECTORY,
        root=directory,
        hub=HUB,
        port=port,
        group=GROUP,
        slots=slots,
        own_group="%s:%d" % OWN_GROUP,
    )
    server.write(text)
    server.process = subprocess.Popen(
        server.command("-DFOREGROUND"),
        stdin=subprocess.DEVNULL,
        stdout=open(directory / "output.txt", "wb"),
        stderr=subprocess.STDOUT,
    )
    return server


def listening(port):
    try:
        socket.create_connection((HUB, port), 1).close()
    except OSError:
        return False
    return True


def own_heartbeat():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(WAIT_S)
    sock.bind(OWN_GROUP)
    member = struct.pack("4s4s", socket.inet_aton(OWN_GROUP[0]), socket.inet_aton(HUB))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    try:
        return sock.recvfrom(1000)[0].decode()
    finally:
        sock.close()


def stored(server):
    """Lines of the storage file, without the numbers that change from second to second."""
    text = server.read("hb.dat")
    return sorted(re.sub(r"=\d+", "=N", line) for line in text.splitlines())


def observe(binary, directory):
    seen = {}
    members = []
    servers = []
    try:
        build_hub()
        ours = balancer(binary, directory / "slots", 8001, 10)
        servers.append(ours)
        assert until(lambda: listening(8001)), ours.complaint("does not listen")
        seen["before"] = ask(8001)
        members.append(Member("one", 11, 20, directory))
        members.append(Member("two", 12, 60, directory))
        names = set()

        def both():
            names.add(ask(8001))
            return {"one", "two"} <= names

        seen["both"] = until(both)
        seen["shares"] = Counter(ask(8001) for _ in range(REQUESTS))
        seen["own"] = own_heartbeat()
        servers.append(balancer(binary, directory / "file", 8002, 0))
        servers.append(balancer(APACHE, directory / "httpd", 8003, 0))
        for server, name in zip(servers[1:], ("file", "httpd")):
            until(lambda server=server: len(stored(server)) == 2)
            seen[name] = stored(server)
        seen["by_file"] = Counter(ask(8002) for _ in range(REQUESTS))
        members.pop().stop()
        seen["after"] = Counter(ask(8001) for _ in range(REQUESTS // 4))
        seen["log"] = ours.read("error.log")
    finally:
        for server in servers:
            server.stop()
        for member in members:
            member.stop()
    return seen


if __name__ == "__main__":
    print(json.dumps(observe(sys.argv[1], Path(sys.argv[2]))))
