#pragma once

#include <algorithm>
#include <cstddef>

// How the descriptors that the system lets us have are shared out.

namespace steelyard::server {

// For logs, listeners, event loops, name lookups; of a small limit a quarter.
inline constexpr std::size_t reserved_descriptors = 64;

// Half of what is left is for clients: each may need a connection to a member. Who comes when all
// are in use waits in the kernel's queue, as with httpd's MaxRequestWorkers.
constexpr std::size_t client_connections_max(std::size_t descriptors) {
  const std::size_t reserve = std::min(reserved_descriptors, descriptors / 4);
  return std::max<std::size_t>(1, (descriptors - reserve) / 2);
}

}  // namespace steelyard::server
