// Policies that draw. A draw takes any member of the set by its configured factor and is repeated
// while it hits one that cannot be picked; so the chances among those that can be are exact and no
// change of status costs anything.

#include <limits>

#include "balance/policies.hpp"

namespace steelyard::balance {

namespace {

// After so many draws that hit nobody, the candidates are gone through instead. One in two members
// missing: one pick in 2^32 comes to that.
constexpr int draws_max = 32;
// Two draws that hit the same member: the choice is between fewer than it seems, try again.
constexpr int second_draws_max = 8;

bool is_held_back(const Turn& turn, Position at) {
  return turn.roster.share(at) < turn.plan.largest_share();
}

// A ramping member takes only the part of its draws that its share is of the largest.
bool takes_draw(const Turn& turn, Position at, std::uint64_t random) {
  return !is_held_back(turn, at) ||
         scaled(random, turn.plan.largest_share()) < turn.roster.share(at);
}

// The same chances by going through all candidates. Those without room count only when none has.
Position draw_among_all(Turn& turn) {
  const std::int64_t* const factors = turn.roster.factors();
  for (const bool needs_room : {true, false}) {
    std::int64_t sum = 0;
    Position drawn = nobody;
    for (const Run run : turn.plan.candidates()) {
      for (Position at = run.begin; at < run.end; ++at) {
        if (needs_room && !turn.roster.has_room(at)) continue;
        // Each one takes the place of the earlier with the chance that it has among all so far.
        sum += factors[at];
        const std::uint64_t limit = static_cast<std::uint64_t>(sum);
        if (turn.random.next() % limit < static_cast<std::uint64_t>(factors[at])) drawn = at;
      }
    }
    if (drawn != nobody) return drawn;
  }
  return nobody;
}

// Fewer live leases for its factor; on a tie the first draw, so that idle members get their shares.
bool is_less_busy(const Roster& roster, Position one, Position two) {
  return roster.busy(one) * roster.factors()[two] < roster.busy(two) * roster.factors()[one];
}

// What a new exchange would wait for: an answer for each live lease that a member of factor 1 has,
// and its own. A member that was never measured is asked once and then not before it answered.
float expected_time(Turn& turn, Position at) {
  const int busy = turn.roster.busy(at);
  const auto answer = turn.roster.latency(at).expected(turn.now);
  if (!answer) return busy == 0 ? -1.0F : std::numeric_limits<float>::max();
  const auto factor = static_cast<float>(turn.roster.factors()[at]);
  return *answer * (1.0F + static_cast<float>(busy) * load_factor_unit / factor);
}

Position draw(Turn& turn) {
  const WeightTable& weights = turn.tables->of_set(turn.plan.lbset()).weights;
  for (int i = 0; i < draws_max; ++i) {
    const std::uint64_t random = turn.random.next();
    const Position at = weights.draw(random);
    if (!turn.plan.takes_part(at)) continue;
    if (!turn.roster.has_room(at)) continue;
    if (turn.roster.any_ramp() && !takes_draw(turn, at, turn.random.next())) continue;
    return at;
  }
  return draw_among_all(turn);
}

// A ramping member is compared only where the first draw hit it, which is as often as its share is
// worth. Being idle it would win each further comparison, and beside a single other member it would
// be in one whenever that is drawn again and again.
Position draw_besides(Turn& turn, Position first) {
  if (turn.plan.candidate_count() == 1) return first;
  for (int i = 0; i < second_draws_max; ++i) {
    const Position at = draw(turn);
    if (at == first) continue;
    return is_held_back(turn, at) ? first : at;
  }
  return first;
}

}  // namespace

Position pick_at_random(Turn& turn) { return draw(turn); }

Position pick_of_two(Turn& turn) {
  const Position first = draw(turn);
  const Position second = draw_besides(turn, first);
  return is_less_busy(turn.roster, second, first) ? second : first;
}

Position pick_by_time(Turn& turn) {
  const Position first = draw(turn);
  const Position second = draw_besides(turn, first);
  return expected_time(turn, second) < expected_time(turn, first) ? second : first;
}

}  // namespace steelyard::balance
