"""Certificates for tests, made by openssl where a test runs and gone with its directory."""

import subprocess
from pathlib import Path

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
RSA = ["-newkey", "rsa:2048"]


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


class Authority:
    """An authority of its own that signs what it is asked to."""

    def __init__(self, directory, name="Test Authority"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        stem = name.replace(" ", "_")
        self.certificate = self.directory / f"{stem}.pem"
        self.key = self.directory / f"{stem}.key"
        self._count = 0
        openssl("req", "-x509", *CURVE, "-nodes", "-days", "30", "-keyout", self.key, "-out",
                self.certificate, "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, *hosts, subject=None, algorithm=CURVE, days=30, name=None):
        """(certificate, key): paths of PEM files.  Names that are addresses become IP entries."""
        self._count += 1
        stem = self.directory / (name or f"{hosts[0] if hosts else 'client'}-{self._count}")
        certificate, key, request = (Path(f"{stem}.{end}") for end in ("pem", "key", "csr"))
        openssl("req", *algorithm, "-nodes", "-keyout", key, "-out", request,
                "-subj", subject or f"/O=Test/CN={hosts[0]}")
        extensions = Path(f"{stem}.ext")
        kinds = [("IP" if host.replace(".", "").isdigit() else "DNS") + ":" + host
                 for host in hosts]
        extensions.write_text("basicConstraints=CA:FALSE\n" +
                              (f"subjectAltName={','.join(kinds)}\n" if kinds else ""))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-set_serial", str(1000 + self._count), "-days", days, "-out", certificate,
                "-extfile", extensions)
        for path in (certificate, key):
            path.chmod(0o644)
        return certificate, key

    def lower(self, directory, name="Middle", hosts=None):
        """An authority that this one vouches for.  `hosts`: it may name these and no others."""
        one = Authority.__new__(Authority)
        one.directory, one.name, one._count = Path(directory), name, 0
        one.directory.mkdir(parents=True, exist_ok=True)
        one.certificate, one.key, request, extensions = (
            one.directory / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        openssl("req", *CURVE, "-nodes", "-keyout", one.key, "-out", request, "-subj", f"/CN={name}")
        permitted = ",".join(f"permitted;DNS:{host}" for host in hosts or ())
        extensions.write_text("basicConstraints=critical,CA:TRUE\n" +
                              (f"nameConstraints=critical,{permitted}\n" if hosts else ""))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-set_serial", "77", "-days", "9", "-out", one.certificate, "-extfile", extensions)
        return one

    def list_of_revoked(self, *certificates):
        """Path of a list in PEM that names these certificates."""
        self._count += 1
        stem = self.directory / f"revoked-{self._count}"
        stem.mkdir()
        (stem / "index.txt").write_text("")
        (stem / "number").write_text("01\n")
        config = stem / "ca.cnf"
        config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={stem}/index.txt\n"
                          f"crlnumber={stem}/number\ndefault_md=sha256\ndefault_crl_days=9\n")
        signing = ["-config", config, "-cert", self.certificate, "-keyfile", self.key]
        for certificate in certificates:
            openssl("ca", *signing, "-revoke", certificate)
        openssl("ca", *signing, "-gencrl", "-out", stem / "list.pem")
        return stem / "list.pem"


def hashed(directory, *files):
    """A directory in which the library finds these by their names' hashes."""
    directory.mkdir()
    directory.chmod(0o755)
    for nth, file in enumerate(files):
        copy = directory / f"{nth}.pem"
        copy.write_bytes(Path(file).read_bytes())
        copy.chmod(0o644)
    openssl("rehash", directory)
    return directory
