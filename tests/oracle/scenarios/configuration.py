"""Configurations that both programs accept or refuse (exit status of -t)."""

from scenario import ONE, TWO, get, scenario

REFUSED = {
    "an unknown directive": "Bogus on\n",
    "an unknown worker parameter": "ProxyPass /x http://h foo=bar\n",
    "a worker parameter on a balancer's mapping": TWO + "ProxyPass / balancer://c/ loadfactor=2\n",
    "a balancer parameter on a member": "BalancerMember balancer://c http://h stickysession=sid\n",
    "a parameter without an equals sign": "ProxyPass /x http://h foo\n",
    "a target that is not absolute": "ProxyPass /x y\n",
    "a mapping without a path": "ProxyPass http://h\n",
    "a member outside of a balancer": "BalancerMember http://x\n",
    "a member URL with an equals sign": "BalancerMember balancer://c http://h/x=y\n",
    "a separator of two characters": TWO + "ProxyPass / balancer://c/ stickysessionsep=::\n",
    "a load factor below one": "BalancerMember balancer://c http://h loadfactor=0\n",
    "a load factor above a hundred": "BalancerMember balancer://c http://h loadfactor=101\n",
    "an lbset above ninety-nine": "BalancerMember balancer://c http://h lbset=100\n",
    "a negative retry": "BalancerMember balancer://c http://h retry=-1\n",
    "a timeout of nothing": "BalancerMember balancer://c http://h timeout=0\n",
    "an upper-case duration unit": "BalancerMember balancer://c http://h connectiontimeout=5MIN\n",
    "a duration with a fraction": "BalancerMember balancer://c http://h acquire=1.5\n",
    "an unknown status letter": "BalancerMember balancer://c http://h status=X\n",
    "a lone plus as status": "BalancerMember balancer://c http://h status=D+\n",
    "a route that is too long": "BalancerMember balancer://c http://h route=" + 64 * "r" + "\n",
    "an unknown method": TWO + "ProxyPass / balancer://c/ lbmethod=byguess\n",
    "a failonstatus that is no status": TWO + "ProxyPass / balancer://c/ failonstatus=99\n",
    "forcerecovery that is no switch": TWO + "ProxyPass / balancer://c/ forcerecovery=maybe\n",
    "ProxySet for an unknown balancer": "ProxySet balancer://nobody lbmethod=byrequests\n",
    "a path for a mapping in a Location": "<Location /a>\nProxyPass /y http://h\n</Location>\n",
    "a broken expression": "ProxyPassMatch ( http://h\n",
    "a negative Require alone": "<Location /x>\nRequire not ip 10.0.0.1\n</Location>\n",
    "a bad netmask": "<Location /x>\nRequire ip 10.0.0.0/33\n</Location>\n",
    "an unknown Require": "<Location /x>\nRequire foo\n</Location>\n",
    "Require at server level": "Require all granted\n",
    "an unclosed section": "<Location /x>\n",
    "a stray closing tag": "</Location>\n",
    "the wrong closing tag": "<Location /x>\n</Proxy>\n",
    "Timeout in a Location": "<Location /x>\nTimeout 5\n</Location>\n",
    "a flag that is no flag": "KeepAlive maybe\n",
    "an unknown log level": "LogLevel loud\n",
    "an unsupported error code": "ErrorDocument 299 x\n",
    "a duplicate Listen": "Listen 127.0.0.1:${PORT}\n",
    "Listen in a vhost": "<VirtualHost *:1>\nListen 127.0.0.1:2\n</VirtualHost>\n",
    "nested vhosts": "<VirtualHost *:1>\n<VirtualHost *:2>\n</VirtualHost>\n</VirtualHost>\n",
    "an alias at server level": "ServerAlias a\n",
    "an unknown header format": "Header set X %q\n",
    "an unknown header action": "Header fix X y\n",
    "a bad Redirect": "Redirect /x\n",
    "a missing include": "Include no/such/file.conf\n",
    "a macro used before it is defined": "Use Nothing a\n",
    "a number that is none in LimitRequestLine": "LimitRequestLine -1\n",
    "a skipped IfModule without an end": "<IfModule mod_foo.c>\nTimeout 5\n",
    "a skipped IfDefine without an end": "<IfDefine X>\n<IfDefine Y>\n</IfDefine>\nTimeout 5\n",
    "a section without an end in a skipped block": "<IfVersion < 2>\n<Location /x>\n",
    "an argument in an end tag": "<Location /x>\n</Location /x>\n",
    "an argument in the end tag of a skipped block": "<IfDefine X>\n</IfDefine X>\n",
    "a blank in an end tag": "<If true>\n</If >\n",
    "a module by a name that is not in its file": (
        "LoadModule proxy_ajq_module /usr/lib/apache2/modules/mod_proxy_ajp.so\n"
    ),
    "an empty ServerName": 'ServerName ""\n',
    "an empty CustomLog": 'CustomLog "" common\n',
    "an empty ErrorDocument": 'ErrorDocument 500 ""\n',
    "an empty path in Redirect": 'Redirect "" /x\n',
    "an empty file to include": 'Include ""\n',
    "an empty log format": 'LogFormat ""\n',
    "a RedirectRelative that is no switch": "RedirectRelative perhaps\n",
}
ACCEPTED = {
    "RedirectRelative": "RedirectRelative On\n<Location /x>\nRedirectRelative off\n</Location>\n",
    "a word behind an end tag": "<Location /x>\n</Location> x\n",
    "a word behind a switch": "KeepAlive On # comment\n",
    "an empty value in SetEnv": 'SetEnv X ""\n',
    "a lax Timeout": "Timeout abc\nMaxKeepAliveRequests x\n",
    "an undefined balancer": "ProxyPass / balancer://nobody/\n",
    "an unknown scheme": "ProxyPass /x foo://y/\n",
    "lower-case units": (
        "BalancerMember balancer://c http://h connectiontimeout=5mi acquire=5second\n"
    ),
    "an optional include that is missing": "IncludeOptional no/such/*.conf\n",
    "every balancer parameter": (
        TWO
        + "ProxyPass / balancer://c/ lbmethod=bybusyness stickysession=a|b stickysessionsep=,"
        " scolonpathdelim=on nofailover=off timeout=3 maxattempts=2 failonstatus=500,503"
        " failontimeout=on forcerecovery=off nonce=None growth=3\n"
    ),
    "every worker parameter": (
        "ProxyPass / http://${M1}/ loadfactor=1 retry=5 route=a redirect=b status=+I lbset=0 min=0"
        " max=9 smax=5 ttl=5 acquire=100 timeout=5 connectiontimeout=100ms ping=5 keepalive=on"
        " disablereuse=off addressttl=-1 iobuffersize=0 receivebuffersize=0 responsefieldsize=0"
        " flushpackets=auto flushwait=5 flusher=x upgrade=ANY secret=s\n"
    ),
    "all mapping directives": (
        ONE
        + "ProxyRequests Off\nProxyVia Off\nProxyTimeout 5\nProxyIOBufferSize"
        " 8192\nProxyReceiveBufferSize 0\nProxyMaxForwards -1\nProxyBadHeader"
        " IsError\nProxySourceAddress 127.0.0.1\nProxyBlock nowhere.test\nProxyPassInherit"
        " On\nProxyAddHeaders On\nProxyPassReverse /a http://${M1}\nProxyPassReverseCookiePath /b"
        " /a\nProxyPassReverseCookieDomain a b\n"
    ),
}

for what, text in REFUSED.items():
    scenario(f"{what} is refused", text, check_only=True, sees="refused")
for what, text in ACCEPTED.items():
    scenario(f"{what} is accepted", text, check_only=True, sees="ok")
scenario(
    "A block of a module that is loaded",
    """\
LoadModule cache_module /usr/lib/apache2/modules/mod_cache.so
<IfModule mod_cache.c>
ProxyPass /admin http://${M2}/
</IfModule>
"""
    + ONE,
    check_only=True,
)
scenario(
    "A block for the absence of a module that is loaded",
    """\
LoadModule cache_module /usr/lib/apache2/modules/mod_cache.so
<IfModule !mod_cache.c>
ProxyPass /admin http://${M2}/
</IfModule>
"""
    + ONE,
    check_only=True,
)
scenario(
    "what stands for a macro's parameter with @ is one word",
    (
        "<Macro M $name @value>\nHeader set $name @value\n</Macro>\n"
        "Use M Q \"two words\"\nUse M R 'a \"b\" \\c'\nUse M S plain\n"
        "<Macro V @host @member>\n<VirtualHost *:${PORT}>\nServerName @host\n"
        "ProxyPass / @member\n</VirtualHost>\n</Macro>\nUse V lb.test http://${M1}/80/\n"
        "<Macro L @path>\n<Location @path>\nHeader set L @path\n</Location>\n</Macro>\nUse L /x\n"
    ),
    get("/x"),
    sees="1",
)
scenario("A configuration without Listen", ONE, check_only=True, without_listen=True)
scenario(
    "A macro that opens a section and one that closes it",
    """\
<Macro Begin $path>
<Location $path>
</Macro>
<Macro End>
</Location>
</Macro>
Use Begin /x
Header set X y
Use End
"""
    + ONE,
    check_only=True,
)
