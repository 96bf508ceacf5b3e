#include "balance/policies.hpp"

#include <array>
#include <limits>

#include "balance/earning.hpp"
#include "base/check.hpp"

namespace steelyard::balance {

namespace {

// Where the candidates that are looked at together end.
Position block_end(const Run& run, Position begin) {
  const auto most = static_cast<Position>(earning_block);
  return run.end - begin > most ? begin + most : run.end;
}

}  // namespace

// The richest block is found first and the richest member in it then. Both times the first of equal
// ones stays.
Position pick_by_requests(Turn& turn) {
  std::int64_t* const credits = turn.roster.credits();
  const std::int64_t* const factors = turn.roster.factors();
  Position best = nobody;
  std::int64_t best_credit = std::numeric_limits<std::int64_t>::min();
  for (const Run run : turn.plan.candidates()) {
    for (Position from = run.begin, end = 0; from < run.end; from = end) {
      end = block_end(run, from);
      const std::int64_t richest = earn(credits + from, factors + from, end - from);
      if (richest <= best_credit) continue;
      best_credit = richest;
      best = from;
    }
  }
  CHECK(best != nobody);
  while (credits[best] != best_credit) ++best;
  credits[best] -= turn.plan.quota();
  return best;
}

// While members ramp: a returned member has the fewest live leases and would win every turn until
// it is as busy as the others, so it may win only the part of the turns that its share is worth.
Position pick_by_busyness_gently(Turn& turn) {
  Roster& roster = turn.roster;
  const Plan& plan = turn.plan;
  std::int64_t* const credits = roster.credits();
  Position best = nobody;
  bool best_may = false;
  for (const Run run : plan.candidates()) {
    for (Position at = run.begin; at < run.end; ++at) {
      credits[at] += roster.factors()[at];
      const bool ramps = roster.share(at) != full_share;
      const bool may = !ramps || roster.save_turn(at, plan.quota());
      // Those that may not win only when nobody may.
      const bool better = best == nobody || may > best_may ||
                          (may == best_may &&
                           (roster.busy(at) < roster.busy(best) ||
                            (roster.busy(at) == roster.busy(best) && credits[at] > credits[best])));
      if (!better) continue;
      best = at;
      best_may = may;
    }
  }
  CHECK(best != nobody);
  credits[best] -= plan.quota();
  if (roster.share(best) != full_share && best_may) roster.pay_turn(best, plan.quota());
  return best;
}

// A new best is rare among many, and said to be: a predicted branch costs half of a conditional
// move here.
Position pick_by_busyness(Turn& turn) {
  if (turn.roster.any_ramp()) return pick_by_busyness_gently(turn);
  std::int64_t* const credits = turn.roster.credits();
  const std::int64_t* const factors = turn.roster.factors();
  Position best = nobody;
  int best_busy = std::numeric_limits<int>::max();
  std::int64_t best_credit = std::numeric_limits<std::int64_t>::min();
  for (const Run run : turn.plan.candidates()) {
    const std::atomic<int>* const cells = turn.roster.busy_cells(run.begin);
    for (Position from = run.begin, end = 0; from < run.end; from = end) {
      end = block_end(run, from);
      const std::int64_t richest = earn(credits + from, factors + from, end - from);
      // Nobody is less busy than idle.
      if (best_busy == 0 && richest <= best_credit) continue;
      for (Position at = from; at < end; ++at) {
        const int busy = cells[at - run.begin].load(std::memory_order_relaxed);
        if (busy > best_busy) continue;
        if (busy < best_busy || credits[at] > best_credit) [[unlikely]] {
          best_busy = busy;
          best_credit = credits[at];
          best = at;
        }
      }
    }
  }
  CHECK(best != nobody);
  credits[best] -= turn.plan.quota();
  return best;
}

// Divisions are slow, and between two choices few members' bytes change: only those are weighed
// again.
Position pick_by_traffic(Turn& turn) {
  Roster& roster = turn.roster;
  const Plan& plan = turn.plan;
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

namespace {

using Picker = Position (*)(Turn&);

// Table: in the order of the enumerators.
constexpr std::array pickers{
    Picker{pick_by_requests}, Picker{pick_by_traffic}, Picker{pick_by_busyness},
    Picker{pick_at_random},   Picker{pick_of_two},     Picker{pick_by_time},
    Picker{pick_on_ring},     Picker{pick_in_table},   Picker{pick_by_heartbeat},
};

}  // namespace

Position pick(Policy policy, Turn& turn) {
  static_assert(pickers.size() == policy_count);
  return pickers[static_cast<std::size_t>(policy)](turn);
}

}  // namespace steelyard::balance
