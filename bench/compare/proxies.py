"""The proxies of a comparison and their equivalent configurations.

Each gets one processor's worth of itself (one shard, worker or thread; httpd one process of
threads), keep-alive without limit on both sides, the same members in turn, the same X-Forwarded
fields that httpd adds by default, and either no access log or one line a request in the common
format into a file, written as it comes. Where a program has a setting that makes it faster at the
work measured, it gets it.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass

from fixture import Failed, Stage, free_port, key_pair, version_of

CONNECTIONS_MAX = 7000  # clients; each may need a backend connection beside its own
THREADS = 96  # more than the connections: httpd ends idle ones when none is left, fewer cost it less
MODULES = pathlib.Path("/usr/lib/apache2/modules")
ORDER = ("relay", "relay-splice", "steelyard", "haproxy", "nginx", "apache2")


@dataclass
class Proxy:
    name: str
    process: subprocess.Popen
    address: str
    log: pathlib.Path | None


Pair = tuple[pathlib.Path, pathlib.Path]  # certificate and key


def httpd_conf(directory: pathlib.Path, name: str, port: int, members: list[str],
               log: pathlib.Path | None, pair: Pair | None, http2: bool, ajp: bool,
               tunnels: bool, secured: bool) -> str:
    """One file for apache2 and for Steelyard: that it is the same one is the point of Steelyard."""
    scheme = "ajp" if ajp else "https" if secured else "http"
    modules = ("mpm_event", "authz_core", "proxy", "proxy_ajp" if ajp else "proxy_http",
               "proxy_balancer", "slotmem_shm", "lbmethod_byrequests",
               *(("ssl",) if pair or secured else ()), *(("http2",) if http2 else ()))
    lines = [f"LoadModule {module}_module {MODULES}/mod_{module}.so" for module in modules]
    if os.geteuid() == 0:
        lines += ["User www-data", "Group www-data"]
    lines += [
        f"ServerName 127.0.0.1\nListen 127.0.0.1:{port}",
        f"PidFile {directory}/{name}.pid\nErrorLog {directory}/{name}-error.log\nLogLevel error",
        f"DefaultRuntimeDir {directory}",
        "Timeout 60\nKeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60",
        f"ServerLimit 1\nStartServers 1\nThreadLimit {THREADS}\nThreadsPerChild {THREADS}",
        f"MaxRequestWorkers {THREADS}\nMaxConnectionsPerChild 0",
        "<IfModule steelyard_module>\n  SteelyardShards 1\n</IfModule>",
        "<Proxy balancer://members>",
        *(f"  BalancerMember {scheme}://{member}" + (" upgrade=websocket" if tunnels else "")
          for member in members),
        "</Proxy>",
        "ProxyPass / balancer://members/",
    ]
    if pair:
        lines += [f"SSLEngine On\nSSLCertificateFile {pair[0]}\nSSLCertificateKeyFile {pair[1]}",
                  "SSLProtocol TLSv1.3\nSSLSessionTickets Off"]
    if secured:
        lines.append("SSLProxyEngine On\nSSLProxyProtocol TLSv1.3\nSSLProxyCheckPeerName Off")
    if http2:
        lines.append("Protocols h2 h2c http/1.1")
    if log:
        lines.append(f'LogFormat "%h %l %u %t \\"%r\\" %>s %b" common\nCustomLog {log} common')
    return "\n".join(lines) + "\n"


def nginx_conf(directory: pathlib.Path, port: int, members: list[str],
               log: pathlib.Path | None, pair: Pair | None, http2: bool, tunnels: bool,
               secured: bool) -> str:
    upgrade = ("proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
               if tunnels else 'proxy_set_header Connection "";')
    servers = "\n".join(f"    server {member} max_fails=0;" for member in members)
    user = "user root;\n" if os.geteuid() == 0 else ""
    paths = "\n".join(f"  {kind}_temp_path {directory}/nginx-{kind};"
                      for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    tls = f"""ssl_certificate {pair[0]};
    ssl_certificate_key {pair[1]};
    ssl_protocols TLSv1.3;
    ssl_session_tickets off;""" if pair else ""
    return f"""{user}daemon off;
worker_processes 1;
worker_rlimit_nofile {2 * CONNECTIONS_MAX + 100};
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log error;
events {{ worker_connections {2 * CONNECTIONS_MAX}; }}
http {{
{paths}
  log_format common '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent';
  access_log {f'{log} common' if log else 'off'};
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  upstream members {{
{servers}
    keepalive 2048;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096{" ssl" if pair else ""}{" http2" if http2 else ""};
    {tls}
    location / {{
      proxy_pass {'https' if secured else 'http'}://members;
      proxy_ssl_protocols TLSv1.3;
      proxy_http_version 1.1;
      {upgrade}
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Server $server_name;
      proxy_max_temp_file_size 0;
      proxy_buffer_size 16k;
      proxy_buffers 32 16k;
      proxy_busy_buffers_size 128k;
    }}
  }}
}}
"""


def haproxy_cfg(port: int, members: list[str], log: bool, pair: Pair | None, http2: bool,
                secured: bool) -> str:
    spoken = (" alpn h2,http/1.1" if pair else " proto h2") if http2 else ""
    tls = (f" ssl crt {pair[0].with_suffix('.both')} ssl-min-ver TLSv1.3 no-tls-tickets"
           if pair else "")
    towards = " ssl verify none ssl-min-ver TLSv1.3" if secured else ""
    servers = "\n".join(f"  server m{i} {member}{towards}" for i, member in enumerate(members))
    return f"""global
  nbthread 1
  maxconn {CONNECTIONS_MAX}
  {'log stdout format raw local0 info' if log else ''}
defaults
  mode http
  maxconn {CONNECTIONS_MAX}
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  timeout http-keep-alive 60s
  {'log global' if log else ''}
  {'option httplog clf' if log else ''}
frontend clients
  bind 127.0.0.1:{port} backlog 4096{tls}{spoken}
  default_backend members
backend members
  balance roundrobin
  http-reuse always
  option splice-response
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Server 127.0.0.1
  default-server pool-purge-delay 60s
{servers}
"""


class Programs:
    """Where each proxy's program is, or why it cannot run."""

    def __init__(self, build_dir: pathlib.Path, steelyard: str | None) -> None:
        self.own = build_dir / "bench" / "compare"
        self.steelyard = pathlib.Path(steelyard) if steelyard else build_dir / "src" / "steelyard"

    def path(self, name: str) -> str | None:
        if name.startswith("relay"):
            return str(self.own / "relay")
        if name == "steelyard":
            return str(self.steelyard) if self.steelyard.exists() else None
        return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def version(self, name: str) -> str:
        path = self.path(name)
        if path is None or name.startswith("relay"):
            return ""
        return version_of([path, "-v"])

    def start(self, stage: Stage, name: str, members: list[str], core: int, log: bool,
              tls: bool = False, http2: bool = False, ajp: bool = False,
              tunnels: bool = False, secured: bool = False) -> Proxy:
        """Starts a proxy in front of the members and waits until it listens."""
        if name.startswith("relay"):
            switches = ["--splice"] if name == "relay-splice" else []
            arguments = [*switches, "--to", ",".join(members)]
            process, addresses = stage.start_listening("relay", arguments, core)
            return Proxy(name, process, addresses[0], None)
        try:
            return self._start_packaged(stage, name, members, core, log, tls, http2, ajp, tunnels,
                                        secured)
        except Failed as failure:
            raise Failed(f"{name}: {failure}") from None

    def _start_packaged(self, stage: Stage, name: str, members: list[str], core: int,
                        log: bool, tls: bool, http2: bool, ajp: bool, tunnels: bool,
                        secured: bool) -> Proxy:
        port = free_port()
        directory = stage.directory
        pair = key_pair(directory) if tls else None
        access_log = directory / f"{name}-access-{port}.log" if log else None
        conf = directory / f"{name}-{port}.conf"
        streams = {}
        if name in ("steelyard", "apache2"):
            conf.write_text(httpd_conf(directory, f"{name}-{port}", port, members, access_log,
                                       pair, http2, ajp, tunnels, secured))
            command = [self.path(name), "-d", str(directory), "-f", str(conf), "-DFOREGROUND"]
        elif name == "nginx":
            conf.write_text(nginx_conf(directory, port, members, access_log, pair, http2, tunnels,
                                       secured))
            command = [self.path(name), "-p", str(directory), "-c", str(conf),
                       "-e", str(directory / "nginx-error.log")]
        else:
            conf.write_text(haproxy_cfg(port, members, log, pair, http2, secured))
            command = [self.path(name), "-db", "-f", str(conf)]
            if access_log:
                # It writes to a file only as its standard output.
                streams["stdout"] = os.open(access_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        process = stage.start(command, core, f"{name}.log", **streams)
        if streams:
            os.close(streams["stdout"])
        stage.wait_until_open(process, port, f"{name}.log")
        return Proxy(name, process, f"127.0.0.1:{port}", access_log)
