"""Health checks of members that speak HTTP/2 and nothing else."""

from contextlib import ExitStack

import pytest
from support.certificates import Authority
from support.checked_balancer import CheckedBalancer
from support.http2_member import Http2Member
from support.process import until
from support.upgrading_member import UpgradingMember

METHODS = ("GET", "HEAD", "OPTIONS", "GET11", "HEAD11", "OPTIONS11")


@pytest.fixture
def checked(server, port):
    return CheckedBalancer(server, port, ["ssl", "proxy_http2"])


@pytest.mark.parametrize("scheme", ["h2c", "h2"])
def test_every_method_is_asked_in_http_2(checked, tmp_path, scheme):
    with ExitStack() as stack:
        pair = Authority(tmp_path).issue("127.0.0.1") if scheme == "h2" else None
        members = {method: stack.enter_context(Http2Member(pair)) for method in METHODS}
        checked.start(*(f"{scheme}://127.0.0.1:{one.port} hcmethod={method} hcuri=/well"
                        for method, one in members.items()),
                      more="SSLProxyEngine On\nSSLProxyVerify none\n"
                           "SSLProxyCheckPeerName Off\nSSLProxyCheckPeerCN Off\n")
        for method, one in members.items():
            one.wait_for(lambda one=one: len(one.requests) >= 2)
            bare = method.removesuffix("11")
            assert one.requests[0].fields == {
                ":method": bare,
                ":scheme": "https" if scheme == "h2" else "http",
                ":authority": f"127.0.0.1:{one.port}",
                ":path": "*" if bare == "OPTIONS" else "/well",
            }
        assert checked.disabled() == []


def test_a_condition_sees_what_came_in_http_2(checked):
    with Http2Member() as good, Http2Member() as bad:
        checked.start(*(f"h2c://127.0.0.1:{one.port} hcmethod=GET hcuri=/{word} hcexpr=ready"
                        for word, one in (("ready", good), ("no", bad))),
                      more='ProxyHCExpr ready "hc(\'body\') =~ m#/ready# '
                           '&& %{REQUEST_STATUS} == 200"\n')
        assert until(lambda: checked.disabled())
        good.wait_for(lambda: len(good.requests) >= 2)
        assert {name for name, _ in checked.disabled()} == {f"h2c://127.0.0.1:{bad.port}"}


def test_a_long_answer_and_hints_pass(checked):
    with Http2Member() as long, Http2Member() as hints:
        checked.start(f"h2c://127.0.0.1:{long.port} hcmethod=GET hcuri=/size/900000",
                      f"h2c://127.0.0.1:{hints.port} hcmethod=GET hcuri=/hints")
        for one in (long, hints):
            one.wait_for(lambda one=one: len(one.requests) >= 2)
        assert checked.disabled() == []


def test_what_went_wrong_is_told(checked):
    with ExitStack() as stack:
        cut, silent, refusing = (stack.enter_context(Http2Member()) for _ in range(3))
        older = UpgradingMember()
        stack.callback(older.close)
        reasons = {
            f"h2c://127.0.0.1:{cut.port} hcmethod=GET hcuri=/reset": "the body was cut short",
            f"h2c://127.0.0.1:{silent.port} hcmethod=GET hcuri=/hold/x hctimeout=300ms":
                "not over within",  # 300 ms, and what the loop took
            f"h2c://127.0.0.1:{refusing.port} hcmethod=GET hcuri=/refuse/99":
                "the member refused the stream",
            f"h2c://{older.address} hcmethod=HEAD hcuri=/": "without an answer in HTTP/2",
        }
        checked.start(*reasons)
        assert until(lambda: len({name for name, _ in checked.disabled()}) == len(reasons))
        told = dict(checked.disabled())
        for line, reason in reasons.items():
            assert reason in told[line.split()[0]]
