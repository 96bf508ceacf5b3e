// What `steelyard ctl help` says. One row a command, because it is a table.
#include <array>

#include "manage/ctl_words.hpp"

namespace steelyard::manage {

namespace {

struct Page {
  std::string_view command, text;
};

constexpr std::string_view overview =
    R"(steelyard ctl speaks to the server that runs, by its control socket.

Usage: steelyard ctl [-f FILE] [-d ROOT] [-D NAME] [-C LINE] [-c LINE] COMMAND ...
       steelyard ctl --socket PATH COMMAND ...

  members [--balancer NAME] [--json]             every member with its state and sessions
  top [--balancer NAME] [--json]                 every member with its load, once
  drain BALANCER MEMBER [--deadline TIME] [--sessions N] [--window TIME] [--kick]
        [--wait [--timeout TIME]]                take a member out of service
  undrain BALANCER MEMBER                        and back
  wait BALANCER MEMBER [--timeout TIME]          until its drain is over
  set BALANCER MEMBER STATUS                     httpd's status letters: +D, -D, +N, ...
  set BALANCER [MEMBER] FIELD=VALUE ...          parameters of a member or of the balancer
  add BALANCER URL [FIELD=VALUE ...]             a member more
  remove BALANCER MEMBER                         a member less
  history BALANCER MEMBER [--json]               what happened to a member's health
  changes [--balancer NAME] [--before N] [--json]  what operators changed, with numbers for undo
  undo NUMBER [--force]                          take one of these back
  export [--balancer NAME] [--at WHEN]           what is (or was) changed, as configuration
  generations [--json]                           the configurations that were loaded
  cluster [--json]                               how it does with the other instances
  help [COMMAND]

The socket is the one that the configuration names (SteelyardControlSocket; by default the pid
file's name with .ctl behind it). Who may use it: root, or the user who started the server.

BALANCER is app or balancer://app; where virtual hosts have their own: host:port/balancer://app, and
main/balancer://app for that of the main server. MEMBER is its URL, its host:port or its route.
TIME is seconds, or a number with ms, s, min or h. Whatever changes something takes --reason TEXT,
for the journal.

Exit status: 0 done; 1 no server, no such thing, or refused; 2 wrong usage. Of waiting: 0 drained,
3 the deadline passed with something left, 4 timed out while the drain goes on, 5 cancelled.
)";

constexpr std::array pages{
    Page{"members",
         R"(steelyard ctl members [--balancer NAME] [--json]

Lists members: state, load factor, exchanges under way (BUSY), requests so far (ELECTED), and for
sticky balancers how many sessions chose them within the last 1, 5, 15 and 60 minutes. 70+ means at
least 70; 70* that the count began within that time. WHY says what keeps a member from full service
and until when, whether a request shows just now if it serves again (on trial), and what was
ordered.
)"},
    Page{"top",
         R"(steelyard ctl top [--balancer NAME] [--json]
steelyard top [-f FILE] [-d ROOT] [-D NAME] [-C LINE] [-c LINE] [--socket PATH] [--balancer NAME]

Members with what they do: SHARE of the balancer's requests within the last seconds and the FAIR one
that load factors give, requests a second, exchanges under way (FLIGHT), failures and answers of
status 5xx within the last minute, half (P50) and 99 of 100 (P99) answers of that minute began
within so many milliseconds, bytes a second to and from the member, connections in use and idle, and
when the next health check is due. With ctl it is printed once.

steelyard top shows it in a terminal, once a second: q quits, < and > choose the column that sorts,
r turns the order round, p pauses, arrows and pages scroll. Where the output is no terminal it
prints the table and ends.
)"},
    Page{"drain",
         R"(steelyard ctl drain BALANCER MEMBER [--deadline TIME] [--sessions N] [--window TIME]
                    [--kick] [--wait [--timeout TIME]]

The member gets no new sessions from now on; its own stay (httpd's N). The drain is over, and the
member stopped (S), when the first of these is so:

  --deadline TIME   so much time has passed. Exchanges under way still finish.
  --sessions N      at most N sessions came within the window, and no exchange is under way.
  --window TIME     the window for sessions: 1s to 1h, by default 5min.
  --kick            do not keep sessions: they go elsewhere at once. It is over when no exchange
                    is under way.

Without --deadline, --sessions and --kick it has no end. --wait waits for the end, at most
--timeout. Another change to the member by an operator ends the order; a reload keeps it.

Exit status with --wait: 0 drained, 3 the deadline passed with sessions or exchanges left,
4 timed out (the drain goes on), 5 cancelled.

    steelyard ctl drain app 10.0.0.1:8080 --sessions 0 --deadline 30min --wait
)"},
    Page{"undrain",
         R"(steelyard ctl undrain BALANCER MEMBER

Ends a drain and takes back what it set: N, and S if the drain set it. Of a member that is not
drained nothing changes, which is no failure.
)"},
    Page{"wait",
         R"(steelyard ctl wait BALANCER MEMBER [--timeout TIME]

Waits until the drain of the member is over; at once if it is.

Exit status: 0 drained, 3 the deadline passed with sessions or exchanges left, 4 timed out,
5 cancelled, 1 no drain that could end was ordered.
)"},
    Page{"set",
         R"(steelyard ctl set BALANCER MEMBER STATUS
steelyard ctl set BALANCER [MEMBER] FIELD=VALUE ...

Fields are parameters of the configuration: connectiontimeout, hcexpr, hcfails, hcinterval,
hcmethod, hcpasses, hcshare, hcuri, lbset, loadfactor, redirect, retry, route and timeout of a
member; lbmethod, maxattempts, nofailover, stickysession and timeout of a balancer. Nothing
behind the equals sign is what holds when the configuration says nothing. All of them change, or
none.

STATUS sets and clears status letters, as in status= of httpd: +D disabled, +S stopped,
+N draining, +H hot standby, +R hot spare, +I ignore errors; with - they are cleared. -E forgets
an error, -C failed health checks; +C makes them count as failed until one passes. Several at once:
+D-N. A drain that was ordered for the member is cancelled.
)"},
    Page{"add",
         R"(steelyard ctl add BALANCER URL [FIELD=VALUE ...]

A member more, disabled unless status= says otherwise (status= with nothing behind it: in service
at once). Fields are those of set. At most growth= of them, or 100, can be added to a balancer; a
member that was removed comes back as the configuration has it. Of one that is there with these
fields nothing changes, which is no failure.
)"},
    Page{"remove",
         R"(steelyard ctl remove BALANCER MEMBER

A member less. Exchanges under way finish. One of the configuration stays away until the
configuration drops it or it is added again. Of one that is gone, by its URL or host:port, nothing
changes, which is no failure.
)"},
    Page{"changes",
         R"(steelyard ctl changes [--balancer NAME] [--before NUMBER] [--json]

What operators changed, the latest first: number, time, who, what, before and after, and why. Of all
time where there is a journal (BalancerPersist On, SteelyardJournal), else the last 1,000 of this
run. 100 at once; --before tells of those before the change of that number.
)"},
    Page{"undo",
         R"(steelyard ctl undo NUMBER [--force]

Takes back the change of that number. Refused when the field was changed again since, unless
--force.
)"},
    Page{"export",
         R"(steelyard ctl export [--balancer NAME] [--at NUMBER|MOMENT]

Prints what operators changed and what counts now as text of the configuration, to be put into a
file. It shows secret= and nonce= if there are any. With --at what counted after the change of that
number, or at that moment: --at 17, --at 2026-11-29T14:03:10Z. What has not come yet is refused.
)"},
    Page{"generations",
         R"(steelyard ctl generations [--json]

The configurations that were loaded since the start, with number and time; the last one runs.
)"},
    Page{"cluster",
         R"(steelyard ctl cluster [--json]

Whether the server is connected to the etcd of SteelyardCluster, since when, and if not, why; which
instances are there; which changes of this one are not shared yet; which of them lost against
somebody else's; and which of the others' count for nothing here, and why.
)"},
    Page{"history",
         R"(steelyard ctl history BALANCER MEMBER [--json]

The last changes of a member's state with time, cause and evidence, oldest first.
)"},
};

}  // namespace

std::string ctl_help(std::string_view command) {
  if (command.empty()) return std::string(overview);
  for (const Page& page : pages) {
    if (page.command == command) return std::string(page.text);
  }
  return {};
}

}  // namespace steelyard::manage
