#include "balance/roster.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "base/check.hpp"

namespace steelyard::balance {

namespace {

void log_change(Member& member, Status before, Status after, HealthChange change) {
  member.health_log().note({.first = change.when,
                            .last = change.when,
                            .cause = change.cause,
                            .before = before,
                            .after = after,
                            .evidence = std::move(change.evidence)});
}

bool takes_turns(Status status) { return status.usable() && !status.has(Flag::draining); }

// A status= counts when it is another than before. Whom nobody checks any more, nobody would ever
// call healthy again; the same with names.
Status carried_status(Status held, const MemberSpec& before, const MemberSpec& wanted) {
  if (before.status != wanted.status) {
    held = held.without(before.status).with(wanted.status).with(Flag::initialised);
  }
  if (!wanted.has_watched_name()) held = held.without(Flag::nameless);
  const bool checks_ended =
      before.check.method != CheckMethod::none && wanted.check.method == CheckMethod::none;
  return checks_ended && !wanted.status.has(Flag::health_failed) ? held.without(Flag::health_failed)
                                                                 : held;
}

bool has_silent_leases(const RosterColumns& old, Position at, const Member& member) {
  const bool were_told =
      old.told(at) == EndIsTold::yes && std::ranges::find(old.silent, at) == old.silent.end();
  return !were_told && member.busy() != 0;
}

}  // namespace

void append(std::vector<Run>& runs, Position position) {
  if (!runs.empty() && runs.back().end == position) {
    ++runs.back().end;
  } else {
    runs.push_back({.begin = position, .end = position + 1});
  }
}

Roster::~Roster() {
  for (const MemberRef& member : now_.members) member->retire();
}

void Roster::adopt(const BalancerSpec& spec, Instant now) {
  settle();
  slow_start_default_ = spec.slow_start.value_or(std::chrono::milliseconds(0));
  reentry_ = spec.reentry.value_or(Reentry::keep);
  tries_ = spec.gives_trials();
  active_min_ = static_cast<std::size_t>(spec.ejection.active_min.value_or(0));
  const RosterColumns old = std::exchange(now_, {});
  now_.has_line = spec.effective_queue().has_value();
  std::unordered_map<std::string_view, Position> known;
  for (Position at = 0; at < old.members.size(); ++at) {
    known.emplace(old.members[at]->name(), at);
  }
  // Enough cells for every member to be new; a block lives as long as one of its members.
  const auto block = std::make_shared<CounterBlock>(spec.members.size());
  std::unordered_set<std::string_view> placed;
  std::vector<bool> stays(old.members.size());
  for (const MemberSpec& wanted : spec.members) {
    if (!placed.insert(wanted.name).second) continue;
    const Status asked = wanted.status.with(Flag::initialised);
    const auto found = known.find(wanted.name);
    // An address of a name has the URL of a member that was written as that address, and says
    // another Host.
    if (found == known.end() || old.members[found->second]->spec_->host != wanted.host) {
      const std::size_t cell = now_.members.size();
      place(MemberRef(new Member(wanted, block, cell, commons_)),
            {.status = asked, .error_time = no_error});
      now_.members.back()->census_.begin(now);
      if (!old.members.empty()) note_return(size() - 1);
      continue;
    }
    const Position from = found->second;
    stays[from] = true;
    Member& member = *old.members[from];
    const Status before = old.statuses[from];
    const Status status = carried_status(before, *member.spec_, wanted);
    if (status != before) {
      log_change(member, before, status, {.cause = HealthCause::configuration, .when = now});
    }
    member.adopt(wanted);
    place(old.members[from], {.status = status,
                              .credit = old.credits[from],
                              .error_time = old.error_times[from],
                              .base = old.bases[from],
                              .returning = old.returns[from]});
    if (has_silent_leases(old, from, member)) now_.silent.push_back(size() - 1);
    if (!takes_turns(before) && takes_turns(status)) note_return(size() - 1);
  }
  for (Position at = 0; at < old.members.size(); ++at) {
    if (!stays[at]) old.members[at]->retire();
  }
  if (spec.ejection.slow_limit) {
    for (const MemberRef& member : now_.members) member->measure_windows();
  }
  index_members();
  find_ramps();
}

void Roster::place(MemberRef member, const CarriedMember& carried) {
  const MemberSpec& spec = *member->spec_;
  member->position_ = size();
  member->status_.store(carried.status.bits(), std::memory_order_relaxed);
  now_.credits.push_back(carried.credit);
  now_.factors.push_back(ramped(spec.load_factor, carried.returning.share));
  now_.statuses.push_back(carried.status);
  now_.lbsets.push_back(static_cast<std::uint8_t>(spec.lbset));
  now_.error_times.push_back(carried.error_time);
  now_.weighed.emplace_back();
  now_.bases.push_back(carried.base);
  now_.returns.push_back(carried.returning);
  now_.limits.push_back(spec.pool.connections_max.value_or(0));
  now_.any_limit = now_.any_limit || now_.limits.back() != 0;
  now_.members.push_back(std::move(member));
}

void Roster::index_members() {
  ++epoch_;
  debt_.stale = true;
  by_set_.resize(size());
  std::iota(by_set_.begin(), by_set_.end(), Position{0});
  std::ranges::sort(by_set_, {}, [this](Position at) { return std::pair(now_.lbsets[at], at); });
  tags_.clear();
  std::map<std::string_view, std::vector<Position>> by_tag;
  for (Position at = 0; at < size(); ++at) {
    if (!spec(at).tag.empty()) by_tag[spec(at).tag].push_back(at);
  }
  for (auto& [text, positions] : by_tag) {
    tags_.push_back({.text = std::string(text), .positions = std::move(positions)});
  }
}

void Roster::reset_credits() {
  settle();
  std::ranges::fill(now_.credits, 0);
}

void Roster::begin_credits() {
  settle();
  std::ranges::copy(now_.factors, now_.credits.begin());
}

void Roster::reset_traffic() {
  for (const MemberRef& member : now_.members) {
    member->traffic_->transferred_bytes.store(0, std::memory_order_relaxed);
    member->traffic_->read_bytes.store(0, std::memory_order_relaxed);
  }
  std::ranges::fill(now_.weighed, Weighed{});
  std::ranges::fill(now_.bases, TrafficBase{});
}

Position Roster::find(const Member& member) const {
  const Position at = member.position_;
  return at < size() && now_.members[at].get() == &member ? at : nobody;
}

Health Roster::health(Position at) const {
  return {.status = status(at),
          .error_time = error_time(at),
          .checks = now_.members[at]->check_counts_,
          .ejected_for = now_.members[at]->ejection_.lasts};
}

void Roster::take(Position at, const Health& next, HealthChange change) {
  Member& member = *now_.members[at];
  member.check_counts_ = next.checks;
  const bool moves_end =
      std::exchange(member.ejection_.lasts, next.ejected_for) != next.ejected_for;
  if (next.error_time != now_.error_times[at] || moves_end) {
    now_.error_times[at] = next.error_time;
    member.blemished_.store(next.error_time != no_error, std::memory_order_relaxed);
    ++epoch_;  // the end of an old error moves
  }
  const Status before = status(at);
  if (before == next.status) return;
  if (before.has(Flag::in_error) && !next.status.has(Flag::in_error)) {
    member.ejection_.serve_from(change.when);
  }
  set_status(at, next.status);
  log_change(member, before, next.status, std::move(change));
}

void Roster::note(Position at, HealthChange change) {
  log_change(*now_.members[at], status(at), status(at), std::move(change));
}

Instant Roster::error_ends(Position at) const {
  return balance::error_ends(health(at), spec(at).retry);
}

void Roster::retry(Position at, Instant now, std::vector<Event>& events) {
  if (!status(at).has(Flag::in_error)) return;
  if (tries_ && !status(at).has(Flag::ignore_errors)) return;
  if (is_retry_due(health(at), spec(at).retry, now)) {
    clear_error(at, EventKind::retried, now, events);
  }
}

void Roster::clear_error(Position at, EventKind kind, Instant now, std::vector<Event>& events) {
  Member& member = *now_.members[at];
  member.retries_.store(member.retries() + 1, std::memory_order_relaxed);
  member.blemished_.store(true, std::memory_order_relaxed);
  const auto cause =
      kind == EventKind::retried ? HealthCause::retry_due : HealthCause::recovery_forced;
  take(at, after_retry(health(at)), {.cause = cause, .when = now});
  events.push_back({.kind = kind, .member = now_.members[at]});
}

void Roster::set_status(Position at, Status status) {
  Status& held = now_.statuses[at];
  if (held == status) return;
  if (held.usable() != status.usable()) {
    settle();
    debt_.stale = true;
  }
  const bool returns = !takes_turns(held) && takes_turns(status);
  held = status;
  if (returns) note_return(at);
  now_.members[at]->status_.store(status.bits(), std::memory_order_relaxed);
  ++epoch_;
  // Also for one that leaves: a standby, a spare or the next lbset may take its place.
  commons_->line.stir();
}

// Nothing chooses it any more, but its exchanges still ask whether it is usable.
void Roster::mark_retired_in_error(Member& member) {
  member.status_.store(member.status().with(Flag::in_error).bits(), std::memory_order_relaxed);
}

void Roster::forget_errors(Position at) {
  Member& member = *now_.members[at];
  now_.error_times[at] = after_connect(health(at)).error_time;
  member.retries_.store(0, std::memory_order_relaxed);
  member.blemished_.store(false, std::memory_order_relaxed);
  commons_->line.stir();
  ++epoch_;
}

std::span<const Position> Roster::tagged(std::string_view tag) const {
  const auto found = std::ranges::lower_bound(tags_, tag, {}, &TaggedPositions::text);
  if (found == tags_.end() || found->text != tag) return {};
  return found->positions;
}

std::int64_t* Roster::credits() {
  settle();
  return now_.credits.data();
}

TrafficBase Roster::weighed_until_now(Position at) const {
  const Traffic& traffic = *traffic_cells(at);
  const TrafficBase& base = now_.bases[at];
  const std::int64_t factor = now_.factors[at];
  const std::int64_t transferred = traffic.transferred_bytes.load(std::memory_order_relaxed);
  const std::int64_t read = traffic.read_bytes.load(std::memory_order_relaxed);
  return {.weight =
              base.weight + (transferred - base.transferred) / factor + (read - base.read) / factor,
          .transferred = transferred,
          .read = read};
}

std::int64_t Roster::weigh(Position at) {
  const TrafficBase until_now = weighed_until_now(at);
  now_.weighed[at] = {.all_bytes = until_now.transferred + until_now.read,
                      .weight = until_now.weight};
  return until_now.weight;
}

bool Roster::cells_continue(Position at) const {
  if (at == 0) return false;
  const Member& before = *now_.members[at - 1];
  const Member& member = *now_.members[at];
  return before.block_ == member.block_ && before.busy_ + 1 == member.busy_;
}

void Roster::charge_session(Position at) {
  if (debt_.stale) find_usable_runs();
  ++debt_.owed_turns;
  now_.credits[at] -= debt_.usable_quota;
}

void Roster::find_usable_runs() {
  CHECK(debt_.owed_turns == 0);
  debt_.usable_runs.clear();
  debt_.usable_quota = 0;
  for (Position at = 0; at < size(); ++at) {
    if (!usable(at)) continue;
    append(debt_.usable_runs, at);
    debt_.usable_quota += now_.factors[at];
  }
  debt_.stale = false;
}

void Roster::settle() {
  if (debt_.owed_turns == 0) return;
  std::int64_t* const credits = now_.credits.data();
  const std::int64_t* const factors = now_.factors.data();
  for (const Run run : debt_.usable_runs) {
    for (Position at = run.begin; at < run.end; ++at) credits[at] += debt_.owed_turns * factors[at];
  }
  debt_.owed_turns = 0;
}

Lease Roster::elect(Position at) {
  Member& member = *now_.members[at];
  if (!now_.silent.empty() && member.busy() == 0) std::erase(now_.silent, at);
  member.elected_.store(member.elected() + 1, std::memory_order_relaxed);
  member.begin_lease(counted_);
  return {&member, member.spec_.get(), counted_, now_.told(at)};
}

bool Roster::has_room(Position at) const {
  return now_.limits[at] == 0 || busy(at) < now_.limits[at];
}

// The cells are consecutive. With queue= each choice goes through them.
bool Roster::any_full(std::span<const Run> runs) const {
  if (!now_.any_limit) return false;
  for (const Run run : runs) {
    const std::atomic<int>* const cells = busy_cells(run.begin);
    for (Position at = run.begin; at < run.end; ++at) {
      const int limit = now_.limits[at];
      if (Member::live_leases(cells[at - run.begin]) >= limit && limit != 0) return true;
    }
  }
  return false;
}

// Once a member was seen idle, all its leases are of now.
bool Roster::awaits_silent_end() {
  std::erase_if(now_.silent, [this](Position at) { return busy(at) == 0; });
  return std::ranges::any_of(now_.silent, [this](Position at) { return !has_room(at); });
}

Lease Roster::elect_for_trial(Position at) {
  if (++trials_begun_ == 0) ++trials_begun_;  // 0 is no trial
  Member& member = *now_.members[at];
  member.trial_.store(trials_begun_, std::memory_order_relaxed);
  member.retries_.store(member.retries() + 1, std::memory_order_relaxed);
  Lease lease = elect(at);
  lease.trial_ = trials_begun_;
  return lease;
}

}  // namespace steelyard::balance
