#include "balance/policies.hpp"

#include <limits>
#include <utility>

#include "base/check.hpp"

namespace steelyard::balance {

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

// Divisions are slow, and between two choices few members' bytes change: only those are weighed
// again.
Position pick_by_traffic(Roster& roster, const Plan& plan) {
  const Weighed* const weighed = roster.weighed();
  Position best = nobody;
  std::int64_t best_weight = std::numeric_limits<std::int64_t>::max();
  for (const Run run : plan.candidates()) {
    const Traffic* cell = roster.traffic_cells(run.begin);
    for (Position at = run.begin; at < run.end; ++at, ++cell) {
      if (cell->all_bytes() != weighed[at].all_bytes) [[unlikely]]
        roster.weigh(at);
      if (weighed[at].weight < best_weight) [[unlikely]] {
        best_weight = weighed[at].weight;
        best = at;
      }
    }
  }
  CHECK(best != nobody);
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
