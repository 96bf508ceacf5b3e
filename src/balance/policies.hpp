// The rules that lbmethod= names. Each looks at the candidates in order and returns the first of
// the best.
//
//   byrequests  every candidate earns its factor in credit;
//               the richest wins and pays what all earned
//   bybusyness  the same accounting, but the fewest live leases win;
//               credit only breaks ties
//   bytraffic   the fewest bytes for its weight; credits are not touched
//
// Threads: guarded by the balancer's lock.
#pragma once

#include "balance/plan.hpp"
#include "balance/roster.hpp"
#include "balance/spec.hpp"

namespace steelyard::balance {

// `plan` is not empty.
Position pick_by_requests(Roster& roster, const Plan& plan);
Position pick_by_busyness(Roster& roster, const Plan& plan);
Position pick_by_traffic(Roster& roster, const Plan& plan);

Position pick(Policy policy, Roster& roster, const Plan& plan);

}  // namespace steelyard::balance
