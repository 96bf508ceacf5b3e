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
  mourn,          // no signal: the peer of mourn_when_closed() is gone
};

class Signals {
 public:
  static std::expected<Signals, std::string> block_and_listen();

  // Waits for an order, at most for `patience` (nullopt: as long as it takes).
  std::optional<Order> next(std::optional<Duration> patience);
  // Any thread: next() returns without an order.
  void interrupt();
  // Before next(): it says `mourn` once, as soon as the other end of `line` is closed. The line has
  // to stay open as long as next() is called.
  void mourn_when_closed(const Descriptor& line) { mourned_line_ = line.number(); }

 private:
  int mourned_line_ = -1;  // -1: none, or said already
  Descriptor source_, interruption_;
};

}  // namespace steelyard::server
