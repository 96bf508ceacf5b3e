#include "balance/trials.hpp"

#include <algorithm>
#include <tuple>

namespace steelyard::balance {

namespace {

bool is_regular(Status status) { return !status.any(Flag::spare | Flag::standby); }

// A spare needs a regular member whose place it takes.
bool has_regular(const Roster& roster, int lbset) {
  return std::ranges::any_of(roster.by_set(), [&](Position at) {
    return roster.lbset(at) == lbset && is_regular(roster.status(at));
  });
}

bool would_take_part(const Roster& roster, const Plan& plan, Position at) {
  const Status status = roster.status(at);
  const int lbset = roster.lbset(at);
  // In the sets below that of the candidates nobody is usable.
  if (!plan.empty() && lbset > plan.lbset()) return false;
  if (is_regular(status)) return true;
  const bool is_candidates_set = !plan.empty() && lbset == plan.lbset();
  if (status.has(Flag::spare))
    return is_candidates_set ? plan.wants_spare() : has_regular(roster, lbset);
  return !is_candidates_set || plan.wants_standby();
}

}  // namespace

Fitness fitness_of(const ChoiceRequest& request) {
  if (!request.whole || !request.tried.empty()) return Fitness::none;
  return request.replayable ? Fitness::any : Fitness::long_due;
}

bool is_open_for_trial(const Roster& roster, Position at, Instant now, Fitness fitness) {
  if (fitness == Fitness::none || !roster.tries() || !roster.status(at).awaits_retry())
    return false;
  Instant since = roster.error_ends(at);
  if (fitness == Fitness::long_due) since += error_length(roster.health(at), roster.spec(at).retry);
  return now > since && !roster.ref(at)->on_trial() && roster.has_room(at);
}

void open_for_trial(Roster& roster, Position at, Instant now, std::vector<Event>& events) {
  if (!roster.status(at).awaits_retry() || now > roster.error_ends(at)) return;
  roster.take(at, after_early_end(roster.health(at)),
              {.cause = HealthCause::recovery_forced, .when = now});
  events.push_back({.kind = EventKind::forced, .member = roster.ref(at)});
}

void Trials::look(const Roster& roster) {
  epoch_ = roster.epoch();
  erring_.clear();
  earliest_ = never;
  for (const Position at : roster.by_set()) {
    if (!roster.status(at).awaits_retry() || roster.status(at).has(Flag::draining)) continue;
    erring_.push_back(at);
    earliest_ = std::min(earliest_, roster.error_ends(at));
  }
  std::ranges::sort(erring_, {}, [&](Position at) {
    return std::tuple(roster.lbset(at), !is_regular(roster.status(at)), at);
  });
}

Position Trials::find(const Roster& roster, const Plan& plan, const Asked& asked) {
  if (epoch_ != roster.epoch()) look(roster);
  const Fitness fitness = plan.empty() ? Fitness::any : asked.fitness;
  if (asked.now <= earliest_ || fitness == Fitness::none) return nobody;
  const auto found = std::ranges::find_if(erring_, [&](Position at) {
    return is_open_for_trial(roster, at, asked.now, fitness) &&
           std::ranges::find(asked.left_out, at) == asked.left_out.end() &&
           would_take_part(roster, plan, at);
  });
  return found == erring_.end() ? nobody : *found;
}

// One whose error is over and that is not taken is on trial: its end is an event of its own.
Instant Trials::next_end(const Roster& roster, Instant now) const {
  Instant next = never;
  for (const Position at : erring_) {
    const Instant end = roster.error_ends(at);
    if (end >= now) next = std::min(next, end);
  }
  return next;
}

}  // namespace steelyard::balance
