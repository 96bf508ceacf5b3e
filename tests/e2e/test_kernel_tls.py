"""SteelyardKernelTLS: the kernel encrypts what TLS connections carry, where it can; elsewhere nothing changes.

tests/kernel/run runs this under a kernel that can."""

import os
import signal
import ssl
import subprocess
from pathlib import Path

import pytest
from support.certificates import Authority
from support.process import until
from support.server import MODULE_DIRECTORY, complete
from support.tls import TlsConnection, context_for
from support.tls_member import TlsMember

MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n" for name in ("http2", "ssl"))
COUNTERS = Path("/proc/net/tls_stat")
LACKS = "This kernel has no TLS"
LARGE = 3 << 20
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

with_kernel = pytest.mark.skipif(not COUNTERS.exists(), reason="this kernel has no TLS (module tls): tests/kernel/run")
without_kernel = pytest.mark.skipif(COUNTERS.exists(), reason="this kernel has TLS")


def counted():
    """(connections that the kernel encrypted, of which it decrypted, records that were bad)."""
    values = dict(line.split() for line in COUNTERS.read_text().splitlines())
    return tuple(int(values[name]) for name in ("TlsTxSw", "TlsRxSw", "TlsDecryptError"))


def since(before):
    return tuple(now - then for now, then in zip(counted(), before, strict=True))


def by_kernel(version):
    """What one connection adds: OpenSSL 3.0 lets the kernel read TLS 1.2 only."""
    reads = 1 if version == TLS_1_2 or ssl.OPENSSL_VERSION_INFO >= (3, 2) else 0
    return 1, reads, 0


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    return {"authority": authority, "host": authority.issue("lb.test", "localhost", "127.0.0.1"),
            "alice": authority.issue(subject="/O=Test/CN=alice")}


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


def text(port, people, member, more="", line="SteelyardKernelTLS On"):
    certificate, key = people["host"]
    return complete(MODULES + f"""\
{line}
Listen {port.port} https
Protocols h2 http/1.1
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLCACertificateFile {people["authority"].certificate}
SSLSessionCache shmcb:sessions(512000)
{more}
ProxyPass / http://{member.address}/
""")


@pytest.fixture
def start(server, port, people, member):
    def begin(more="", line="SteelyardKernelTLS On"):
        server.start(text(port, people, member, more, line), [port.port])
        return server

    return begin


def connect(port, version=TLS_1_3, who=None, people=None, **more):
    context = context_for(None, people[who] if who else None, (version, version))
    context.post_handshake_auth = True
    return TlsConnection(port.port, "lb.test", context, **more)


# Where the kernel has none.

@without_kernel
def test_a_kernel_without_tls_is_told_of_once_and_nothing_else_changes(start, port, people, member, server):
    status, said = server.check(text(port, people, member))
    assert status == 0 and LACKS in said and "modprobe tls" in said
    start()
    assert until(lambda: LACKS in server.read("error.log"))
    assert server.read("error.log").count(LACKS) == 1
    for version in (TLS_1_2, TLS_1_3):
        connection = connect(port, version)
        assert len(connection.ask(f"/?size={LARGE}").body) == LARGE
        assert connection.ask("/?close=1", more="Connection: close\r\n").status == "200"
        connection.read_response()
        assert connection.ended_in_order
        connection.close()
    assert server.read("error.log").count(LACKS) == 1


def test_without_the_line_nothing_is_said_of_the_kernel(start, port, people, member, server):
    status, said = server.check(text(port, people, member, line=""))
    assert status == 0 and LACKS not in said
    start(line="SteelyardKernelTLS Off")
    before = counted() if COUNTERS.exists() else None
    assert connect(port).ask("/").status == "200"
    assert LACKS not in server.read("error.log")
    if before:
        assert since(before) == (0, 0, 0)


# Where it has.

@with_kernel
@pytest.mark.parametrize("version, cipher", [
    (TLS_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"), (TLS_1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (TLS_1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"), (TLS_1_3, "TLS_AES_128_GCM_SHA256"),
    (TLS_1_3, "TLS_AES_256_GCM_SHA384"), (TLS_1_3, "TLS_CHACHA20_POLY1305_SHA256")])
@pytest.mark.parametrize("protocol", ["--http1.1", "--http2"])
def test_the_kernel_encrypts(start, port, member, tmp_path, version, cipher, protocol):
    start()
    body, got = tmp_path / "body", tmp_path / "got"
    body.write_bytes(os.urandom(LARGE))
    number = "1.2" if version == TLS_1_2 else "1.3"
    before = counted()
    done = subprocess.run(
        ["curl", "-sk", protocol, f"--tlsv{number}", "--tls-max", number,
         "--ciphers" if version == TLS_1_2 else "--tls13-ciphers", cipher,
         f"https://127.0.0.1:{port.port}/?size={LARGE}", "-o", str(got),
         f"https://127.0.0.1:{port.port}/?size=17&chunked=3", "-o", str(tmp_path / "small"), "-H", "Expect:",
         "--data-binary", f"@{body}", "-w", "%{http_version} %{num_connects} %{response_code}\n"],
        capture_output=True, text=True, timeout=60, check=True)
    spoken = "2" if protocol == "--http2" else "1.1"
    assert done.stdout.split("\n") == [f"{spoken} 1 200", f"{spoken} 0 200", ""]
    assert since(before) == by_kernel(version)
    assert [each.body for each in member.received] == [body.read_bytes()] * 2
    direct = subprocess.run(["curl", "-s", f"http://{member.address}/?size={LARGE}"], capture_output=True,
                            timeout=60, check=True).stdout
    assert got.read_bytes() == direct
    assert (tmp_path / "small").stat().st_size == 17


@with_kernel
def test_ciphers_that_the_kernel_does_not_know_stay_the_programs_work(start, port):
    start()
    before = counted()
    context = context_for(None, None, (TLS_1_2, TLS_1_2), ciphers="ECDHE-ECDSA-AES128-SHA256")
    connection = TlsConnection(port.port, "lb.test", context)
    assert len(connection.ask(f"/?size={LARGE}").body) == LARGE
    connection.close()
    assert since(before) == (0, 0, 0)


@with_kernel
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_sessions_are_resumed(start, port, version):
    start()
    before = counted()
    context = context_for(None, None, (version, version))
    first = TlsConnection(port.port, "lb.test", context)
    assert first.ask("/").status == "200"
    session = first.socket.session
    first.close()
    second = TlsConnection(port.port, "lb.test", context, session=session)
    assert second.socket.session_reused and len(second.ask(f"/?size={LARGE}").body) == LARGE
    second.close()
    assert since(before) == tuple(2 * each for each in by_kernel(version))


@with_kernel
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("wish", ["eof=1", "chunked=5000", ""])
def test_who_reads_slowly_gets_all_of_it_and_the_goodbye(start, port, version, wish):
    """A kernel drops what it took and had no room for when its socket is closed."""
    start()
    for size in range(1_000_000, 1_060_000, 12_000):
        connection = connect(port, version, receive_bytes=4096)
        connection.send(f"GET /?size={size}&{wish} HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n".encode())
        response = connection.read_response()
        assert len(response.body) == size, response.ended
        connection.read_response()  # the end
        assert connection.ended_in_order
        connection.close()


@with_kernel
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_many_small_answers_on_one_connection(start, port, version):
    start()
    before = counted()
    connection = connect(port, version)
    asked = b"".join(b"GET /?size=%d HTTP/1.1\r\nHost: lb.test\r\n\r\n" % nth for nth in range(1, 100))
    connection.send(asked)
    assert [len(connection.read_response().body) for _ in range(1, 100)] == list(range(1, 100))
    connection.close()
    assert since(before) == by_kernel(version)


@with_kernel
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_members_are_asked_through_the_kernel(server, port, people, version):
    authority = people["authority"]
    with TlsMember(people["host"], versions=(version, version)) as member:
        server.start(complete(MODULES + f"""\
SteelyardKernelTLS On
Listen {port.port}
SSLProxyEngine On
SSLProxyCACertificateFile {authority.certificate}
SSLProxyVerify require
ProxyPass / https://localhost:{member.port}/
"""), [port.port])
        before, url, body = counted(), f"http://127.0.0.1:{port.port}", os.urandom(LARGE)
        for nth in range(3):
            got = subprocess.run(["curl", "-s", f"{url}/?size={LARGE + nth}", "--data-binary", "@-", "-H", "Expect:"],
                                 input=body, capture_output=True, timeout=60, check=True).stdout
            assert got == b"y" * (LARGE + nth) and member.requests[-1][1] == body
        # Where time runs slowly a connection may have been idle for too long to carry a POST.
        assert since(before) == tuple(len(member.handshakes) * each for each in by_kernel(version))
        # An end without a goodbye is still none.
        cut = subprocess.run(["curl", "-s", f"{url}/?cut=1"], capture_output=True, timeout=60, check=False)
        assert cut.returncode != 0
        whole = subprocess.run(["curl", "-s", f"{url}/?whole=1"], capture_output=True, timeout=60, check=True)
        assert whole.stdout == b"x" * 5000
        assert server.stop() == 0


ASKS = """<Location /must>
SSLVerifyClient require
</Location>"""


@with_kernel
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_paths_ask_for_certificates(start, port, people, version):
    """Before TLS 1.3 by a renegotiation, which a kernel's keys would prevent: it gets none."""
    start(ASKS)
    before = counted()
    connection = connect(port, version, "alice", people)
    assert [connection.ask(path).status for path in ("/", "/must", "/must?size=3000000", "/")] == ["200"] * 4
    connection.close()
    assert since(before) == (by_kernel(version) if version == TLS_1_3 else (0, 0, 0))
    stranger = connect(port, version)
    stranger.send(b"GET /must HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    assert stranger.read_response().status == ""
    stranger.close()


@with_kernel
def test_a_connection_that_the_kernel_encrypts_is_not_renegotiated_after_a_reload(
        start, port, people, member, server):
    start()
    connection = connect(port, TLS_1_2, "alice", people)
    assert connection.ask("/must").status == "200"
    server.write(text(port, people, member, ASKS))
    server.signal(signal.SIGUSR1)
    assert until(lambda: server.read("error.log").count("resuming normal operations") == 2)
    assert [connection.ask(path).status for path in ("/must", "/")] == ["403", "200"]
    connection.close()
    connection = connect(port, TLS_1_2, "alice", people)
    assert connection.ask("/must").status == "200"
    connection.close()


class Client:
    """openssl s_client, which can ask for new keys."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port.port}", "-tls1_3", "-servername", "lb.test"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = b""

    def hears(self, what):
        self.said += self.process.stdout.read() or b""
        return what in self.said

    def say(self, words):
        self.process.stdin.write(words)
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def client(start, port):
    start()
    one = Client(port)
    assert until(lambda: one.hears(b"Verify return code"))
    yield one
    one.close()


REQUEST = b"GET /?body=fine-%d HTTP/1.1\r\nHost: lb.test\r\n\r\n"


@with_kernel
def test_new_keys_of_the_peers_own_are_taken(client):
    for nth in range(3):
        client.say(b"k\n")
        assert until(lambda: client.hears(b"KEYUPDATE") and client.said.count(b"KEYUPDATE") > nth)
        client.say(REQUEST % nth)
        assert until(lambda: client.hears(b"fine-%d" % nth))


@with_kernel
def test_who_asks_for_new_keys_of_ours_is_told_nothing_more_under_the_old_ones(client):
    client.say(REQUEST % 1)
    assert until(lambda: client.hears(b"fine-1"))
    client.say(b"K\n")
    assert until(lambda: client.hears(b"KEYUPDATE"))
    client.say(REQUEST % 2)
    client.process.wait(20)
    client.hears(b"")
    assert b"fine-2" not in client.said and b"bad record" not in client.said
    assert b"unexpected eof" in client.said, client.said[-600:]  # and no goodbye: it is not complete
