// The members of a balancer in configuration order, with everything a choice reads laid out in
// columns.
//
//   position    0        1        2            one entry a member, all columns equally long
//   credits   [ +100   | -100   |  0     ]     httpd's lbstatus
//   factors   [  100   |  100   |  200   ]
//   statuses  [ O      | O E    | O H    ]     authoritative; Member::status() mirrors it
//
// Invariants
//   1. epoch() changes whenever a status, an lbset or the membership changes.
//   2. Between settle() and the next session hit, credits are exact; before it, every usable member
//      is owed `owed_turns` times its factor: a session hit does not depend on the member count.
//
// Threads: guarded by the balancer's lock, but for what Member itself allows.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/decision.hpp"
#include "balance/health.hpp"
#include "balance/lease.hpp"
#include "balance/roster_columns.hpp"
#include "balance/spec.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

class Roster {
 public:
  Roster() = default;
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  void adopt(const BalancerSpec& spec, Instant now);
  void reset_credits();
  void begin_credits();  // each is its factor
  void reset_traffic();

  [[nodiscard]] Position size() const { return static_cast<Position>(now_.members.size()); }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const MemberRef& ref(Position at) const { return now_.members[at]; }
  [[nodiscard]] const MemberSpec& spec(Position at) const { return *now_.members[at]->spec_; }
  [[nodiscard]] Status status(Position at) const { return now_.statuses[at]; }
  [[nodiscard]] bool usable(Position at) const { return status(at).usable(); }
  // Instant::min() when none is on record.
  [[nodiscard]] Instant error_time(Position at) const { return now_.error_times[at]; }
  // Where `member` stands, or nobody if it is retired.
  [[nodiscard]] Position find(const Member& member) const;

  // The member's machine (health.hpp). After a transition of it: a change goes to the member's log.
  [[nodiscard]] Health health(Position at) const;
  void take(Position at, const Health& next, HealthChange change);
  [[nodiscard]] Instant error_ends(Position at) const;
  // The retry test: may clear the error bit, and says so in `events`. Nothing where it tries().
  void retry(Position at, Instant now, std::vector<Event>& events);
  // Clears the error bit and counts it as a retry, whatever the time.
  void clear_error(Position at, EventKind kind, Instant now, std::vector<Event>& events);
  static void mark_retired_in_error(Member& member);
  // After a successful connect.
  void forget_errors(Position at);
  void note(Position at, HealthChange change);  // to its log: what left the status alone
  [[nodiscard]] EjectionRecord& ejection(Position at) { return now_.members[at]->ejection_; }
  [[nodiscard]] bool tries() const { return tries_; }  // errors end with a trial (trials.hpp)

  // Positions ordered by lbset, then by configuration.
  [[nodiscard]] std::span<const Position> by_set() const { return by_set_; }
  [[nodiscard]] int lbset(Position at) const { return now_.lbsets[at]; }
  [[nodiscard]] std::size_t active_min() const { return active_min_; }  // minactive=; 0: httpd's
  // Positions whose tag is exactly `tag` (never empty), in configuration order.
  [[nodiscard]] std::span<const Position> tagged(std::string_view tag) const;

  // For the policies. credits() settles what session hits left owing.
  std::int64_t* credits();
  [[nodiscard]] const std::int64_t* factors() const { return now_.factors.data(); }
  [[nodiscard]] int busy(Position at) const { return now_.members[at]->busy(); }
  // What bytraffic compares; brought up to date where the bytes changed since (see weigh()).
  Weighed* weighed() { return now_.weighed.data(); }
  // Each direction divided by the factor, cut, and then added.
  std::int64_t weigh(Position at);
  [[nodiscard]] Latency& latency(Position at) { return *now_.members[at]->latency_; }
  // max= is not used up; opt-in policies pass over a member whose is.
  [[nodiscard]] bool has_room(Position at) const;
  [[nodiscard]] bool any_full(std::span<const Run> runs) const;  // has no room
  // A member that is full may have room soon without telling the line.
  [[nodiscard]] bool awaits_silent_end();
  void count_leases(InTotal counted) { counted_ = counted; }  // those that elect() gives out
  [[nodiscard]] WaitingLine& line() const { return commons_->line; }
  [[nodiscard]] std::int64_t live_total() const { return commons_->live_leases.load(); }
  // The counters of `at` and, consecutively, of those behind it as long as cells_continue() holds.
  [[nodiscard]] const std::atomic<int>* busy_cells(Position at) const { return ref(at)->busy_; }
  [[nodiscard]] const Traffic* traffic_cells(Position at) const { return ref(at)->traffic_; }
  [[nodiscard]] bool cells_continue(Position at) const;

  // Members that come back, see returning.hpp. Gives the returned their position among the
  // candidates, lets ramps go on, and says when to ask again.
  Instant welcome(std::span<const Run> candidates, Instant now);
  [[nodiscard]] bool any_ramp() const { return !ramps_.empty(); }
  // Of `full_share`.
  [[nodiscard]] std::uint32_t share(Position at) const { return now_.returns[at].share; }
  // For policies that do not go by turns: a ramping member saves up its part of each turn and may
  // be picked when it has `quota`, which pay_turn() takes.
  bool save_turn(Position at, std::int64_t quota);
  void pay_turn(Position at, std::int64_t quota) { now_.returns[at].saved -= quota; }

  // A session hit: every usable member earns its factor and the member at `at` pays the sum.
  void charge_session(Position at);
  Lease elect(Position at);
  Lease elect_for_trial(Position at);

 private:
  void place(MemberRef member, const CarriedMember& carried);
  void set_status(Position at, Status status);
  void index_members();
  void find_usable_runs();
  void settle();
  [[nodiscard]] TrafficBase weighed_until_now(Position at) const;

  // returning.cpp
  [[nodiscard]] std::chrono::milliseconds slow_start(Position at) const;
  void note_return(Position at);
  void reenter(std::span<const Run> candidates);
  void begin_ramps(std::span<const Run> candidates, Instant now);
  Instant advance_ramps(Instant now);
  void set_share(Position at, std::uint32_t share);
  void find_ramps();

  RosterColumns now_;
  std::vector<Position> by_set_;
  std::vector<TaggedPositions> tags_;  // sorted by text
  std::uint64_t epoch_ = 1;
  const std::shared_ptr<Commons> commons_ = std::make_shared<Commons>();
  InTotal counted_ = InTotal::no;
  std::uint32_t trials_begun_ = 0;
  std::size_t active_min_ = 0;
  std::chrono::milliseconds slow_start_default_{0};
  Reentry reentry_ = Reentry::keep;
  bool tries_ = false, any_due_ = false;  // any_due_: a Return of now_ is due
  std::vector<Position> ramps_;           // positions whose share is not full
  SessionDebt debt_;                      // see invariant 2
};

}  // namespace steelyard::balance
