#include "balance/policies.hpp"

#include <limits>
#include <utility>

#include "base/check.hpp"

namespace steelyard::balance {

Position pick_by_requests(Roster& roster, const Plan& plan) {
  std::int64_t* const credits = roster.credits();
  const std::int64_t* const factors = roster.factors();
  Position best = nobody;
  std::int64_t best_credit = std::numeric_limits<std::int64_t>::min();
  for (const Run run : plan.candidates()) {
    for (Position at = run.begin; at < run.end; ++at) {
      const std::int64_t credit = credits[at] += factors[at];
      if (credit > best_credit) {
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
    for (Position at = run.begin; at < run.end; ++at) {
      const std::int64_t credit = credits[at] += factors[at];
      const int busy = roster.busy(at);
      if (busy < best_busy || (busy == best_busy && credit > best_credit)) {
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
  Position best = nobody;
  std::int64_t best_bytes = std::numeric_limits<std::int64_t>::max();
  for (const Run run : plan.candidates()) {
    for (Position at = run.begin; at < run.end; ++at) {
      const std::int64_t bytes = roster.weighted_bytes(at);
      if (bytes < best_bytes) {
        best_bytes = bytes;
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
