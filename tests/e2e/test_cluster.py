"""Instances that share what operators change through a real etcd: in touch, cut off, and back."""

import json
import shutil
import statistics
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from support.etcd import Authority, Cable, Etcd
from support.ports import HeldPort
from support.process import until
from support.server import Scratch, Server, complete

CONFIG = """\
Listen 127.0.0.1:{port}
{cluster}
{persist}
<Proxy balancer://app>
{members}
    ProxySet stickysession=sid
</Proxy>
{more}
ProxyPass /admin !
ProxyPass /metrics !
ProxyPass / balancer://app/
<Location /admin>
    SetHandler steelyard-api
    Require ip 127.0.0.1
</Location>
<Location /metrics>
    SetHandler steelyard-metrics
    Require ip 127.0.0.1
</Location>
"""
MEMBERS = """\
    BalancerMember http://127.0.0.1:1 route=m1
    BalancerMember http://127.0.0.1:2 route=m2
"""
M1, M2, M3 = "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"
WAIT_S = 20


class Instance:
    """One steelyard of a cluster."""

    def __init__(self, binary, name, etcd_port, more=""):
        self.scratch = Scratch("steelyard-e2e-")
        self.server = Server(binary, self.scratch.path)
        self.port = HeldPort()
        self.name = name
        self.cluster = f"SteelyardCluster etcd://127.0.0.1:{etcd_port}/test name={name} {more}"
        self.settings = {"persist": "", "members": MEMBERS, "more": ""}

    def text(self):
        return complete(CONFIG.format(port=self.port.port, cluster=self.cluster, **self.settings))

    def start(self, **settings):
        self.settings.update(settings)
        self.server.start(self.text(), [self.port.port])
        return self

    def connected(self):
        return self.shown()["connected"]

    def joined(self, **settings):
        self.start(**settings)
        assert until(self.connected, WAIT_S), self.server.read("error.log")
        return self

    def close(self):
        self.server.stop()
        self.port.close()
        self.scratch.close()

    def api(self, method, resource, body=None, **parameters):
        query = urllib.parse.urlencode(parameters)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port.port}/admin/v1/{resource}?{query}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def shown(self):
        return self.api("GET", "cluster")[1]

    def ctl(self, *words):
        command = [self.server.binary, "ctl", "-d", str(self.server.root), "-f",
                   str(self.server.config_path), *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=WAIT_S, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def set(self, member, **fields):
        status, problem = self.api("PATCH", "member", fields, balancer="app", member=member)
        assert status == 200, problem

    def members(self):
        return {one["member"]: one for one in self.api("GET", "members", balancer="app")[1]["members"]}

    def setting(self, member, field):
        return self.members().get(member, {}).get("settings", {}).get(field)

    def status(self, member):
        return self.members().get(member, {}).get("status")

    def method(self):
        return self.api("GET", "balancer", balancer="app")[1]["settings"]["lbmethod"]

    def log(self):
        return self.server.read("error.log")


@pytest.fixture
def etcd():
    one = Etcd()
    yield one
    one.close()


@pytest.fixture
def instances(binary):
    """Makes instances, and ends them."""
    made = []

    def make(name, etcd_port, more=""):
        made.append(Instance(binary, name, etcd_port, more))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def pair(etcd, instances):
    return [instances(name, etcd.port).joined() for name in ("one", "two")]


@pytest.fixture
def cable(etcd):
    one = Cable(etcd.port)
    yield one
    one.close()


def test_what_is_changed_in_one_is_changed_in_the_other(pair):
    one, two = pair
    one.set(M1, loadfactor=3)
    assert until(lambda: two.setting(M1, "loadfactor") == "3.00", WAIT_S)
    two.ctl("set", "app", "m2", "+D", "--reason", "new disk")
    assert until(lambda: one.status(M2) == "Init Dis", WAIT_S)
    one.ctl("drain", "app", "m1")
    assert until(lambda: two.status(M1) == "Init Drn Ok", WAIT_S)
    two.ctl("undrain", "app", "m1")
    assert until(lambda: one.status(M1) == "Init Ok", WAIT_S)
    one.ctl("set", "app", "lbmethod=bybusyness")
    assert until(lambda: two.method() == "bybusyness", WAIT_S)
    for factor in ("1.15", "2.03", "1.14"):
        one.set(M2, loadfactor=factor)
        assert until(lambda text=factor: two.setting(M2, "loadfactor") == text, WAIT_S)
        assert one.setting(M2, "loadfactor") == factor
    # Who said it is known elsewhere, too.
    assert "two, control socket" in one.log()
    one.set(M1, loadfactor=1)
    assert until(lambda: two.setting(M1, "loadfactor") == "1.00", WAIT_S)


def test_the_other_has_each_change_within_a_second(pair):
    one, two = pair
    took = []
    for i in range(20):
        wanted = f"{i % 7 + 2}.00"
        began = time.monotonic()
        one.set(M1, loadfactor=wanted)
        assert until(lambda text=wanted: two.setting(M1, "loadfactor") == text, WAIT_S)
        took.append(time.monotonic() - began)
    print(f"known to the other after {statistics.median(took) * 1000:.0f} ms, {max(took) * 1000:.0f} ms at most")
    assert max(took) < 1, took


def test_a_member_that_was_drained_in_one_is_undrained_in_the_other(pair):
    one, two = pair
    one.ctl("drain", "app", "m1", "--kick", "--wait")
    assert until(lambda: two.status(M1) == "Init Drn Stop", WAIT_S)
    two.ctl("undrain", "app", "m1")
    assert two.status(M1) == "Init Ok"
    assert until(lambda: one.status(M1) == "Init Ok", WAIT_S)


def test_members_are_added_and_taken_away_everywhere(pair):
    one, two = pair
    assert one.api("PUT", "member", balancer="app", member=M3)[0] == 201
    assert until(lambda: two.status(M3) == "Init Dis", WAIT_S)
    two.set(M3, status="", route="m3")
    assert until(lambda: one.status(M3) == "Init Ok" and one.setting(M3, "route") == "m3", WAIT_S)
    two.ctl("remove", "app", "m1")
    assert until(lambda: M1 not in one.members(), WAIT_S)
    one.ctl("add", "app", M1)
    assert until(lambda: M1 in two.members(), WAIT_S)
    one.ctl("remove", "app", "m3")
    assert until(lambda: M3 not in two.members(), WAIT_S)


def test_a_change_is_undone_in_the_other_instance(etcd, instances):
    one = instances("one", etcd.port).joined(persist="SteelyardJournal journal")
    two = instances("two", etcd.port).joined(persist="SteelyardJournal journal")
    one.ctl("set", "app", "m1", "lbset=2", "--reason", "by mistake")
    assert until(lambda: two.setting(M1, "lbset") == "2", WAIT_S)
    changes = two.ctl("changes")
    assert "by mistake" in changes and "one, control socket" in changes
    two.ctl("undo", changes.split()[0], "--reason", "back again")
    assert until(lambda: one.setting(M1, "lbset") == "0", WAIT_S)
    # Who and why is known where it was only heard of.
    said = one.ctl("changes")
    assert "two, control socket" in said and "back again" in said, said
    assert "by the cluster" not in one.log()


def test_instances_are_seen_and_one_that_was_killed_is_gone_when_its_lease_ends(pair):
    one, two = pair

    def seen():
        return sorted(each["name"] for each in one.shown()["instances"])

    assert until(lambda: seen() == ["one", "two"], WAIT_S)
    two.server.process.kill()
    two.server.process.wait(WAIT_S)
    assert until(lambda: seen() == ["one"], 40)


def test_an_instance_that_ends_in_order_is_gone_at_once(pair):
    one, two = pair
    two.server.stop()
    # Its lease would have lived on: it was given back.
    assert until(lambda: [each["name"] for each in one.shown()["instances"]] == ["one"], 5)


def test_without_etcd_all_serve_on_and_agree_when_it_is_back(etcd, pair):
    one, two = pair
    one.set(M1, status="D")
    assert until(lambda: two.status(M1) == "Init Dis", WAIT_S)
    etcd.stop()
    assert until(lambda: not one.connected() and not two.connected(), WAIT_S)
    assert "NOT connected" in one.ctl("cluster")
    one.set(M1, lbset=1)
    two.set(M2, loadfactor=2)
    assert one.setting(M1, "lbset") == "1" and one.status(M1) == "Init Dis"
    assert len(one.shown()["unshared"]) == 1 and "not shared yet:" in one.ctl("cluster")
    # Who does not ask for the cluster sees it, too.
    for words in (["members"], ["top", "--json"]):
        said = one.ctl(*words)
        assert f"Not connected to etcd://127.0.0.1:{etcd.port}/test since 20" in said, said
        assert "reaches the other instances later, 1 order not shared yet" in said, said
    etcd.start()
    assert until(lambda: two.setting(M1, "lbset") == "1", WAIT_S)
    assert until(lambda: one.setting(M2, "loadfactor") == "2.00", WAIT_S)
    assert one.status(M1) == two.status(M1) == "Init Dis"
    assert until(lambda: not one.shown()["unshared"], WAIT_S)
    assert "Not connected" not in one.ctl("members")
    # One line for being cut off, however often it was tried.
    assert one.log().count("cut off from etcd") == 1
    assert one.log().count("cluster: connected to etcd") == 2


def test_an_etcd_that_comes_back_empty_takes_nothing_back(etcd, pair):
    one, two = pair
    one.set(M2, status="D")
    for lbset in range(1, 6):
        one.set(M1, lbset=lbset)
    assert until(lambda: two.status(M2) == "Init Dis" and two.setting(M1, "lbset") == "5", WAIT_S)
    etcd.stop()
    assert until(lambda: not one.connected() and not two.connected(), WAIT_S)
    shutil.rmtree(etcd.folder / "data")
    etcd.start()
    assert until(lambda: one.connected() and two.connected(), WAIT_S)
    assert until(lambda: len(etcd.keys("/test/v1/changes/")) == 2, WAIT_S)
    assert until(lambda: not one.shown()["unshared"] and not two.shown()["unshared"], WAIT_S)
    for each in pair:
        assert each.status(M2) == "Init Dis" and each.setting(M1, "lbset") == "5"
        assert "WARNING: " in each.ctl("cluster") and "went back from revision" in each.log()
        assert 'status from "D" to ""' not in each.log()
    # It is the cluster's as before.
    two.set(M2, status="")
    assert until(lambda: one.status(M2) == "Init Ok", WAIT_S)


def test_without_etcd_at_the_start_it_serves_and_joins_later(etcd, instances):
    etcd.stop()
    one = instances("one", etcd.port).start()
    one.set(M1, status="D")
    assert one.status(M1) == "Init Dis" and not one.connected()
    etcd.start()
    assert until(one.connected, WAIT_S)
    two = instances("two", etcd.port).joined()
    assert until(lambda: two.status(M1) == "Init Dis", WAIT_S)


def test_in_a_split_the_clusters_value_counts_where_both_changed_something(etcd, instances, cable):
    one = instances("one", etcd.port).joined()
    two = instances("two", cable.port).joined()
    cable.cut()
    assert until(lambda: not two.connected(), WAIT_S)
    one.set(M1, loadfactor=2)
    two.set(M1, loadfactor=3)
    # All of an order or nothing: its lbset is taken back with its loadfactor.
    two.set(M1, loadfactor=4, lbset=1)
    two.set(M2, status="D")
    assert two.setting(M1, "loadfactor") == "4.00"
    cable.mend()
    assert until(lambda: one.status(M2) == "Init Dis", WAIT_S)
    assert until(lambda: two.setting(M1, "loadfactor") == "2.00", WAIT_S)
    assert two.setting(M1, "lbset") == "0" and one.setting(M1, "lbset") == "0"
    lost = two.shown()["superseded"]
    assert len(lost) == 2
    assert [each["counts"] for each in lost[0]["fields"] if each["field"] == "loadfactor"] == ["2.00"]
    assert "2.00\" counts" in two.ctl("cluster")
    assert "was changed here to" in two.log()


def test_what_could_not_be_shared_before_a_restart_is_shared_after_it(etcd, instances):
    one = instances("one", etcd.port).joined(persist="BalancerPersist On")
    one.set(M1, status="D")
    assert until(lambda: len(etcd.keys("/test/v1/changes/")) == 1, WAIT_S)
    one.set(M1, lbset=2)
    assert until(lambda: len(etcd.keys("/test/v1/changes/")) == 2, WAIT_S)
    kept = one.server.root / "httpd.pid.journal/cluster.json"
    # Written down as shared, too: what is not may be sent again, and waits until then.
    assert until(lambda: "lbset" in kept.read_text() and '"unshared":[]' in kept.read_text(), WAIT_S)
    etcd.stop()
    assert until(lambda: not one.connected(), WAIT_S)
    one.set(M2, loadfactor=2)
    one.set(M1, status="")  # taken back while nobody hears it
    one.server.process.kill()
    one.server.process.wait(WAIT_S)
    one.server.stop()
    one.start()
    assert one.setting(M2, "loadfactor") == "2.00" and one.setting(M1, "lbset") == "2"
    assert one.status(M1) == "Init Ok"
    assert len(one.shown()["unshared"]) == 2
    etcd.start()
    two = instances("two", etcd.port).joined()
    assert until(lambda: two.setting(M2, "loadfactor") == "2.00", WAIT_S)
    assert until(lambda: two.status(M1) == "Init Ok" and two.setting(M1, "lbset") == "2", WAIT_S)


def test_what_was_changed_before_there_was_a_cluster_is_shared_when_it_joins(etcd, instances):
    one = instances("one", etcd.port)
    cluster, one.cluster = one.cluster, ""
    one.start(persist="BalancerPersist On")
    one.set(M1, status="D", lbset=1)
    assert one.api("GET", "cluster")[0] == 404
    one.server.stop()
    one.cluster = cluster
    one.joined()
    two = instances("two", etcd.port).joined()
    assert until(lambda: two.status(M1) == "Init Dis" and two.setting(M1, "lbset") == "1", WAIT_S)
    assert one.status(M1) == "Init Dis"


def test_an_instance_that_was_away_during_a_compaction_reads_everything_anew(etcd, instances, cable):
    one = instances("one", etcd.port).joined()
    two = instances("two", cable.port).joined()
    cable.cut()
    assert until(lambda: not two.connected(), WAIT_S)
    one.set(M1, loadfactor=2)
    one.set(M1, loadfactor=1, lbset=1)
    # One that changes nothing tells who took it back.
    assert until(lambda: len(etcd.keys("/test/v1/changes/")) == 2, WAIT_S)
    assert "1 fields are changed" in one.ctl("cluster")
    etcd.compact()
    cable.mend()
    assert until(lambda: two.setting(M1, "lbset") == "1", WAIT_S)
    assert two.setting(M1, "loadfactor") == "1.00"


def test_what_counts_for_nothing_here_is_told_and_changes_nothing(etcd, instances):
    folder = "/test/v1/changes/main/balancer:%2F%2Fapp"
    value = json.dumps({"value": "-1", "configured": "0"})
    etcd.put(f"{folder}/http:%2F%2F127.0.0.1:1/lbset", value)
    etcd.put(f"{folder}/http:%2F%2F127.0.0.1:2/lbset", "no JSON")
    etcd.put(f"{folder}/http:%2F%2F127.0.0.1:2/loadfactor", json.dumps({"value": "2.00", "configured": "5.00"}))
    etcd.put(f"{folder}/http:%2F%2F127.0.0.1:2/colour", json.dumps({"value": "red", "configured": ""}))
    etcd.put(f"{folder}/gopher:%2F%2Fx/member", json.dumps({"value": "added", "configured": ""}))
    etcd.put("/test/v1/nonsense", "x")
    etcd.put("/test/v1/changes/main/balancer:%2F%2Fother/=/timeout", json.dumps({"value": "3", "configured": ""}))
    one = instances("one", etcd.port).joined()
    ignored = {each.get("key") or "/".join((each["balancer"], each["member"], each["field"])): each["why"]
               for each in one.shown()["ignored"]}
    assert len(ignored) == 7, ignored
    assert "no such balancer" in ignored["balancer://other//"]
    assert "configuration says \"1.00\"" in ignored[f"balancer://app/{M2}/loadfactor"]
    assert one.setting(M1, "lbset") == "0" and one.setting(M2, "loadfactor") == "1.00"
    # What this configuration does not have is kept for those who have it.
    assert "/test/v1/changes/main/balancer:%2F%2Fother/=/timeout" in etcd.keys("/test/v1/changes/")
    # While it serves, too.
    etcd.put(f"{folder}/http:%2F%2F127.0.0.1:1/status", json.dumps({"value": "E", "configured": ""}))
    etcd.put(f"{folder}/http:%2F%2F127.0.0.1:1/retry", json.dumps({"value": "7", "configured": "60"}))
    assert until(lambda: one.setting(M1, "retry") == "7", WAIT_S)
    assert one.status(M1) == "Init Ok"


def test_another_configuration_keeps_its_own_where_it_says_otherwise_until_a_reload(etcd, instances):
    one = instances("one", etcd.port).joined()
    two = instances("two", etcd.port).joined(
        members=MEMBERS.replace("route=m1", "route=m1 loadfactor=5"))
    one.set(M1, loadfactor=2, lbset=1)
    assert until(lambda: two.setting(M1, "lbset") == "1", WAIT_S)
    assert two.setting(M1, "loadfactor") == "5.00"
    assert "this configuration says" in two.ctl("cluster")
    two.settings["members"] = MEMBERS
    two.server.write(two.text())
    two.server.signal(10)  # USR1
    assert until(lambda: two.setting(M1, "loadfactor") == "2.00", WAIT_S)


def test_with_tls_and_a_login(instances, scratch):
    authority = Authority(scratch)
    etcd = Etcd(authority)
    try:
        etcd.demand_login("lb", "secret word", "/test/")
        password = scratch / "password"
        password.write_text("secret word\n")
        password.chmod(0o600)
        certificate, key = authority.client
        words = (f"ca={authority.ca} certificate={certificate} key={key} user=lb "
                 f"passwordfile={password}")
        one = instances("one", etcd.port, words).joined()
        two = instances("two", etcd.port, words).joined()
        one.set(M1, status="D")
        assert until(lambda: two.status(M1) == "Init Dis", WAIT_S)
        assert "secret word" not in one.ctl("cluster", "--json") + one.log()
        # A wrong password is told, and the server serves.
        password.write_text("another")
        three = instances("three", etcd.port, words).start()
        assert until(lambda: "login" in three.shown()["why"], WAIT_S), three.shown()
        # So is an authority that did not sign etcd's certificate.
        stranger = scratch / "stranger"
        stranger.mkdir()
        other = Authority(stranger)
        four = instances("four", etcd.port, words.replace(str(authority.ca), str(other.ca))).start()
        assert until(lambda: "certificate" in four.shown()["why"], WAIT_S), four.shown()
    finally:
        etcd.close()


def test_a_thousand_members_with_changes_are_known_to_one_who_joins(etcd, instances):
    names = [f"http://127.1.{i // 250}.{i % 250 + 1}:1" for i in range(1000)]
    members = "\n".join(f"BalancerMember {name} route=r{i}" for i, name in enumerate(names))
    one = instances("one", etcd.port).joined(members=members)
    for i, name in enumerate(names):
        value = json.dumps({"value": f"{i % 7 + 2}.00", "configured": "1.00", "who": "script"})
        etcd.put("/test/v1/changes/main/balancer:%2F%2Fapp/" + name.replace("/", "%2F") + "/loadfactor", value)

    def factors(instance):
        return [each["settings"]["loadfactor"] for each in instance.members().values()]

    wanted = [f"{i % 7 + 2}.00" for i in range(1000)]
    assert until(lambda: factors(one) == wanted, 60)
    two = instances("two", etcd.port).joined(members=members)
    assert until(lambda: factors(two) == wanted, WAIT_S)
    two.set(names[999], status="D")
    assert until(lambda: one.status(names[999]) == "Init Dis", WAIT_S)


def test_metrics_tell_how_it_does(etcd, pair):
    one, _ = pair

    def metrics():
        with urllib.request.urlopen(f"http://127.0.0.1:{one.port.port}/metrics", timeout=WAIT_S) as answer:
            return answer.read().decode()

    assert "steelyard_cluster_connected 1" in metrics()
    assert until(lambda: "steelyard_cluster_instances 2" in metrics(), WAIT_S)
    etcd.stop()
    assert until(lambda: "steelyard_cluster_connected 0" in metrics(), WAIT_S)
    one.set(M1, lbset=1)
    assert "steelyard_cluster_unshared_orders 1" in metrics()


@pytest.mark.parametrize("words, why", [
    ("http://127.0.0.1/x", "no URL of an etcd"),
    ("etcd://127.0.0.1:2379", "needs a prefix"),
    ("etcd://127.0.0.1:99999/x", "is no address"),
    ("etcd://u:p@127.0.0.1/x", "seen by everybody"),
    ("etcd://10.0.0.1/x", "without TLS"),
    ("etcd://10.0.0.1/x tls=Off user=a passwordfile=httpd.conf", "plain text"),
    ("etcd://127.0.0.1/x ca=missing.pem", "there is no file"),
    ("etcd://127.0.0.1/x user=a", "belong together"),
    ("etcd://127.0.0.1/x colour=red", "unknown parameter"),
    ("etcd://127.0.0.1/x name=a name=b", "given twice"),
    ("etcd://127.0.0.1/x user=a passwordfile=httpd.conf", "chmod o-rwx"),
])
def test_a_wrong_line_is_refused_with_its_place(server, port, words, why):
    config = complete(CONFIG.format(port=port.port, cluster=f"SteelyardCluster {words}", persist="",
                                    members=MEMBERS, more=""))
    status, said = server.check(config)
    assert status != 0 and why in said, said
