"""The balancer-manager of apache2 and of steelyard: the same pages, forms, XML and effects.

What a program says of itself is normalised here and nowhere else: its name and when it was built, the
style of its page, the hash in an id, random nonces, how many connections a member may have where
nothing says so, and the methods that it has besides
httpd's, in whose menu httpd has no order.
"""

import difflib
import re

import pytest
from manager_scenes import SCENES
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, Scratch, Server, complete, steelyard_binary
from support.wire import Connection

EXTENSIONS = ("random", "tworandom", "leasttime", "hash", "maglev")
BUSY = re.compile(r"<httpd:busy>[1-9]")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def normal(text):
    text = re.sub(r"<style.*?</style>", "<style>", text, flags=re.S)
    text = re.sub(r"<dt>Server (Version|Built): [^<]*", r"<dt>Server \1: (own)", text)
    text = re.sub(r"<address>.*?</address>", "<address>(own)</address>", text)
    text = re.sub(r"\[p[0-9a-f]+_", "[p(hash)_", text)
    text = re.sub(r"<(httpd:s?max)>48<", r"<\1>0<", text)  # No bound of ours; httpd's is its threads.
    text = UUID.sub("(nonce)", text)
    text = re.sub(r"<httpd:error_time>\w{3}, [^<]* GMT<", "<httpd:error_time>(date)<", text)
    return re.sub(r"(?:<option value='\w+'(?: selected )?>\w+\n)+", menu, text)


def menu(found):
    lines = found[0].splitlines()
    kept = sorted(line for line in lines if line.split("'")[1] not in EXTENSIONS)
    return "\n".join(kept) + "\n"


class Stage:
    def __init__(self, farm):
        self.farm = farm
        self.port = HeldPort()
        self.members = {name: farm.member(name) for name in ("M1", "M2")}

    def fill(self, text):
        for name, member in self.members.items():
            text = text.replace("${%s}" % name, member.address)
        return text.replace("${PORT}", str(self.port.port))

    def play(self, binary, scene):
        scratch = Scratch()
        server = Server(binary, scratch.path)
        try:
            config = self.fill(f"Listen 127.0.0.1:{self.port.port}\n" + scene.config)
            server.start(complete(config), [self.port.port])
            return [line for step in scene.steps for line in self._exchange(step)]
        finally:
            server.stop()
            scratch.close()

    def _exchange(self, step):
        lines = self._ask(step)
        if step.settles:
            assert until(lambda: not BUSY.search("".join(self._ask(step))))
            lines = self._ask(step)
        return lines

    def _ask(self, step):
        body = self.fill(step.body).encode() if step.body is not None else b""
        head = [f"{step.method} {self.fill(step.path)} HTTP/1.1", f"Host: {self.fill(step.host)}"]
        head += [f"Referer: {step.referer}"] if step.referer is not None else []
        head += [f"Content-Length: {len(body)}"] if step.body is not None else []
        head += ["Connection: close"]
        connection = Connection("127.0.0.1", self.port.port)
        try:
            connection.send("\r\n".join([*head, "", ""]).encode() + body)
            answer = connection.read_response(step.method)
        finally:
            connection.close()
        allowed = sorted((answer.header("Allow") or b"").decode().split(","))
        kind = (answer.header("Content-Type") or b"").decode()
        text = answer.body.decode("latin1")
        lines = [f"== {step.text}", f"{answer.status} {kind} {allowed}"]
        return lines + (normal(text).split("\n") if answer.status == "200" else [])

    def close(self):
        self.farm.retire(list(self.members.values()))
        self.port.close()


@pytest.fixture
def stage(farm):
    one = Stage(farm)
    yield one
    one.close()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.slug)
def test_manager(scene, stage):
    expected = stage.play(APACHE, scene)
    found = stage.play(steelyard_binary(), scene)
    differences = list(difflib.unified_diff(expected, found, "apache2", "steelyard", lineterm="", n=2))
    assert not differences, "\n" + "\n".join(differences)
