"""Health checks that members of several balancers share (hcshare=On; docs/decisions/0024)."""

import re
import subprocess

import pytest
from support import ask
from support.process import reload, until

# Four balancers of one server: a, b and c, which belongs to a virtual host, ask the same; d has
# its own question, and is the clock by which the others' checks are counted.
CONFIG = """\
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen {port}
PidFile httpd.pid
ErrorLog error.log
LogLevel info
ProxyHCTemplate shared hcmethod=GET hcuri=/health hcinterval=200ms hcshare=On
BalancerMember balancer://a http://{member} hctemplate=shared
BalancerMember balancer://b http://{member} hctemplate=shared{b}
BalancerMember balancer://d http://{member} hctemplate=shared hcuri=/clock?status=200
ProxyPass /a balancer://a/
ProxyPass /b balancer://b/
ProxyPass /d balancer://d/
<VirtualHost *:{port}>
    ServerName other.test
    ProxyHCTemplate same hcmethod=GET hcuri=/health hcinterval=200ms hcshare=On
    BalancerMember balancer://c http://{member} hctemplate=same
    ProxyPass / balancer://c/
</VirtualHost>
"""
TICKS = 8


@pytest.fixture
def member(farm):
    one = farm.member("M1")
    yield one
    farm.retire([one])


def text(port, member, b=""):
    return CONFIG.format(port=port, member=member.address, b=b)


def heard(member, target):
    return sum(1 for request in list(member.received) if request.target == target)


def asked_while_the_clock_ticks(member, target):
    before, ticks = heard(member, target), heard(member, b"/clock?status=200") + TICKS
    assert until(lambda: heard(member, b"/clock?status=200") >= ticks)
    return heard(member, target) - before


def is_one_an_interval(count):
    return TICKS - 3 <= count <= TICKS + 3


def told(server, word):
    """Balancers that were told so, and when."""
    rows = re.findall(rf"^\[([^]]*)\].*{word} \S+ of balancer://(\w+): ", server.read("error.log"), re.M)
    return [name for _, name in rows], {when for when, _ in rows}


def ctl(server, *words):
    command = [server.binary, "ctl", "-d", str(server.root), "-f", str(server.config_path), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr


def test_three_balancers_share_the_checks_of_one_server(server, port, member):
    server.start(text(port, member), [port.port])
    assert until(lambda: heard(member, b"/health") >= 1)
    assert is_one_an_interval(asked_while_the_clock_ticks(member, b"/health"))

    member.answer = ask.Ask(status=503)
    assert until(lambda: len(told(server, "DISABLING")[0]) == 3), server.read("error.log")
    names, moments = told(server, "DISABLING")
    assert sorted(names) == ["a", "b", "c"] and len(moments) == 1
    member.answer = None
    assert until(lambda: len(told(server, "ENABLING")[0]) == 3), server.read("error.log")
    names, moments = told(server, "ENABLING")
    assert sorted(names) == ["a", "b", "c"] and len(moments) == 1


def test_the_others_are_checked_when_one_goes_or_asks_otherwise(server, port, member):
    server.start(text(port, member), [port.port])
    assert until(lambda: heard(member, b"/health") >= 1)
    ctl(server, "remove", "a", member.address)
    assert is_one_an_interval(asked_while_the_clock_ticks(member, b"/health"))
    member.answer = ask.Ask(status=503)
    assert until(lambda: len(told(server, "DISABLING")[0]) == 2), server.read("error.log")
    assert sorted(told(server, "DISABLING")[0]) == ["b", "c"]

    # A newcomer is out at once, by the check that the others failed: the next one has no answer.
    member.answer = ask.Ask(status=503, hold="newcomer")
    before = heard(member, b"/health")
    assert until(lambda: heard(member, b"/health") > before)
    ctl(server, "add", "a", f"http://{member.address}", "status=")
    assert until(lambda: sorted(told(server, "DISABLING")[0]) == ["a", "b", "c"])
    member.answer = ask.Ask(status=503)
    member.gates.release("newcomer")

    server.write(text(port, member, " hcuri=/b"))
    reload(server)
    assert until(lambda: heard(member, b"/b") >= 1)
    assert is_one_an_interval(asked_while_the_clock_ticks(member, b"/b"))
    assert is_one_an_interval(asked_while_the_clock_ticks(member, b"/health"))
    member.answer = None
    assert until(lambda: sorted(told(server, "ENABLING")[0]) == ["a", "b", "c"])
