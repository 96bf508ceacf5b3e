// A balancer while the program runs: picks a member and charges it in one step.
//
// One object lives for each (server scope, balancer name) and outlives configurations. The order of
// picks is httpd's exactly, as a pick and its accounting happen together under one short lock.
//
//   choose:  recover from "all in error" -> session's member
//            -> a trial that is due -> policy among the lowest usable lbset
//            -> else the line, if there is one (queue=)
//
// Invariants
//   1. A pick by quota adds nothing to the sum of all credits (httpd's lbstatus).
//   2. Status bits change only under the lock; Member::status() mirrors them.
//   3. No allocation in choose() unless a status changes or an explanation is asked for.
//
// Threads: everything may be called from any thread. The clock is the caller's: `now`, or
// Instant::min() where the time is unknown.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "balance/answer_watch.hpp"
#include "balance/attempt_outcome.hpp"
#include "balance/composition.hpp"
#include "balance/decision.hpp"
#include "balance/health.hpp"
#include "balance/heartbeats.hpp"
#include "balance/member_view.hpp"
#include "balance/pick_tables.hpp"
#include "balance/spec.hpp"
#include "balance/trials.hpp"
#include "balance/wait_turn.hpp"
#include "base/time.hpp"

namespace steelyard::balance {

class Balancer {
 public:
  explicit Balancer(std::shared_ptr<const BalancerSpec> spec, Instant now = Instant::min());
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;
  ~Balancer();
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::shared_ptr<const BalancerSpec> spec() const;
  // Operators changed more than members: spec() differs from the configuration.
  [[nodiscard]] bool is_altered() const { return is_altered_.load(std::memory_order_relaxed); }

  // A new generation. Members are matched by name: known ones keep counters, credit and status, and
  // a status= applies only if its text changed since the last generation; missing ones are retired.
  // A change of policy resets credits, and traffic sums for bytraffic, as httpd does.
  void adopt(std::shared_ptr<const BalancerSpec> spec, Instant now = Instant::min());
  // Picks and charges. `request.session` comes from find_session() with this balancer's StickySpec.
  Decision choose(const ChoiceRequest& request);
  // After `attempts_made` tries (the first is 1), the last of them with `lease`.
  [[nodiscard]] bool may_try_another(const Lease& lease, int attempts_made) const;
  [[nodiscard]] bool has_attempt_left(int attempts_made) const;  // maxattempts=
  // Outcome none_usable and timeout= is set: the turn to wait, unless another exchange has it.
  std::optional<WaitTurn> begin_wait();

  // queue=: where those wait for whom no member is free, and the bounds in force; none: nobody may.
  [[nodiscard]] WaitingLine& line() const { return roster_.line(); }
  [[nodiscard]] std::optional<QueueSpec> queue() const;
  [[nodiscard]] Refusals& refusals() { return refusals_; }  // counted by who asked
  // For requests whose attempts are used up; not when maxattempts= keeps them from a sound member.
  [[nodiscard]] bool may_line_up() const;

  // Outcomes of an attempt. A member with the flag I never enters the error state.
  // connect_failed and force_error: true if the member is in error now because of this call.
  bool connect_failed(const Lease& lease, Instant now, Evidence evidence = {});
  bool force_error(const Lease& lease, Instant now, HealthCause cause = HealthCause::attempt_failed,
                   Evidence evidence = {});
  // Forgets earlier errors. False: the member became unusable meanwhile, as by a failed connect.
  bool connected(const Lease& lease);
  // The head of the final answer is here: that passes a trial, unless failonstatus has `status`.
  void answer_began(const Lease& lease, Instant now, int status, Duration took = {});
  // failonstatus and failontimeout, once per exchange, for the last member, with the final status.
  AnswerMark answer_status(const Lease&, Instant now, int status, bool late, Duration took = {});

  // Status bits set by an operator (his other changes: edits.hpp). False: the member is retired.
  bool change_status(const MemberRef&, Status set, Status clear, Instant now = Instant::min());
  CheckEffect check_finished(const MemberRef&, CheckReport report);  // a retired one is not told
  // How long the member took to begin its answer once it had the request; a timeout counts with the
  // time until then. Nothing unless the policy or ejectslow= asks for it; whom that ejects.
  std::vector<SlowEjection> observe_latency(const Lease& lease, Duration took, Instant now);
  // failcount=, ejectslow= or trial= (balancer_ejection.cpp): an attempt counts as one failure.
  [[nodiscard]] bool ejects() const { return ejects_.load(std::memory_order_relaxed); }
  [[nodiscard]] Duration error_length(const Member& member) const;  // of its last error, whole

  // What names lead to (balancer_names.cpp). A member with a watched name gets its addresses, or,
  // if it never had one, is down for `reason`. True: it changed anything.
  bool take_addresses(const MemberRef& member, AddressList addresses, Instant now);
  bool name_failed(const MemberRef& member, std::string reason, Instant now);
  // All members configured with resolve= and this name are replaced by those it leads to now. The
  // answer is kept, and counts for the next generation too.
  void take_answer(NameMeaning meaning, const std::string& name, NameAnswer answer, Instant now);

  [[nodiscard]] std::vector<MemberView> members();
  [[nodiscard]] std::chrono::seconds advised_wait(Instant now) const;  // standing.hpp
  void count_sessions(bool wanted);  // for Drains::sessions(); they are unless told otherwise

 private:
  friend class WaitTurn;
  friend class Drains;  // drains.hpp
  friend class Edits;   // edits.hpp
  void recover(Instant now, std::vector<Event>& events);
  bool choose_by_session(const ChoiceRequest& request, std::optional<std::uint64_t> token,
                         Decision& decision);
  bool choose_trial(const ChoiceRequest& request, Decision& decision);
  void begin_trial(Position at, Decision& decision);
  const Plan& with_room();
  [[nodiscard]] Instant next_retry(const ChoiceRequest& request);
  void choose_by_policy(const ChoiceRequest& request, std::optional<std::uint64_t> key,
                        Decision& decision);
  void answer_from_members(const BalancerSpec& next);
  [[nodiscard]] PreparedSpec prepare(const Composition& composition) const;
  void adopt_members(Instant now, PreparedSpec prepared = {});
  void adopt_policy(const BalancerSpec* before, Instant now);
  void note_wish(Position at);
  void adopt_ejection(const EjectionSpec* before);
  void leave_out(const ChoiceRequest& request);
  bool blame(Position at, const Lease& lease, HealthChange change);
  std::vector<SlowEjection> close_window(Instant now);

  const std::string name_;
  mutable std::mutex lock_;
  Composition composition_;
  std::shared_ptr<const BalancerSpec> spec_;  // its result()
  Roster roster_;
  Plan plan_, plan_with_room_;  // the second is scratch of with_room()
  bool lines_up_ = false;
  std::shared_ptr<const PickTables> tables_;  // null unless the policy looks things up
  int hash_bound_ = 0;
  HeartbeatList heartbeat_list_;  // scratch of lbmethod=heartbeat
  std::atomic<int> attempts_max_ = 0;
  std::atomic<bool> measures_latency_ = false, waiting_ = false, ejects_ = false;
  std::atomic<bool> is_altered_ = false, counts_sessions_ = true, has_drains_ = false;
  Refusals refusals_;
  AnswerWatch answer_watch_;
  Trials trials_;
  std::vector<Position> left_out_;                                            // of this choice
  std::atomic<Instant::rep> window_ends_ = never.time_since_epoch().count();  // of ejectslow=
};

}  // namespace steelyard::balance
