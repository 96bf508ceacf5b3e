// Policies that look a key up. The owner may be unusable, at its limit, above its bound, or still
// ramping: then the next one in the key's own order is asked, so that other keys stay where they
// are. A request without a key is placed by two draws.

#include <cmath>
#include <limits>

#include "balance/policies.hpp"

namespace steelyard::balance {

namespace {

// How far a key's order is followed; behind it the best of all candidates is sought. With a bound
// of 125 per cent, few picks get so far even when every member is near it.
constexpr int owners_asked_max = 64;

enum class Demand : std::uint8_t { bound_and_room, bound, none };

class Search {
 public:
  Search(const Turn& turn, std::uint64_t key)
      : turn_(turn),
        key_(key),
        allowed_(turn.bound_percent * (turn.roster.live_total() + 1)),
        quota_(turn.plan.quota() * 100) {}

  [[nodiscard]] bool takes(Position at) const {
    return turn_.plan.takes_part(at) && fulfils(Demand::bound_and_room, at) && has_ramped(at);
  }

  // The candidate that comes first in an order of all of them that depends on the key and on
  // factors (rendezvous hashing): again a key moves only when its own member leaves.
  [[nodiscard]] Position best_of_all() const {
    for (const Demand demand : {Demand::bound_and_room, Demand::bound}) {
      const Position best = best_that(demand);
      if (best != nobody) return best;
    }
    // Only leases that ended between two looks, or were given out under another policy, can lead
    // here.
    return best_that(Demand::none);
  }

 private:
  // Live leases with this one: at most the bound times the member's share of all, rounded up.
  [[nodiscard]] bool is_within_bound(Position at) const {
    if (turn_.bound_percent == 0) return true;
    return turn_.roster.busy(at) * quota_ < allowed_ * turn_.roster.factors()[at];
  }

  [[nodiscard]] bool fulfils(Demand demand, Position at) const {
    if (demand == Demand::none) return true;
    return is_within_bound(at) && (demand == Demand::bound || turn_.roster.has_room(at));
  }

  // While a member ramps, it has those of its keys that a number of each key and member decides,
  // and gets more of them as its share grows.
  [[nodiscard]] bool has_ramped(Position at) const {
    if (!turn_.roster.any_ramp()) return true;
    const std::uint32_t share = turn_.roster.share(at);
    const std::uint32_t largest = turn_.plan.largest_share();
    return share >= largest || scaled(number_of(at), largest) < share;
  }

  [[nodiscard]] std::uint64_t number_of(Position at) const {
    return mixed(key_ ^ turn_.tables->identity(at));
  }

  [[nodiscard]] Position best_that(Demand demand) const {
    Position best = nobody;
    double best_wait = std::numeric_limits<double>::max();
    for (const Run run : turn_.plan.candidates()) {
      for (Position at = run.begin; at < run.end; ++at) {
        if (!fulfils(demand, at)) continue;
        // The first of exponential clocks that run at the speed of the factors.
        constexpr double whole = 0x1p-53;
        const double chance = (static_cast<double>(number_of(at) >> 11) + 1) * whole;
        const double wait = -std::log(chance) / static_cast<double>(turn_.roster.factors()[at]);
        if (wait >= best_wait) continue;
        best_wait = wait;
        best = at;
      }
    }
    return best;
  }

  const Turn& turn_;
  const std::uint64_t key_;
  const std::int64_t allowed_;
  const std::int64_t quota_;
};

}  // namespace

Position pick_on_ring(Turn& turn) {
  if (!turn.key) return pick_of_two(turn);
  const HashRing& ring = turn.tables->of_set(turn.plan.lbset()).ring;
  const Search search(turn, *turn.key);
  std::size_t place = ring.find(*turn.key);
  for (int i = 0; i < owners_asked_max; ++i, place = ring.next(place)) {
    if (search.takes(ring.owner(place))) return ring.owner(place);
  }
  return search.best_of_all();
}

Position pick_in_table(Turn& turn) {
  if (!turn.key) return pick_of_two(turn);
  const MaglevTable& table = turn.tables->of_set(turn.plan.lbset()).maglev;
  const Search search(turn, *turn.key);
  std::uint64_t key = *turn.key;
  for (int i = 0; i < owners_asked_max; ++i, key = mixed(key + golden_step)) {
    const Position at = table.owner(key);
    if (search.takes(at)) return at;
  }
  return search.best_of_all();
}

}  // namespace steelyard::balance
