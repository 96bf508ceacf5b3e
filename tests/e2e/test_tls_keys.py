"""Keys with pass phrases (SSLPassPhraseDialog), words for OpenSSL (SSLOpenSSLConfCmd), lists of
revoked certificates that are root's, and a libcurl that is too old."""

import fcntl
import os
import pty
import shutil
import signal
import ssl
import subprocess
import termios

import pytest
from support.certificates import RSA, Authority, openssl
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, StartFailed, complete
from support.tls import TlsConnection, context_for, handshake_fault

MODULES = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in ("socache_shmcb", "ssl")
)
RESUMED = "resuming normal operations"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def locked(authority):
    """Certificates and keys of two hosts, a curve's and RSA's; the same pass phrase for both."""
    pairs = {}
    for name, algorithm in (("a.test", RSA), ("b.test", None)):
        files = authority.issue(name, **({"algorithm": algorithm} if algorithm else {}))
        key = files[1].with_suffix(".locked")
        openssl("pkey", "-in", files[1], "-aes256", "-passout", "pass:open sesame", "-out", key)
        key.chmod(0o644)
        pairs[name] = (files[0], key)
    return pairs


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def hosts(port, dialog, locked):
    text = MODULES + f"Listen {port.port}\nSSLPassPhraseDialog {dialog}\n"
    for name, (certificate, key) in locked.items():
        text += f"""\
<VirtualHost 127.0.0.1:{port.port}>
ServerName {name}:{9000 if name == "a.test" else 443}
SSLEngine On
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
</VirtualHost>
"""
    return complete(text)


def shown(port, authority):
    """The hosts whose certificates are shown."""
    names = []
    for name in ("a.test", "b.test"):
        connection = TlsConnection(port.port, name, context_for(authority))
        names.append(connection.subject)
        connection.close()
    return names


def reload(server, times):
    server.signal(signal.SIGUSR1)
    assert until(lambda: server.read("error.log").count(RESUMED) == times + 1), (
        server.read("error.log"))


def test_a_program_is_asked_once_as_by_httpd_and_not_again_at_a_reload(
        binary, scratch, port, authority, locked):
    asked = {}
    for name, path in (("httpd", APACHE), ("ours", binary)):
        server = Server(path, scratch / name)
        teller = program(scratch / name / "tell",
                         f'echo "$# $1 $2" >> {scratch / name}/asked\necho "open sesame"\n')
        try:
            server.start(hosts(port, f"exec:{teller}", locked), [port.port])
            assert shown(port, authority) == ["a.test", "b.test"]
            teller.unlink()
            if name == "ours":
                reload(server, 1)
                assert shown(port, authority) == ["a.test", "b.test"]
        finally:
            server.stop()
        asked[name] = server.read("asked").splitlines()
    # Which of two hosts is asked about first is each program's own order.
    assert [len(lines) for lines in asked.values()] == [1, 1]
    assert asked["httpd"][0] in ("2 a.test:9000 RSA", "2 b.test:443 RSA")
    assert asked["ours"] == ["2 a.test:9000 RSA"]


def test_a_dialog_is_told_what_httpd_says(binary, scratch, port, authority, locked):
    heard = {}
    for name, path in (("httpd", APACHE), ("ours", binary)):
        server = Server(path, scratch / name)
        # The first answer is wrong.
        script = scratch / name / "dialog.py"
        script.parent.mkdir(parents=True)
        script.write_text(
            "import os, sys\n"
            "answers = [b'wrong\\n', b'open sesame\\n']\n"
            "heard = b''\n"
            "while piece := os.read(0, 4096):\n"
            "    heard += piece\n"
            "    if heard.endswith(b'phrase:') and answers:\n"
            "        os.write(1, answers.pop(0))\n"
            f"    open({str(script.parent / 'heard')!r}, 'wb').write(heard)\n")
        only = {"b.test": locked["b.test"]}
        try:
            server.start(hosts(port, f'"|/usr/bin/python3 {script}"', only), [port.port])
            connection = TlsConnection(port.port, "b.test", context_for(authority))
            assert connection.subject == "b.test"
            connection.close()
        finally:
            server.stop()
        heard[name] = server.read("heard").split("\n", 1)[1].split("\n\nOK:")[0].rstrip("\n")
    assert heard["ours"] == heard["httpd"]
    assert "Private key b.test:443:0 (" in heard["ours"]
    assert "Pass phrase incorrect (5 more retries permitted)." in heard["ours"]


def at_terminal(server, text):
    """Starts it with a terminal of its own: (the process, the terminal's other end)."""
    server.write(text)
    outer, inner = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(inner, termios.TIOCSCTTY, 0)

    server.process = subprocess.Popen(
        server.command("-DFOREGROUND"), stdin=inner, stdout=inner, stderr=inner,
        preexec_fn=own_terminal)  # noqa: PLW1509
    os.close(inner)
    return outer


def read_until(terminal, what):
    said = b""
    while what not in said:
        said += os.read(terminal, 4096)
    return said


def test_the_terminal_is_asked_and_what_was_typed_is_not_shown(
        server, port, authority, locked):
    terminal = at_terminal(server, hosts(port, "builtin", locked))
    try:
        said = read_until(terminal, b"Enter pass phrase:")
        assert b"Private key a.test:9000:0 (" in said
        os.write(terminal, b"nonsense\n")
        said = read_until(terminal, b"Enter pass phrase:")
        assert b"Pass phrase incorrect (5 more retries permitted)." in said
        assert b"nonsense" not in said
        os.write(terminal, b"open sesame\n")
        assert until(lambda: RESUMED in server.read("error.log")), server.read("error.log")
        assert shown(port, authority) == ["a.test", "b.test"]
        reload(server, 1)
        assert shown(port, authority) == ["a.test", "b.test"]
    finally:
        server.stop()
        os.close(terminal)


def test_without_a_terminal_the_start_fails_and_names_the_key(server, port, locked):
    with pytest.raises(StartFailed, match="no terminal to ask at"):
        server.start(hosts(port, "builtin", locked), [port.port])
    assert f"{locked['a.test'][1]} holds a key with a pass phrase" in server.read("output.txt")


@pytest.mark.parametrize("text, why", [
    ("echo wrong\n", "says is wrong"),
    ("exit 1\n", "no answer"),
    ("head -c 5000 /dev/zero | tr '\\0' x\n", "too long"),
])
def test_a_program_that_does_not_know_it_fails_the_start(server, scratch, port, locked, text, why):
    teller = program(scratch / "tell", text)
    with pytest.raises(StartFailed):
        server.start(hosts(port, f"exec:{teller}", locked), [port.port])
    said = server.read("output.txt")
    assert why in said and str(locked["a.test"][1]) in said


def test_a_program_that_is_not_there_is_named(server, port, locked):
    with pytest.raises(StartFailed, match="/nowhere/tell cannot be started"):
        server.start(hosts(port, "exec:/nowhere/tell", locked), [port.port])


def test_a_check_asks_nobody(server, scratch, port, locked):
    teller = program(scratch / "tell", f"touch {scratch}/asked\nsleep 1000\n")
    for dialog in (f"exec:{teller}", f'"|{teller}"', "builtin"):
        status, said = server.check(hosts(port, dialog, locked))
        assert (status, said) == (0, "Syntax OK\n")
    assert not (scratch / "asked").exists()


def test_a_reload_with_an_unknown_phrase_changes_nothing(server, port, authority, locked, scratch):
    teller = program(scratch / "tell", 'echo "open sesame"\n')
    server.start(hosts(port, f"exec:{teller}", locked), [port.port])
    certificate, key = authority.issue("a.test")
    other = key.with_suffix(".other")
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:another", "-out", other)
    other.chmod(0o644)
    server.write(hosts(port, f"exec:{teller}", {**locked, "a.test": (certificate, other)}))
    server.signal(signal.SIGUSR1)
    assert until(lambda: "goes on with the one it has" in server.read("error.log"))
    assert f"{other} holds a key with a pass phrase" in server.read("error.log")
    assert shown(port, authority) == ["a.test", "b.test"]


# --- lists of revoked certificates -----------------------------------------------------------------


def test_lists_that_are_roots_alone_count_after_a_reload_too(
        server, port, authority, scratch, tmp_path):
    lists = scratch / "lists"
    lists.mkdir()
    good, bad = authority.issue(subject="/CN=good"), authority.issue(subject="/CN=bad")
    database, config = tmp_path / "index.txt", tmp_path / "ca.cnf"
    database.write_text("")
    (tmp_path / "number").write_text("01\n")
    config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\ncrlnumber={tmp_path}/number\n"
                      "default_md=sha256\ndefault_crl_days=9\n")
    signing = ["-config", config, "-cert", authority.certificate, "-keyfile", authority.key]
    openssl("ca", *signing, "-revoke", bad[0])
    openssl("ca", *signing, "-gencrl", "-out", lists / "a.r0")
    (lists / "a.r0").chmod(0o600)
    own = authority.issue("lb.test")
    server.start(complete(MODULES + f"""\
Listen {port.port}
<VirtualHost 127.0.0.1:{port.port}>
ServerName lb.test
SSLEngine On
SSLCertificateFile {own[0]}
SSLCertificateKeyFile {own[1]}
SSLVerifyClient require
SSLCACertificateFile {authority.certificate}
SSLCARevocationPath {lists}
SSLCARevocationCheck leaf
</VirtualHost>
"""), [port.port])
    for round_number in (1, 2):
        assert handshake_fault(port.port, "lb.test", context_for(authority, good)) is None
        assert "revoked" in handshake_fault(port.port, "lb.test", context_for(authority, bad))
        reload(server, round_number)


# --- the library's own words -----------------------------------------------------------------------


def test_the_librarys_own_words_count_as_in_httpd(binary, scratch, port, authority):
    own = authority.issue("lb.test")
    seen = {}
    for name, path in (("httpd", APACHE), ("ours", binary)):
        server = Server(path, scratch / name)
        try:
            server.start(complete(MODULES + f"""\
Listen {port.port}
SSLOpenSSLConfCmd Groups P-384
<VirtualHost 127.0.0.1:{port.port}>
ServerName lb.test
SSLEngine On
SSLOpenSSLConfCmd MinProtocol TLSv1.3
SSLCertificateFile {own[0]}
SSLCertificateKeyFile {own[1]}
</VirtualHost>
"""), [port.port])
            shown = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{port.port}"], input=b"",
                capture_output=True, timeout=20, check=False).stdout.decode("latin-1")
            seen[name] = [line for line in shown.splitlines() if "Temp Key" in line]
            older = context_for(authority, versions=(ssl.TLSVersion.TLSv1_2,) * 2)
            seen[name].append("version" in handshake_fault(port.port, "lb.test", older))
        finally:
            server.stop()
    assert seen["ours"] == seen["httpd"] == ["Server Temp Key: ECDH, secp384r1, 384 bits", True]


def test_a_word_that_the_library_does_not_know_is_a_fault(server, port, authority):
    own = authority.issue("lb.test")
    status, said = server.check(complete(MODULES + f"""\
Listen {port.port}
SSLEngine On
SSLCertificateFile {own[0]}
SSLCertificateKeyFile {own[1]}
SSLOpenSSLConfCmd NoSuchWord x
"""))
    assert status == 1
    assert "SSLOpenSSLConfCmd 'NoSuchWord': invalid OpenSSL configuration command" in said


# --- libcurl ---------------------------------------------------------------------------------------

OLD_LIBRARY = """\
#include <stddef.h>
int curl_global_init(long flags) { (void)flags; return 0; }
void* curl_easy_init(void) { static int easy; return &easy; }
void curl_easy_cleanup(void* easy) { (void)easy; }
int curl_easy_setopt(void* easy, int option, ...) { (void)easy; return option == 10318 ? 48 : 0; }
#define NEEDED(name) void* name(void) { return NULL; }
NEEDED(curl_easy_perform) NEEDED(curl_easy_getinfo) NEEDED(curl_easy_strerror)
NEEDED(curl_slist_append) NEEDED(curl_slist_free_all) NEEDED(curl_multi_init)
NEEDED(curl_multi_cleanup) NEEDED(curl_multi_add_handle) NEEDED(curl_multi_remove_handle)
NEEDED(curl_multi_perform) NEEDED(curl_multi_info_read) NEEDED(curl_multi_poll)
NEEDED(curl_multi_wakeup)
"""


def test_a_libcurl_that_is_too_old_is_a_fault_and_no_crash(server, port, authority, tmp_path):
    compiler = shutil.which("clang-19") or shutil.which("cc")
    source = tmp_path / "old.c"
    source.write_text(OLD_LIBRARY)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "libcurl.so.4", source],
                   check=True, timeout=60)
    own = authority.issue("lb.test")
    server.write(complete(MODULES + f"""\
Listen {port.port}
<VirtualHost 127.0.0.1:{port.port}>
SSLEngine On
SSLCertificateFile {own[0]}
SSLCertificateKeyFile {own[1]}
SSLUseStapling On
</VirtualHost>
"""))
    done = subprocess.run(server.command("-t"), env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "SSLUseStapling needs libcurl: libcurl.so.4 is too old" in done.stderr
