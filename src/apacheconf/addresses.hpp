#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace steelyard::apacheconf {

// "host:port", "port", "host", "[v6]:port": what Listen and <VirtualHost> take. Digits behind the
// last colon are the port, so "::1:80" is ::1 and 80, as in httpd.
struct HostPort {
  std::string host;  // without brackets; empty: only a port was written
  std::optional<std::uint16_t> port;
};

// No value: a port outside 1..65535, a colon with nothing behind it, a bracket that never closes.
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace steelyard::apacheconf
