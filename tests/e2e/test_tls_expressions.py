"""What expressions, rules and fields find out about a client's certificate, beside apache2: its other
names, and its extensions (PeerExtList)."""

import pytest
from support.certificates import CURVE, Authority, openssl
from support.ports import HeldPort
from support.server import APACHE, MODULE_DIRECTORY, Scratch, Server, complete
from support.tls import TlsConnection, context_for

MODULES = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                  for name in ("ssl", "rewrite"))
UPN, SRV = "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.5.5.7.8.7"
EXTENSIONS = f"""\
basicConstraints=CA:FALSE
subjectAltName=otherName:{UPN};UTF8:ann@corp.test,DNS:ann.test,otherName:{SRV};IA5STRING:_ldap.corp.test,\
otherName:{UPN};UTF8:ann.two@corp.test,otherName:{UPN};IA5STRING:odd@corp.test,email:ann@mail.test
nsComment=made for a test
1.2.3.4=ASN1:FORMAT:UTF8,UTF8:r\u00f6t
1.2.3.5=DER:05:00
"""

VARIABLES = [f"SSL_CLIENT_SAN_{what}" for what in (
    "OTHER_msUPN_0", "OTHER_msUPN_1", "OTHER_msUPN_2", "OTHER_msUPN_3", "OTHER_dnsSRV_0",
    "OTHER_dnsSRV_1", "OTHER_msUPN", "OTHER_msUPN_00001", "OTHER_else_0", "DNS_0", "DNS_1", "DNS",
    "DNS_0000", "DNS_00000", "Email_0", "Email_1")] + ["SSL_CLIENT_S_DN_CN", "HTTPS"]

LISTS = [
    "'r\u00f6t' in PeerExtList('1.2.3.4')",
    "'red' in PeerExtList('1.2.3.4')",
    "'made for a test' in PeerExtList('nsComment')",
    "'made for a test' in PeerExtList('Netscape Comment')",
    "'made for a test' in PeerExtList('2.16.840.1.113730.1.13')",
    "'CA:FALSE' in peerextlist('basicConstraints')",
    "'CA:FALSE' -in PeerExtList('basic' . 'Constraints')",
    "'' in PeerExtList('1.2.3.6')",
    "'x' in PeerExtList('no such thing')",
    "!('x' in PeerExtList('1.2.3.5'))",
    "%{HTTP_HOST} in PeerExtList('nsComment')",
]


@pytest.fixture(scope="module")
def told(binary, tmp_path_factory):
    """{program: {question: answer}}, of a client with a certificate and of one without."""
    directory = tmp_path_factory.mktemp("authority")
    authority = Authority(directory)
    own = authority.issue("lb.test")
    certificate, key, request, extensions = (
        directory / f"ann.{end}" for end in ("pem", "key", "csr", "ext"))
    extensions.write_text(EXTENSIONS)
    openssl("req", *CURVE, "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=ann")
    openssl("x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey", authority.key,
            "-set_serial", "7", "-days", "3", "-out", certificate, "-extfile", extensions)
    port = HeldPort()
    lines = ["RewriteEngine On"]
    for nth, name in enumerate(VARIABLES):
        lines += [f"Header always set V{nth} \"expr=%{{SSL_CLIENT_VERIFY}} %{{{name}}}\"",
                  f"Header always set F{nth} \"=%{{{name}}}s\"",
                  f"RewriteRule . - [E=r{nth}:%{{SSL:{name}}}]",
                  f"Header always set R{nth} \"=%{{r{nth}}}e\""]
    lines += [f'Header always set L{nth} yes "expr={text}"' for nth, text in enumerate(LISTS)]
    lines += ["RewriteCond %{SSL:SSL_CLIENT_SAN_OTHER_msUPN_0} ^ann@\nRewriteRule . - [E=upn:yes]",
              'Header always set Upn "%{upn}e"',
              "<If \"%{SSL_CLIENT_VERIFY} == 'SUCCESS' && %{HTTPS} == 'on'\">\n"
              "Header always set Known yes\n</If>"]
    text = (f"{MODULES}Listen {port.port}\n<VirtualHost *:{port.port}>\nServerName lb.test\n"
            f"SSLEngine On\nSSLCertificateFile {own[0]}\nSSLCertificateKeyFile {own[1]}\n"
            f"SSLCACertificateFile {authority.certificate}\nSSLVerifyClient optional\n"
            + "\n".join(lines) + "\n</VirtualHost>\n")
    found = {}
    for name, program in (("httpd", APACHE), ("ours", binary)):
        scratch = Scratch("steelyard-expr-")
        one = Server(program, scratch.path)
        try:
            one.start(complete(text), [port.port])
            found[name] = {}
            for who, pair in (("ann", (certificate, key)), ("nobody", None)):
                connection = TlsConnection(port.port, "lb.test", context_for(authority, pair))
                response = connection.ask("/x")
                connection.close()
                for question in questions():
                    value = response.header(question[1])
                    found[name][who, question[0]] = None if value is None else value.decode("utf-8")
        finally:
            one.stop()
            scratch.close()
    port.close()
    return found


def questions():
    for nth, name in enumerate(VARIABLES):
        for letter, how in (("V", "expression"), ("F", "field"), ("R", "rule")):
            yield f"{name} by {how}", f"{letter}{nth}"
    for nth, text in enumerate(LISTS):
        yield text, f"L{nth}"
    yield "a condition of a rule", "Upn"
    yield "a section", "Known"


@pytest.mark.parametrize("question", [question for question, _ in questions()])
def test_answers_are_those_of_httpd(told, question):
    for who in ("ann", "nobody"):
        assert told["ours"][who, question] == told["httpd"][who, question]


@pytest.mark.parametrize("question, answer", [
    ("SSL_CLIENT_SAN_OTHER_msUPN_0 by expression", "SUCCESS ann@corp.test"),
    ("SSL_CLIENT_SAN_OTHER_msUPN_1 by rule", "=ann.two@corp.test"),
    ("SSL_CLIENT_SAN_OTHER_dnsSRV_0 by field", "=_ldap.corp.test"),
    ("a condition of a rule", "yes"),
    ("a section", "yes"),
    (LISTS[0], "yes"),
    (LISTS[1], None),
    (LISTS[2], "yes"),
])
def test_some_of_them_in_plain_words(told, question, answer):
    assert told["ours"]["ann", question] == answer
