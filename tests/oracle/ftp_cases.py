"""The cases of test_ftp.py: what is asked, how the member behaves, and where steelyard differs.

`seen` is what apache2 itself shows (test_ftp.summary), so that no case passes without doing what
its name says.
"""

import base64
from dataclasses import dataclass, field

from support.ftp_member import CLOSE

FILES = {
    "/a.txt": b"hello\n",
    "/empty": b"",
    "/page.html": b"<p>",
    "/we*ird": b"w",
    "/d/b.txt": b"b" * 10,
    "/d/my file.txt": b"x",
    "/d/e/f": b"1",
    "/a&b/c": b"1",
    "/d/e/x y/c": b"1",
    "/big": b"x" * 100_000,
}

CONFIG = """\
Timeout 2
AllowEncodedSlashes NoDecode
ProxyFtpDirCharset x-early
ProxyFtpDirCharset ISO-8859-1
<Location /types>
AddType text/html .html
</Location>
<Location /quiet>
ProxyFtpListOnWildcard Off
</Location>
<Location /plain>
ProxyFtpListOnWildcard Off
ProxyFtpEscapeWildcards Off
</Location>
<Location /signed>
ProxyFtpDirCharset utf-8
ServerSignature On
</Location>
<Proxy balancer://b>
BalancerMember ftp://${M}/d
</Proxy>
RewriteEngine On
RewriteRule ^/rewritten/(.*) ftp://${M}/$1 [P]
ProxyPass /raw ftp://${M}/ nocanon
ProxyPass /sub ftp://${M}/d
ProxyPass /b/ balancer://b/
ProxyPass /url/ ftp://joe:secret@${OTHER}/
ProxyPass /nowhere/ ftp://no.such.invalid/
ProxyPass /dead/ ftp://${DEAD}/
ProxyPass /types/ ftp://${M}/
ProxyPass /quiet/ ftp://${M}/
ProxyPass /plain/ ftp://${M}/
ProxyPass /signed/ ftp://${M}/
ProxyPass / ftp://${M}/
"""


@dataclass
class Case:
    name: str
    target: str
    seen: str = ""
    method: str = "GET"
    headers: tuple = ()
    options: dict = field(default_factory=dict)
    asks_less: bool = False  # refused before the member is asked


@dataclass
class Different:
    id: str
    text: str
    case: Case
    steelyard: str


def told(name, target, seen, headers=(), **replies):
    """The member says these instead; CWD_x is the command CWD x."""
    named = {word.replace("_", " "): reply for word, reply in replies.items()}
    return Case(name, target, seen, headers=headers, options={"replies": named})


def basic(text):
    return ("Authorization: Basic " + base64.b64encode(text.encode("latin1")).decode(),)


LINES = (
    b"total 5\r\n-rw-r--r-- 1 u g 3 Jan 1 10:00 my file.txt\r\n"
    b"drwxr-xr-x 1 u g 3 Jan 1 10:00 dir with\r\ndrwx 1 .\r\ndrwx 1 ..\r\n"
    b"lrwxrwxrwx 1 u g 3 Jan 1 10:00 li nk -> /target<b>\r\nlrwxrwxrwx 1 noarrow\r\n"
    b"lx -> y\r\nl a -> b -> c\r\n-rw <script>alert(1)</script> \"x'y&z\r\n"
    b"-rw 1 <script>\"'&%41?q#f;a:b\r\n-noblank\r\n  12 name.txt\r\n12 name.txt\r\n"
    b" 12  two.txt\r\n  x12 name\r\n01-02-24 10:00AM <DIR> games\r\n"
    b"01-02-24 10:00AM 12 <x>.txt\r\n\xe9\xff high\r\n-r 1 \xe9t\xc3\xa9\r\n"
    b"-r 1 a\x01b\x7fc\td\r\n-r 1 cr\rlf\r\n-r 1 nul\0x\r\n\r\n   \r\n-r trailing \r\n"
    b"javascript:alert(1) x\r\n-r javascript:alert(1)\r\nlast without an end"
)
LONG = b"-r 1 a\r\n-r 1 " + b"n" * 9000 + b"\r\n-r 3 end\r\n"

CASES = [
    Case("a file", "/a.txt", "200 hello"),
    Case("an empty file", "/empty", "200"),
    Case("a file in a directory", "/d/b.txt", "200 bbbbbbbbbb"),
    Case("a name with a blank", "/d/my%20file.txt", "200 x"),
    Case("a file in ascii", "/a.txt;type=a", "200 hello"),
    Case("a file in ebcdic", "/a.txt;type=E", "200 hello"),
    Case("a type of several letters", "/a.txt;type=iq", "200 hello"),
    Case("a parameter that is no type", "/a.txt;foo", "200 hello"),
    Case("a type that is none", "/a.txt;type=x", "400 (page)"),
    Case("a query", "/a.txt?x=1", "200 hello"),
    Case("a range", "/a.txt", "200 hello", headers=("Range: bytes=1-2",)),
    Case("a condition", "/a.txt", "200 hello",
         headers=("If-Modified-Since: Fri, 01 Mar 2024 00:00:00 GMT",)),
    Case("the root", "/", "200 a&amp;b/ a.txt big d/ empty page.html we*ird"),
    Case("a directory", "/d/", "200 b.txt e/ file.txt"),
    Case("a directory without a slash", "/d", "200 b.txt e/ file.txt"),
    Case("a directory by its type", "/d;type=d", "200 b.txt e/ file.txt"),
    Case("a file as a directory", "/a.txt;type=d", "200 a.txt big empty page.html we*ird"),
    Case("a pattern", "/we*", "200 a.txt big empty page.html we*ird"),
    Case("a home", "/~joe", "200 a.txt big empty page.html we*ird"),
    Case("a pattern that is a name", "/quiet/we*ird", "200 w"),
    Case("a pattern that is a plain name", "/plain/we*ird", "200 w"),
    Case("patterns on the way", "/we*/%5Bc/d", "404 (page)"),
    Case("another charset and a signature", "/signed/",
         "200 a&amp;b/ a.txt big d/ empty page.html we*ird"),
    Case("two slashes", "//d//b.txt", "200 bbbbbbbbbb"),
    Case("from the root", "/%2fd/b.txt", "200 bbbbbbbbbb"),
    Case("a list from the root", "/%2fd/", "200 b.txt e/ file.txt"),
    Case("the root itself", "/%2f", "200 a&amp;b/ a.txt big d/ empty page.html we*ird"),
    Case("a slash that is none", "/d%2fb.txt", "400 (page)", asks_less=True),
    Case("a slash that is none on the way", "/d%2fb/x", "400 (page)", asks_less=True),
    Case("a line end", "/a.txt%0d%0aX", "400 (page)"),
    Case("a byte above ascii", "/%ff", "400 (page)"),
    Case("a percent sign", "/%2523", "404 (page)"),
    Case("a mapping without a slash", "/raw/a.txt", "200 hello"),
    Case("a raw percent sign", "/raw/my%20file", "404 (page)"),
    Case("below a directory", "/sub/b.txt", "200 bbbbbbbbbb"),
    Case("the directory itself", "/sub", "200 b.txt e/ file.txt"),
    Case("a balancer", "/b/b.txt", "200 bbbbbbbbbb"),
    Case("a list of a balancer", "/b/", "200 b.txt e/ file.txt"),
    Case("by a rule", "/rewritten/d/b.txt?q", "200 bbbbbbbbbb"),
    Case("nothing there", "/nope", "404 (page)"),
    Case("no directory there", "/d/nope/x", "404 (page)"),
    Case("a name that leads nowhere", "/nowhere/x", "502 (page)"),
    Case("a port where nobody listens", "/dead/x", "503 (page)"),
    Case("a post", "/a.txt", "501 (page)", method="POST", headers=("Content-Length: 0",)),
    Case("a put", "/a.txt", "501 (page)", method="PUT", headers=("Content-Length: 0",)),
    Case("a delete", "/a.txt", "501 (page)", method="DELETE"),
    Case("a user", "/a.txt", "200 hello", headers=basic("joe:pw")),
    Case("a user without a password", "/a.txt", "200 hello", headers=basic("joe")),
    Case("no user", "/a.txt", "200 hello", headers=basic(":pw")),
    Case("a password with a colon", "/a.txt", "200 hello", headers=basic("joe:p:w")),
    Case("a line end in a user", "/a.txt", "400 (page)", headers=basic("joe\r\nDELE:x")),
    Case("a line end in percent signs", "/a.txt", "400 (page)", headers=basic("joe%0aDELE:x")),
    Case("another scheme", "/a.txt", "200 hello", headers=("Authorization: Bearer xyz",)),
    told("a member that is ready later", "/a.txt", "503 (page)", greeting="120 7 minutes"),
    told("a member that goes away", "/a.txt", "502 (page)", greeting="421 go away"),
    told("a member that is not ready", "/a.txt", "502 (page)", greeting="500 <b>bad</b>"),
    told("no reply", "/a.txt", "502 (page)", greeting="hello there"),
    told("a member that hangs up", "/a.txt", "502 (page)", greeting=CLOSE),
    told("a silent member", "/a.txt", "502 (page)", greeting=None),
    told("a long greeting", "/a.txt", "200 hello",
         greeting=b"220-hello <b>\r\n more\r\n220-x\r\n220 end\r\n"),
    told("a long welcome", "/d/", "200 b.txt e/ file.txt",
         PASS=b"230-hello <b>\r\n more\r\n230-x\r\n2300 q\r\n230 end\r\n"),
    told("a welcome of long lines", "/d/", "200 b.txt e/ file.txt",
         PASS=b"230-" + b"a" * 100 + b"\r\n " + b"b" * 100 + b"\r\n230 " + b"c" * 100 + b"\r\n"),
    told("line feeds alone", "/d/", "200 b.txt e/ file.txt", PASS=b"230-one\n two\n230 end\n"),
    told("a reply without an end", "/a.txt", "502 (page)", PASS=b"230-one\r\ntwo\r\n"),
    told("no password wanted", "/a.txt", "200 hello", USER="230 in"),
    told("a superfluous password", "/a.txt", "200 hello", PASS="202 not needed"),
    told("an unknown user", "/a.txt", "401 (page)", USER="530 no"),
    told("a wrong password", "/a.txt", "401 (page)", PASS="530 no"),
    told("a client's wrong password", "/a.txt", "401 (page)", basic("joe:pw"), PASS="530 no"),
    told("an account wanted", "/a.txt", "401 (page)", PASS="332 account"),
    told("an account wanted at once", "/a.txt", "502 (page)", USER="332 account"),
    told("a refused password", "/a.txt", "502 (page)", PASS="500 whatever"),
    told("a refused directory", "/d/b.txt", "502 (page)", CWD="500 huh"),
    told("a member that goes away later", "/d/b.txt", "502 (page)", CWD="421 huh"),
    told("no extended passive mode", "/a.txt", "200 hello", EPSV="500 what"),
    told("an odd extended passive reply", "/a.txt", "200 hello", EPSV="229 nothing"),
    told("a port that is none", "/a.txt", "200 hello", EPSV="229 x (|||99999|)"),
    told("a refused extended passive mode", "/a.txt", "502 (page)", EPSV="530 no"),
    told("no passive mode", "/a.txt", "502 (page)", EPSV="500 what", PASV="500 what"),
    Case("a data port where nobody listens", "/a.txt", "502 (page)", options={"refuses": True}),
    Case("a passive port where nobody listens", "/a.txt", "502 (page)",
         options={"refuses": True, "replies": {"EPSV": "500 what"}}),
    Case("another address for the data", "/a.txt", "403 (page)",
         options={"pasv_host": "127.0.0.2", "replies": {"EPSV": "500 n"}}),
    told("no types", "/a.txt", "200 hello", TYPE="500 n"),
    told("a type and then nothing", "/a.txt", "502 (page)", TYPE=CLOSE),
    told("no sizes", "/a.txt", "200 hello", SIZE="500 n"),
    told("a size that is none", "/a.txt", "200 hello", SIZE="213 abc"),
    told("a negative size", "/a.txt", "200 hello", SIZE="213 -5"),
    told("a size with more behind it", "/a.txt", "200 hello", SIZE="213 6x"),
    told("a size and then nothing", "/a.txt", "502 (page)", SIZE=CLOSE),
    told("no directory told", "/d/", "200 b.txt e/ file.txt", PWD="500 n"),
    told("a directory in quotes", "/d/", "200 b.txt e/ file.txt", PWD='257 "/a ""q"" <b>" is'),
    told("a directory without quotes", "/d/", "200 b.txt e/ file.txt", PWD="257 /abc is"),
    told("a directory without slashes", "/d/", "200 b.txt e/ file.txt", PWD='257 "VMS" is'),
    told("no times", "/a.txt", "200 hello", MDTM="550 n"),
    told("a time with a fraction", "/a.txt", "200 hello", MDTM="213 20240229123456.123"),
    told("a time and then nothing", "/a.txt", "502 (page)", MDTM=CLOSE),
    told("no file to fetch", "/a.txt", "404 (page)", RETR="550 n"),
    told("a directory that has a size", "/d", "200 b.txt e/ file.txt", SIZE="213 4"),
    told("a busy file", "/a.txt", "502 (page)", RETR="450 busy"),
    told("no lists", "/", "502 (page)", LIST="500 x"),
    told("no list there", "/", "502 (page)", LIST="550 x"),
    told("no goodbye", "/a.txt", "200 hello", QUIT=None),
    Case("lines of all kinds", "/", "", options={"listings": {"/": LINES}}),
    Case("a line that is too long", "/", options={"listings": {"/": LONG}}),
    Case("an empty list", "/", "200", options={"listings": {"/": b""}}),
]

DIFFERENT = [
    Different(
        "ftp-head",
        "HEAD is answered with what GET would tell, and nothing is fetched for it; httpd fetches"
        " the file, and then mostly answers 500.",
        Case("a head", "/a.txt", "500", method="HEAD"),
        "200",
    ),
    Different(
        "ftp-url-login",
        "User and password of the member's URL are used when the client sends none; httpd looks for"
        " them in the client's own URL and stays anonymous.",
        Case("a user in the url", "/url/a.txt", "401 (page)"),
        "200 hello",
    ),
    Different(
        "ftp-directories",
        "A path has at most a hundred directories, each of which costs a command; more are a 400."
        " httpd walks through any number.",
        Case("more than a hundred directories", "/" + 101 * "x/", "404 (page)"),
        "400 (page)",
    ),
    Different(
        "ftp-active",
        "A data connection is always made from here (EPSV, PASV). A server that can do neither is a"
        " 502; httpd then listens for a connection from the server (PORT), which fails behind"
        " address translation, and when the server is on the same machine with 500.",
        told("neither way to the data", "/a.txt", "500 (page)", EPSV="500 n", PASV="502 n"),
        "502 (page)",
    ),
    Different(
        "ftp-final-reply",
        "An answer is complete when the server says so (226, 250); otherwise the client's"
        " connection breaks off, and the last byte of a file whose size is known waits for it. httpd does not"
        " look at the final reply.",
        told("a transfer that failed", "/a.txt", "200 hello", end="426 broken"),
        "200 hello cut",
    ),
    Different(
        "ftp-cut",
        "So it is when the data connection breaks; httpd ends the body as if it were whole.",
        Case("a broken data connection", "/a.txt", "200 hel",
             options={"cut": 3, "replies": {"SIZE": "500 n"}}),
        "200 hel cut",
    ),
    Different(
        "ftp-size",
        "More or fewer bytes than SIZE told end the client's connection; httpd sends them all under"
        " the Content-Length that SIZE gave, and what is too much looks like another answer.",
        told("a wrong size", "/big", "200 x...", SIZE="213 70000"),
        "200 x... cut",
    ),
    Different(
        "ftp-base",
        "The address of a listing's page (`<base href>`) is encoded like its links, blanks as %20;"
        " httpd writes a blank there, which is no URL.",
        Case("a list of a directory with a blank", "/d/e/x%20y/", "200 c"),
        "200 c",
    ),
    Different(
        "ftp-links",
        "No link of a listing leads to another host: a name that begins with a slash gets `./` in"
        " front of it.",
        Case("a name with slashes", "/", "200 //evil/x",
             options={"listings": {"/": b"-r //evil/x\r\n"}}),
        "200 .///evil/x",
    ),
    Different(
        "ftp-times",
        "A time that does not exist gives no Last-Modified; httpd sends another one.",
        told("a time that does not exist", "/a.txt", "200 hello Wed, 19 Feb 2025 12:34:56 GMT",
             MDTM="213 20241350123456"),
        "200 hello",
    ),
    Different(
        "ftp-content-type",
        "Files have no Content-Type: nothing here knows types of files. With mod_mime httpd goes by"
        " the name. `Header setifempty Content-Type ...` sets one.",
        Case("a file with a type", "/types/page.html", "200 <p> text/html"),
        "200 <p>",
    ),
]
