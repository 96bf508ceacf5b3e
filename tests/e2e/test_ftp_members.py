"""FTP members: files and lists of a real vsftpd, servers that lie, stall and break off."""

import base64
import hashlib
import os
import re
import socket
import subprocess
import threading
import time
from contextlib import closing

import pytest
from support.ftp_member import CLOSE, FtpMember
from support.ports import HeldPort
from support.process import until
from support.real_members import Vsftpd
from support.server import MODULE_DIRECTORY, complete
from support.threaded_member import ThreadedMember
from support.wire import Connection

MODULES = (f"LoadModule proxy_ftp_module {MODULE_DIRECTORY}/mod_proxy_ftp.so\n"
           "LoadModule status_module modules/mod_status.so\n"
           "SteelyardShards 1\n")
FILES = {"/a.txt": b"hello\n", "/d/b.txt": b"b" * 10}


@pytest.fixture
def start(server, port):
    def begin(text):
        server.start(complete(MODULES + f"Listen {port.port}\n" + text), [port.port])
        return server

    return begin


@pytest.fixture
def member():
    one = FtpMember(FILES)
    yield one
    one.close()


@pytest.fixture
def direct(start, member):
    start(f"Timeout 5\nProxyPass / ftp://{member.address}/\n")
    return member


def ask(port, target="/", method="GET", fields=""):
    connection = Connection("127.0.0.1", port.port)
    connection.send(f"{method} {target} HTTP/1.1\r\nHost: lb.test\r\n{fields}\r\n".encode())
    response = connection.read_response(method)
    connection.close()
    return response


def is_cut(response):
    return response.ended.startswith("cut short")


# --- a real server --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def begin_vsftpd(tmp_path_factory):
    begun = []

    def begin(**options):
        directory = tmp_path_factory.mktemp("vsftpd", numbered=True)
        for folder in (directory, *directory.parents[:3]):
            if os.stat(folder).st_uid == os.getuid() and str(folder) != "/tmp":
                os.chmod(folder, 0o755)
        begun.append(Vsftpd("f1", directory / "server", **options))
        begun[-1].begin()
        begun[-1].await_ready()
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


@pytest.fixture(scope="module")
def vsftpd(begin_vsftpd):
    return begin_vsftpd()


def basic(user, password):
    told = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Authorization: Basic {told}\r\n"


def test_a_real_server_lets_its_users_in(start, port, begin_vsftpd):
    """Whom the address names, whom the client names, and nobody with a wrong password."""
    real = begin_vsftpd(users={"ann": "s3cret", "bob": "two words:"})
    for user in ("ann", "bob"):
        real.put("mine.txt", f"of {user}\n".encode(), user)
    real.put("mine.txt", b"of anybody\n")
    start(f"ProxyPass /ann/ ftp://ann:s3cret@{real.address}/\n"
          f"ProxyPass /wrong/ ftp://bob:wrong@{real.address}/\n"
          f"ProxyPass / ftp://{real.address}/\n")
    assert ask(port, "/ann/mine.txt").body == b"of ann\n"
    assert ask(port, "/mine.txt").body == b"of anybody\n"
    for user, password in real.users.items():
        answer = ask(port, "/mine.txt", fields=basic(user, password))
        assert (answer.status, answer.body) == ("200", f"of {user}\n".encode())
    assert b'<a href="mine.txt">' in ask(port, "/", fields=basic("bob", "two words:")).body
    # Who the client says it is counts more.
    assert ask(port, "/ann/mine.txt", fields=basic("bob", "two words:")).body == b"of bob\n"
    for wrong in (basic("ann", "two words:"), basic("nobody", "s3cret")):
        refused = ask(port, "/mine.txt", fields=wrong)
        assert refused.status == "401" and refused.header("WWW-Authenticate")
    assert ask(port, "/wrong/mine.txt").status == "401"


class WithoutEpsv(ThreadedMember):
    """In front of a server: the same conversation, but as if it were older than RFC 2428."""

    def __init__(self, server):
        self.held = HeldPort()
        self.server = server
        super().__init__(self.held.listening_socket())

    def _converse(self, connection):
        host, _, port = self.server.address.partition(":")
        with socket.create_connection((host, int(port)), 10) as other:
            commands, replies = connection.makefile("rb"), other.makefile("rb")
            connection.sendall(replies.readline())
            for command in commands:
                if command.startswith(b"EPSV"):
                    connection.sendall(b"500 Unknown command.\r\n")
                    continue
                other.sendall(command)
                code = b""
                while not re.match(rb"[2-5]\d\d ", code):  # after 1xx comes more
                    code = replies.readline()
                    connection.sendall(code)

    def close(self):
        super().close()
        self.held.close()


def test_a_real_server_without_epsv_is_asked_for_pasv(start, port, begin_vsftpd):
    real = begin_vsftpd()
    big = os.urandom(500_000)
    real.put("big.bin", big)
    with closing(WithoutEpsv(real)) as older:
        start(f"ProxyPass / ftp://{older.held}/\n")
        assert ask(port, "/big.bin").body == big
        assert b'<a href="big.bin">' in ask(port, "/").body
    assert real.commands().count("PASV") == 2 and "EPSV" not in real.commands()


def test_a_real_server_gives_files_and_lists(start, port, vsftpd):
    big = os.urandom(3_000_000)
    vsftpd.put("a.txt", b"hello\n")
    vsftpd.put("big.bin", big)
    vsftpd.put("pub/my <b>file", b"x")
    start(f"ProxyPass / ftp://{vsftpd.address}/\n")
    response = ask(port, "/a.txt")
    assert (response.status, response.body) == ("200", b"hello\n")
    assert response.header("Content-Length") == b"6"
    assert response.header("Last-Modified").endswith(b" GMT")
    response = ask(port, "/big.bin")
    assert hashlib.sha1(response.body).digest() == hashlib.sha1(big).digest()
    assert ask(port, "/big.bin", "HEAD").header("Content-Length") == b"3000000"
    assert ask(port, "/pub/my%20%3Cb%3Efile").body == b"x"
    page = ask(port, "/").body
    assert re.search(rb'<a href="a.txt">a.txt</a>', page) and b'<a href="pub/">pub</a>' in page
    assert b'<a href="%3cb%3efile">&lt;b&gt;file</a>' in ask(port, "/pub").body
    assert b'<a href="a.txt">' in ask(port, "/*.txt").body
    assert ask(port, "/nope").status == "404"
    assert ask(port, "/pub/nope/x").status == "404"
    assert ask(port, "/a.txt;type=a").body == b"hello\n"
    wrong = "Authorization: Basic am9lOnB3\r\n"
    assert ask(port, "/a.txt", fields=wrong).status == "401"


def test_a_real_server_in_a_balancer_takes_over(start, port, vsftpd, member):
    vsftpd.put("a.txt", b"real\n")
    start("<Proxy balancer://b>\n"
          f"BalancerMember ftp://{member.address} retry=60\n"
          f"BalancerMember ftp://{vsftpd.address} status=+H\n</Proxy>\n"
          "ProxyPass / balancer://b/\n")
    assert ask(port, "/a.txt").body == b"hello\n"
    member.behave(replies={"greeting": "120 5 minutes"})
    assert ask(port, "/a.txt").body == b"real\n"


def test_checks_by_options_want_the_greeting(server, port, vsftpd, member):
    """Of a server that has no room, then dies and comes back; and of a real one all the while."""
    def changes():
        return re.findall(r"Health check (ENABLING|DISABLING) (\S+): (.*) after",
                          server.read("error.log"))

    member.behave(replies={"greeting": "421 too many users"})
    server.start(complete(
        MODULES + f"LoadModule proxy_hcheck_module {MODULE_DIRECTORY}/mod_proxy_hcheck.so\n"
        f"Listen {port.port}\n<Proxy balancer://b>\n"
        f"BalancerMember ftp://{member.address} hcmethod=OPTIONS hcinterval=200ms\n"
        f"BalancerMember ftp://{vsftpd.address} hcmethod=OPTIONS hcinterval=200ms\n</Proxy>\n"
        "ProxyPass / balancer://b/\n", log_level="debug"), [port.port])
    url = f"ftp://{member.address}"
    assert until(lambda: changes() == [("DISABLING", url, "it greets with 421")], 20)
    assert until(lambda: f"for ftp://{vsftpd.address}: status 220" in server.read("error.log"), 20)
    member.behave()
    assert until(lambda: changes()[1:] == [("ENABLING", url, "status 220")], 20)
    assert until(lambda: ["QUIT"] in member.sessions)


# --- whole or cut ---------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["426 broken", "451 disk", "421 bye", "nonsense", CLOSE])
@pytest.mark.parametrize("size", ["213 6", "500 what"])
def test_a_bad_end_is_never_a_whole_file(direct, port, end, size):
    direct.behave(replies={"end": end, "SIZE": size})
    response = ask(port, "/a.txt")
    assert response.status == "502" or is_cut(response), response
    if size == "213 6":
        # The last byte waits for the reply.
        assert response.status == "502" or response.body in (b"", b"hello")


@pytest.mark.parametrize("size", ["213 6", "500 what"])
@pytest.mark.parametrize("how", ["cut", "short"])
def test_a_data_connection_that_ends_early(direct, port, how, size):
    direct.behave(replies={"SIZE": size, "end": "226 sure" if how == "cut" else "426 no"},
                  **{how: 3})
    response = ask(port, "/a.txt")
    assert response.status == "502" or is_cut(response), response


def test_fewer_bytes_than_told(direct, port):
    direct.behave(short=3)
    response = ask(port, "/a.txt")
    assert response.status == "502" or is_cut(response), response


def test_more_bytes_than_told_are_no_second_answer(direct, port):
    direct.files = {"/a.txt": b"abHTTP/1.1 200 OK\r\n\r\n"}
    direct.behave(replies={"SIZE": "213 2"})
    response = ask(port, "/a.txt")
    assert response.status == "502" or (is_cut(response) and response.body in (b"", b"a"))
    direct.files = FILES


def test_a_list_with_a_bad_end_is_cut(direct, port):
    direct.behave(replies={"end": "426 broken"})
    response = ask(port, "/")
    assert is_cut(response) and b"</html>" not in response.body


def test_a_kept_connection_serves_the_next_request(direct, port):
    connection = Connection("127.0.0.1", port.port)
    for target, body in (("/a.txt", b"hello\n"), ("/d/b.txt", b"b" * 10), ("/a.txt", b"hello\n")):
        connection.send(f"GET {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
        assert connection.read_response("GET").body == body
    connection.close()
    direct.await_end()
    assert [session[-1] for session in direct.take()] == ["QUIT"] * 3


# --- hostile servers ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["greeting", "USER", "PASS", "EPSV", "SIZE", "PWD", "MDTM"])
def test_a_reply_without_an_end(direct, port, command):
    bomb = b"230-x\r\n" + b"and on and on\r\n" * 40_000
    direct.behave(replies={command: bomb})
    assert ask(port, "/a.txt").status == "502"
    direct.behave()
    assert ask(port, "/a.txt").body == b"hello\n"


def test_replies_byte_by_byte(direct, port):
    direct.behave(drip_s=0)
    assert ask(port, "/a.txt").body == b"hello\n"
    assert b'<a href="b.txt">' in ask(port, "/d/").body


@pytest.mark.parametrize("command", ["greeting", "PASS", "EPSV", "RETR"])
def test_silence_ends_after_the_timeout(start, port, member, command):
    start(f"Timeout 60\nProxyPass / ftp://{member.address}/ timeout=1\n")
    member.behave(replies={command: None})
    begun = time.monotonic()
    assert ask(port, "/a.txt").status == "502"
    assert 0.5 < time.monotonic() - begun < 20
    member.await_end()


def test_dripping_does_not_stretch_a_reply(start, port, member):
    start(f"Timeout 60\nProxyPass / ftp://{member.address}/ timeout=1\n")
    member.behave(replies={"PASS": b"230-" + b"x" * 2000}, drip_s=0.05)
    begun = time.monotonic()
    assert ask(port, "/a.txt").status == "502"
    assert time.monotonic() - begun < 20


def test_names_and_words_are_never_markup(direct, port):
    evil = b"<script>alert(1)</script>\"'><img src=x onerror=x>"
    direct.behave(
        replies={"PASS": b"230-" + evil + b"\r\n230 " + evil + b"\r\n",
                 "PWD": b'257 "/<script>" is\r\n'},
        listings={"/": b"-r 1 " + evil + b"\r\n" + evil + b"\r\nl 1 " + evil + b" -> " + evil
                       + b"\r\n  1 " + evil.replace(b" ", b"") + b"\r\n1 <script> x\r\n"},
    )
    page = ask(port, "/").body
    assert page.endswith(b"</html>\n")
    assert b"<script" not in page and b"<img" not in page
    page = ask(port, "/%3Cscript%3E/;type=d").body
    assert b"<script" not in page


def test_a_path_is_never_markup(direct, port):
    direct.files = {"/<script>/x": b"1"}
    response = ask(port, "/%3Cscript%3E/")
    assert response.status == "200" and b"<script" not in response.body
    direct.files = FILES


@pytest.mark.parametrize("text", [b"500 a\rSet-Cookie: x=1\r\n", b"500 <script>x</script>\r\n"])
def test_an_error_page_holds_no_markup_of_the_server(direct, port, text):
    direct.behave(replies={"greeting": text})
    response = ask(port, "/a.txt")
    assert response.status == "502" and response.header("Set-Cookie") is None
    assert b"<script" not in response.body


def test_times_and_sizes_make_no_fields(direct, port):
    direct.behave(replies={"MDTM": b"213 20240229123456\rX-Evil: 1\r\n",
                           "SIZE": b"213 6\rX-Evil: 1\r\n"})
    response = ask(port, "/a.txt")
    assert response.body == b"hello\n" and response.header("X-Evil") is None


def test_commands_hold_nothing_of_the_clients_but_names(direct, port):
    for target in ("/x%0d%0aDELE%20a", "/x%0aDELE", "/%ff", "/a%00b", "/;type=x", "/x%7f"):
        assert ask(port, target).status in ("400", "404"), target
    assert direct.take() == []


def test_another_address_is_never_dialed(direct, port):
    direct.behave(pasv_host="10.11.12.13", replies={"EPSV": "500 what"})
    begun = time.monotonic()
    assert ask(port, "/a.txt").status == "403"
    assert time.monotonic() - begun < 3


def test_a_client_that_leaves_ends_the_session(direct, port):
    direct.files = {"/big": b"x" * 30_000_000}
    direct.behave(hold=1000)
    connection = Connection("127.0.0.1", port.port)
    connection.send(b"GET /big HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    direct.await_command("RETR big")
    connection.close()
    direct.let_go()
    direct.await_end()
    direct.files = FILES


def test_a_slow_client_gets_everything(direct, port):
    direct.files = {"/big": bytes(range(256)) * 40_000}
    connection = Connection("127.0.0.1", port.port, receive_bytes=4096)
    connection.send(b"GET /big HTTP/1.1\r\nHost: lb.test\r\n\r\n")
    direct.await_command("RETR big")
    assert connection.read_response("GET").body == bytes(range(256)) * 40_000
    connection.close()
    direct.files = FILES


def test_a_limit_bounds_the_control_connections(start, port, member):
    start(f"ProxyPass / ftp://{member.address}/ max=1\n")
    member.behave(hold=2)
    first = []
    thread = threading.Thread(target=lambda: first.append(ask(port, "/a.txt")))
    thread.start()
    member.await_command("RETR a.txt")
    second = []
    other = threading.Thread(target=lambda: second.append(ask(port, "/d/b.txt")))
    other.start()
    assert len(member.sessions) == 1
    member.let_go()
    thread.join(20)
    other.join(20)
    assert (first[0].body, second[0].body) == (b"hello\n", b"b" * 10)
    until(lambda: len(member.sessions) == 2)


def test_the_servers_words_are_logged_as_text(start, port, member):
    server = start(f"ProxyPass / ftp://{member.address}/\n")
    member.behave(replies={"PASS": "500 <b>no\x1b[2J"})
    secret = "Authorization: Basic am9lOnRvcHNlY3JldA==\r\n"
    assert ask(port, "/a.txt", fields=secret).status == "502"
    assert until(lambda: "<b>no" in server.read("error.log"))
    log = server.read("error.log")
    assert "\x1b" not in log and "topsecret" not in log
    assert member.commands[:2] == ["USER joe", "PASS topsecret"]


PAGES = """\
ProxyStatus On
LogLevel trace8
<Location /pages/manager>
SetHandler balancer-manager
</Location>
<Location /pages/status>
SetHandler server-status
</Location>
<Location /pages/metrics>
SetHandler steelyard-metrics
</Location>
<Location /pages/api>
SetHandler steelyard-api
</Location>
<Proxy "{url}/denied">
    Require all denied
</Proxy>
<Proxy balancer://b>
    BalancerMember {url} route=r1
    ProxySet nonce=once
</Proxy>
ProxyPass /pages !
ProxyPass /b/ balancer://b/
ProxyPass /direct/ {url}/
ProxyPassMatch ^/match/(.*)$ {url}/$1
RewriteEngine On
RewriteRule ^/rule/(.*)$ {url}/$1 [P]
LogFormat "%f %{{BALANCER_WORKER_NAME}}e %>s" all
CustomLog all.log all
"""


def test_a_members_password_is_for_the_member_alone(start, port, member):
    url = f"ftp://joe:topsecret@{member.address}"
    shown = f"ftp://joe@{member.address}"
    load = f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\n"
    server = start(load + PAGES.format(url=url))
    for way in ("b", "direct", "match", "rule"):
        assert ask(port, f"/{way}/a.txt").body == b"hello\n", way
        assert "PASS topsecret" in [command for session in member.take() for command in session], way
        member.behave(replies={"SIZE": "500 no", "RETR": "451 no"})
        assert ask(port, f"/{way}/a.txt").status == "502"
        member.behave()
        member.take()
    for way in ("direct", "rule"):
        assert ask(port, f"/{way}/denied").status == "403"
    pages = ["manager", "manager?xml=1", "status", "status?auto", "metrics"]
    said = {page: ask(port, f"/pages/{page}").body.decode("latin1") for page in pages}

    def ctl(*words):
        command = [server.binary, "ctl", "-d", str(server.root), "-f", str(server.config_path), *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=20,
                              stderr=subprocess.STDOUT, text=True, check=False)
        said[f"ctl {words[0]} {words[-1]}"] = done.stdout
        return done.returncode

    assert ctl("set", "b", url, "lbset=1") == 0
    assert ctl("set", "b", shown, "lbset=2") == 0
    for words in ("members", "members --json", "top", f"history b {url}", "changes", "export"):
        assert ctl(*words.split()) == 0, said
    for resource in ("", "/balancers", "/members?balancer=b", "/changes", "/export",
                     f"/member?balancer=b&member={url}"):
        response = ask(port, f"/pages/api/v1{resource}")
        assert response.status == "200", response
        said[f"api {resource}"] = response.body.decode("latin1")
    # What scripts know a member by leads to it with the password and without.
    for name in (url, shown):
        page = ask(port, f"/pages/manager?b=b&nonce=once&w={name}",
                   fields="Referer: http://lb.test/pages/manager\r\n").body.decode("latin1")
        assert f"Edit worker settings for {shown}" in page
        said["form"] = page
    assert server.stop() == 0
    for log in ("error.log", "all.log", "access.log"):
        said[log] = server.read(log)
    # What a client writes into its own request is logged with it.
    said["access.log"] = "".join(line for line in said["access.log"].splitlines(True) if "/pages/" not in line)
    for place, text in said.items():
        assert "secret" not in text, place
    for place in ("manager", "metrics", "all.log", "error.log", "ctl members members", "api /members?balancer=b"):
        assert shown in said[place], place


def test_a_file_of_an_old_client(direct, port):
    connection = Connection("127.0.0.1", port.port)
    connection.send(b"GET /d/ HTTP/1.0\r\n\r\n")
    response = connection.read_response("GET")
    assert response.body.endswith(b"</html>\n")
    connection.close()
