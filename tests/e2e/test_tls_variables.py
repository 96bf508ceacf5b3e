"""mod_ssl's variables in a request's environment, beside apache2: nobody says them in its place."""

import pytest
from support.certificates import CURVE, Authority, openssl
from support.cgi_member import CgiMember
from support.member import Farm
from support.ports import HeldPort
from support.process import until
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import TlsConnection, context_for

PROTOCOLS = ("fcgi", "scgi", "uwsgi")
MODULES = ("ssl", "rewrite", "proxy_fcgi", "proxy_scgi", "proxy_uwsgi")
# What is not of TLS and may be set, too; and what is, by each who may set variables.
NAMES = ("HTTPS SSL_TLS_SNI SSL_PROTOCOL SSL_CIPHER SSL_CLIENT_VERIFY SSL_CLIENT_S_DN_CN"
         " SSL_SERVER_A_KEY SSL_CLIENT_I_DN_OU SSL_CLIENT_I_DN_O").split()
USER = ("AUTH_TYPE", "REMOTE_USER")
LINES = """\
SSLOptions +StdEnvVars
SetEnvIf X-SSL-Verify (.+) SSL_CLIENT_VERIFY=$1
SetEnvIf X-SSL-CN (.+) SSL_CLIENT_S_DN_CN=$1
SetEnvIf X-SSL-Org (.+) SSL_CLIENT_I_DN_O=$1
SetEnvIf X-Off . HTTPS=off ssl_tls_sni=evil.test
SetEnv SSL_CIPHER set
SetEnv SSL_CLIENT_I_DN_OU set
RewriteEngine On
RewriteRule . - [E=SSL_PROTOCOL:rule]
ErrorDocument 503 /fcgi/document
ProxyPass /dead/ http://{nobody}/
RequestHeader set X-Conditions "expr=%{{ENV:SSL_CLIENT_VERIFY}} %{{reqenv:SSL_CIPHER}}"
RequestHeader set X-Success yes "expr=reqenv('SSL_CLIENT_VERIFY') == 'SUCCESS'"
RequestHeader set X-Verified yes env=SSL_CLIENT_VERIFY
<LocationMatch "^/[a-z]+/plain">
SSLOptions -StdEnvVars
</LocationMatch>
<LocationMatch "^/[a-z]+/rule">
RewriteEngine On
RewriteRule . - [E=SSL_SERVER_A_KEY:rule,E=HTTPS:rule,E=before:%{{ENV:HTTPS}}]
</LocationMatch>
<LocationMatch "^/[a-z]+/require">
Require expr "reqenv('SSL_CLIENT_VERIFY') == 'SUCCESS'"
</LocationMatch>
<LocationMatch "^/[a-z]+/user">
SSLUserName SSL_CLIENT_S_DN_CN
RequestHeader set X-Type "expr=%{{AUTH_TYPE}} %{{REMOTE_USER}}"
</LocationMatch>
<Location /away>
RewriteEngine On
RewriteRule . /fcgi/document
</Location>
<LocationMatch "^/fcgi/late">
ProxyFCGISetEnvIf "reqenv('SSL_CLIENT_VERIFY') == 'NONE'" SSL_CLIENT_VERIFY late
ProxyFCGISetEnvIf true !SSL_SERVER_A_KEY
</LocationMatch>
"""
FORGED = {
    "nothing": "",
    "a certificate": "X-SSL-Verify: SUCCESS\r\nX-SSL-CN: root\r\nX-SSL-Org: Evil\r\n",
    "no TLS": "X-Off: 1\r\n",
}
WHO = ("ann", "nobody")
PATHS = [f"/{where}/{what}" for where in ("http", *PROTOCOLS)
         for what in ("all", "plain", "rule", "require", "user")] + ["/fcgi/late", "/dead/x", "/away"]


def load(*modules):
    return "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                   for name in modules)


def host(port, authority, pair, lines):
    return (f"Listen {port}\n<VirtualHost *:{port}>\nServerName lb.test\nSSLEngine On\n"
            f"SSLCertificateFile {pair[0]}\nSSLCertificateKeyFile {pair[1]}\n"
            f"SSLCACertificateFile {authority.certificate}\nSSLVerifyClient optional\n"
            f"{lines}</VirtualHost>\n")


def ask(port, path, certificate=None, more=""):
    connection = TlsConnection(port, "lb.test", context_for(certificate=certificate))
    try:
        return connection.ask(path, more=more)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def members():
    """By where a path leads: an HTTP member, and one for each protocol of CGI's family."""
    farm = Farm()
    found = {"http": farm.member("M1")} | {name: CgiMember(name) for name in PROTOCOLS}
    yield found
    farm.close()
    for name in PROTOCOLS:
        found[name].close()


def heard(members, path):
    """What the member was told: its variables, and the fields as variables."""
    where = path.split("/")[1]
    member = members.get(where, members["fcgi"])
    if path.startswith("/http/"):
        lines = member.received[0].head.decode().split("\r\n")[1:]
        fields = [line.partition(": ")[::2] for line in lines if line]
        member.forget()
        return {"HTTP_" + name.upper().replace("-", "_"): value for name, value in fields}
    return member.take()[0].named


@pytest.fixture(scope="module")
def told(binary, authority, members):
    """{program: {(path, who, what was forged): (status, what the member heard)}}, and the logs."""
    port, nobody = HeldPort(), HeldPort()
    everything = "|".join(f"%{{{name}}}e" for name in (*NAMES, "before"))
    lines = LINES.format(nobody=nobody)
    lines += (f'RequestHeader set X-Everything "{everything}"\n'
              f'CustomLog variables.log "{everything}"\n')
    lines += "".join(f"ProxyPass /{name}/ {member.url}/\n" for name, member in members.items()
                     if name != "http")
    lines += f"ProxyPass /http/ http://{members['http'].address}/\n"
    pairs = {"ann": authority.issue(subject="/CN=ann"), "nobody": None}
    text = load(*MODULES) + host(port.port, authority, authority.issue("lb.test"), lines)
    found = {}
    try:
        for name, program in (("httpd", APACHE), ("ours", binary)):
            scratch = Scratch("steelyard-variables-")
            server = Server(program, scratch.path)
            try:
                server.start(complete(text), [port.port])
                found[name] = {}
                for path in PATHS:
                    for who in WHO:
                        for what, more in FORGED.items():
                            status = ask(port.port, path, pairs[who], more).status
                            named = heard(members, path) if status in ("200", "503") else {}
                            found[name][path, who, what] = status, {
                                key: value for key, value in named.items()
                                if key.removeprefix("REDIRECT_") in (*NAMES, *USER) or
                                key.startswith("HTTP_X_") and "FORWARDED" not in key}
                assert until(lambda: server.read("variables.log").count("\n") >= len(found[name]))
                # A line may be written behind that of the next request.
                found[name]["log"] = sorted(server.read("variables.log").splitlines())
            finally:
                server.stop()
                scratch.close()
    finally:
        port.close()
        nobody.close()
    return found


@pytest.mark.parametrize("path", PATHS)
def test_members_are_told_what_httpd_tells_them(told, path):
    theirs, ours = ({key: value for key, value in told[name].items() if key[0] == path}
                    for name in ("httpd", "ours"))
    assert ours == theirs
    assert len(ours) == len(WHO) * len(FORGED)


def test_logs_are_those_of_httpd(told):
    assert told["ours"]["log"] == told["httpd"]["log"]
    assert len(told["ours"]["log"]) == len(told["ours"]) - 1


@pytest.mark.parametrize("where", ["http", *PROTOCOLS])
@pytest.mark.parametrize("who, verified, name", [("ann", "SUCCESS", "ann"),
                                                 ("nobody", "NONE", "root")])
def test_a_client_cannot_say_who_it_is(told, where, who, verified, name):
    """What TLS does not say stays what SetEnvIf made it, as in httpd."""
    _, named = told["ours"][f"/{where}/all", who, "a certificate"]
    said = dict(zip((*NAMES, "before"), named["HTTP_X_EVERYTHING"].split("|"), strict=True))
    assert (said["SSL_CLIENT_VERIFY"], said["SSL_CLIENT_S_DN_CN"]) == (verified, name)
    assert said["SSL_CIPHER"] == "TLS_AES_256_GCM_SHA384" and said["SSL_PROTOCOL"] == "TLSv1.3"
    assert (named.get("HTTP_X_SUCCESS") == "yes") == (who == "ann")
    if where != "http":
        assert {key: named[key] for key in said if key in named} == {
            key: value for key, value in said.items() if key in named}
        assert named["SSL_CLIENT_VERIFY"] == verified


@pytest.mark.parametrize("where", PROTOCOLS)
def test_a_certificate_names_the_user(told, where):
    _, named = told["ours"][f"/{where}/user", "ann", "nothing"]
    assert [named[name] for name in USER] == ["ClientCert", "ann"]
    assert "AUTH_TYPE" not in told["ours"][f"/{where}/user", "nobody", "nothing"][1]


@pytest.mark.parametrize("what", ["all", "plain", "rule"])
def test_tls_cannot_be_denied(told, what):
    for where in PROTOCOLS:
        _, named = told["ours"][f"/{where}/{what}", "nobody", "no TLS"]
        assert named["HTTPS"] == "on" and named["HTTP_X_EVERYTHING"].startswith("on|lb.test|")


@pytest.mark.parametrize("path", ["/dead/x", "/away"])
def test_what_a_redirect_renames_is_of_tls_too(told, path):
    _, named = told["ours"][path, "ann", "a certificate"]
    assert named["REDIRECT_SSL_CLIENT_VERIFY"] == named["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert named["REDIRECT_SSL_CLIENT_S_DN_CN"] == "ann"


def test_set_env_says_nothing_of_tls_in_whatever_order_modules_are_loaded(
        binary, authority, members):
    """httpd asks mod_ssl before mod_env where it is loaded before it: then both stand in the
    environment, and members of CGI's family are told the latter's."""
    port, pair, found = HeldPort(), authority.issue("lb.test"), {}
    lines = f"SetEnv HTTPS set\nProxyPass / {members['fcgi'].url}/\n"
    for modules in (("env", "ssl"), ("ssl", "env")):
        text = load(*modules, "proxy_fcgi") + host(port.port, authority, pair, lines)
        for name, program in (("httpd", APACHE), ("ours", binary)):
            scratch = Scratch("steelyard-variables-")
            server = Server(program, scratch.path)
            try:
                server.start(complete(text, without_modules=("env",)), [port.port])
                assert ask(port.port, "/x").status == "200"
            finally:
                server.stop()
                scratch.close()
            found[name, modules[0]] = members["fcgi"].take()[0].named["HTTPS"]
    port.close()
    assert found == {("httpd", "env"): "on", ("ours", "env"): "on",
                     ("httpd", "ssl"): "set", ("ours", "ssl"): "on"}


# --- all of them ----------------------------------------------------------------------------------

UPN, SRV = "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.5.5.7.8.7"
RICH = f"""\
[req]
distinguished_name=name
prompt=no
utf8=yes
string_mask=MASK:0x2002
[name]
C=DE
ST=E\u20acu
L=K\u00f6ln
0.O=First
1.O=Second
0.OU=A
1.OU=B
2.OU=C
CN=rich
emailAddress=rich@x.test
title=tab\tx
GN=Ann
SN=Sur
initials=A
UID=u1
DC=dc1
description=words
serialNumber=77
[extensions]
subjectAltName=otherName:{UPN};IA5STRING:odd@x.test,otherName:{UPN};UTF8:upn@x.test,\
otherName:{SRV};IA5STRING:_srv.x.test,email:a@x.test,email:b@x.test,DNS:lb.test,DNS:d.test
"""
OPTIONS = {"nothing": "", "standard": "+StdEnvVars", "certificates": "+ExportCertData",
           "both": "+StdEnvVars +ExportCertData", "legacy": "+StdEnvVars +LegacyDNStringFormat"}
CLIENTS = ("rich", "below", "nobody")
# Some that variables of the environment are, and some that are none; in any case.
ASKED = [f"SSL_{whose}_{what}" for whose in ("CLIENT", "SERVER") for what in (
    "S_DN", "s_dn_cn", "S_DN_CN_0", "S_DN_CN_RAW", "S_DN_OU", "S_DN_OU_0", "S_DN_OU_2",
    "S_DN_OU_02", "S_DN_SerialNumber", "S_DN_SP", "S_DN_DC", "S_DN_L", "S_DN_L_RAW", "S_DN_",
    "I_DN_CN", "V_REMAIN",
    "SAN_DNS_1", "SAN_DNS_01", "SAN_DNS", "SAN_Email_1", "SAN_Email_2", "SAN_OTHER_msUPN_0",
    "SAN_OTHER_msUPN_1", "SAN_OTHER_dnsSRV_0", "CERT_RFC4523_CEA", "VERIFY")] + [
    "ssl_protocol", "SSL_CIPHER", "SSL_CLIENT_CERT_CHAIN_00", "SSL_CLIENT_CERT_CHAIN_9",
    "SSL_BOGUS", "SSL_", "Https"]
BY_NAME = [f"SSL_CLIENT_S_DN_{what}" for what in
           ("L", "L_RAW", "ST", "ST_RAW", "T", "T_RAW", "SerialNumber", "serialnumber")]
EMPTY = ("SSL_CLIENT_CERT", "SSL_SERVER_CERT", "SSL_CLIENT_CERT_CHAIN_0", "SSL_CLIENT_CERT_CHAIN_1")
# By chance or by nature different.
MASKED = ("SSL_SESSION_ID", "SSL_VERSION_INTERFACE", "SSL_CLIENT_V_REMAIN")


def rich_certificate(authority):
    """One with all that a certificate can tell, that of the server too."""
    certificate, key, request, settings = (
        authority.directory / f"rich.{end}" for end in ("pem", "key", "csr", "cnf"))
    settings.write_text(RICH)
    openssl("req", *CURVE, "-nodes", "-config", settings, "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key,
            "-set_serial", "5", "-days", "9", "-out", certificate, "-extfile", settings,
            "-extensions", "extensions")
    return certificate, key


def certificate_below_another(authority):
    """(its chain, its key)"""
    middle = authority.lower(authority.directory / "middle")
    below, key = middle.issue(subject="/CN=below")
    chain = authority.directory / "chain.pem"
    chain.write_bytes(below.read_bytes() + middle.certificate.read_bytes())
    return chain, key


@pytest.fixture(scope="module")
def listed(binary, authority, members):
    """{program: {(protocol, options, who): all the variables of TLS that the member was told}}"""
    rich = rich_certificate(authority)
    pairs = {"rich": rich, "below": certificate_below_another(authority), "nobody": None}
    lines = "SSLVerifyDepth 3\n" + "".join(
        f'<LocationMatch "^/[a-z]+/{name}">\nSSLOptions {words}\n</LocationMatch>\n'
        for name, words in OPTIONS.items() if words)
    for nth, name in enumerate(ASKED):
        lines += f'RequestHeader set X-Asked-{nth} "=%{{{name}}}e"\n'
    for nth, name in enumerate(BY_NAME):
        lines += f'RequestHeader set X-Named-{nth} "=%{{{name}}}s"\n'
    for nth, name in enumerate(EMPTY):
        lines += (f'RequestHeader set X-Is-{nth} yes env={name}\n'
                  f"RequestHeader set X-Holds-{nth} yes \"expr=-n reqenv('{name}')\"\n")
    lines += "".join(f"ProxyPass /{name}/ {members[name].url}/\n" for name in PROTOCOLS)
    port, found = HeldPort(), {}
    text = load(*MODULES) + host(port.port, authority, rich, lines)
    for program, path in (("httpd", APACHE), ("ours", binary)):
        scratch = Scratch("steelyard-variables-")
        server = Server(path, scratch.path)
        try:
            server.start(complete(text), [port.port])
            found[program] = {}
            for protocol in PROTOCOLS:
                for options in OPTIONS:
                    for who in CLIENTS:
                        target = f"/{protocol}/{options}"
                        assert ask(port.port, target, pairs[who]).status == "200"
                        found[program][protocol, options, who] = {
                            name: "(something)" if name in MASKED else value
                            for name, value in heard(members, target).items()
                            if name.startswith(("SSL_", "HTTPS", "HTTP_X_"))}
        finally:
            server.stop()
            scratch.close()
    port.close()
    return found


@pytest.mark.parametrize("who", CLIENTS)
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_of_httpds_variables_are_told_and_no_others(listed, protocol, options, who):
    theirs, ours = (listed[name][protocol, options, who] for name in ("httpd", "ours"))
    differs = "HTTP_X_ASKED_" + str(ASKED.index("SSL_CLIENT_V_REMAIN"))
    assert {**ours, differs: ""} == {**theirs, differs: ""}
    assert (ours[differs] == "=(null)") == (theirs[differs] == "=(null)")


def test_some_of_them_in_plain_words(listed):
    rich, below, nobody = (listed["ours"]["fcgi", "both", who] for who in CLIENTS)
    assert rich["SSL_CLIENT_S_DN_OU_2"] == "C" and "SSL_CLIENT_S_DN_OU_0" not in rich
    assert rich["SSL_SERVER_S_DN_SerialNumber"] == "77" and rich["SSL_SERVER_SAN_DNS_1"] == "d.test"
    # The first one's text is of another type: it does not count.
    assert rich["SSL_CLIENT_SAN_OTHER_msUPN_0"] == "upn@x.test"
    assert "SSL_SERVER_V_REMAIN" not in rich and "SSL_CLIENT_V_REMAIN" in rich
    assert below["SSL_CLIENT_CERT_CHAIN_0"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert below["SSL_CLIENT_CERT_RFC4523_CEA"] == (
        '{ serialNumber 1001, issuer rdnSequence:"CN=Middle" }')
    assert nobody["SSL_CLIENT_CERT"] == "" and "SSL_CLIENT_S_DN" not in nobody


def test_raw_parts_of_names_are_bytes(listed):
    """A byte a character, as far as that goes."""
    for program in ("httpd", "ours"):
        said = listed[program]["fcgi", "nothing", "rich"]
        named = {name: said[f"HTTP_X_NAMED_{nth}"] for nth, name in enumerate(BY_NAME)}
        assert named["SSL_CLIENT_S_DN_L"] == "=K\u00c3\u00b6ln"
        assert named["SSL_CLIENT_S_DN_L_RAW"] == "=K\u00f6ln"
        assert named["SSL_CLIENT_S_DN_ST_RAW"] == "=E\\U20ACu"
        assert named["SSL_CLIENT_S_DN_T_RAW"] == named["SSL_CLIENT_S_DN_T"] == "=tab\\09x"


# --- what no field can hold -----------------------------------------------------------------------

def test_a_certificate_with_its_line_ends_is_no_field(binary, authority, members):
    """apache2 writes them into the member's request as they are."""
    port, member, found = HeldPort(), members["http"], {}
    lines = ('RequestHeader set X-Certificate "expr=%{SSL_CLIENT_CERT}"\n'
             f"ProxyPass / http://{member.address}/\n")
    text = load("ssl") + host(port.port, authority, authority.issue("lb.test"), lines)
    ann = authority.issue(subject="/CN=ann")
    for name, program in (("httpd", APACHE), ("ours", binary)):
        scratch = Scratch("steelyard-variables-")
        server = Server(program, scratch.path)
        try:
            server.start(complete(text), [port.port])
            statuses = [ask(port.port, "/x", pair).status for pair in (ann, None)]
        finally:
            server.stop()
            scratch.close()
        found[name] = statuses, b"\nMII" in b"".join(one.head for one in member.received)
        member.forget()
    port.close()
    assert found == {"httpd": (["200", "200"], True), "ours": (["500", "200"], False)}
