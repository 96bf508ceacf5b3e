#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/time.hpp"

// So many a second and no more, with as many at once as fall into a second.
//
// A request moves the moment `due_` on by its share of a second; who finds it more than a second
// ahead is too many.
//
// Threads: any.

namespace steelyard::server {

class RateLimit {
 public:
  // 0: nobody.
  void set(std::uint32_t a_second) { a_second_.store(a_second, std::memory_order_relaxed); }

  bool admits(Instant now) {
    const std::uint32_t a_second = a_second_.load(std::memory_order_relaxed);
    if (a_second == 0) return false;
    const Duration share = Duration(std::chrono::seconds(1)) / a_second;
    std::int64_t due = due_.load(std::memory_order_relaxed);
    while (true) {
      const Instant from = std::max(now, Instant(Duration(due)));
      if (from + share > now + std::chrono::seconds(1)) return false;
      const std::int64_t next = (from + share).time_since_epoch().count();
      if (due_.compare_exchange_weak(due, next, std::memory_order_relaxed)) return true;
    }
  }

 private:
  std::atomic<std::uint32_t> a_second_{0};
  std::atomic<std::int64_t> due_{0};  // nanoseconds of the steady clock
};

}  // namespace steelyard::server
