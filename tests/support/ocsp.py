"""An OCSP responder: HTTP by Python, every answer made and signed by openssl.

    with Responder(authority) as responder:
        files = responder.certificate("lb.test")   # it names the responder
        responder.revoke(files)
        responder.asked                            # how many times
"""

import contextlib
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .certificates import CURVE, openssl

NEVER = "491231235959Z"


class Responder:
    def __init__(self, authority, signer=None):
        """`signer`: an Authority that signs the answers instead of the one they are about."""
        self.authority, self.signer = authority, signer or authority
        self.directory = Path(tempfile.mkdtemp(dir=authority.directory))
        self.index = self.directory / "index.txt"
        self.index.write_text("")
        self.asked, self.says = 0, None
        self.adds_nonce = True
        self.leave = threading.Event()  # nothing is answered without
        self.leave.set()
        self.heard = threading.Condition()
        self._serial = 0x5000
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                right = self.headers["Content-Type"] == "application/ocsp-request"
                status, answer = outer.answer(request) if right else (415, b"")
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(OSError):  # who asked may have gone
                    self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ocsp"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, request):
        with self.heard:
            self.asked += 1
            self.heard.notify_all()
        self.leave.wait(20)
        if self.says is not None:
            return self.says
        asked = self.directory / f"{threading.get_ident()}.req"
        said = self.directory / f"{threading.get_ident()}.resp"
        if self.adds_nonce:
            asked.write_bytes(request)
        else:  # about the last one, whatever was asked
            openssl("ocsp", "-issuer", self.authority.certificate, "-serial", hex(self._serial),
                    "-no_nonce", "-reqout", asked)
        openssl("ocsp", "-index", self.index, "-CA", self.authority.certificate,
                "-rsigner", self.signer.certificate, "-rkey", self.signer.key,
                "-reqin", asked, "-respout", said, "-ndays", "2")
        return 200, said.read_bytes()

    def close(self):
        """Nobody listens there any more."""
        self.leave.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def knows(self, serial, name):
        """A certificate of the authority's that was made elsewhere, and is good."""
        with self.index.open("a") as index:
            index.write(f"V\t{NEVER}\t\t{serial:X}\tunknown\t/CN={name}\n")

    def certificate(self, host):
        """Certificate and key in one directory; the certificate's file holds its authority too."""
        self._serial += 1
        stem = self.directory / host
        certificate, key, request, extensions = (
            Path(f"{stem}.{end}") for end in ("pem", "key", "csr", "ext"))
        openssl("req", *CURVE, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={host}")
        extensions.write_text(f"basicConstraints=CA:FALSE\nsubjectAltName=DNS:{host}\n"
                              f"authorityInfoAccess=OCSP;URI:{self.url}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.authority.certificate, "-CAkey",
                self.authority.key, "-set_serial", hex(self._serial), "-days", "9", "-out",
                certificate, "-extfile", extensions)
        self.knows(self._serial, host)
        with certificate.open("a") as chain:
            chain.write(self.authority.certificate.read_text())
        return certificate, key

    def revoke(self, host):
        rows = []
        for row in self.index.read_text().splitlines():
            if row.endswith(f"/CN={host}"):
                row = row.replace("V\t", "R\t", 1).replace("\t\t", "\t260101000000Z\t", 1)
            rows.append(row)
        self.index.write_text("\n".join(rows) + "\n")

    def wait_asked(self, times, timeout_s=10):
        with self.heard:
            assert self.heard.wait_for(lambda: self.asked >= times, timeout_s)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stapled(port, host):
    """What a client is shown of it, in openssl's words; empty: nothing."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host, "-status"],
        input=b"", capture_output=True, timeout=20, check=False)
    text = done.stdout.decode("latin-1")
    assert "BEGIN CERTIFICATE" in text, done.stderr
    return text[text.index("OCSP response:"):text.index("---", text.index("OCSP response:") + 40)] \
        if "OCSP Response Data" in text else ""
