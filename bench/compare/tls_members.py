"""Members over TLS: nginx with the same answers in files, since our own member speaks no TLS."""

from __future__ import annotations

import os
import pathlib
import subprocess

from fixture import Stage, free_port, key_pair

SIZES = {"1k": 1024, "64k": 64 * 1024, "1m": 1024 * 1024}


def letters(count: int) -> bytes:
    """What every member answers."""
    alphabet = bytes(range(ord("a"), ord("z") + 1))
    return (alphabet * (count // 26 + 1))[:count]


def start_tls_members(stage: Stage, nginx: str, count: int,
                      core: int) -> tuple[subprocess.Popen, list[str]]:
    """One process with as many addresses; the process, and the addresses."""
    port = free_port()
    directory: pathlib.Path = stage.directory / f"tls-members-{port}"
    directory.mkdir()
    for name, size in SIZES.items():
        (directory / name).write_bytes(letters(size))
    certificate, key = key_pair(stage.directory)
    addresses = [f"127.0.0.{i + 1}:{port}" for i in range(count)]
    listens = "\n".join(f"    listen {address} ssl backlog=4096;" for address in addresses)
    paths = "\n".join(f"  {kind}_temp_path {directory}/{kind};"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = directory / "nginx.conf"
    conf.write_text(f"""{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log error;
events {{ worker_connections 4096; }}
http {{
{paths}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  open_file_cache max=10;
  server {{
{listens}
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    root {directory};
  }}
}}
""")
    process = stage.start([nginx, "-p", str(directory), "-c", str(conf),
                           "-e", str(directory / "error.log")], core, "tls-members.log")
    stage.wait_until_open(process, port, "tls-members.log")
    return process, addresses
