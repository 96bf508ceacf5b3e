#!/usr/bin/python3
"""Writes docs/deviations.md from deviations.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cgi_cases  # noqa: E402
import deviations  # noqa: E402
import ftp_cases  # noqa: E402
import health_cases  # noqa: E402
import http2_cases  # noqa: E402
import http2_directives  # noqa: E402
import http2_member_cases  # noqa: E402
import http2_tunnels  # noqa: E402

TARGET = Path(__file__).resolve().parents[2] / "docs/deviations.md"

HEAD = """\
# Where Steelyard differs from httpd on purpose

With a plain httpd configuration Steelyard does what httpd does, observed from the client, from the
member and in the access log. The exceptions are below; each row has a scenario in `tests/oracle`
that runs the same configuration and the same requests against the real apache2 and against Steelyard
and fails when either stops doing what the row says. The two result columns have one word for each
answer: the digit of the member that gave a 200, else the status, `0.9` for an answer without a head,
`none` for no answer.

| id | what differs, and why | httpd | Steelyard | scenario |
|---|---|---|---|---|
"""

NAMES = """
## Names

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
| `name-ttl` | Without `addressttl=` a name is looked up again when the TTL of its answer is over (1 s to 1 h), and pooled connections to addresses that are gone are not used. httpd looks it up once for each process and keeps what it found until all of it fails. Who wants that writes `addressttl=-1`. An answer only ever takes the place of another one, so nobody loses a member by it. | once | by its TTL |
| `name-known-early` | Names are looked up before the first request needs them. | at the first request | at the start |

Tests need a name server that they can script, which httpd cannot be given without changing the
machine: `tests/e2e/test_names.py` and `src/names/watcher_test.cpp`.
"""

PASSWORDS = """
## Passwords

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
| `users-file-changes` | A file of users or groups that was changed counts within a second; httpd reads it for each request. | at once | within a second |
| `users-crowd` | Passwords are checked by a few threads, in turns by client address; beyond 256 waiting for an address, 1024 for all or 20 seconds the answer is 503. httpd checks them where the request is served, so guesses take the place of other requests. | waits | `503` |

`src/auth/checker_test.cpp`, `src/auth/line_test.cpp`, `src/proxy/admission_test.cpp` and `tests/e2e/test_users.py` hold them. The rest is compared with
httpd in `tests/oracle/scenarios/users.py`.
"""

MANAGER = """
## The balancer-manager

`tests/oracle/test_manager.py` compares pages, forms, XML and effects line by line, and
`docs/balancer_manager.md` lists what differs. Two rows of it can turn a configuration that worked into
one that refuses:

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
| `manager-left-open` | A manager that no `Require` protects, or one that lets everybody in, answers clients on this machine alone; `-t` and the start tell how to open it on purpose. | anybody | this machine |
| `manager-foreign-post` | A POST whose `Origin` or `Sec-Fetch-Site` tells of another site loses its parameters, as one with a foreign `Referer` does in httpd. | acts | ignored |
"""

TAIL = """
The comparison also leaves out, for every request: the `Date` of the moment, the program's own
`Server` banner (and the banner in `Via` with `ProxyVia Full`), and the wording of pages the program
generates itself (their status, title and heading are compared) with its length and the byte counts
that depend on it; `%I` of a kept connection's later requests (httpd counts bytes read ahead), `%O` of
a chunked answer, and `%f` where httpd names a file of its document root, which Steelyard does not
have. Of a request that could not be read only the status is compared in the log.

What httpd itself leaves to chance cannot be compared: a `SetEnvIfExpr` whose condition matched no
pattern with groups gives `$0` to `$9` in its values whatever lay in memory; Steelyard takes the value
as it is written.

This file is written by `tests/oracle/document.py`; a test holds it to the list it comes from.
"""


HEALTH = """
## Health checks

They run by the clock, so `tests/oracle/test_health.py` compares them by what happens after each
check: `M` the checked member serves, `o` only another one does.

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
"""

# Of tests/oracle/test_checks_of_other_protocols.py.
HEALTH_IN_OTHER_PROTOCOLS = """\
| `health-cgi` | A check of a FastCGI, SCGI or uwsgi member by GET, HEAD or OPTIONS is a request in the member's protocol; httpd sends HTTP/1 there, which no such member passes. | `503` | `200` |
| `health-http2` | A check of an `h2://` or `h2c://` member asks in HTTP/2; httpd asks in HTTP/1, which a member that speaks HTTP/2 alone never passes. | `503` | `200` |
| `health-cgi-socket` | Such a check of a FastCGI, SCGI or uwsgi member on a Unix socket goes to the socket, as requests do; httpd's checks go to the host and port of the URL (so do those by TCP here). | host and port | the socket |
| `health-unfit` | A check that the member cannot pass, since it speaks something else (CPING of any but AJP; GET and the like of AJP, GET and HEAD of FTP), is a fault of the configuration; httpd takes it and never uses the member again. | `503` | `-t` fails |

The last four are about members that do not speak HTTP/1: `tests/oracle/test_checks_of_other_protocols.py` has
a client ask both programs with such a member, `tests/e2e/test_cgi_checks.py` and `src/balance/check_fit_test.cpp` have the rest.
"""


CGI = """
## FastCGI, SCGI and uwsgi members

`tests/oracle/test_cgi.py` compares what members are told and what clients get. Both sides also differ
in what is their own: `SERVER_SOFTWARE`, `SERVER_SIGNATURE`, which is empty here, and `PATH`, which is
the server's own there and `/usr/local/bin:/usr/bin:/bin` here; and in the `SCRIPT_FILENAME` of uwsgi
members, which is encoded here and sometimes decoded there. Where a script by `SetHandler` ends is
told by its name here, by the file system there.

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
"""


TLS = """
## TLS

[tls.md](tls.md) ends with the table of these differences, each with the test that plays it.
"""


HTTP2 = """
## HTTP/2 with clients

`tests/oracle/test_http2_cases.py` plays the same frames at both, `tests/oracle/test_http2_directives.py`
tries what directives do, `tests/oracle/test_http2_tunnels.py` asks for tunnels to PLACE. A row shows
status, body and end of the stream (`RST` with its code), what the access log says, and where that is
the difference what PLACE heard.

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
"""


HTTP2_MEMBERS = """
## HTTP/2 members

`tests/oracle/test_http2_member_cases.py` has a member say the same frames to both. A row shows status and body
at the client (`cut`: known to be less than the whole), or the field that the member got. A member that ends
a connection on which it never answered is in error, and what is idempotent goes to another one, as in
httpd. What it may have acted on, httpd sends again there; here nothing else is sent twice
(`tests/e2e/test_http2_refusals.py`).

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
"""


FTP = """
## FTP members

`tests/oracle/test_ftp.py` compares the conversation that a server sees and what the client gets. A
path with `%2f` elsewhere than at its front is refused before the server is asked, by httpd in the
middle of the conversation.

| id | what differs, and why | httpd | Steelyard |
|---|---|---|---|
"""


def health_row(different):
    told = f"| `{different.id}` | {different.text} "
    return told + f"| `{different.case.seen}` | `{different.steelyard}` |\n"


def text():
    rows = "".join(
        f"| `{d.id}` | {d.text} | `{d.httpd}` | `{d.steelyard}` | `{d.scenario}` |\n"
        for d in deviations.DEVIATIONS
    )
    health = "".join(health_row(different) for different in health_cases.DIFFERENT)
    cgi = "".join(health_row(different) for different in cgi_cases.DIFFERENT)
    ftp = "".join(health_row(different) for different in ftp_cases.DIFFERENT)
    over_http2 = [*http2_cases.DIFFERENT, *http2_directives.DIFFERENT,
                  *http2_tunnels.DIFFERENT]
    to_http2 = "".join(health_row(different) for different in http2_member_cases.DIFFERENT)
    http2 = "".join(health_row(different) for different in over_http2)
    return (HEAD + rows + TLS + HTTP2 + http2 + HEALTH + health + HEALTH_IN_OTHER_PROTOCOLS
            + CGI + cgi + HTTP2_MEMBERS + to_http2 + FTP + ftp + NAMES + PASSWORDS
            + MANAGER + TAIL)


if __name__ == "__main__":
    TARGET.write_text(text())
