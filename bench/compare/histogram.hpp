#pragma once

// Counts of durations in buckets whose width grows with the value: 64 to each power of two, so that
// a percentile read back is at most 1.6 % too high, from nanoseconds to hours.
//
// Threads: one.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace steelyard::bench {

class Histogram {
 public:
  void add(std::chrono::nanoseconds duration) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    ++counts_[std::min(bucket_of(value), counts_.size() - 1)];
    ++total_;
    largest_ = std::max(largest_, duration);
  }

  std::uint64_t total() const { return total_; }
  std::chrono::nanoseconds largest() const { return largest_; }

  // The duration that `share` (0 to 1) of all did not exceed.
  std::chrono::nanoseconds percentile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) {
        const std::chrono::nanoseconds top(static_cast<std::int64_t>(upper_end_of(i)));
        return std::min(top, largest_);
      }
    }
    return largest_;
  }

 private:
  static constexpr std::size_t steps = 64;

  //   value < 64         a bucket each
  //   64 <= value        the power of two above 64, then its next six bits
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < steps) return value;
    const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 7;
    return (shift + 1) * steps + (value >> shift) - steps;
  }
  static std::uint64_t upper_end_of(std::size_t bucket) {
    if (bucket < steps) return bucket;
    const auto shift = bucket / steps - 1;
    return (steps + bucket % steps + 1) << shift;
  }

  std::array<std::uint64_t, steps * 38> counts_{};
  std::uint64_t total_ = 0;
  std::chrono::nanoseconds largest_{0};
};

}  // namespace steelyard::bench
