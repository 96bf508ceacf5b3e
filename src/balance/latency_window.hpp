// How long a member took to begin its answers in one window of time: a histogram of which a median
// is taken when the window is over.
//
//   places    0 .. 15          one a microsecond
//             16 a doubling    up to 2^32 us: each 6 per cent or less wide
//
// Threads: observe() from any; take() from one at a time. An answer that is observed while the
// window is taken counts in this one or the next.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "balance/ejection_spec.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

struct MedianTime {
  std::uint64_t answers = 0;
  Duration median{0};
};

class LatencyWindow {
 public:
  void observe(Duration took);
  // What was observed since the last take().
  MedianTime take();

 private:
  static constexpr std::size_t places = 28 * 16 + 16;
  static std::size_t place_of(Duration took);

  std::array<std::atomic<std::uint32_t>, places> counts_{};
};

// Members with fewer answers in a window are not compared, and fewer members tell nothing.
inline constexpr std::uint64_t measured_answers_min = 10;
inline constexpr std::size_t measured_members_min = 3;

struct Outlier {
  std::size_t which = 0;  // of those that were compared
  Duration median{0};
  Duration group{0};  // the median of all medians
  // "median 310 ms, group 42 ms"
  [[nodiscard]] std::string text() const;
};

// Those that took too long, the slowest first.
[[nodiscard]] std::vector<Outlier> find_outliers(std::span<const MedianTime> members,
                                                 const SlowLimit& limit);

}  // namespace steelyard::balance
