#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.hpp"

// For a log line that a peer could ask for as often as it likes: told once in a while, and then
// with the number of those that were not told.
//
//   if (const auto untold = seldom.ask(now)) say(text, *untold);
//
// Threads: one owner.

namespace steelyard {

class Seldom {
 public:
  static constexpr Duration period = std::chrono::seconds(10);

  // How many were not told since the last one that was; nothing: neither is this one.
  std::optional<std::uint64_t> ask(Instant now) {
    if (now < quiet_until_) {
      ++untold_;
      return std::nullopt;
    }
    quiet_until_ = now + period;
    return std::exchange(untold_, 0);
  }

 private:
  Instant quiet_until_ = Instant::min();
  std::uint64_t untold_ = 0;
};

}  // namespace steelyard
