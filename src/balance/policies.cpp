#include "balance/policies.hpp"

#include <limits>
#include <utility>

#include "base/check.hpp"

namespace steelyard::balance {

namespace {

// Cutting two quotients loses less than 2, so a member with (best + 2) * factor bytes or more
// cannot win: one multiplication spares most members the two exact divisions.
bool cannot_win(std::int64_t bytes, std::int64_t best, std::int64_t factor) {
  std::int64_t enough = 0;
  return !__builtin_mul_overflow(best + 2, factor, &enough) && bytes >= enough;
}

}  // namespace

// A new best is rare among many, and said to be: a predicted branch costs half of a conditional
// move here.
Position pick_by_requests(Roster& roster, const Plan& plan) {
  std::int64_t* const credits = roster.credits();
  const std::int64_t* const factors = roster.factors();
  Position best = nobody;
  std::int64_t best_credit = std::numeric_limits<std::int64_t>::min();
  for (const Run run : plan.candidates()) {
    for (Position at = run.begin; at < run.end; ++at) {
      const std::int64_t credit = credits[at] += factors[at];
      if (credit > best_credit) [[unlikely]] {
        best_credit = credit;
        best = at;
      }
    }
  }
  CHECK(best != nobody);
  credits[best] -= plan.quota();
  return best;
}

Position pick_by_busyness(Roster& roster, const Plan& plan) {
  std::int64_t* const credits = roster.credits();
  const std::int64_t* const factors = roster.factors();
  Position best = nobody;
  int best_busy = std::numeric_limits<int>::max();
  std::int64_t best_credit = std::numeric_limits<std::int64_t>::min();
  for (const Run run : plan.candidates()) {
    const std::atomic<int>* cell = roster.busy_cells(run.begin);
    for (Position at = run.begin; at < run.end; ++at, ++cell) {
      const std::int64_t credit = credits[at] += factors[at];
      const int busy = cell->load(std::memory_order_relaxed);
      if (busy > best_busy) continue;
      if (busy < best_busy || credit > best_credit) [[unlikely]] {
        best_busy = busy;
        best_credit = credit;
        best = at;
      }
    }
  }
  CHECK(best != nobody);
  credits[best] -= plan.quota();
  return best;
}

Position pick_by_traffic(const Roster& roster, const Plan& plan) {
  const std::int64_t* const factors = roster.factors();
  Position best = plan.candidates().front().begin;
  std::int64_t best_bytes = roster.weighted_bytes(best);
  for (const Run run : plan.candidates()) {
    const Traffic* cell = roster.traffic_cells(run.begin);
    for (Position at = run.begin; at < run.end; ++at, ++cell) {
      if (cannot_win(cell->all_bytes(), best_bytes, factors[at])) continue;
      const std::int64_t bytes = roster.weighted_bytes(at);
      if (bytes < best_bytes) [[unlikely]] {
        best_bytes = bytes;
        best = at;
      }
    }
  }
  return best;
}

Position pick(Policy policy, Roster& roster, const Plan& plan) {
  switch (policy) {
    case Policy::by_requests:
      return pick_by_requests(roster, plan);
    case Policy::by_traffic:
      return pick_by_traffic(roster, plan);
    case Policy::by_busyness:
      return pick_by_busyness(roster, plan);
  }
  std::unreachable();
}

}  // namespace steelyard::balance
