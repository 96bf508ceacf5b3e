// The rules that lbmethod= names. Those that look at all candidates do so in order and return the
// first of the best:
//
//   byrequests  every candidate earns its factor in credit;
//               the richest wins and pays what all earned
//   bybusyness  the same accounting, but the fewest live leases win;
//               credit only breaks ties
//   bytraffic   the fewest bytes for its weight; credits are not touched
//
// Those that draw or look up cost the same with any number of members (docs/extensions.md):
//
//   random      one draw by factor
//   tworandom   two draws by factor: the fewer live leases for its factor wins
//   leasttime   two draws by factor: the shorter expected time wins
//   hash        the owner of the key on a ring, or the next whose load is within the bound
//   maglev      the owner of the key in a table, or that of the key's next hash
//
// And one asks members themselves, and neither the plan nor factors:
//
//   heartbeat   one draw by the idle workers that the members' servers told of
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <cstdint>
#include <optional>

#include "balance/hashing.hpp"
#include "balance/heartbeats.hpp"
#include "balance/pick_tables.hpp"
#include "balance/plan.hpp"
#include "balance/roster.hpp"
#include "balance/spec.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

// What one pick may look at. `plan` is not empty for policies that choose by it.
struct Turn {
  Roster& roster;
  const Plan& plan;
  const PickTables* tables = nullptr;  // of the policy, when it looks anything up
  Random random{0};
  std::optional<std::uint64_t> key{};  // the hash of the request's key, if it has one
  int bound_percent = 0;               // of the fair share of all live leases; 0: none
  Instant now{};
  HeartbeatList* heartbeats = nullptr;  // of Policy::heartbeat
};

Position pick_by_requests(Turn& turn);
Position pick_by_busyness(Turn& turn);
Position pick_by_traffic(Turn& turn);
Position pick_at_random(Turn& turn);
Position pick_of_two(Turn& turn);
Position pick_by_time(Turn& turn);
Position pick_on_ring(Turn& turn);
Position pick_in_table(Turn& turn);
// Nobody when no server of a usable member has an idle worker.
Position pick_by_heartbeat(Turn& turn);

Position pick(Policy policy, Turn& turn);

}  // namespace steelyard::balance
