"""A stream of HTTP/2, frame by frame, and what it came to in one line."""

import time

import hpack

from . import frames


class Stream:
    """What comes on stream 1 of a `Frames`."""

    def __init__(self, client):
        self._client, self._decoder = client, hpack.Decoder()
        self.status, self.body, self.end = "", b"", ""
        self.fields, self.trailers = [], []

    def _take(self, wait_s=8):
        got = self._client.take(wait_s)
        if got is None:
            self.end = "CUT"
        elif got.kind == frames.GOAWAY and got.code:
            self.end = f"GOAWAY {got.code}"
        elif got.stream == 1 and got.kind == frames.RST_STREAM:
            self.end = f"RST {got.code}"
        elif got.stream == 1 and got.kind in (frames.HEADERS, frames.DATA):
            if got.kind == frames.HEADERS and self.status:
                self.trailers = [": ".join(field) for field in self._decoder.decode(got.payload)]
            elif got.kind == frames.HEADERS:
                fields = self._decoder.decode(got.payload)
                self.status = fields[0][1]
                own = {"date", "server"}
                if self.status != "200":  # pages are worded in other ways
                    own |= {"content-length", "allow"}
                self.fields = sorted(field for field in fields if field[0] not in own)
            else:
                self.body += got.payload
            if got.flags & frames.END_STREAM:
                self.end = "END"

    def until(self, text):
        while text not in self.body:
            self._take()
            assert text in self.body or not self.end, (self.status, self.body, self.end)

    def until_answered(self):
        while not self.status and not self.end:
            self._take()

    def to_end(self, shown_field="", within_s=None):
        """`within_s`: a stream that goes on after so long is "silent"."""
        deadline = None if within_s is None else time.monotonic() + within_s
        while not self.end:
            try:
                self._take(8 if deadline is None else max(0.01, deadline - time.monotonic()))
            except AssertionError:
                if deadline is None:
                    raise
                self.end = "silent"
        page = b"<!DOCTYPE HTML" in self.body
        shown = dict(self.fields).get(shown_field, "")
        parts = (self.status, shown, "(page)" if page else self.body.decode(), *self.trailers, self.end)
        return " ".join(part for part in parts if part)
