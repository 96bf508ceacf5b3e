#pragma once

#include <optional>
#include <string>
#include <string_view>

// User and password of an Authorization or Proxy-Authorization field (RFC 7617). Pure.

namespace steelyard::http {

struct Credentials {
  std::string user, password;
};

// Of "Basic dXNlcjpwYXNz"; nothing when it names another scheme. httpd reads what there is: text
// that is cut or no base64 at all gives a part of the name or none, which nobody has.
std::optional<Credentials> read_basic_credentials(std::string_view value);

// The value that says so. A user with a colon cannot be said.
std::string write_basic_credentials(std::string_view user, std::string_view password);

}  // namespace steelyard::http
