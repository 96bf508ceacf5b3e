#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// The host that a client names in its handshake.
//
// Pure; whatever the bytes are.

namespace steelyard::tls {

// RFC 6066 3: the content of a server_name extension. Empty when it names no host, or is malformed.
std::string_view host_named_in(std::span<const std::uint8_t> extension);

}  // namespace steelyard::tls
