"""A balancer whose members are checked every 200 ms, and what its log says of them."""

import re

from .server import MODULE_DIRECTORY, complete


class CheckedBalancer:
    def __init__(self, server, port, modules):
        """`modules`: names of those that are wanted beside mod_proxy_hcheck and the usual ones."""
        self.server, self.port = server, port
        self._modules = "".join(f"LoadModule {name}_module {MODULE_DIRECTORY}/mod_{name}.so\n"
                                for name in ("proxy_hcheck", *modules))

    def start(self, *members, more=""):
        lines = "".join(f"    BalancerMember {one} hcinterval=200ms\n" for one in members)
        self.server.start(complete(
            self._modules + f"Listen {self.port}\n{more}<Proxy balancer://app>\n{lines}</Proxy>\n"
            "ProxyPass / balancer://app/\n", log_level="debug"), [self.port.port])

    def log(self):
        return self.server.read("error.log")

    def changes(self):
        """Which members came or went, and why: [("DISABLING", name, why), ...]."""
        return re.findall(r"Health check (ENABLING|DISABLING) (\S+): (.*)", self.log())

    def disabled(self):
        """Who went, and why: [(name, why), ...]."""
        return [change[1:] for change in self.changes() if change[0] == "DISABLING"]
