#pragma once

#include <cstdint>
#include <string_view>

// The protocols that a member's URL can name. Threads: any.

namespace steelyard::balance {

struct Scheme {
  std::string_view name;
  std::uint16_t port;       // when the URL names none (httpd's)
  std::string_view module;  // httpd's that speaks it; empty: no further one is needed
  bool is_tls = false;
  bool is_spoken = false;  // by this version
};

// In any case. Null: httpd does not know it either.
const Scheme* scheme_named(std::string_view name);
// 0: none is known.
std::uint16_t default_port(std::string_view scheme);
bool is_tls_scheme(std::string_view scheme);
// "http://, https:// and ws://": those that are spoken.
std::string_view spoken_schemes();

}  // namespace steelyard::balance
