// What happened to one member's health, for people: the last changes with their evidence, and the
// last check.
//
// A member that fails and recovers in turns would push everything else out, so a change that equals
// the last one or that before it is counted there: A B A B A B is kept as "A three times, B three
// times", and A A A as "A three times".
//
// Threads: any; its lock is taken when a status changes or a check ends, never for a mere request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "balance/health.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

struct HealthEvent {
  Instant first, last;  // Instant::min(): nobody told the time
  std::uint32_t times = 1;
  HealthCause cause;
  Status before, after;
  Evidence evidence;  // of the last time
};

struct LastCheck {
  Instant ended;
  CheckVerdict verdict = CheckVerdict::passed;
  Evidence evidence;
};

struct CheckHistory {
  std::optional<LastCheck> last;
  std::optional<Instant> next_due;
};

// Since the member came.
struct HealthTotals {
  std::array<std::uint64_t, health_cause_count> changes{};
  std::uint64_t checks_passed = 0, checks_failed = 0;

  [[nodiscard]] std::uint64_t of(HealthCause cause) const {
    return changes[static_cast<std::size_t>(cause)];
  }
};

class HealthLog {
 public:
  static constexpr std::size_t events_max = 32;

  void note(HealthEvent event);
  void note_check(LastCheck check);
  void set_next_check(std::optional<Instant> due);

  // Oldest first.
  [[nodiscard]] std::vector<HealthEvent> events() const;
  [[nodiscard]] CheckHistory checks() const;
  [[nodiscard]] std::optional<Instant> next_check() const;
  [[nodiscard]] HealthTotals totals() const;

 private:
  mutable std::mutex lock_;
  std::vector<HealthEvent> events_;
  CheckHistory checks_;
  HealthTotals totals_;
};

}  // namespace steelyard::balance
