#include "balance/plan.hpp"

#include <algorithm>

namespace steelyard::balance {

void Plan::update(Roster& roster, Instant now, std::vector<Event>& events) {
  if (epoch_ == roster.epoch() && now <= valid_until_) return;
  build(roster, now, events);
}

void Plan::update_without(Roster& roster, std::span<const Position> left_out, Instant now,
                          std::vector<Event>& events) {
  left_out_ = left_out;
  build(roster, now, events);
  left_out_ = {};
  epoch_ = 0;  // of no use for the next choice
}

void Plan::build(Roster& roster, Instant now, std::vector<Event>& events) {
  candidates_.clear();
  valid_until_ = never;
  auto rest = roster.by_set();
  while (!rest.empty() && candidates_.empty()) {
    lbset_ = roster.lbset(rest.front());
    const auto end =
        std::ranges::find_if(rest, [&](Position at) { return roster.lbset(at) != lbset_; });
    const auto set = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(set.size());
    visit_set(roster, set, now, events);
  }
  next_retry_ = valid_until_;
  valid_until_ = std::min(valid_until_, roster.welcome(candidates_, now));
  sum_up(roster);
  epoch_ = roster.epoch();
}

void Plan::visit_set(Roster& roster, std::span<const Position> set, Instant now,
                     std::vector<Event>& events) {
  missing_ = 0;
  spares_.clear();
  standbys_.clear();
  std::size_t active = 0;
  for (const Position at : set) {
    if (roster.status(at).has(Flag::draining)) {
      if (!roster.status(at).any(Flag::spare | Flag::standby)) ++missing_;
      continue;
    }
    const bool counts = std::ranges::find(left_out_, at) == left_out_.end();
    if (counts) roster.retry(at, now, events);
    const Status status = roster.status(at);
    const bool usable = status.usable() && counts;
    if (status.has(Flag::in_error) && !roster.tries())
      valid_until_ = std::min(valid_until_, roster.error_ends(at));
    if (status.has(Flag::spare)) {
      if (usable) spares_.push_back(at);
    } else if (status.has(Flag::standby)) {
      if (usable) standbys_.push_back(at);
    } else if (usable) {
      add(roster, at);
      ++active;
    } else {
      ++missing_;
    }
  }
  spares_.resize(std::min(spares_.size(), missing_));
  for (const Position at : spares_) add(roster, at);
  bring_standbys(roster, active + spares_.size());
}

// httpd: all of them or none.
void Plan::bring_standbys(const Roster& roster, std::size_t active) {
  const std::size_t active_min = roster.active_min();
  std::size_t called = active == 0 ? standbys_.size() : 0;
  if (active_min != 0) called = active_min - std::min(active_min, active);
  wants_standby_ = active_min == 0 ? active == 0 : active_min > active + standbys_.size();
  standbys_.resize(std::min(standbys_.size(), called));
  for (const Position at : standbys_) add(roster, at);
}

void Plan::add(const Roster& roster, Position at) {
  if (roster.cells_continue(at)) {
    append(candidates_, at);
  } else {
    candidates_.push_back({.begin = at, .end = at + 1});
  }
}

void Plan::sum_up(const Roster& roster) {
  takes_part_.assign(roster.size(), 0);
  candidate_count_ = 0;
  largest_share_ = 0;
  quota_ = 0;
  for (const Run run : candidates_) {
    for (Position at = run.begin; at < run.end; ++at) {
      takes_part_[at] = 1;
      ++candidate_count_;
      largest_share_ = std::max(largest_share_, roster.share(at));
      quota_ += roster.factors()[at];
    }
  }
}

}  // namespace steelyard::balance
