"""Who may come in by a password: AuthType Basic with files (mod_auth_basic and its relatives)."""

import base64

from scenario import DIRECT, get, post, request, scenario
from support.server import MODULE_DIRECTORY

LOAD = "".join(
    f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
    for name in "authn_core authn_file auth_basic authz_user authz_groupfile access_compat".split()
)
FILES = {
    # htpasswd -s, -m, -B, -d, -5, -2: the password of each is its name with "pw" behind it.
    "users": """\
# who may come in
bob:$2y$05$Gff8NfVSg8QFgbafParRteNfB09HhXXV9A07Ou9UMrvgPxRvP/Kbi
ann:$apr1$.8UBuHYs$6ACIy5zkR4QP5LbBkuXr2.
carl:{SHA}0V4/FZJIDY0Oov2j6xkmwvgdQUg=
dora:bPvQD1cAAiZ6U
hans:$6$qRzh.8YzfVDHmVJf$rbig/8UaDLuNfr0EAMOE6/ltodeCNwV8eRKtccFM3meZBvE841HtiVQu4LoVDDQ9sRFEfEck\
BcV6Pb56XLpV41
""",
    "groups": "admins: bob ann\nusers: carl\n",
}
BASIC = """\
AuthType Basic
AuthName "who is it"
AuthUserFile users
AuthGroupFile groups
"""


def says(user, password=None):
    text = f"{user}:{user + 'pw' if password is None else password}"
    return "Authorization: Basic " + base64.b64encode(text.encode()).decode()


def users(name, inside, steps, before="", after="", **options):
    text = f"{LOAD}{before}<Location />\n{BASIC}{inside}\n</Location>\n{after}{DIRECT}"
    scenario(name, text, steps, files=FILES, **options)


users(
    "a password lets known users in",
    "Require valid-user",
    [
        get("/"),
        get("/", says("bob")),
        get("/", says("ann")),
        get("/", says("carl")),
        get("/", says("dora")),
        get("/", says("hans")),
        get("/", says("bob", "no")),
        get("/", says("nobody")),
        get("/", says("")),
        get("/", "Authorization: Digest x"),
        get("/", "Authorization: Basic"),
        get("/", "Authorization: basic   Ym9iOmJvYnB3"),
        get("/", "Authorization: Basic Ym9iOmJvYnB3!"),
        post("/", b"a body that is dropped"),
        request("HEAD", "/"),
        request("OPTIONS", "/"),
    ],
    sees="401 1 1 1 1 1 401 401 401 401 401 1 1 401 401 401",
)
users(
    "users and groups by name",
    "Require user ann \"carl\"\nRequire group admins",
    [get("/", says(user)) for user in ("ann", "bob", "carl", "dora")] + [get("/")],
    sees="1 1 1 401 401",
)
users(
    "a group without a file is empty",
    "AuthGroupFile nowhere\nRequire group admins",
    [get("/", says("bob"))],
    sees="401",
)
users(
    "who is known and not meant may be told 403",
    "AuthzSendForbiddenOnFailure On\nRequire user nobody",
    [get("/"), get("/", says("bob"))],
    sees="401 403",
)
users(
    "an address or a password",
    "Require ip 10.1.1.1\nRequire valid-user",
    [get("/"), get("/", says("bob"))],
    sees="401 1",
)
users(
    "an address and a password",
    "<RequireAll>\nRequire ip 127.0.0.1\nRequire valid-user\nRequire not user carl\n</RequireAll>",
    [get("/"), get("/", says("bob")), get("/", says("carl"))],
    sees="401 1 401",
)
users(
    "an address alone asks nobody for a password",
    "Require ip 10.1.1.1",
    [get("/"), get("/", says("bob"))],
    sees="403 403",
)
users(
    "Satisfy Any with a password",
    "Order deny,allow\nDeny from all\nSatisfy Any\nRequire valid-user",
    [get("/"), get("/", says("bob"))],
    sees="401 1",
)
scenario(
    "a path for TLS alone under Satisfy Any",
    f"LoadModule ssl_module {MODULE_DIRECTORY}/mod_ssl.so\n"
    + LOAD
    + "".join(
        f"<Location /{name}>\nSatisfy Any\nSSLRequireSSL\n{lines}\n</Location>\n"
        for name, lines in (
            ("open", "Require all granted"),
            ("strict", "SSLOptions +StrictRequire\nRequire all granted"),
            ("user", BASIC + "Order deny,allow\nDeny from all\nRequire valid-user"),
        )
    )
    + DIRECT,
    [get("/open"), get("/strict"), get("/user"), get("/user", says("bob"))],
    files=FILES,
)
users(
    "Satisfy All with a password",
    "Order deny,allow\nDeny from all\nSatisfy All\nRequire valid-user",
    [get("/"), get("/", says("bob"))],
    sees="403 403",
)
users(
    "an expression about the user",
    "Require expr %{REMOTE_USER} == 'bob'",
    [get("/"), get("/", says("bob")), get("/", says("ann"))],
    sees="401 1 401",
)
users(
    "the user where rules can see it",
    "Require valid-user\nHeader always set X-User \"expr=%{REMOTE_USER} %{AUTH_TYPE}\"\n"
    "RequestHeader set X-User \"expr=%{REMOTE_USER}\"",
    [get("/", says("bob")), get("/", says("bob", "no")), get("/")],
    sees="1 401 401",
)
users(
    "members are told another login",
    "Require valid-user\nAuthBasicFake %{REMOTE_USER}-there secret",
    [get("/", says("bob"))],
    sees="1",
)
users(
    "members are told no login",
    'Require valid-user\nAuthBasicFake "%{req:X-Login}"',
    [get("/", says("bob")), get("/", says("bob"), "X-Login: x")],
    sees="1 1",
)
users(
    "a text for who gives no password",
    'Require valid-user\nErrorDocument 401 "not %{REMOTE_USER}"',
    [get("/"), get("/", says("bob", "no"))],
    sees="401 401",
)
users(
    "a page for who gives no password",
    "Require valid-user\nErrorDocument 401 /page/x",
    [get("/"), get("/", says("bob", "no"))],
    after="<Location /page>\nRequire all granted\n</Location>\n",
    sees="1 1",
)
users(
    "a page under the same settings asks nobody again",
    "Require valid-user\nErrorDocument 401 /page/x",
    [get("/"), get("/", says("bob", "no"))],
    sees="1 1",
)
users(
    "a page that asks for another user",
    "Require valid-user\nErrorDocument 401 /page/x",
    [get("/"), get("/", says("bob", "no"))],
    after="<Location /page>\nRequire user ann\n</Location>\n",
    sees="401 401",
)
users(
    "a page of a denied address under the same settings",
    "Require ip 10.1.1.1\nErrorDocument 403 /page/x",
    [get("/")],
    sees="1",
)
users(
    "a rule sends a user elsewhere",
    "Require valid-user\nRewriteEngine On\nRewriteRule ^/?from$ /to [L]",
    [get("/from", says("bob"))],
    before=f"LoadModule rewrite_module {MODULE_DIRECTORY}/mod_rewrite.so\n",
    sees="1",
)
users(
    "realms have quotes and variables",
    'AuthName "the \\"%{reqenv:PLACE}\\" of %{REQUEST_URI}"\nRequire valid-user',
    [get("/x")],
    before="SetEnvIf Request_Method . PLACE=house\n",
    sees="401",
)
users(
    "AuthType without Require",
    "",
    [get("/"), get("/", says("bob"))],
    sees="500 500",
)
users(
    "AuthType None with a user wanted",
    "AuthType None\nRequire valid-user",
    [get("/"), get("/", says("bob"))],
    sees="500 500",
)
users(
    "a file that is not there",
    "AuthUserFile nowhere\nRequire valid-user",
    [get("/"), get("/", says("bob"))],
    sees="401 500",
)
users(
    "AuthBasicAuthoritative Off knows nobody else",
    "AuthBasicAuthoritative Off\nRequire valid-user",
    [get("/", says("bob")), get("/", says("bob", "no")), get("/", says("nobody"))],
    sees="1 401 500",
)
scenario(
    "without a name there is no realm",
    LOAD + "<Location />\nAuthType Basic\nAuthUserFile users\nRequire valid-user\n</Location>\n" + DIRECT,
    [get("/")],
    files=FILES,
    sees="500",
)
scenario(
    "inner sections say more about passwords",
    f"{LOAD}<Location />\n{BASIC}Require valid-user\n</Location>\n"
    '<Location /a>\nAuthName "a"\nRequire user ann\n</Location>\n'
    "<Location /open>\nRequire all granted\n</Location>\n"
    '<LocationMatch "^/m">\nAuthName "m"\n</LocationMatch>\n'
    "<If \"%{REQUEST_URI} == '/if'\">\nAuthName \"if\"\nRequire user bob\n</If>\n" + DIRECT,
    [
        get("/a"),
        get("/a", says("ann")),
        get("/a", says("bob")),
        get("/open"),
        get("/open", says("bob", "no")),
        get("/m"),
        get("/if"),
        get("/if", says("ann")),
        get("/if", says("bob")),
    ],
    files=FILES,
    sees="401 1 401 1 1 401 401 401 1",
)
scenario(
    "a password for a balancer's section",
    f"{LOAD}<Proxy *>\n{BASIC}Require valid-user\n</Proxy>\n" + DIRECT,
    [get("/"), get("/", says("bob"))],
    files=FILES,
    sees="401 1",
)
scenario(
    "a container is told who it is",
    f"{LOAD}LoadModule proxy_ajp_module {MODULE_DIRECTORY}/mod_proxy_ajp.so\n"
    f"<Location />\n{BASIC}Require valid-user\n</Location>\nProxyPass / ajp://${{J1}}/t/\n",
    [get("/", says("bob"))],
    files=FILES,
    sees="1",
)
for word, line in (
    ("AuthType at server level", "AuthType Basic\n"),
    ("AuthUserFile at server level", "AuthUserFile users\n"),
    ("a provider that nobody knows", "<Location />\nAuthBasicProvider foo\n</Location>\n"),
    ("a flag that is none", "<Location />\nAuthBasicAuthoritative x\n</Location>\n"),
    ("a provider of Require in capitals", "<Location />\nRequire Valid-User\n</Location>\n"),
    ("a user that is no expression", "<Location />\nRequire user %{bad\n</Location>\n"),
):
    scenario(word, LOAD + line + DIRECT, check_only=True)
scenario(
    "Require user without its module",
    "<Location />\nRequire valid-user\n</Location>\n" + DIRECT,
    check_only=True,
)
