#pragma once

#include <sys/socket.h>

#include "base/ip.hpp"

// Between our addresses and the system's.

namespace steelyard::io {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* pointer() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& endpoint);
// The zero endpoint for families other than IPv4 and IPv6.
Endpoint to_endpoint(const sockaddr& address);

}  // namespace steelyard::io
