#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/ip.hpp"

// Networks of clients in access rules. Threads: pure.

namespace steelyard::expr {

// Not a host name: digits and dots, or colons.
bool looks_like_address(std::string_view word);

// As IpNetwork::parse, but a mask needs a full address (httpd). The error is httpd's.
std::expected<IpNetwork, std::string> parse_client_network(std::string_view word);

}  // namespace steelyard::expr
