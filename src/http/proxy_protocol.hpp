#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "base/ip.hpp"

// The PROXY protocol: what a proxy in front of a server writes at the start of a connection to say
// for whom it speaks (HAProxy's proxy-protocol.txt, versions 1 and 2). Sans-I/O, both directions.
//
//   version 1:  PROXY TCP4 192.0.2.1 192.0.2.9 51000 443\r\n
//   version 2:  signature[12] version|command[1] family|transport[1] length[2] addresses, extras
//
// What follows the header is another protocol's, maybe TLS, so nobody may read beyond it: the
// reader says how many bytes surely are still the header's, and is asked again when they came.
// Threads: pure functions.

namespace steelyard::http {

// httpd's limits: the longest line it reads, and the longest binary header.
inline constexpr std::size_t proxy_line_bytes_max = 108;
inline constexpr std::size_t proxy_header_bytes_max = 232;

struct ProxyHeader {
  std::size_t needed = 0;     // more bytes of the header, at least; 0: it is complete
  bool names_client = false;  // else LOCAL or UNKNOWN: who dialed is the client
  Endpoint client;
};

// `received`: the connection's first bytes, none beyond what was asked for. The error is httpd's
// line for its log, or empty when the bytes are no such header at all.
std::expected<ProxyHeader, std::string> read_proxy_header(std::string_view received);

enum class ProxyVersion : std::uint8_t { v1 = 1, v2 = 2 };

// The header that says: `client` dialed `server`. Returns its length; `room` has at least
// proxy_line_bytes_max bytes.
std::size_t write_proxy_header(ProxyVersion version, const Endpoint& client, const Endpoint& server,
                               std::span<char> room);

// The one that says: this is about nobody but who dialed.
[[nodiscard]] std::string_view own_proxy_header(ProxyVersion version);

}  // namespace steelyard::http
