// How a member comes back: after an error, a failed check, being disabled or drained, or as a new
// one of a reload. Without slowstart= and reentry= it goes on where it stood, as with httpd.
//
//   note_return()      the status changes: the return is due
//   welcome()          the next choice: it gets the mean position of the others and its ramp begins
//
//   share of its factor
//     full  |            ________
//           |        _--
//           |    _--
//   first   |__--_________________ time
//           0           slowstart=
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace steelyard::balance {

inline constexpr std::uint32_t full_share = 1U << 16;
// A member that is asked nothing cannot show that it lives.
inline constexpr std::uint32_t first_share = full_share / 32;
// A ramp goes up in so many steps: each costs a look at every member.
inline constexpr int ramp_steps = 64;

struct Return {
  bool due = false;  // it came back and no choice was made since
  std::uint32_t share = full_share;
  Instant began{};         // of the ramp
  std::int64_t saved = 0;  // see Roster::save_turn()
};

// Where bytraffic counts from. All zero: from the beginning, as httpd.
struct TrafficBase {
  std::int64_t weight = 0;
  std::int64_t transferred = 0;
  std::int64_t read = 0;
};

// What a member's bytes weighed when they were last looked at.
struct Weighed {
  std::int64_t all_bytes = -1;
  std::int64_t weight = 0;
};

constexpr std::int64_t ramped(std::int64_t factor, std::uint32_t share) {
  const std::int64_t part = factor * share / full_share;
  return part > 0 ? part : 1;
}

}  // namespace steelyard::balance
