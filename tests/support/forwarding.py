"""What a forward proxy is told in a file, and who may ask it."""

from .server import MODULE_DIRECTORY

# Whoever is not this machine under its first name is outside.
INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"


def load(*names):
    """The lines that bring these modules."""
    return "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n" for name in names)


STATUS = load("status")
TLS = load("socache_shmcb", "ssl")
PASSWORDS = load("authn_core", "authn_file", "auth_basic", "authz_user")


def forward(more="", who=f"Require ip {INSIDE}"):
    return f'ProxyRequests On\nAllowCONNECT 1-65535\n<Proxy "*">\n{who}\n</Proxy>\n{more}'


def who_has_a_password(server):
    """Lines for `who`: ann, by 123456."""
    server.root.mkdir(exist_ok=True)
    users = server.root / "users"
    users.write_text("ann:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=\n")
    users.chmod(0o644)
    return f'AuthType Basic\nAuthName "x"\nAuthUserFile {users}\nRequire valid-user'
