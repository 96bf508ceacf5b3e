"""SetHandler server-status beside that of the real apache2, and what reads it."""

import re
import subprocess
import urllib.request

import pytest
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Server, complete
from support.wire import Connection

CONFIG = f"""\
LoadModule status_module {MODULE_DIRECTORY}/mod_status.so
Listen 127.0.0.1:{{port}}
ProxyStatus {{status}}
Header set X-Load "%i %b"
<Proxy balancer://app>
    BalancerMember http://{{m1}} route=m1 loadfactor=2 redirect=m2
    BalancerMember http://{{m2}} route=m2 status=+H lbset=1
    ProxySet stickysession=JSESSIONID|jsessionid timeout=3
</Proxy>
<Proxy balancer://plain>
    BalancerMember http://{{m2}}/path
</Proxy>
ProxyPass /app balancer://app/
ProxyPass /plain balancer://plain/
<Location /server-status>
    SetHandler server-status
</Location>
"""


class Side:
    """One of the two programs, with what it said."""

    def __init__(self, binary, directory, port, members, status="On"):
        self.server, self.port = Server(binary, directory), port
        m1, m2 = (member.address for member in members)
        text = CONFIG.format(port=port.port, m1=m1, m2=m2, status=status)
        self.server.start(complete(text), [port.port])

    def ask(self, target, method="GET"):
        connection = Connection("127.0.0.1", self.port.port)
        try:
            connection.send(f"{method} {target} HTTP/1.1\r\nHost: lb.test\r\n\r\n".encode())
            return connection.read_response(method=method)
        finally:
            connection.close()

    def lines(self, query="?auto"):
        return self.ask("/server-status" + query).body.decode().splitlines()

    def stop(self):
        self.server.stop()


@pytest.fixture
def members(farm):
    some = [farm.member("M1"), farm.member("M2")]
    yield some
    farm.retire(some)


@pytest.fixture
def both(binary, scratch, members):
    """apache2 and steelyard, with the same members and the same requests behind them."""
    ports = [HeldPort(), HeldPort()]
    sides = []
    try:
        for name, program, port in zip(("httpd", "ours"), (APACHE, binary), ports):
            (scratch / name).mkdir()
            side = Side(program, scratch / name, port, members)
            sides.append(side)
            for _ in range(3):
                assert side.ask("/app?size=3000").status == "200"
        yield sides
    finally:
        for side in sides:
            side.stop()
        for port in ports:
            port.close()


def test_the_lines_for_programs_have_httpds_names_in_httpds_order(both):
    # Without a whole second of uptime neither tells rates.
    def has_rates(side):
        return any(line.startswith("ReqPerSec") for line in side.lines())

    for side in both:
        assert until(lambda side=side: has_rates(side))
    httpds, ours = ([line.partition(":")[0] for line in side.lines()] for side in both)
    assert ours == httpds


def test_balancers_have_the_same_lines(both):
    def balancer_lines(side):
        return [line for line in side.lines() if line.startswith("ProxyBalancer")]

    httpds, ours = (balancer_lines(side) for side in both)
    assert len(httpds) == 20
    assert ours == httpds


def test_balancers_have_the_same_tables(both):
    def tables(side):
        page = side.ask("/server-status").body.decode("latin1")
        page = page[page.index("Proxy LoadBalancer Status") :]
        # httpd forgets the end of a row; ours differ in white space between tags.
        return re.sub(r"\s*(</?t(able|r)[^>]*>)\s*", r"\1", page).replace("</tr>", "").strip()

    httpds, ours = (tables(side) for side in both)
    assert ours == httpds


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"])
def test_methods_get_the_same_status(both, method):
    httpds, ours = (side.ask("/server-status/x", method).status for side in both)
    assert ours == httpds


@pytest.mark.parametrize("query", ["?refresh", "?refresh=0", "?refresh=7", "?xrefresh=5x", "?AUTO",
                                   "?auto&refresh=3", "?refresh=-3", "?notable", ""])
def test_queries_mean_the_same(both, query):
    def told(side):
        response = side.ask("/server-status" + query)
        return response.header("Refresh"), response.header("Content-Type")

    httpds, ours = (told(side) for side in both)
    assert ours == httpds


@pytest.mark.parametrize("others, load", [(0, b"i=97 b=2"), (11, b"i=75 b=25"), (47, b"i=0 b=100")])
def test_a_header_tells_the_same_load(both, others, load):
    """Of 48 requests at a time (MaxRequestWorkers), which are httpd's threads."""
    for side in both:
        begun = [Connection("127.0.0.1", side.port.port) for _ in range(others)]
        try:
            for connection in begun:
                connection.send(b"GET / HTTP/1.1\r\nHost: ")
            # httpd starts its threads one after the other, and looks at connections when it can.
            assert until(lambda side=side: side.ask("/app").header("X-Load") == load)
        finally:
            for connection in begun:
                connection.close()


def test_an_exporter_made_for_httpd_reads_it(binary, scratch, port, members):
    side = Side(binary, scratch, port, members, status="Full")
    held = HeldPort()
    exporter = subprocess.Popen(
        [
            "prometheus-apache-exporter",
            f"--scrape_uri=http://127.0.0.1:{port.port}/server-status?auto",
            f"--telemetry.address=127.0.0.1:{held.port}",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def told():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{held.port}/metrics", timeout=5) as page:
                return page.read().decode()
        except OSError:
            return ""

    try:
        for _ in range(3):
            assert side.ask("/app").status == "200"
        assert until(lambda: "\napache_up 1\n" in told(), 20)
        text = told()
        assert float(re.search(r"^apache_accesses_total (\S+)", text, re.M)[1]) >= 3
        assert re.search(r'^apache_workers\{state="busy"\} 1$', text, re.M)
        assert re.search(r'^apache_workers\{state="idle"\} [1-9]', text, re.M)
        assert re.search(r"^apache_uptime_seconds_total \d", text, re.M)
        balancers = re.findall(r"^(apache_proxy_balancer_\w+)\{.* (\S+)$", text, re.M)
        assert {"apache_proxy_balancer_accesses_total", "apache_proxy_balancer_status"} <= {
            name for name, _ in balancers}
        assert sum(float(value) for name, value in balancers
                   if name == "apache_proxy_balancer_accesses_total") == 3
    finally:
        exporter.terminate()
        exporter.wait(10)
        side.stop()
        held.close()


def test_without_its_module_the_page_is_not_there_and_that_is_told(binary, server, port):
    text = (
        f"ServerName lb.test\nListen 127.0.0.1:{port.port}\nPidFile httpd.pid\nErrorLog error.log\n"
        "<Location /server-status>\nSetHandler server-status\n</Location>\n"
    )
    status, said = server.check(text)
    assert status == 0
    assert "LoadModule status_module" in said
