// Whether one member can serve, as one machine of three parts that live in httpd's status bits:
//
//   wish     D S N H R I ...: what status= and operators ask for
//   traffic  fine ──failure──▶ E ──retry time over, recovery forced, or checks pass──▶ fine
//
//     with failcount= or ejectslow= (ejection.hpp)  fine ──N failures, or slow──▶ E
//     with trial= (trials.hpp)                       E ──its time over: one request──▶ fine, or E
//
//   checks   fine ──hcfails checks fail──▶ C ──hcpasses checks pass──▶ fine (and E goes too)
//
//   C is cleared by checks and by operators alone; a failed check never sets E.
//
// Pure: a transition takes what was and the time, and returns what is. Only checks while neither E
// nor C is set count failures, only checks while one of them is count passes; and, as in httpd,
// both count all of them and not only those in a row.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "balance/check_spec.hpp"
#include "balance/status.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

inline constexpr Instant no_error = Instant::min();

struct CheckCounts {
  int passed = 0, failed = 0;
  friend bool operator==(CheckCounts, CheckCounts) = default;
};

struct Health {
  Status status{};
  Instant error_time = no_error;  // of the last failure, by traffic or check
  CheckCounts checks{};
  Duration ejected_for{0};  // how long an ejection stands; 0: retry= counts
  friend bool operator==(const Health&, const Health&) = default;
};

enum class CheckVerdict : std::uint8_t { passed, failed };

enum class HealthCause : std::uint8_t {
  connect_failed,    // traffic: refused, unreachable, no such name
  attempt_failed,    // traffic: whatever else httpd blames the member for
  answer_status,     // traffic: failonstatus
  answer_timed_out,  // traffic: failontimeout
  retry_due,
  recovery_forced,
  slow,           // too much slower than the others
  trial_passed,   // the one request that was let through was answered
  trial_failed,   // or not: the error lasts on
  member_spared,  // no change: it would have been ejected, but too few would be left
  checks_failed,
  checks_passed,
  administrator,
  configuration,
  name_lost,   // its name never led anywhere and does not now
  name_found,  // its name leads somewhere, for the first time or to other machines
  drained,     // an operator's drain is over
};
inline constexpr std::size_t health_cause_count =
    static_cast<std::size_t>(HealthCause::drained) + 1;
[[nodiscard]] std::string_view to_text(HealthCause cause);

// What a change or a check was judged by.
struct Evidence {
  int status = 0;      // of the answer; 0: there was none
  std::string text{};  // "answered 503", "connection refused"
  Duration latency{0};
};

// Why a status changes, and when; Instant::min(): nobody told the time.
struct HealthChange {
  HealthCause cause;
  Instant when;
  Evidence evidence = {};
};

// What members that share a check (hcshare=On) know by it: counted once, for them all.
struct SharedFinding {
  bool is_down = false;
  int failed = 0;  // so many checks, towards hcfails
  int passed = 0;  // towards hcpasses, while it is down
  // The last check as such; or that it took all down or brought them back; or a check that was made
  // before this member shared it.
  enum class Told : std::uint8_t { check, conclusion, past_check } told = Told::check;
  friend bool operator==(const SharedFinding&, const SharedFinding&) = default;
};

// A check that is over.
struct CheckReport {
  Instant ended;
  CheckVerdict verdict = CheckVerdict::passed;
  Evidence evidence;
  std::optional<SharedFinding> shared{};  // with this check; none: the member counts for itself
};

enum class CheckEffect : std::uint8_t { none, enabled, disabled };

[[nodiscard]] Health after_failure(Health health, Instant now);
// E for a time of its own, also for one that is in error already.
[[nodiscard]] Health after_ejection(Health health, Instant now, Duration lasts);
[[nodiscard]] Health after_retry(Health health);
// The error's time counts as over, but E stays: a trial may begin.
[[nodiscard]] Health after_early_end(Health health);
[[nodiscard]] Health after_connect(Health health);
[[nodiscard]] Health after_check(Health health, const CheckSpec& rules, CheckVerdict verdict,
                                 Instant now);
// For all who share a check; and then for each of them, whose errors by traffic stay its own.
[[nodiscard]] SharedFinding after_check(SharedFinding finding, const CheckSpec& rules,
                                        CheckVerdict verdict);
[[nodiscard]] Health after_shared_check(Health health, const CheckSpec& rules, CheckVerdict verdict,
                                        const SharedFinding& finding, Instant now);
// `finds`: the member's name led somewhere, where it did not or not there before.
enum class NameLookup : std::uint8_t { finds, fails };
[[nodiscard]] Health after_lookup(Health health, NameLookup lookup);
[[nodiscard]] Health after_wish(Health health, Status set, Status clear);

// How long an error lasts.
[[nodiscard]] Duration error_length(const Health& health, std::chrono::seconds retry);
// Until when (inclusive) an error stands; `never` for a stopped member.
[[nodiscard]] Instant error_ends(const Health& health, std::chrono::seconds retry);
// The error's time is over: the next request is the probe.
[[nodiscard]] bool is_retry_due(const Health& health, std::chrono::seconds retry, Instant now);

}  // namespace steelyard::balance
