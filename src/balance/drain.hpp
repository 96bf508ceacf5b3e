// Taking a member out of service, with an end: httpd's drain (N), and what makes it over.
//
//              order
//                │                 ┌─ no more than so many sessions, nothing under way ─▶ drained
//   fine ────────▶ under_way (N) ──┼─ the deadline ─▶ deadline_passed            (N stays, S added)
//                                  ├─ undrain ─▶ cancelled                                (N goes)
//                                  └─ another change by an operator ─▶ cancelled   (the rest stays)
//
// With Pace::sessions_leave S is set at once, and the end is when nothing is under way any more. So
// it is for a member that was stopped before: an order given twice ends twice.
// Without a deadline and sessions_max there is no end: that is httpd's drain.
//
// Pure: what was seen and the time are arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "balance/census.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

inline constexpr Duration drain_window_min = std::chrono::seconds(1);
inline constexpr Duration drain_window_default = std::chrono::minutes(5);
// A drain of a week is no drain.
inline constexpr Duration drain_deadline_max = std::chrono::hours(24 * 7);

struct DrainOrder {
  enum class Pace : std::uint8_t {
    sessions_stay,   // until the end
    sessions_leave,  // at once; exchanges under way finish
  };

  std::optional<Instant> deadline{};
  // Of those seen within `window`, at most Census::tokens_max.
  std::optional<std::uint32_t> sessions_max{};
  Duration window = drain_window_default;  // drain_window_min to Census::window_max
  Pace pace = Pace::sessions_stay;

  [[nodiscard]] bool has_end() const {
    return deadline.has_value() || sessions_max.has_value() || pace == Pace::sessions_leave;
  }
};

enum class DrainState : std::uint8_t { under_way, drained, deadline_passed, cancelled };
[[nodiscard]] std::string_view to_text(DrainState state);

// The last order about a member and what became of it.
struct Drain {
  std::uint64_t number = 0;  // of the orders to this member
  DrainOrder order{};
  Instant began{};
  DrainState state = DrainState::under_way;
  Instant ended{};              // unless under way
  std::string outcome{};        // in words, likewise
  bool has_stopped_it = false;  // set S, which an undrain takes back
};

struct DrainSight {
  SessionCount sessions{};  // within the order's window
  int busy = 0;
  bool stopped = false;  // no session gets there any more
};

// What the order makes of what is seen: under_way, or the end and why in words.
struct DrainVerdict {
  DrainState state = DrainState::under_way;
  std::string outcome{};
};
[[nodiscard]] DrainVerdict judge(const DrainOrder& order, const DrainSight& sight, Instant now);

// "5 min", "90 s", "1500 ms".
[[nodiscard]] std::string duration_text(Duration duration);

}  // namespace steelyard::balance
