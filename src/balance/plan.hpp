// Who takes part in the next choice by policy.
//
//   lowest lbset with anybody:  regular members, plus one spare for each missing one,
//                               else its standbys; with minactive=N standbys until N take part
//
// That depends on statuses, sets and retry times but not on scores, so it is worked out once and
// kept until one of those changes.
//
// Threads: guarded by the balancer's lock.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balance/decision.hpp"
#include "balance/roster.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

class Plan {
 public:
  // Brings the plan up to date; runs the retry test on unusable members of each visited set.
  void update(Roster& roster, Instant now, std::vector<Event>& events);
  // For one choice only: as if the members at these positions were not usable.
  void update_without(Roster& roster, std::span<const Position> left_out, Instant now,
                      std::vector<Event>& events);

  // The same choice without the candidates for which `left_out(position)` holds: sets, spares and
  // standbys stay as `whole` has them. False, and nothing is done, when it holds for none.
  template <class Predicate>
  bool update_without(const Plan& whole, const Roster& roster, Predicate left_out) {
    if (!whole.any_candidate(left_out)) return false;
    candidates_.clear();
    whole.any_candidate([&](Position at) {
      if (!left_out(at)) add(roster, at);
      return false;
    });
    lbset_ = whole.lbset_;
    sum_up(roster);
    return true;
  }

  // Candidates in the order that breaks ties: regular members, then spares; or standbys alone. The
  // counters of a run's members are consecutive in memory.
  [[nodiscard]] std::span<const Run> candidates() const { return candidates_; }
  [[nodiscard]] bool empty() const { return candidates_.empty(); }
  // What one turn hands out: the sum of the candidates' factors.
  [[nodiscard]] std::int64_t quota() const { return quota_; }
  // Whether the member at this position is a candidate.
  [[nodiscard]] bool takes_part(Position at) const { return takes_part_[at] != 0; }
  [[nodiscard]] std::uint32_t candidate_count() const { return candidate_count_; }
  // The largest share (see returning.hpp) of a candidate: when all of them ramp, none is held back.
  [[nodiscard]] std::uint32_t largest_share() const { return largest_share_; }
  // Whether one more spare, or standby, of the set would take part if it were usable.
  [[nodiscard]] bool wants_spare() const { return missing_ > spares_.size(); }
  [[nodiscard]] bool wants_standby() const { return wants_standby_; }
  // The set the candidates are of, or the last one when there are none.
  [[nodiscard]] int lbset() const { return lbset_; }
  // When the next error of a member in the visited sets is over (inclusive), or never.
  [[nodiscard]] Instant next_retry() const { return next_retry_; }

 private:
  void build(Roster& roster, Instant now, std::vector<Event>& events);
  void visit_set(Roster& roster, std::span<const Position> set, Instant now,
                 std::vector<Event>& events);
  void bring_standbys(const Roster& roster, std::size_t active);
  void add(const Roster& roster, Position at);
  template <class Predicate>
  bool any_candidate(Predicate holds) const {
    for (const Run run : candidates_) {
      for (Position at = run.begin; at < run.end; ++at) {
        if (holds(at)) return true;
      }
    }
    return false;
  }
  void sum_up(const Roster& roster);

  std::vector<Run> candidates_;
  std::vector<Position> spares_;          // scratch of visit_set
  std::vector<Position> standbys_;        // scratch of visit_set
  std::span<const Position> left_out_;    // while update_without() runs
  std::size_t missing_ = 0;               // regular members that the set lacks
  std::vector<std::uint8_t> takes_part_;  // by position
  std::uint32_t candidate_count_ = 0;
  std::uint32_t largest_share_ = full_share;
  std::int64_t quota_ = 0;
  bool wants_standby_ = false;
  int lbset_ = 0;
  std::uint64_t epoch_ = 0;
  Instant valid_until_ = Instant::min();
  Instant next_retry_ = never;
};

}  // namespace steelyard::balance
