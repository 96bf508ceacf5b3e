"""Health checks that ask php-fpm, uWSGI and scripted members in their own protocols."""

import re
from contextlib import ExitStack

import pytest
from support.cgi_member import STDERR, CgiMember, cgi_answer, record
from support.checked_balancer import CheckedBalancer
from support.process import until
from support.script_members import PhpFpm, Uwsgi
from support.wire import Connection

PROTOCOLS = ("fcgi", "scgi", "uwsgi")
METHODS = ("GET", "HEAD", "OPTIONS", "GET11", "HEAD11", "OPTIONS11")
PATIENCE_S = 20.0


class Checked(CheckedBalancer):
    def checks(self, word):
        """How many checks said so."""
        return len(re.findall(rf"AH03251: Health check \S+ Status \(\d\) for \S+: {word}", self.log()))

    def status(self):
        client = Connection("127.0.0.1", self.port.port)
        client.send(b"GET /x HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n\r\n")
        response = client.read_response()
        client.close()
        return response.status


@pytest.fixture
def checked(server, port):
    return Checked(server, port, [f"proxy_{protocol}" for protocol in PROTOCOLS])


@pytest.mark.parametrize("on_socket", [False, True], ids=["port", "socket"])
def test_php_fpm_answers_its_ping_dies_and_comes_back(checked, scratch, on_socket):
    php = PhpFpm("one", scratch / "php", scratch / "scripts", on_socket)
    php.start()
    try:
        checked.start(f"{php.url} hcmethod=GET hcuri=/ping hcexpr=pong",
                      more="ProxyHCExpr pong \"%{REQUEST_STATUS} == 200 && hc('body') == 'pong'\"\n")
        passed = "status 200, condition pong is true"
        assert until(lambda: checked.checks(passed) >= 2, PATIENCE_S), checked.log()
        assert checked.changes() == []
        php.stop()
        assert until(lambda: len(checked.changes()) == 1, PATIENCE_S)
        assert checked.changes()[0][0] == "DISABLING"
        assert checked.status() == "503"
        php.start()
        assert until(lambda: len(checked.changes()) == 2, PATIENCE_S)
        assert checked.changes()[1][0] == "ENABLING"
        assert passed in checked.changes()[1][2]
        assert checked.status() == "404"  # php-fpm answers; there is no such script
    finally:
        php.close()


def test_php_fpm_runs_a_script_and_tells_its_status(checked, scratch):
    php = PhpFpm("one", scratch / "php", scratch / "scripts")
    php.start()
    scripts = scratch / "scripts"
    try:
        checked.start(f"{php.url}{scripts} hcmethod=HEAD hcuri=/page.php?do=none")
        assert until(lambda: checked.checks("status 404") >= 1, PATIENCE_S), checked.log()
        assert checked.changes()[0][:2] == ("DISABLING", f"{php.url}{scripts}")
    finally:
        php.close()


def test_php_fpm_says_why_it_runs_no_script(checked, scratch):
    php = PhpFpm("one", scratch / "php", scratch / "scripts")
    php.start()
    try:
        checked.start(f"{php.url} hcmethod=GET hcuri=/nowhere.php")
        assert until(lambda: "AH01071: Got error 'Primary script unknown" in checked.log(), PATIENCE_S)
        assert until(lambda: checked.changes(), PATIENCE_S)
        assert "status 404" in checked.changes()[0][2]
    finally:
        php.close()


@pytest.mark.parametrize("protocol", ["uwsgi", "scgi"])
def test_uwsgi_serves_its_checks(checked, scratch, protocol):
    """The application answers with the status that its query asks for."""
    member = Uwsgi(protocol, "one", scratch / "one")
    member.start()
    try:
        checked.start(f"{member.url}/other hcmethod=GET11 hcuri=/up?503+Later",
                      f"{member.url} hcmethod=GET hcuri=/up?202+Fine")
        assert until(lambda: checked.checks("status 202") >= 2, PATIENCE_S), checked.log()
        assert until(lambda: checked.checks("status 503") >= 1, PATIENCE_S), checked.log()
        told = {(what, name) for what, name, _ in checked.changes()}
        assert told == {("DISABLING", f"{member.url}/other")}
    finally:
        member.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_method_is_asked_in_the_members_words(checked, protocol):
    with ExitStack() as stack:
        members = {method: CgiMember(protocol, method) for method in METHODS}
        for one in members.values():
            stack.callback(one.close)
        checked.start(*(f"{one.url} hcmethod={method} hcuri=/well?x=y hchost=app.test"
                        for method, one in members.items()))
        for method, one in members.items():
            asked = one.take(2)[0]
            assert asked.body == b"" and not asked.keep
            told = asked.named
            assert told["REQUEST_METHOD"] == method.removesuffix("11")
            assert told["SERVER_PROTOCOL"] == ("HTTP/1.1" if method.endswith("11") else "HTTP/1.0")
            assert told["REQUEST_URI"] == "/well?x=y"
            assert told["QUERY_STRING"] == "x=y"
            assert told["HTTP_HOST"] == told["SERVER_NAME"] == "app.test"
            assert told["REMOTE_ADDR"] == told["SERVER_ADDR"] == "127.0.0.1"
            assert told["SCRIPT_FILENAME"] == f"proxy:{one.url}/well"
        assert until(lambda: checked.checks("status 200") >= len(METHODS))
        assert checked.changes() == []


def test_a_generic_server_is_told_the_path(checked):
    one = CgiMember("fcgi")
    try:
        checked.start(f"{one.url}/srv hcmethod=GET hcuri=/up",
                      more="<Proxy balancer://app/*>\nProxyFCGIBackendType GENERIC\n</Proxy>\n")
        assert one.take()[0].named["SCRIPT_FILENAME"] == "/srv/up"
    finally:
        one.close()


@pytest.mark.parametrize("protocol,data,reason", [
    ("fcgi", record(STDERR, b"w" * 60000) * 300, "it says much and answers nothing"),
    ("fcgi", b"HTTP/1.1 400 Bad Request\r\n\r\n", "a FastCGI record of another version"),
    ("fcgi", record(6, b"x", identity=2), "a FastCGI record for another request"),
    ("fcgi", record(6, b"Content-Length: 9\r\n\r\nhalf") + record(6), "shorter than was told"),
    ("scgi", b"X: 1\r\n" * 60000, "the script's header is too long"),
    ("uwsgi", b"no HTTP\r\n\r\n", "not an answer of a uwsgi application"),
], ids="stderr http id length head words".split())
def test_what_went_wrong_is_told_and_the_next_check_is_made(checked, protocol, data, reason):
    one = CgiMember(protocol)
    try:
        one.next_answer(data)
        checked.start(f"{one.url} hcmethod=GET hcuri=/up")
        assert until(lambda: len(checked.changes()) >= 2, PATIENCE_S), checked.log()
        (down, _, why), (up, _, passed) = checked.changes()[:2]
        assert (down, up) == ("DISABLING", "ENABLING")
        assert reason in why
        assert "status 200" in passed
    finally:
        one.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_silent_member_has_hctimeout(checked, protocol):
    one = CgiMember(protocol)
    try:
        one.next_answer(cgi_answer(protocol, b"half")[:20], then_close=False)
        checked.start(f"{one.url} hcmethod=GET hcuri=/up hctimeout=300ms")
        assert until(lambda: checked.changes(), PATIENCE_S)
        assert "not over within 3" in checked.changes()[0][2]
    finally:
        one.close()
