#pragma once

#include <optional>
#include <string>
#include <string_view>

// With which name and password a server is entered. Threads: pure.

namespace steelyard::ftp {

struct Login {
  std::string user = "anonymous", password = "apache-proxy@";  // httpd's
  // No password is known: a server that asks for one cannot be entered.
  bool has_password = true;
  bool is_clients = false;  // it came in Authorization
};

// Authorization: Basic comes first, then the member's URL ("user:password", percent-encoded).
// Empty texts: there is none. No value: what the client sent cannot be sent on (httpd: 400).
std::optional<Login> choose_login(std::string_view authorization, std::string_view userinfo);

}  // namespace steelyard::ftp
