#pragma once

#include <optional>
#include <span>

#include "io/dialer.hpp"

// An answer to a question for SRV records (RFC 2782), as it came from a name server.
//
// Pure; whatever the bytes are.

namespace steelyard::io {

// No value: the bytes are no such answer. An empty list: the name has no services, which one
// record with the target "." says too.
std::optional<NameReply> read_srv_reply(std::span<const unsigned char> message);

}  // namespace steelyard::io
