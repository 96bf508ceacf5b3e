"""Who the client is where something stands in front of the program: the PROXY protocol with HAProxy
and byte by byte, before TLS and in time, RemoteIPHeader, and who is not to be believed."""

import signal
import socket
import struct
import threading
import time

import pytest
from support.certificates import Authority
from support.haproxy import Haproxy
from support.process import until
from support.server import MODULE_DIRECTORY, complete
from support.tls import TlsConnection, context_for
from support.wire import Connection

MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("remoteip", "rewrite", "status", "socache_shmcb", "ssl")
)
TOLD = 'LogFormat "%a %{c}a %{remote}p %>s" told\nCustomLog told.log told\n'
LINE = b"PROXY TCP4 192.0.2.7 192.0.2.1 51000 80\r\n"
REQUEST = b"GET /x HTTP/1.1\r\nHost: lb.test\r\n\r\n"


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


@pytest.fixture
def start(server, port):
    def begin(text, log_level="info"):
        server.start(complete(MODULES + f"Listen {port.port}\n" + TOLD + text, log_level),
                     [port.port])
        return server

    return begin


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def haproxy(scratch):
    begun = []

    def begin(to, *arguments, **options):
        one = Haproxy(scratch / f"haproxy{len(begun)}", to, *arguments, **options)
        begun.append(one)
        one.await_listening()
        return one

    yield begin
    for one in begun:
        one.close()


def speaks(member, more=""):
    return f"RemoteIPProxyProtocol On\nProxyPass / http://{member.address}/\n{more}"


def forwarded_for(request):
    value = request.header("X-Forwarded-For")
    return [] if value is None else [value.decode()]


def told(server, count):
    """The log's lines, once there are as many; starting may have left some behind."""
    assert until(lambda: len(server.read("told.log").splitlines()) >= count), server.read("told.log")
    return server.read("told.log").splitlines()


def remarks(server):
    return [line for line in server.read("error.log").splitlines() if "[remoteip:" in line]


@pytest.mark.parametrize("header", ["send-proxy", "send-proxy-v2",
                                    "send-proxy-v2 proxy-v2-options crc32c"])
def test_haproxy_speaks_for_its_clients(start, port, member, haproxy, header):
    server = start(speaks(member))
    front = haproxy(port, header + " check inter 50ms")
    client = Connection("127.0.0.1", front.held.port)
    own_port = client.local_port
    for _ in range(2):
        client.send(REQUEST)
        assert client.read_response().status == "200"
    client.close()
    assert [forwarded_for(each) for each in member.received] == 2 * [["127.0.0.1"]]
    assert told(server, 2) == 2 * [f"127.0.0.1 127.0.0.1 {own_port} 200"]
    assert remarks(server) == [], "checks of its own are said to be that"


def test_the_header_comes_before_the_handshake(start, port, member, haproxy, authority):
    files = authority.issue("lb.test")
    server = start(f"""RemoteIPProxyProtocol On
<VirtualHost *:{port.port}>
SSLEngine On
SSLCertificateFile {files[0]}
SSLCertificateKeyFile {files[1]}
ProxyPass / http://{member.address}/
</VirtualHost>
""")
    front = haproxy(port, "send-proxy-v2")
    connection = TlsConnection(front.held.port, "lb.test", context_for(authority))
    own_port = connection.local_port
    assert connection.ask("/x").status == "200"
    connection.close()
    assert told(server, 1) == [f"127.0.0.1 127.0.0.1 {own_port} 200"]
    for header in (LINE, b"PROXY UNKNOWN\r\n"):
        plain = socket.create_connection(("127.0.0.1", port.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header:
            plain.sendall(bytes([byte]))
        secure = context_for(authority).wrap_socket(plain, server_hostname="lb.test")
        secure.sendall(REQUEST)
        assert secure.recv(100).startswith(b"HTTP/1.1 200 ")
        secure.close()
    assert [line.split()[0] for line in told(server, 3)] == ["127.0.0.1", "192.0.2.7", "127.0.0.1"]
    # Without it not a byte of TLS is said.
    with socket.create_connection(("127.0.0.1", port.port), 10) as plain:
        plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100))
        try:
            assert plain.recv(100) == b""
        except ConnectionResetError:
            pass


def test_the_header_may_come_byte_by_byte_with_the_request_behind_it(start, port, member):
    start(speaks(member))
    binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 15) + bytes(
        [192, 0, 2, 8, 192, 0, 2, 1, 0, 7, 0, 80]) + b"\4\0\0"
    for header in (LINE, binary):
        client = Connection("127.0.0.1", port.port)
        for byte in header + REQUEST:
            client.send(bytes([byte]))
        assert client.read_response().status == "200"
        client.send(REQUEST)
        assert client.read_response().status == "200"
        client.close()
    assert [forwarded_for(each)[0] for each in member.received] == [
        "192.0.2.7", "192.0.2.7", "192.0.2.8", "192.0.2.8"]


@pytest.mark.parametrize("said, remark", [
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 x 80\r\n", "AH03501: RemoteIPProxyProtocol: error parsing "
     "port 'x' in header 'PROXY TCP4 192.0.2.7 192.0.2.1 x 80'"),
    (b"PROXY TCP9 192.0.2.7 192.0.2.1 1 80\r\n", "AH03499: RemoteIPProxyProtocol: unknown family"),
    (b"PROXY \x1b[2J \x07 1 2 3\r\n", r"AH03499: RemoteIPProxyProtocol: unknown family '\x1b[2J'"),
    (b"PROXY UNKNOWN " + 5000 * b"x", "AH10185: RemoteIPProxyProtocol header too long"),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x12\xff\xff", "AH10186: RemoteIPProxyProtocol protocol header"),
    (b"GET / HTTP/1.1\r\n\r\n", "does not begin with a PROXY header"),
])
def test_a_wrong_header_closes_the_connection_and_is_told(start, port, member, said, remark):
    server = start(speaks(member))
    client = Connection("127.0.0.1", port.port)
    client.send(said)
    assert client.read_response().head == b""
    assert client.closed_by_peer(5)
    client.close()
    assert until(lambda: remarks(server)), server.read("error.log")
    (line,) = remarks(server)
    assert remark in line and "[client 127.0.0.1:" in line
    assert member.received == []


def test_a_header_has_one_time_for_all_of_it(start, port, member):
    server = start("RequestReadTimeout header=1\n" + speaks(member))
    silent = Connection("127.0.0.1", port.port)
    slow = Connection("127.0.0.1", port.port)
    began = time.monotonic()
    for byte in LINE[:-1]:
        slow.send(bytes([byte]))
        if slow.closed_by_peer(0.1):
            break
    assert 0.8 < time.monotonic() - began < 4
    assert silent.closed_by_peer(5)
    assert until(lambda: len(remarks(server)) == 2), remarks(server)
    assert all("AH10184" in line for line in remarks(server))
    silent.close()
    slow.close()


def test_whoever_only_looks_whether_the_port_is_open_is_not_told_of(start, port, member):
    server = start(speaks(member), "debug")
    for said in (b"", b"PROXY TC"):
        client = Connection("127.0.0.1", port.port)
        client.send(said)
        client.half_close()
        assert client.closed_by_peer(5)
        client.close()
    assert until(lambda: remarks(server))
    (line,) = remarks(server)
    assert "AH10634" in line


def test_a_reload_changes_what_new_connections_begin_with(start, server, port, member):
    start(speaks(member))
    kept = Connection("127.0.0.1", port.port)
    kept.send(LINE + REQUEST)
    assert kept.read_response().status == "200"
    text = server.config_path.read_text()
    server.write(text.replace("RemoteIPProxyProtocol On", "RemoteIPProxyProtocol Off"))
    server.signal(signal.SIGUSR1)

    def plain_status():
        client = Connection("127.0.0.1", port.port)
        client.send(REQUEST)
        status = client.read_response().status if not client.at_eof else None
        client.close()
        return status

    assert until(lambda: plain_status() == "200")
    kept.send(REQUEST)
    assert kept.read_response().status == "200"
    kept.close()
    seen = [forwarded_for(each)[0] for each in member.received]
    assert (seen[0], seen[-1]) == ("192.0.2.7", "192.0.2.7")
    assert seen[-2] == "127.0.0.1"


def test_a_page_for_this_machine_is_not_for_whom_a_proxy_on_it_speaks(start, port, member):
    start(f"""RemoteIPProxyProtocol On
<Location /status>
SetHandler server-status
</Location>
ProxyPass /status !
""")
    for header, status in ((LINE, "403"), (b"PROXY UNKNOWN\r\n", "200"),
                           (b"PROXY TCP4 127.0.0.1 127.0.0.1 7 80\r\n", "200")):
        client = Connection("127.0.0.1", port.port)
        client.send(header + REQUEST.replace(b"/x", b"/status").replace(b"lb.test", b"localhost"))
        assert client.read_response().status == status, header
        client.close()


def test_an_untrusted_client_names_nobody_to_rules(start, port, member):
    """CVE-2020-11985: with RemoteIP and rewriting an address could be made up."""
    start(f"""RemoteIPHeader X-Forwarded-For
RemoteIPTrustedProxy 203.0.113.0/24
RewriteEngine On
RewriteCond %{{REMOTE_ADDR}} ^9\\.9\\.9\\.9$
RewriteRule ^ - [F]
<Location /for9>
Require ip 9.9.9.9
</Location>
ProxyPass / http://{member.address}/
""")
    client = Connection("127.0.0.1", port.port)
    for path, status in (("/for9", "403"), ("/x", "200")):
        client.send(f"GET {path} HTTP/1.1\r\nHost: lb.test\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
                    .encode())
        assert client.read_response().status == status
    client.close()
    assert forwarded_for(member.received[0]) == ["9.9.9.9, 127.0.0.1"]


# --- members that get the header -------------------------------------------------------------------


class FirstBytes:
    """A member that answers each connection's first request and notes what came before it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                data = b""
                while not self._is_enough(data):
                    more = peer.recv(4096)
                    if not more:
                        break
                    data += more
                self.heard.append(data)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")

    @staticmethod
    def _is_enough(data):
        return b" HTTP/1.1\r\n" in data and data.endswith(b"\r\n\r\n") or b"\x16\x03" in data

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


@pytest.fixture
def first_bytes():
    one = FirstBytes()
    yield one
    one.close()


def client_from(address, port):
    """A connection whose own address is `address`."""
    connection = Connection("127.0.0.1", port.port)
    connection.close()
    connection.socket = socket.create_connection(("127.0.0.1", port.port), 8, (address, 0))
    connection.local_port = connection.socket.getsockname()[1]
    return connection


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_haproxy_behind_sees_the_client(start, port, member, haproxy, version):
    behind = haproxy(member.address, bind="accept-proxy", mode="http",
                     more="    http-request set-header X-Src %[src]:%[src_port]\n"
                          "    http-request set-header X-Dst %[dst]:%[dst_port]\n")
    start(f"""RemoteIPHeader X-Client
<Proxy balancer://app>
BalancerMember http://{behind.address} proxyprotocol={version}
</Proxy>
ProxyPass / balancer://app/
""")
    clients = [client_from(f"127.0.0.{n}", port) for n in (7, 8)]
    wanted = []
    for _ in range(3):
        for client in clients:
            client.send(REQUEST)
            assert client.read_response().status == "200"
            wanted.append(f"{client.socket.getsockname()[0]}:{client.local_port}".encode())
    for client in clients:
        client.close()
    asked = [each for each in member.received if each.target == b"/x"]
    assert [each.header("X-Src") for each in asked] == wanted
    assert {each.header("X-Dst") for each in asked} == {f"127.0.0.1:{port.port}".encode()}
    named = client_from("127.0.0.9", port)
    named.send(REQUEST.replace(b"\r\n\r\n", b"\r\nX-Client: 192.0.2.5\r\n\r\n"))
    assert named.read_response().status == "200"
    named.close()
    assert member.received[-1].header("X-Src") == b"192.0.2.5:0"


def test_a_named_client_is_named_to_members_whatever_named_it(start, port, first_bytes):
    start("RemoteIPProxyProtocol On\n"
          f"ProxyPass / http://127.0.0.1:{first_bytes.port}/ proxyprotocol=v1\n")
    for header, said in ((LINE, b"PROXY TCP4 192.0.2.7 127.0.0.1 51000 %d\r\n" % port.port),
                         (b"PROXY TCP6 2001:db8::7 ::1 9 80\r\n",
                          b"PROXY TCP6 2001:db8::7 ::ffff:127.0.0.1 9 %d\r\n" % port.port)):
        client = Connection("127.0.0.1", port.port)
        client.send(header + REQUEST)
        assert client.read_response().body == b"hi"
        client.close()
        assert first_bytes.heard[-1].startswith(said + b"GET /x HTTP/1.1\r\n")


def test_the_header_to_a_member_comes_before_tls(start, port, first_bytes):
    start("SSLProxyEngine On\n"
          f"ProxyPass / https://127.0.0.1:{first_bytes.port}/ proxyprotocol=v1\n")
    client = Connection("127.0.0.1", port.port)
    client.send(REQUEST)
    assert client.read_response().status == "500", "that was no TLS"
    line = b"PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\n" % (client.local_port, port.port)
    client.close()
    assert first_bytes.heard[-1].startswith(line + b"\x16\x03")


@pytest.mark.parametrize("version, header", [("v1", b"PROXY UNKNOWN\r\n"),
                                             ("v2", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")])
def test_a_check_speaks_for_nobody(server, port, first_bytes, version, header):
    server.start(complete(
        f"LoadModule watchdog_module {MODULE_DIRECTORY}/mod_watchdog.so\n"
        f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so\n"
        f"Listen {port.port}\n<Proxy balancer://app>\n"
        f"BalancerMember http://127.0.0.1:{first_bytes.port} proxyprotocol={version} hcmethod=GET11 "
        "hcinterval=100ms\n</Proxy>\nProxyPass / balancer://app/\n"), [port.port])
    assert until(lambda: first_bytes.heard)
    assert first_bytes.heard[0].startswith(header + b"GET / HTTP/1.1\r\n")
