// Members that are taken out for what requests met, and their trials.

#include <string>
#include <utility>

#include "balance/balancer.hpp"

namespace steelyard::balance {

namespace {

std::string seconds_text(std::chrono::milliseconds time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  return whole == time ? std::to_string(whole.count()) + " s"
                       : std::to_string(time.count()) + " ms";
}

void append(std::string& text, std::string_view more) {
  if (!text.empty()) text += ", ";
  text += more;
}

Standing standing_without(const Roster& roster, Position without) {
  Standing standing{.members = static_cast<int>(roster.size())};
  for (Position at = 0; at < roster.size(); ++at) {
    if (at == without) continue;
    const Status status = roster.status(at);
    if (status.has(Flag::in_error)) ++standing.out;
    if (status.usable() && !status.has(Flag::draining)) ++standing.others_active;
  }
  return standing;
}

// forcerecovery=On let the trial begin before the error was over: that it failed is nothing new,
// and such trials may come with every request.
bool was_opened_early(Roster& roster, Position at) {
  const EjectionRecord& record = roster.ejection(at);
  return roster.status(at).has(Flag::in_error) && roster.error_time(at) == no_error &&
         record.in_row > 0 && !record.serving_since;
}

void eject(Roster& roster, Position at, const EjectionSpec& rules, HealthChange change) {
  EjectionRecord& record = roster.ejection(at);
  const Duration lasts = was_opened_early(roster, at)
                             ? record.lasts
                             : begin_ejection(record, rules, roster.spec(at).retry, change.when);
  const Health next = after_ejection(roster.health(at), change.when, lasts);
  if (next.status == roster.status(at)) roster.note(at, change);
  roster.take(at, next, std::move(change));
}

// True: the member is needed. Its log keeps that it would have gone.
bool spare(Roster& roster, Position at, const EjectionSpec& rules, const HealthChange& change) {
  const std::string reason = reason_to_spare(rules, standing_without(roster, at));
  if (reason.empty()) return false;
  HealthChange spared = change;
  spared.cause = HealthCause::member_spared;
  append(spared.evidence.text, reason);
  roster.note(at, std::move(spared));
  return true;
}

}  // namespace

void Balancer::adopt_ejection(const EjectionSpec* before) {
  const EjectionSpec& rules = spec_->ejection;
  ejects_.store(spec_->ejects(), std::memory_order_relaxed);
  if (!rules.slow_limit) {
    window_ends_.store(never.time_since_epoch().count(), std::memory_order_relaxed);
  } else if (before == nullptr || before->slow_limit != rules.slow_limit) {
    for (Position at = 0; at < roster_.size(); ++at) roster_.ref(at)->latency_window()->take();
    window_ends_.store(Instant::min().time_since_epoch().count(), std::memory_order_relaxed);
  }
}

// Without failcount= and the like those count again that have not become unusable (httpd), but with
// retry=0 that is no difference: whom this exchange found dead would be due at once. With repeaton=
// they may be usable all the time.
void Balancer::leave_out(const ChoiceRequest& request) {
  left_out_.clear();
  for (const MemberRef& member : request.tried) {
    const Position at = roster_.find(*member);
    if (at == nobody) continue;
    const Status status = roster_.status(at);
    const bool is_due = status.has(Flag::in_error) && !status.has(Flag::ignore_errors) &&
                        roster_.spec(at).retry.count() == 0;
    if (ejects() || request.repeats || is_due) left_out_.push_back(at);
  }
}

// While the member is in error, only its trial tells anything new: whoever else fails began before.
bool Balancer::blame(Position at, const Lease& lease, HealthChange change) {
  if (std::exchange(lease.blamed_, true)) return false;
  const EjectionSpec& rules = spec_->ejection;
  Member& member = lease.member();
  const bool was_trial = lease.is_trial();
  if (was_trial) member.end_trial(lease.trial_);
  if (roster_.status(at).has(Flag::in_error)) {
    if (was_trial)
      eject(roster_, at, rules,
            {HealthCause::trial_failed, change.when, std::move(change.evidence)});
    return was_trial;
  }
  if (const auto& limit = rules.fail_limit) {
    if (!note_failure(roster_.ejection(at), *limit, change.when)) return false;
    append(change.evidence.text, std::to_string(limit->failures) +
                                     (limit->failures == 1 ? " failure" : " failures") +
                                     " within " + seconds_text(limit->within));
  }
  if (rules.is_sparing() && spare(roster_, at, rules, change)) return false;
  eject(roster_, at, rules, std::move(change));
  return true;
}

bool Balancer::choose_trial(const ChoiceRequest& request, Decision& decision) {
  const Position at = trials_.find(
      roster_, plan_, {.now = request.now, .fitness = fitness_of(request), .left_out = left_out_});
  if (at == nobody) return false;
  if (request.explanation != nullptr) {
    request.explanation->candidates[at].verdict = Verdict::chosen;
  }
  begin_trial(at, decision);
  decision.outcome = Outcome::picked;
  decision.tag_changed = spec_->sticky.enabled();
  decision.reason = Reason::trial;
  return true;
}

void Balancer::begin_trial(Position at, Decision& decision) {
  decision.lease = roster_.elect_for_trial(at);
  decision.events.push_back({.kind = EventKind::trial, .member = roster_.ref(at)});
}

void Balancer::answer_began(const Lease& lease, Instant now, int status, Duration took) {
  if (!lease.is_trial() || answer_watch_.fails(status)) return;
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(lease.member());
  if (at == nobody || !lease.is_trial()) return;
  lease.member().end_trial(lease.trial_);
  if (!roster_.status(at).has(Flag::in_error)) return;
  roster_.take(
      at, after_retry(roster_.health(at)),
      {.cause = HealthCause::trial_passed,
       .when = now,
       .evidence = {
           .status = status, .text = "answered " + std::to_string(status), .latency = took}});
  roster_.forget_errors(at);
}

Duration Balancer::error_length(const Member& member) const {
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(member);
  if (at == nobody) return Duration::zero();
  return balance::error_length(roster_.health(at), roster_.spec(at).retry);
}

std::vector<SlowEjection> Balancer::observe_latency(const Lease& lease, Duration took,
                                                    Instant now) {
  if (!measures_latency_.load(std::memory_order_relaxed)) return {};
  Member& member = lease.member();
  member.observe_latency(took, now);
  LatencyWindow* const window = member.latency_window();
  if (window == nullptr) return {};
  window->observe(took);
  if (now.time_since_epoch().count() < window_ends_.load(std::memory_order_relaxed)) return {};
  return close_window(now);
}

// Medians of many members take a while (2 ms for 10,000), so nobody waits for them.
std::vector<SlowEjection> Balancer::close_window(Instant now) {
  std::vector<MemberRef> members;
  std::unique_lock guard(lock_);
  const auto limit = spec_->ejection.slow_limit;
  if (!limit || now.time_since_epoch().count() < window_ends_.load(std::memory_order_relaxed))
    return {};
  window_ends_.store((now + limit->window).time_since_epoch().count(), std::memory_order_relaxed);
  members.reserve(roster_.size());
  for (Position at = 0; at < roster_.size(); ++at) members.push_back(roster_.ref(at));
  guard.unlock();
  std::vector<MedianTime> medians;
  medians.reserve(members.size());
  for (const MemberRef& member : members) medians.push_back(member->latency_window()->take());
  const std::vector<Outlier> outliers = find_outliers(medians, *limit);
  std::vector<SlowEjection> ejected;
  guard.lock();
  for (const Outlier& outlier : outliers) {
    const Position at = roster_.find(*members[outlier.which]);
    if (at == nobody || !roster_.usable(at)) continue;
    if (roster_.status(at).has(Flag::ignore_errors)) continue;
    const HealthChange change{.cause = HealthCause::slow,
                              .when = now,
                              .evidence = {.text = outlier.text(), .latency = outlier.median}};
    if (spare(roster_, at, spec_->ejection, change)) continue;
    eject(roster_, at, spec_->ejection, change);
    ejected.push_back({members[outlier.which], roster_.ejection(at).lasts, outlier.text()});
  }
  return ejected;
}

}  // namespace steelyard::balance
