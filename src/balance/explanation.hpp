// Fills the record that says why a member was chosen. Only runs when somebody asked for it.
#pragma once

#include "balance/decision.hpp"
#include "balance/plan.hpp"
#include "balance/roster.hpp"

namespace steelyard::balance {

// To be called after the plan is up to date and before the policy charges anybody: the credits
// shown include the quota that the policy (`earns_quota`) is about to hand out.
void explain_candidates(Explanation& explanation, Roster& roster, const Plan& plan,
                        bool earns_quota, Instant now);

// Then: of `whole`, the plan that choices are made by, only `with_room` could be picked.
void explain_full(Explanation& explanation, const Plan& whole, const Plan& with_room);

// A session hit, before it is charged.
void explain_session(Explanation& explanation, Roster& roster, Instant now);
// Of lbmethod=heartbeat, which asks neither sets nor roles.
void explain_heartbeats(Explanation& explanation, Roster& roster, const heartbeat::Servers& servers,
                        Instant now);

}  // namespace steelyard::balance
