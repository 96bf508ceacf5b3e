#pragma once

#include <optional>
#include <string>

#include "balance/spec.hpp"

// Which checks a member can pass by what it speaks, and where they go. Threads: pure.
//
//   TCP                 all: a connection, and nothing is said
//   CPING               ajp
//   GET HEAD OPTIONS    http https ws wss h2 h2c in HTTP; fcgi scgi uwsgi as a request of theirs
//   OPTIONS             ftp: its greeting, and QUIT
//
// httpd takes every method for every member and sends HTTP/1 to all of them (CPING: AJP), so that
// the others never pass.

namespace steelyard::balance {

struct CheckObjection {
  std::string text, advice;
};
// None: the member can pass it, or is not checked.
std::optional<CheckObjection> objection_to_check(const MemberSpec& member);

// httpd: a check goes to host and port, whatever way requests take. A request of the CGI family,
// which httpd's checks do not know, goes where all of them go.
bool is_checked_on_its_socket(const MemberSpec& member);

}  // namespace steelyard::balance
