"""What becomes of lines that name all addresses, in both programs.

Run inside a fresh network namespace (`unshare --net`), which dies with it: the programs listen on
every address there is, and there is none but loopback.  Prints {case: {program: [answer over IPv4,
answer over IPv6]}} as JSON: the host that a redirect leads to, None where nobody listens.
"""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.both import by_both  # noqa: E402

PORT = 8080
MAIN = "Redirect / http://main/\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n"


def host(address, name, leads_to):
    return (
        f"<VirtualHost {address}:{PORT}>\nServerName {name}\nRedirect / http://{leads_to}/\n"
        "</VirtualHost>\n"
    )


LISTEN = f"Listen {PORT}\n{MAIN}"
CASES = {
    "all of IPv6": f"Listen [::]:{PORT}\n{MAIN}",
    "all of IPv4, then of IPv6": f"Listen 0.0.0.0:{PORT}\nListen [::]:{PORT}\n{MAIN}",
    "all of IPv6, then of IPv4": f"Listen [::]:{PORT}\nListen 0.0.0.0:{PORT}\n{MAIN}",
    "all, then all of IPv4": f"Listen {PORT}\nListen 0.0.0.0:{PORT}\n{MAIN}",
    "all of IPv4": f"Listen 0.0.0.0:{PORT}\n{MAIN}" + host("0.0.0.0", "a.test", "four"),
    "a host of all of IPv4": LISTEN + host("0.0.0.0", "a.test", "four"),
    "a host of all of IPv6": LISTEN + host("[::]", "a.test", "six"),
    "one host of each": LISTEN + host("0.0.0.0", "a.test", "four") + host("[::]", "b.test", "six"),
    "a host of all of IPv4 before a star": LISTEN
    + host("0.0.0.0", "b.test", "four")
    + host("*", "b.test", "star"),
    "a host of all of IPv4 behind a star": LISTEN
    + host("*", "b.test", "star")
    + host("0.0.0.0", "b.test", "four"),
    "a host of one address before all": LISTEN
    + host("0.0.0.0", "b.test", "four")
    + host("127.0.0.1", "c.test", "one"),
}


def answer(address):
    try:
        with socket.create_connection((address, PORT), 5) as connection:
            connection.sendall(REQUEST)
            text = b"".join(iter(lambda: connection.recv(4096), b"")).decode("latin1")
    except ConnectionRefusedError:
        return None
    found = re.search(r"^Location: http://(.*)/\r$", text, re.M)
    return found.group(1) if found else text


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    binary = Path(sys.argv[1])
    found = {
        name: by_both(binary, text, [PORT], lambda: [answer("127.0.0.1"), answer("::1")])
        for name, text in CASES.items()
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
