"""SetHandler steelyard-metrics, read by what reads it: promtool, a Prometheus, a dashboard's names."""

import json
import re
import signal
import subprocess
import urllib.parse
import urllib.request

import pytest
from support.ports import HeldPort
from support.process import until
from support.server import PROJECT
from support.wire import Connection

CONFIG = """\
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so
ServerName lb.test
Listen 127.0.0.1:{port}
SteelyardShards 1
PidFile httpd.pid
ErrorLog error.log
<Proxy balancer://app>
    BalancerMember http://{m1} route=m1
    BalancerMember http://{dead} route=dead
</Proxy>
ProxyPass /app balancer://app/
ProxyPass /direct http://{m1}/
<Location /metrics>
    SetHandler steelyard-metrics
    Require ip 127.0.0.1
</Location>
{more}
"""

PROMETHEUS = """\
global:
  scrape_interval: 200ms
  scrape_timeout: 200ms
scrape_configs:
  - job_name: steelyard
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class World:
    def __init__(self, server, port, member, dead):
        self.server, self.port, self.member, self.dead = server, port, member, dead

    def text(self, more=""):
        return CONFIG.format(
            port=self.port.port, m1=self.member.address, dead=self.dead, more=more
        )

    def get(self, target, accept="*/*"):
        connection = Connection("127.0.0.1", self.port.port)
        try:
            connection.send(
                f"GET {target} HTTP/1.1\r\nHost: lb.test\r\nAccept: {accept}\r\n\r\n".encode()
            )
            return connection.read_response()
        finally:
            connection.close()

    def metrics(self, accept="*/*"):
        response = self.get("/metrics", accept)
        assert response.status == "200"
        return response.body.decode()

    def value(self, series):
        for line in self.metrics().splitlines():
            if line.rpartition(" ")[0] == series:
                return float(line.rpartition(" ")[2])
        return None


@pytest.fixture
def world(server, port, farm):
    member, dead = farm.member("M1"), HeldPort()
    one = World(server, port, member, dead)
    server.start(one.text(), [port.port])
    yield one
    server.stop()
    farm.retire([member])
    dead.close()


def test_promtool_finds_no_fault_in_them(world):
    for target in ("/app", "/app", "/direct", "/nothing"):
        world.get(target)
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=world.metrics().encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=20,
    )
    assert (done.returncode, done.stdout.decode()) == (0, "")


EVERYTHING = """LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so
SteelyardTrace On
SteelyardTraceExport http://127.0.0.1:{nobody}/v1/traces
SteelyardCluster etcd://127.0.0.1:{nobody}/x
SteelyardJsonLog access.json
<Proxy balancer://checked>
    BalancerMember http://{m1} hcmethod=GET hcinterval=1 hcuri=/checked
    BalancerMember http://{nobody_at} hcmethod=TCP hcinterval=1
    ProxySet queue=5/2 stickysession=sid
</Proxy>
ProxyPass /checked balancer://checked/
"""


def test_promtool_finds_no_fault_where_everything_is_on(world):
    more = EVERYTHING.format(nobody=world.dead.port, nobody_at=world.dead, m1=world.member.address)
    world.server.stop()
    world.server.start(world.text(more), [world.port.port])
    assert world.get("/checked").status == "200"
    checks = 'steelyard_member_health_checks_total{balancer="balancer://checked",'
    assert until(lambda: checks in world.metrics(), 20)
    for target in ("/app", "/direct", "/nothing"):
        world.get(target)
    said = world.metrics()
    for name in ("steelyard_cluster_connected 0", "steelyard_trace_spans_", "steelyard_queue_waiting{"):
        assert name in said, name
    done = subprocess.run(["promtool", "check", "metrics"], input=said.encode(), timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout.decode()) == (0, "")


def test_promtool_can_read_every_expression_of_the_dashboard(scratch):
    dashboard = json.loads((PROJECT / "packaging/grafana/steelyard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(expressions) > 40
    rules = []
    for number, expression in enumerate(expressions):
        for variable, text in (("$__rate_interval", "5m"), ("$__interval", "1m"), ("$__range", "1h")):
            expression = expression.replace(variable, text)
        rules.append({"record": f"dashboard:expression:{number}",
                      "expr": re.sub(r"\$\w+", ".*", expression)})
    file = scratch / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(file)], timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode()
    assert f"{len(rules)} rules found" in done.stdout.decode()


def test_what_clients_and_operators_make_up_leaves_no_series(world):
    api = """
ProxyPassMatch ^/matched/(.*)$ http://{m1}/$1
<Location /admin>
    SetHandler steelyard-api
    Require ip 127.0.0.1
</Location>
"""
    text = world.text(api.format(m1=world.member.address))
    world.server.write(text.replace("ProxyPass /app", "ProxyPass /admin !\nProxyPass /app"))
    world.server.signal(signal.SIGUSR1)
    assert until(lambda: world.get("/matched/first").status == "200")

    def series():
        return {line.rpartition(" ")[0] for line in world.metrics().splitlines() if not line.startswith("#")}

    def send(method, target, fields=""):
        connection = Connection("127.0.0.1", world.port.port)
        try:
            connection.send(f"{method} {target} HTTP/1.1\r\nHost: lb.test\r\n{fields}\r\n".encode())
            return connection.read_response(method).status
        finally:
            connection.close()

    def change(method, number):
        return send(method, f"/admin/v1/member?balancer=app&member=http://127.0.9.{number + 1}:9")

    # One of each kind, so that nothing below is the first of its kind.
    for method, target, status in (("GET", "/app", "200"), ("GET", "/app", "200"), ("BREW", "/app", "200"),
                                   ("GET", "/matched/second", "200"), ("GET", "/nothing", "404")):
        assert send(method, target) == status
    assert (change("PUT", 40), change("DELETE", 40)) == ("201", "200")
    before = series()
    for number in range(40):
        assert change("PUT", number) == "201"
        assert send(f"BREW{number}", "/app", f"X-Odd-{number}: {number}\r\n") == "200"
        assert send("GET", f"/matched/{number}?x={number}") == "200"
        assert send("GET", f"/nothing/{number}") == "404"
    assert len(series()) > len(before) + 40  # while they are there
    for number in range(40):
        assert change("DELETE", number) == "200"
    assert series() == before
    refused = 'steelyard_changes_refused_total{cause="precondition"}'
    target = f"/admin/v1/member?balancer=app&member=http://{world.member.address}"
    assert send("DELETE", target, 'If-Match: "another"\r\n') == "412"
    assert until(lambda: world.value(refused) == 1)


def test_they_tell_what_happened(world):
    for _ in range(3):
        assert world.get("/app").status == "200"
    assert world.get("/direct").status == "200"
    assert world.get("/nothing").status == "404"
    labels = f'balancer="balancer://app",member="http://{world.member.address}"'
    assert world.value(f'steelyard_member_responses_total{{{labels},class="2xx"}}') == 3
    assert world.value(f"steelyard_member_connect_seconds_count{{{labels}}}") == 1
    assert world.value(f"steelyard_member_connections_reused_total{{{labels}}}") == 2
    assert world.value(f"steelyard_member_first_byte_seconds_count{{{labels}}}") == 3
    assert world.value(f"steelyard_member_total_seconds_count{{{labels}}}") == 3
    dead = f'balancer="balancer://app",member="http://{world.dead}"'
    failures = f'steelyard_member_failures_total{{{dead},party="backend",cause="connect"}}'
    assert world.value(failures) == 1
    direct = f'balancer="direct",member="http://{world.member.address}/"'
    assert world.value(f"steelyard_member_elected_total{{{direct}}}") == 1
    assert world.value('steelyard_responses_total{server="main",class="4xx"}') == 1
    assert world.value("process_open_fds") > 3
    assert world.value("process_resident_memory_bytes") > 1 << 20


def test_reloads_keep_the_counters_and_are_counted_themselves(world):
    world.get("/app")
    resumed = "resuming normal operations"
    world.server.write(world.text("# changed"))
    world.server.signal(signal.SIGUSR1)
    assert until(lambda: world.server.read("error.log").count(resumed) == 2)
    world.server.write(world.text("Nonsense"))
    world.server.signal(signal.SIGUSR1)
    assert until(lambda: world.value('steelyard_reloads_total{result="refused"}') == 1)
    assert world.value('steelyard_reloads_total{result="accepted"}') == 1
    assert world.value("steelyard_generation") == 2
    labels = f'balancer="balancer://app",member="http://{world.member.address}"'
    assert world.value(f'steelyard_member_responses_total{{{labels},class="2xx"}}') == 1


def test_who_is_not_allowed_gets_none(world):
    world.server.write(world.text().replace("Require ip 127.0.0.1", "Require ip 10.0.0.1"))
    world.server.signal(signal.SIGUSR1)
    assert until(lambda: world.get("/metrics").status == "403")


def test_the_form_is_the_one_that_was_asked_for(world):
    response = world.get("/metrics")
    assert response.header("Content-Type") == b"text/plain; version=0.0.4; charset=utf-8"
    assert response.header("Cache-Control") == b"no-store"
    response = world.get("/metrics", OPEN_METRICS)
    expected = b"application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert response.header("Content-Type") == expected
    assert response.body.endswith(b"\n# EOF\n")


class Prometheus:
    """A real one that scrapes the port, ended by its process id."""

    def __init__(self, directory, target_port):
        self.held = HeldPort()
        directory.mkdir()
        (directory / "prometheus.yml").write_text(PROMETHEUS.format(port=target_port))
        with open(directory / "output.txt", "wb") as output:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={directory}/prometheus.yml",
                    f"--storage.tsdb.path={directory}/data",
                    f"--web.listen-address=127.0.0.1:{self.held.port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def query(self, expression):
        """The values, or nothing as long as it does not answer."""
        address = f"http://127.0.0.1:{self.held.port}/api/v1/query?"
        try:
            with urllib.request.urlopen(
                address + urllib.parse.urlencode({"query": expression}), timeout=5
            ) as answer:
                return [one["value"][1] for one in json.load(answer)["data"]["result"]]
        except OSError:
            return []

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.held.close()


@pytest.fixture
def prometheus(scratch, world):
    one = Prometheus(scratch / "prometheus", world.port.port)
    yield one
    one.stop()


def test_a_prometheus_reads_them(world, prometheus):
    for _ in range(3):
        world.get("/app")
    assert until(lambda: prometheus.query("up") == ["1"], 30)
    member = f'member="http://{world.member.address}",balancer="balancer://app"'
    picks = f"sum(steelyard_member_picks_total{{{member}}})"
    assert until(lambda: prometheus.query(picks) == ["3"], 30)
    assert prometheus.query("scrape_samples_scraped > 100")
    quantile = (
        "histogram_quantile(0.5, sum by (le) "
        f"(steelyard_member_first_byte_seconds_bucket{{{member}}})) > 0"
    )
    assert len(prometheus.query(quantile)) == 1
