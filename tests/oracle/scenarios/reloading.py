"""Included files, and changing the configuration of a running program."""

from scenario import PLAIN, edit, get, reload, scenario

scenario(
    "included files in the order of their names",
    (
        "Include conf.d/*.conf\nIncludeOptional none/*.conf\nInclude one.inc\n<Location"
        " /a>\nInclude inner.inc\n</Location>\n"
    ),
    [get("/a"), get("/b"), get("/c"), get("/d")],
    files={
        "conf.d/20.conf": "ProxyPass /a http://${M2}\nProxyPass /b http://${M2}\n",
        "conf.d/10.conf": "ProxyPass /a http://${M1}\n",
        "conf.d/ignored.txt": "Nonsense\n",
        "one.inc": "Include deep/two.inc\nDefine LATER /d\n",
        "deep/two.inc": "ProxyPass /c http://${M1}/c\nProxyPass /d http://${M2}\n",
        "inner.inc": "Header set X-In included\n",
    },
    sees="1 2 1 2",
)
scenario(
    "an included directory includes all its files",
    "Include conf.d\n",
    [get("/a"), get("/b")],
    files={
        "conf.d/b/x.any": "ProxyPass /b http://${M2}\n",
        "conf.d/a": "ProxyPass /a http://${M1}\n",
    },
    sees="1 2",
)
scenario(
    "a graceful reload brings new mappings and keeps serving",
    "ProxyPass /a http://${M1}\nRedirect /generation http://g/1\n",
    [
        get("/a"),
        get("/b"),
        edit(
            "Redirect /generation http://g/1",
            "Redirect /generation http://g/2\nProxyPass /b http://${M2}",
        ),
        reload("USR1", until="http://g/2"),
        get("/a"),
        get("/b"),
    ],
    sees="1 404 1 2",
    ignore={"connections"},
)
scenario(
    "HUP brings new mappings",
    "ProxyPass /a http://${M1}\nRedirect /generation http://g/1\n",
    [
        get("/a"),
        edit(
            "Redirect /generation http://g/1",
            "Redirect /generation http://g/2\nProxyPass /b http://${M2}",
        ),
        reload("HUP", until="http://g/2"),
        get("/b"),
    ],
    sees="1 2",
    ignore={"connections"},
)
scenario(
    "member state across a graceful reload",
    PLAIN.replace("balancer://c/\n", "balancer://c/ failonstatus=500\n").replace(
        "ProxyPass /", "Redirect /generation http://g/1\nProxyPass /generation !\nProxyPass /"
    ),
    [
        get("/?status=500@M1"),
        get("/"),
        get("/"),
        edit("http://g/1", "http://g/2"),
        reload("USR1", until="http://g/2"),
        2 * [get("/")],
    ],
    ignore={"connections"},
    sees="500 2 2 1 2",
)
scenario(
    "a broken configuration at HUP",
    "ProxyPass /a http://${M1}\n",
    [get("/a"), edit("ProxyPass /a", "Nonsense\nProxyPass /a"), reload("HUP"), get("/a")],
    sees="1 none",
)
scenario(
    "a broken configuration at USR1",
    "ProxyPass /a http://${M1}\n",
    [get("/a"), edit("ProxyPass /a", "Nonsense\nProxyPass /a"), reload("USR1"), get("/a")],
    sees="1 none",
)
