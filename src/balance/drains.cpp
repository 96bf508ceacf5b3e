#include "balance/drains.hpp"

#include <utility>

namespace steelyard::balance {

namespace {

using Pace = DrainOrder::Pace;

void cancel(Drain& drain, std::string why, Instant now) {
  drain.state = DrainState::cancelled;
  drain.outcome = std::move(why);
  drain.ended = now;
}

// S was set at once where the drain was ordered.
Drain stop_of_another(std::string_view outcome, std::uint64_t number, Instant now) {
  return {.number = number,
          .order = {.pace = Pace::sessions_leave},
          .began = now,
          .state = DrainState::drained,
          .ended = now,
          .outcome = std::string(outcome),
          .has_stopped_it = true};
}

bool is_under_way(const std::optional<Drain>& drain) {
  return drain && drain->state == DrainState::under_way;
}

}  // namespace

bool Drains::order(const MemberRef& member, const DrainOrder& order, Instant now) {
  const std::lock_guard guard(balancer_.lock_);
  Roster& roster = balancer_.roster_;
  const Position at = roster.find(*member);
  if (at == nobody) return false;
  const std::optional<Drain>& before = member->drain_;
  Drain fresh{.number = before ? before->number + 1 : 1, .order = order, .began = now};
  const bool leave = order.pace == Pace::sessions_leave;
  const bool is_stopped = roster.status(at).has(Flag::stopped);
  // S of an earlier order stands, and is the new one's to take back.
  fresh.has_stopped_it = is_stopped ? before && before->has_stopped_it : leave;
  Status set = Flag::draining;
  if (leave) set = set | Flag::stopped;
  roster.take(at, after_wish(roster.health(at), set, {}),
              {.cause = HealthCause::administrator,
               .when = now,
               .evidence = {.text = leave ? "to be drained, sessions sent elsewhere at once"
                                          : "to be drained"}});
  balancer_.note_wish(at);
  member->drain_ = std::move(fresh);
  balancer_.has_drains_.store(true, std::memory_order_relaxed);
  return true;
}

bool Drains::undrain(const MemberRef& member, Instant now) {
  const std::lock_guard guard(balancer_.lock_);
  Roster& roster = balancer_.roster_;
  const Position at = roster.find(*member);
  if (at == nobody) return false;
  std::optional<Drain>& drain = member->drain_;
  Status clear;
  if (roster.status(at).has(Flag::draining)) clear = Flag::draining;
  if (drain && drain->has_stopped_it) clear = clear.with(Flag::stopped);
  if (clear == Status{}) return false;
  if (drain) {
    cancel(*drain, "undrained", now);
    drain->has_stopped_it = false;
  }
  roster.take(
      at, after_wish(roster.health(at), {}, clear),
      {.cause = HealthCause::administrator, .when = now, .evidence = {.text = "undrained"}});
  balancer_.note_wish(at);
  return true;
}

void Drains::remember_stop(const MemberRef& member, DrainOrder::Pace pace, Instant now) {
  const std::lock_guard guard(balancer_.lock_);
  const Position at = balancer_.roster_.find(*member);
  if (at == nobody) return;
  const Status status = balancer_.roster_.status(at);
  if (!status.has(Flag::draining) || !status.has(Flag::stopped)) return;
  std::optional<Drain>& drain = member->drain_;
  if (!drain) drain = stop_of_another("ended before this program began", 1, now);
  if (drain->state != DrainState::under_way && drain->has_stopped_it) drain->order.pace = pace;
}

void Drains::stopped_elsewhere(Member& member, Instant now) {
  const std::uint64_t number = member.drain_ ? member.drain_->number + 1 : 1;
  member.drain_ = stop_of_another("ordered in another instance", number, now);
}

std::optional<Drain> Drains::of(const MemberRef& member) const {
  const std::lock_guard guard(balancer_.lock_);
  std::optional<Drain> drain = member->drain_;
  if (is_under_way(drain) && member->retired()) cancel(*drain, "the member is gone", drain->began);
  return drain;
}

std::array<SessionCount, Census::windows.size()> Drains::sessions(const MemberRef& member,
                                                                  Instant now) const {
  const std::lock_guard guard(balancer_.lock_);
  return member->census_.counts(now);
}

Drains::News Drains::watch(Instant now) {
  News news;
  if (!balancer_.has_drains_.load(std::memory_order_relaxed)) return news;
  const std::lock_guard guard(balancer_.lock_);
  for (Position at = 0; at < balancer_.roster_.size(); ++at) watch_one(at, now, news);
  balancer_.has_drains_.store(news.any_under_way, std::memory_order_relaxed);
  return news;
}

void Drains::watch_one(Position at, Instant now, News& news) {
  const MemberRef& member = balancer_.roster_.ref(at);
  std::optional<Drain>& drain = member->drain_;
  if (!is_under_way(drain) || !drain->order.has_end()) return;
  const DrainOrder& order = drain->order;
  // A reload's status= may say so; change_status() tells by itself.
  if (!balancer_.roster_.status(at).has(Flag::draining)) {
    cancel(*drain, "the configuration no longer says so", now);
    news.ended.push_back({.member = member, .drain = *drain});
    return;
  }
  const bool is_late = order.deadline && now >= *order.deadline;
  DrainSight sight{.busy = member->busy(),
                   .stopped = balancer_.roster_.status(at).has(Flag::stopped)};
  // Counting looks at the whole table, so it is only done when it decides; and one more than
  // allowed is as good as all of them.
  if (is_late) {
    sight.sessions = member->census_.count(order.window, now);
  } else if (!sight.stopped && sight.busy == 0 && order.sessions_max) {
    sight.sessions = member->census_.count_up_to(*order.sessions_max, order.window, now);
  }
  DrainVerdict verdict = judge(order, sight, now);
  if (verdict.state == DrainState::under_way) {
    news.any_under_way = true;
    return;
  }
  end(at, std::move(verdict), now);
  news.ended.push_back({.member = member, .drain = *drain});
}

// N stays beside S: it shows what stopped the member, and one who clears S alone gets it back
// without newcomers.
void Drains::end(Position at, DrainVerdict verdict, Instant now) {
  Roster& roster = balancer_.roster_;
  Drain& drain = *roster.ref(at)->drain_;
  drain.state = verdict.state;
  drain.outcome = std::move(verdict.outcome);
  drain.ended = now;
  if (!roster.status(at).has(Flag::stopped)) drain.has_stopped_it = true;
  roster.take(at, after_wish(roster.health(at), Flag::stopped, {}),
              {.cause = HealthCause::drained, .when = now, .evidence = {.text = drain.outcome}});
  balancer_.note_wish(at);
}

void Drains::operator_changed(Member& member, Status touched, Instant now) {
  std::optional<Drain>& drain = member.drain_;
  if (!drain) return;
  if (is_under_way(drain)) cancel(*drain, "an operator changed the member", now);
  if (touched.any(Flag::draining | Flag::stopped)) drain->has_stopped_it = false;
}

}  // namespace steelyard::balance
