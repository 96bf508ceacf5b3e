#pragma once

#include <algorithm>
#include <cstddef>

// How many lanes there may be at a time on an HTTP/2 connection to a member, as far as is known.
// What one connection learned the next ones begin with. Threads: a value.

namespace steelyard::proxy {

inline constexpr std::size_t lanes_max = 100;  // on one connection, if the member allows more

struct LaneRoom {
  // The member's (RFC 9113 6.5.2). Until it said: those of its last connection, where it may still
  // refuse what is too much now; of the first one a single lane.
  std::size_t by_settings = 1;
  std::size_t by_refusals = lanes_max;  // what it looked at beside each other when it refused more

  std::size_t lanes() const { return std::min({lanes_max, by_settings, by_refusals}); }
};

}  // namespace steelyard::proxy
