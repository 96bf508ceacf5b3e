#include "balance/plan.hpp"

#include <algorithm>

namespace steelyard::balance {

void Plan::update(Roster& roster, Instant now, std::vector<Event>& events) {
  if (epoch_ == roster.epoch() && now <= valid_until_) return;
  candidates_.clear();
  of_standbys_ = false;
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
  std::size_t missing = 0;
  spares_.clear();
  standbys_.clear();
  for (const Position at : set) {
    if (roster.status(at).has(Flag::draining)) {
      if (!roster.status(at).any(Flag::spare | Flag::standby)) ++missing;
      continue;
    }
    roster.retry(at, now, events);
    const Status status = roster.status(at);
    if (status.has(Flag::in_error)) valid_until_ = std::min(valid_until_, roster.error_ends(at));
    if (status.has(Flag::spare)) {
      if (status.usable()) spares_.push_back(at);
    } else if (status.has(Flag::standby)) {
      if (status.usable()) standbys_.push_back(at);
    } else if (status.usable()) {
      add(roster, at);
    } else {
      ++missing;
    }
  }
  spares_.resize(std::min(spares_.size(), missing));
  for (const Position at : spares_) add(roster, at);
  if (!candidates_.empty()) return;
  of_standbys_ = !standbys_.empty();
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
