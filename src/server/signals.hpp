#pragma once

#include <expected>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "server/descriptor.hpp"

// The signals that steer the server, as httpd has them, received as plain values by one thread.
//
// Invariants: 1. made before any other thread, which then all have these signals blocked.
// Threads: next() is the main thread's; interrupt() any.

namespace steelyard::server {

enum class Order {
  stop,           // TERM, INT
  restart,        // HUP
  graceful,       // USR1
  graceful_stop,  // WINCH
};

class Signals {
 public:
  static std::expected<Signals, std::string> block_and_listen();

  // Waits for an order, at most for `patience` (nullopt: as long as it takes).
  std::optional<Order> next(std::optional<Duration> patience);
  // Any thread: next() returns without an order.
  void interrupt();

 private:
  Descriptor source_, interruption_;
};

}  // namespace steelyard::server
