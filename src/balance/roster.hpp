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
//      is owed `owed_turns_` times its factor: a session hit does not depend on the member count.
//
// Threads: guarded by the balancer's lock, but for what Member itself allows.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/decision.hpp"
#include "balance/health.hpp"
#include "balance/lease.hpp"
#include "balance/spec.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

using Position = std::uint32_t;
inline constexpr Position nobody = UINT32_MAX;

// Consecutive positions [begin, end).
struct Run {
  Position begin;
  Position end;
};

// Appends a position; consecutive ones grow the last run.
void append(std::vector<Run>& runs, Position position);

// What a member's bytes weighed when they were last looked at.
struct Weighed {
  std::int64_t all_bytes = -1;
  std::int64_t weight = 0;
};

class Roster {
 public:
  Roster() = default;
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  void adopt(const BalancerSpec& spec, Instant now);
  void reset_credits();
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
  // Until when (inclusive) an error stands; `never` for a stopped member.
  [[nodiscard]] Instant error_ends(Position at) const;
  // The retry test: may clear the error bit, and says so in `events`.
  void retry(Position at, Instant now, std::vector<Event>& events);
  // Clears the error bit and counts it as a retry, whatever the time.
  void clear_error(Position at, EventKind kind, Instant now, std::vector<Event>& events);
  static void mark_retired_in_error(Member& member);
  // After a successful connect.
  void forget_errors(Position at);

  // Positions ordered by lbset, then by configuration.
  [[nodiscard]] std::span<const Position> by_set() const { return by_set_; }
  [[nodiscard]] int lbset(Position at) const { return now_.lbsets[at]; }
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
  // The counters of `at` and, consecutively, of those behind it as long as cells_continue() holds.
  [[nodiscard]] const std::atomic<int>* busy_cells(Position at) const { return ref(at)->busy_; }
  [[nodiscard]] const Traffic* traffic_cells(Position at) const { return ref(at)->traffic_; }
  [[nodiscard]] bool cells_continue(Position at) const;

  // A session hit: every usable member earns its factor and the member at `at` pays the sum.
  void charge_session(Position at);
  Lease elect(Position at);

 private:
  // One entry a member in each, in configuration order.
  struct Columns {
    std::vector<MemberRef> members;
    std::vector<std::int64_t> credits;
    std::vector<std::int64_t> factors;
    std::vector<Status> statuses;
    std::vector<std::uint8_t> lbsets;
    std::vector<Instant> error_times;
    std::vector<Weighed> weighed;
  };
  struct Tag {
    std::string text;
    std::vector<Position> positions;
  };
  // What a member brings along from the generation before, or starts with.
  struct Carried {
    Status status;
    std::int64_t credit = 0;
    Instant error_time;
  };

  [[nodiscard]] static Status carried_status(Status held, const MemberSpec& before,
                                             const MemberSpec& wanted);
  void place(MemberRef member, const Carried& carried);
  void set_status(Position at, Status status);
  void index_members();
  void find_usable_runs();
  void settle();

  Columns now_;
  std::vector<Position> by_set_;
  std::vector<Tag> tags_;  // sorted by text
  std::uint64_t epoch_ = 1;

  // Sessions' accounting, see invariant 2.
  std::vector<Run> usable_runs_;
  std::int64_t usable_quota_ = 0;
  std::int64_t owed_turns_ = 0;
  bool usable_runs_stale_ = true;
};

}  // namespace steelyard::balance
