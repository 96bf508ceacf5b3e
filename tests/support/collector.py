"""An OTLP/HTTP collector for tests: takes spans as JSON, checks their shape, answers as told.

    with Collector() as collector:
        ... SteelyardTraceExport {collector.url} ...
        spans = collector.wait_for(3)          # Span objects, in the order they came
        collector.say(503, retry_after="1")    # until say(200)
        collector.hold()                       # takes the request and does not answer; release()

What is not as OTLP 1.9 wants it in JSON is kept in `faults`.  Threads: it serves on its own.
"""

import json
import re
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRACE_ID = re.compile(r"[0-9a-f]{32}")
SPAN_ID = re.compile(r"[0-9a-f]{16}")
KINDS = {1: "internal", 2: "server", 3: "client"}


@dataclass
class Span:
    trace: str
    id: str
    parent: str
    name: str
    kind: str
    began: int
    ended: int
    attributes: dict
    status: dict
    resource: dict = field(default_factory=dict)

    def __getitem__(self, key):
        return self.attributes[key]


def value_of(value):
    """An AnyValue has one member; numbers of 64 bits are strings."""
    ((kind, said),) = value.items()
    if kind == "stringValue":
        assert isinstance(said, str), value
        return said
    assert kind == "intValue" and isinstance(said, str), value
    return int(said)


def attributes_of(listed):
    pairs = [(each["key"], value_of(each["value"])) for each in listed]
    assert len(dict(pairs)) == len(pairs), f"an attribute stands twice: {pairs}"
    return dict(pairs)


def read_span(said, resource):
    known = {"traceId", "spanId", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano",
             "endTimeUnixNano", "attributes", "status"}
    assert set(said) <= known, f"unknown names: {set(said) - known}"
    assert TRACE_ID.fullmatch(said["traceId"]) and said["traceId"] != "0" * 32, said
    assert SPAN_ID.fullmatch(said["spanId"]) and said["spanId"] != "0" * 16, said
    parent = said.get("parentSpanId", "")
    assert parent == "" or SPAN_ID.fullmatch(parent), said
    began, ended = said["startTimeUnixNano"], said["endTimeUnixNano"]
    assert isinstance(began, str) and isinstance(ended, str) and int(began) <= int(ended), said
    return Span(said["traceId"], said["spanId"], parent, said["name"], KINDS[said["kind"]],
                int(began), int(ended), attributes_of(said["attributes"]), said.get("status", {}),
                resource)


def read_envelope(body):
    said = json.loads(body.decode("utf-8"))
    assert list(said) == ["resourceSpans"], list(said)
    spans = []
    for of_resource in said["resourceSpans"]:
        resource = attributes_of(of_resource["resource"]["attributes"])
        assert resource["service.name"], resource
        for of_scope in of_resource["scopeSpans"]:
            assert of_scope["scope"]["name"] == "steelyard", of_scope["scope"]
            spans += [read_span(each, resource) for each in of_scope["spans"]]
    return spans


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, text = self.server.collector.receive(self.path, self.headers, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass  # a client that gave up


class Collector:
    def __init__(self, certificate=None):
        """`certificate`: a PEM file with key and certificate makes it https."""
        self.changed = threading.Condition()
        self.spans, self.faults, self.headers = [], [], []
        self.posts = 0  # answered or not
        self._answer = (200, {}, b"{}")
        self._open = threading.Event()
        self._open.set()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.collector = self
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.release()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def say(self, status, body=b"{}", **headers):
        with self.changed:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            self._answer = (status, named, body)

    def hold(self):
        self._open.clear()

    def release(self):
        self._open.set()

    def receive(self, path, headers, body):
        with self.changed:
            self.posts += 1
            self.headers.append(dict(headers.items()))
            self.changed.notify_all()
        self._open.wait()
        with self.changed:
            if path != "/v1/traces" or headers["Content-Type"] != "application/json":
                self.faults.append(f"{path} {headers['Content-Type']}")
            status, named, text = self._answer
            try:
                spans = read_envelope(body)
            except (AssertionError, KeyError, ValueError) as fault:
                self.faults.append(f"{fault!r} in {body[:2000]!r}")
                return 400, {}, b"{}"
            if status == 200:
                self.spans += spans
            self.changed.notify_all()
            return status, named, text

    def wait_for(self, count, timeout_s=10.0):
        """The spans, once there are so many; fails on a fault."""
        with self.changed:
            came = self.changed.wait_for(lambda: self.faults or len(self.spans) >= count, timeout_s)
            assert not self.faults, self.faults
            assert came, f"{len(self.spans)} spans of {count}: {[s.name for s in self.spans]}"
            return list(self.spans)

    def wait_for_posts(self, count, timeout_s=10.0):
        with self.changed:
            return self.changed.wait_for(lambda: self.posts >= count, timeout_s)

