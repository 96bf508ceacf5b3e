// Ejections: errors of a balancer that has failcount=, ejectslow= or trial=.
//
//   a failure ──▶ the N-th within TIME? ──▶ may another one go out? ──▶ E for its time
//   too slow ─────────────────────────────▶            │
//                                                      └─ no: noted, and the member stays
//
//   its time: retry=, then twice that, four times, ... ejectmax=; from the beginning again once the
//   member has served for as long as it was out last
//
// Pure: what was, a failure and the time give what is.
// Threads: records are guarded by the balancer's lock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "balance/ejection_spec.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

// What is remembered of one member.
struct EjectionRecord {
  std::vector<Instant> failures;         // the last ones, oldest first; at most N of failcount=
  int in_row = 0;                        // ejections without enough service between them
  Duration lasts{0};                     // the current or the last ejection; 0: retry= counts
  std::optional<Instant> serving_since;  // none: it is out, or never was
  // It is back. Instant::min(), when nobody told the time: what was is forgotten.
  void serve_from(Instant now);
};

// True: it is the one that puts the member in error; those before it are forgotten then.
[[nodiscard]] bool note_failure(EjectionRecord& record, const FailLimit& limit, Instant now);

// An ejection begins: counts it and returns how long it shall last. Never below `retry`.
[[nodiscard]] Duration begin_ejection(EjectionRecord& record, const EjectionSpec& rules,
                                      std::chrono::seconds retry, Instant now);

// The balancer when one more member is about to be ejected.
struct Standing {
  int members = 0;
  int out = 0;            // in error already
  int others_active = 0;  // usable and not draining, without the member in question
};
// Why the member stays all the same, in words; empty: it may go.
[[nodiscard]] std::string reason_to_spare(const EjectionSpec& rules, const Standing& standing);

}  // namespace steelyard::balance
