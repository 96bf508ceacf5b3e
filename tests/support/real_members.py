"""Real servers as members: nginx with files, Tomcat with one small application, vsftpd with files.

Each runs in a directory and on a held port of its own and is stopped by the process that started
it.  They say which of them answers: nginx in X-Node, Tomcat in the page and behind the session's
dot (its jvmRoute).
"""

import http.client
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from .ports import HeldPort

NGINX = "/usr/sbin/nginx"
TOMCAT_HOME = Path("/usr/share/tomcat10")
VSFTPD = "/usr/sbin/vsftpd"
START_S = 40.0
STOP_S = 15.0

NGINX_CONF = """\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    log_format seen '$request_method $uri $status $connection $connection_requests';
    access_log access.log seen;
    client_body_temp_path tmp/body;
    proxy_temp_path tmp/proxy;
    fastcgi_temp_path tmp/fastcgi;
    uwsgi_temp_path tmp/uwsgi;
    scgi_temp_path tmp/scgi;
    client_max_body_size 0;
    default_type application/octet-stream;
    types {{ text/plain txt; }}
    gzip on;
    gzip_types text/plain;
    gzip_min_length 100;
    gzip_proxied any;
    add_header X-Node {name} always;
    server {{
        listen {address};
        root files;
        location /up/ {{ dav_methods PUT; }}
    }}
}}
"""

# Its own precautions need rights that a container may not give.
VSFTPD_CONF = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
local_enable=NO
anon_root={root}/files
ftp_username=www-data
nopriv_user=nobody
secure_chroot_dir={root}/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=YES
log_ftp_protocol=YES
vsftpd_log_file={root}/log
"""

# Users that only the server knows: it sees files in /etc that the machine has not.
VSFTPD_USERS = """\
local_enable=YES
pam_service_name=vsftpd
chroot_local_user=YES
"""
VSFTPD_PAM = "auth required pam_unix.so\naccount required pam_unix.so\n"
FIRST_USER_ID = 64000

# No library is searched for fragments and tags: a start takes one second instead of several.
TOMCAT_SERVER = """\
<Server port="-1">
  <Service name="Catalina">
    <Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1"/>
{more}    <Engine name="Catalina" defaultHost="localhost" jvmRoute="{name}">
      <Host name="localhost" appBase="webapps" autoDeploy="false" deployOnStartup="false">
        <Context path="/shop" docBase="{root}/shop">
          <JarScanner scanClassPath="false" scanBootstrapClassPath="false"/>
        </Context>
      </Host>
    </Engine>
  </Service>
</Server>
"""

TOMCAT_WEB = """\
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
  <servlet>
    <servlet-name>jsp</servlet-name>
    <servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
    <init-param><param-name>development</param-name><param-value>false</param-value></init-param>
  </servlet>
  <servlet-mapping>
    <servlet-name>jsp</servlet-name>
    <url-pattern>*.jsp</url-pattern>
  </servlet-mapping>
</web-app>
"""

# ?to=PATH redirects there as Tomcat does by itself; ?far=PATH names the server, as older ones do.
SHOP_PAGE = """\
<%@ page contentType="text/plain" import="java.security.*,java.util.*" %><%
  String to = request.getParameter("to");
  String far = request.getParameter("far");
  if (far != null) {
    to = "http://" + request.getServerName() + ":" + request.getServerPort() + far;
  }
  if (to != null) {
    response.sendRedirect(response.encodeRedirectURL(to));
    return;
  }
  Integer before = (Integer) session.getAttribute("visits");
  int visits = before == null ? 1 : before + 1;
  session.setAttribute("visits", visits);
  MessageDigest digest = MessageDigest.getInstance("SHA-256");
  byte[] piece = new byte[1 << 16];
  long bytes = 0;
  int size;
  while ((size = request.getInputStream().read(piece)) > 0) {
    digest.update(piece, 0, size);
    bytes += size;
  }
%>node=<%= System.getProperty("node") %>
visits=<%= visits %>
session=<%= session.getId() %>
bytes=<%= bytes %>
sha256=<%= HexFormat.of().formatHex(digest.digest()) %>
"""


AJP_CONNECTOR = """\
    <Connector port="{port}" address="127.0.0.1" protocol="AJP/1.3" secretRequired="true"
               secret="{secret}" packetSize="{packet}" allowedRequestAttributesPattern="TENANT"/>
"""

# What a container is told beside the message. ?more=N: N more bytes, flushed, and then nothing.
AJP_PAGE = """\
<%@ page contentType="text/plain" import="java.security.cert.*" %><%
  X509Certificate[] chain =
      (X509Certificate[]) request.getAttribute("jakarta.servlet.request.X509Certificate");
%>node=<%= System.getProperty("node") %>
method=<%= request.getMethod() %>
query=<%= request.getQueryString() %>
secure=<%= request.isSecure() %>
client=<%= request.getRemoteAddr() %>:<%= request.getRemotePort() %>
server=<%= request.getServerName() %>:<%= request.getServerPort() %>
tenant=<%= request.getAttribute("TENANT") %>
cipher=<%= request.getAttribute("jakarta.servlet.request.cipher_suite") %>
bits=<%= request.getAttribute("jakarta.servlet.request.key_size") %>
subject=<%= chain == null ? null : chain[0].getSubjectX500Principal() %>
long=<%= request.getHeader("X-Long") == null ? 0 : request.getHeader("X-Long").length() %>
<%
  String more = request.getParameter("more");
  if (more != null) {
    out.print("x".repeat(Integer.parseInt(more)));
    out.flush();
    response.flushBuffer();
    Thread.sleep(600000);
  }
%>"""


class RealMember:
    """A server process on its own port; `begin` returns at once, `await_ready` when it answers."""

    probe = "/"

    def __init__(self, name, directory):
        self.name = name
        self.root = Path(directory)
        self.held = HeldPort()
        self.process = None
        self.root.mkdir(parents=True)

    @property
    def address(self):
        return str(self.held)

    def command(self):
        raise NotImplementedError

    def begin(self):
        with open(self.root / "output.txt", "wb") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def await_ready(self):
        deadline = time.monotonic() + START_S
        while not self._answers(deadline - time.monotonic()):
            assert self.process.poll() is None, (self.root / "output.txt").read_text()
            assert time.monotonic() < deadline, f"{self.name} never answered"
            time.sleep(0.01)

    def _answers(self, patience_s):
        connection = http.client.HTTPConnection("127.0.0.1", self.held.port, timeout=patience_s)
        try:
            connection.request("GET", self.probe)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def ask_to_stop(self):
        if self.process:
            self.process.terminate()

    def stop(self):
        """Returns when nobody listens any more."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self):
        self.stop()
        self.held.close()


class Nginx(RealMember):
    """Serves `files`; takes PUT below /up/."""

    probe = "/up/probe.txt"

    def __init__(self, name, directory):
        super().__init__(name, directory)
        self.files = self.root / "files"
        (self.files / "up").mkdir(parents=True)
        (self.root / "tmp").mkdir()
        (self.files / "up/probe.txt").write_text("here\n")
        text = NGINX_CONF.format(name=name, address=self.address)
        (self.root / "nginx.conf").write_text(text)

    def command(self):
        return [NGINX, "-p", str(self.root), "-c", "nginx.conf", "-e", "error.log"]

    def seen(self, uri):
        """(method, status, connection, requests on it) of each request for that path."""
        rows = (line.split() for line in (self.root / "access.log").read_text().splitlines())
        return [(row[0], row[2], row[3], int(row[4])) for row in rows if row[1] == uri]


class Tomcat(RealMember):
    """One application, /shop/page.jsp, with sessions."""

    probe = "/shop/page.jsp"

    def __init__(self, name, directory):
        super().__init__(name, directory)
        for folder in ("conf", "logs", "temp", "webapps", "work", "shop"):
            (self.root / folder).mkdir()
        server = TOMCAT_SERVER.format(port=self.held.port, name=name, root=self.root, more=self.connectors())
        (self.root / "conf/server.xml").write_text(server)
        (self.root / "conf/web.xml").write_text(TOMCAT_WEB)
        loader = 'common.loader="${catalina.home}/lib/*.jar"\n'
        (self.root / "conf/catalina.properties").write_text(loader)
        (self.root / "shop/page.jsp").write_text(SHOP_PAGE)

    def connectors(self):
        """Further ones, for server.xml."""
        return ""

    def command(self):
        jars = [str(TOMCAT_HOME / "bin" / name) for name in ("bootstrap.jar", "tomcat-juli.jar")]
        return [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx96m",
            f"-Dnode={self.name}",
            f"-Dcatalina.home={TOMCAT_HOME}",
            f"-Dcatalina.base={self.root}",
            f"-Djava.io.tmpdir={self.root}/temp",
            "-cp",
            os.pathsep.join(jars),
            "org.apache.catalina.startup.Bootstrap",
            "start",
        ]


class AjpTomcat(Tomcat):
    """One that listens for AJP too, at `ajp`, and has a /shop/told.jsp."""

    def __init__(self, name, directory, secret, packet_bytes=8192):
        self.ajp = HeldPort()
        self.secret = secret
        self.packet_bytes = packet_bytes
        super().__init__(name, directory)
        (self.root / "shop/told.jsp").write_text(AJP_PAGE)

    def connectors(self):
        return AJP_CONNECTOR.format(
            port=self.ajp.port, secret=self.secret, packet=self.packet_bytes
        )

    def kill(self):
        """As if it were struck by lightning."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def close(self):
        super().close()
        self.ajp.close()


class Vsftpd(RealMember):
    """Serves `files` to anonymous users, and `homes/NAME` to each of `users`; needs root.

    `users`: passwords by name.  `more`: lines of its configuration.
    """

    def __init__(self, name, directory, users=None, more=""):
        super().__init__(name, directory)
        for folder in ("files", "empty", "homes", "pam"):
            (self.root / folder).mkdir(mode=0o755)
        text = VSFTPD_CONF.format(port=self.held.port, root=self.root) + more
        self.users = users or {}
        if self.users:
            text = text.replace("local_enable=NO\n", VSFTPD_USERS)
            (self.root / "pam/vsftpd").write_text(VSFTPD_PAM)
        known, secret = Path("/etc/passwd").read_text(), ""
        for nth, (user, password) in enumerate(self.users.items()):
            home = self.root / "homes" / user
            home.mkdir(mode=0o755)
            known += f"{user}:x:{FIRST_USER_ID + nth}:{FIRST_USER_ID}::{home}:/bin/sh\n"
            hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, text=True,
                                    capture_output=True, check=True).stdout.strip()
            secret += f"{user}:{hashed}:20000:0:99999:7:::\n"
        (self.root / "passwd").write_text(known)
        (self.root / "shadow").write_text(secret)
        (self.root / "vsftpd.conf").write_text(text)

    def put(self, path, data, user=None):
        target = self.root / (f"homes/{user}" if user else "files") / path
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        target.write_bytes(data)

    def command(self):
        plain = [VSFTPD, str(self.root / "vsftpd.conf")]
        if not self.users:
            return plain
        own = (("pam", "/etc/pam.d"), ("passwd", "/etc/passwd"), ("shadow", "/etc/shadow"))
        binds = [f"mount --bind '{self.root}/{name}' {place}" for name, place in own]
        return ["unshare", "--mount", "sh", "-ec", "\n".join([*binds, 'exec "$@"']), "sh", *plain]

    def commands(self):
        """What it was asked since it began, without the arguments."""
        return re.findall(r'FTP command: Client "[^"]*", "(\w+)', (self.root / "log").read_text())

    def _answers(self, patience_s):
        try:
            with socket.create_connection(("127.0.0.1", self.held.port), patience_s) as stream:
                return stream.recv(100).startswith(b"220")
        except OSError:
            return False
