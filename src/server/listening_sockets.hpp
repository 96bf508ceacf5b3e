#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "server/descriptor.hpp"

// The sockets of all Listen lines, one a shard and line (SO_REUSEPORT): the kernel spreads new
// connections over the shards.
//
// Threads: the main thread; the sockets are handed to the shards.

namespace steelyard::server {

// The sockets of one Listen line, in the order of the shards.
struct ListeningSockets {
  config::Listen listen;
  std::vector<Descriptor> sockets;
};

// How the listeners change from what is open to what a configuration wants.
struct ListenPlan {
  std::vector<ListeningSockets> opened;
  std::vector<config::Listen> closed;
};

// Opens what is wanted and not open yet. The error names the address and the line of the
// directive; then nothing has changed.
std::expected<ListenPlan, std::string> plan_listeners(const std::vector<config::Listen>& wanted,
                                                      const std::vector<config::Listen>& open,
                                                      std::size_t shards, std::uint32_t backlog);

}  // namespace steelyard::server
