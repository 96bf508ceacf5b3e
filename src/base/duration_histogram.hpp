#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"
#include "base/time.hpp"

// How long things took, by powers of two:
//
//   place     0            1         2       ...   19         20
//   up to     0.125 ms     0.25 ms   0.5 ms  ...   65.536 s   without end        bounds inclusive
//
// Threads: observe() and add() are one thread's; all else is anybody's.

namespace steelyard {

class DurationHistogram {
 public:
  static constexpr std::size_t bound_count = 20;
  static constexpr Duration first_bound = std::chrono::microseconds(125);
  static constexpr Duration bound(std::size_t place) {
    return first_bound * (std::int64_t{1} << place);
  }

  void observe(Duration took) {
    const auto nanoseconds = static_cast<std::uint64_t>(std::max(took, Duration(0)).count());
    counts_[place_of(nanoseconds)].add();
    sum_nanoseconds_.add(nanoseconds);
  }
  // What another one holds.
  void add(const DurationHistogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i].add(other.counts_[i].value());
    sum_nanoseconds_.add(other.sum_nanoseconds_.value());
  }

  // Of one place alone, up to bound_count.
  std::uint64_t count(std::size_t place) const { return counts_[place].value(); }
  Duration sum() const { return Duration(static_cast<std::int64_t>(sum_nanoseconds_.value())); }

 private:
  static std::size_t place_of(std::uint64_t nanoseconds) {
    constexpr auto unit = static_cast<std::uint64_t>(first_bound.count());
    if (nanoseconds == 0) return 0;
    return std::min(static_cast<std::size_t>(std::bit_width((nanoseconds - 1) / unit)),
                    bound_count);
  }

  std::array<Counter, bound_count + 1> counts_;
  Counter sum_nanoseconds_;
};

}  // namespace steelyard
