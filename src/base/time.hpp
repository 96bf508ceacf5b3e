#pragma once

#include <chrono>

// Two clocks, never mixed: Instant for waiting and measuring, WallTime for what people read.
// Nothing below io/ reads a clock; both come in as arguments.

namespace steelyard {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

constexpr Instant never = Instant::max();

}  // namespace steelyard
