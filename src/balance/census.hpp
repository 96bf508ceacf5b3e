// How many sessions a member serves: the distinct session values that chose it within the last
// minutes, exactly as long as they are not too many.
//
//   hash of the value ──▶ [ hash | last tick ] [ empty ] [ hash | last tick ] ...
//                          open addressing, 64 slots at first, doubled when three quarters are used
//
// What was not seen within `window_max` is swept out when the table is full, in place: a table that
// is large enough never asks for memory again.
//
// Invariants
//   1. Below `tokens_max` values within `window_max` every count is exact, to a tick. It may say
//      "at least" all the same, as long as its window reaches back to a value that was not taken.
//   2. Beyond it further values are not taken, and counts of windows that miss any say so.
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.hpp"

namespace steelyard::balance {

struct SessionCount {
  std::uint32_t sessions = 0;
  bool at_least = false;  // there were more values than the census takes
  bool whole = true;      // false: it began within the window, what was before is not known
};

class Census {
 public:
  static constexpr std::size_t tokens_max = 65'536;
  static constexpr Duration window_max = std::chrono::hours(1);
  static constexpr Duration tick = std::chrono::milliseconds(100);
  // What an operator is shown.
  static constexpr std::array<std::chrono::minutes, 4> windows{
      std::chrono::minutes(1), std::chrono::minutes(5), std::chrono::minutes(15),
      std::chrono::minutes(60)};

  // Counts are about the time from here on. Instant::min(): of all time.
  void begin(Instant now) { began_ = now; }
  // `token`: session_token(). Calls of several threads may be a little out of order.
  void note(std::uint64_t token, Instant now);

  // At most `window_max`. Looks at every slot.
  [[nodiscard]] SessionCount count(Duration window, Instant now) const;
  [[nodiscard]] std::array<SessionCount, windows.size()> counts(Instant now) const;
  // Like count(), but looks no further when there are more than `limit`.
  [[nodiscard]] SessionCount count_up_to(std::uint32_t limit, Duration window, Instant now) const;

  [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }

 private:
  // Ticks are of the steady clock, and one more than that: 0 stands for none.
  using Tick = std::uint32_t;
  struct Slot {
    std::uint64_t token;
    Tick seen;
  };

  [[nodiscard]] static Tick tick_of(Instant now);
  [[nodiscard]] static bool within(Tick seen, Tick window, Tick now);
  [[nodiscard]] SessionCount without_sessions(Duration window, Instant now) const;
  Slot& slot_for(std::uint64_t token);
  bool make_room(Tick now);
  void sweep(Tick now);
  void grow();

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
  Tick next_sweep_ = 0;   // of a table that cannot grow any more
  Tick last_missed_ = 0;  // a value was not taken then
  Instant began_ = Instant::min();
};

// The census' name for a session value. Its key is drawn once a process: nobody outside can choose
// values that collide, and nothing that can be observed depends on it.
[[nodiscard]] std::uint64_t session_token(std::string_view value);

}  // namespace steelyard::balance
