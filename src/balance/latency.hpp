// How long a member takes to begin its answer: a peak-sensitive moving average.
//
// A slower answer counts at once, faster ones pull the average down over `memory`, and time without
// any answer does so too, so that a member that was slow once is asked again.
//
//   cell   [ float: seconds | milliseconds on the clock, modulo 2^32 ]     0: never measured
//
// Threads: any; one atomic word, written by compare and exchange.
#pragma once

#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace steelyard::balance {

class Latency {
 public:
  static constexpr std::chrono::milliseconds memory{10'000};

  void observe(Duration took, Instant now) {
    constexpr float shortest = 1e-6F;  // so that a measured member is never taken for a new one
    const float seconds = std::fmax(std::chrono::duration<float>(took).count(), shortest);
    const std::uint32_t stamp = milliseconds_of(now);
    std::uint64_t old = cell_.load(std::memory_order_relaxed);
    while (true) {
      float average = seconds;
      if (old != 0 && seconds < seconds_in(old)) {
        const float kept = remainder_of(old, stamp);
        average = seconds_in(old) * kept + seconds * (1 - kept);
      }
      const std::uint64_t fresh =
          (std::uint64_t{std::bit_cast<std::uint32_t>(average)} << 32) | stamp;
      if (cell_.compare_exchange_weak(old, fresh, std::memory_order_relaxed)) return;
    }
  }

  // In seconds; none before the first answer.
  [[nodiscard]] std::optional<float> expected(Instant now) const {
    const std::uint64_t cell = cell_.load(std::memory_order_relaxed);
    if (cell == 0) return std::nullopt;
    return seconds_in(cell) * remainder_of(cell, milliseconds_of(now));
  }

 private:
  static std::uint32_t milliseconds_of(Instant now) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  }
  static float seconds_in(std::uint64_t cell) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(cell >> 32));
  }
  // How much of what `cell` says still counts. A clock read a little earlier on another shard is no
  // time at all.
  static float remainder_of(std::uint64_t cell, std::uint32_t stamp) {
    const auto elapsed = static_cast<std::int32_t>(stamp - static_cast<std::uint32_t>(cell));
    if (elapsed <= 0) return 1;
    return std::exp(-static_cast<float>(elapsed) / static_cast<float>(memory.count()));
  }

  std::atomic<std::uint64_t> cell_ = 0;
};

}  // namespace steelyard::balance
