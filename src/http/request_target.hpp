// The request target and its authority (RFC 9112 3.2), and the Host field's syntax (httpd's rules).
//
// Threads: pure functions; views into the given text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace steelyard::http {

struct HostPort {
  std::string_view host;              // IPv6 in its brackets; case and trailing dot as received
  std::optional<std::uint16_t> port;  // absent when there was none, or nothing after the colon
};
// "name", "name:port", "[v6]:port". Nothing when httpd would answer 400: empty, "a..b", "a,b", only
// digits and dots that are no address ("1.2.3", "10"), a port outside 1 to 65535, other bytes.
// Underscores pass (httpd).
[[nodiscard]] std::optional<HostPort> split_host(std::string_view text) noexcept;

struct RequestTarget {
  enum class Form : std::uint8_t {
    origin,     // "/path?query"
    absolute,   // "http://host/path?query"
    authority,  // "host:port" of CONNECT
    asterisk,   // "*" of OPTIONS
  };
  Form form = Form::origin;
  std::string_view text;       // as received
  std::string_view scheme;     // absolute only, case as received
  std::string_view authority;  // absolute and authority only, without user information
  std::string_view path;   // still encoded; "/" for "http://host"; empty for authority, "*" for *
  std::string_view query;  // behind the first '?', without it
  bool has_query = false;  // tells "/a?" from "/a"
};

enum class TargetFault : std::uint8_t { malformed, control_byte, fragment, bad_authority };
// Splits; does not decode. `is_connect` and `is_options` say which forms the method allows.
struct TargetMethod {
  bool is_connect = false;
  bool is_options = false;
};
[[nodiscard]] std::optional<TargetFault> split_target(std::string_view text, TargetMethod method,
                                                      RequestTarget& target) noexcept;

}  // namespace steelyard::http
