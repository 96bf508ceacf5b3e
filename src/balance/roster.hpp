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
//   is
//      owed `owed_turns_` times its factor. That makes a session hit independent of the member
//      count.
//
// Threads: guarded by the balancer's lock, but for what Member itself allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/decision.hpp"
#include "balance/member.hpp"
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

class Roster {
 public:
  Roster() = default;
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  void adopt(const BalancerSpec& spec);
  void reset_credits();
  void reset_traffic();

  [[nodiscard]] Position size() const { return static_cast<Position>(members_.size()); }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] Member& member(Position at) const { return *members_[at]; }
  [[nodiscard]] const MemberRef& ref(Position at) const { return members_[at]; }
  [[nodiscard]] const MemberSpec& spec(Position at) const { return *members_[at]->spec_; }
  [[nodiscard]] Status status(Position at) const { return statuses_[at]; }
  [[nodiscard]] bool usable(Position at) const { return statuses_[at].usable(); }
  [[nodiscard]] Instant error_time(Position at) const { return error_times_[at]; }
  // Where `member` stands, or nobody if it is retired.
  [[nodiscard]] Position find(const Member& member) const;

  // When an error may be forgotten: the first instant *after* this one.
  [[nodiscard]] Instant retry_due(Position at) const;
  // The retry test (httpd: ap_proxy_retry_worker): may clear the error bit, and says so in
  // `events`.
  void retry(Position at, Instant now, std::vector<Event>& events);
  void set_status(Position at, Status status);
  void mark_error(Position at, Instant now);
  void forget_errors(Position at);
  void count_retry(Position at);

  // Positions ordered by lbset, then by configuration.
  [[nodiscard]] std::span<const Position> by_set() const { return by_set_; }
  [[nodiscard]] int lbset(Position at) const { return lbsets_[at]; }
  // Positions whose tag is exactly `tag` (never empty), in configuration order.
  [[nodiscard]] std::span<const Position> tagged(std::string_view tag) const;

  // Columns for the policies. credits() settles what session hits left owing.
  std::span<std::int64_t> credits();
  [[nodiscard]] std::span<const std::int64_t> factors() const { return factors_; }
  [[nodiscard]] int busy(Position at) const { return busy_[at]->load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t weighted_bytes(Position at) const;

  // A session hit: every usable member earns its quota and the member at `at` pays the sum.
  void charge_session(Position at);
  Lease elect(Position at);

 private:
  void settle();
  void index_members();

  std::vector<MemberRef> members_;
  std::vector<std::int64_t> credits_;
  std::vector<std::int64_t> factors_;
  std::vector<Status> statuses_;
  std::vector<std::uint8_t> lbsets_;
  std::vector<Instant> error_times_;
  std::vector<Duration> retries_after_;
  std::vector<const std::atomic<int>*> busy_;
  std::vector<const Traffic*> traffic_;
  std::vector<Position> by_set_;

  struct Tag {
    std::string text;
    std::vector<Position> positions;
  };
  std::vector<Tag> tags_;  // sorted by text
  std::uint64_t epoch_ = 1;

  // Sessions' accounting, see invariant 2.
  std::vector<Run> usable_runs_;
  std::int64_t usable_quota_ = 0;
  std::int64_t owed_turns_ = 0;
  bool usable_runs_stale_ = true;
};

}  // namespace steelyard::balance
