// What a choice is asked with, what it answers, and the record that explains it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/lease.hpp"
#include "balance/session.hpp"
#include "base/time.hpp"
#include "heartbeat/servers.hpp"

namespace steelyard::balance {

enum class Outcome : std::uint8_t {
  picked,
  none_usable,              // 503: all workers are in error state
  no_members,               // 503: no workers in balancer
  session_member_unusable,  // 503: nofailover=On and the session's member cannot serve
  all_full,                 // queue=: those that are usable have max= connections in use
  others_wait,              // queue=: who came earlier is still waiting
};
inline constexpr std::size_t outcome_count = static_cast<std::size_t>(Outcome::others_wait) + 1;

// Requests that a balancer had nobody for, by what was said last. Threads: any.
class Refusals {
 public:
  void count(Outcome outcome) {
    counts_[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t of(Outcome outcome) const {
    return counts_[static_cast<std::size_t>(outcome)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, outcome_count> counts_{};
};

enum class Reason : std::uint8_t {
  none,
  by_session,   // the member carries the session's tag
  by_redirect,  // the session's member is unusable and names another tag
  by_policy,
  spare,    // a hot spare in the place of an unusable member
  standby,  // too few others in its set were usable
  trial,    // in error, its time is over: this request shows whether it serves again
};
inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::trial) + 1;

enum class EventKind : std::uint8_t {
  retried,  // the retry time passed: the next request is the probe (AH00932)
  forced,   // every member was in error and forcerecovery=On (AH01165)
  trial,    // trial=: the error's time is over and this request is the probe
};

struct Event {
  EventKind kind;
  MemberRef member;
};

enum class Role : std::uint8_t { regular, spare, standby };

enum class Verdict : std::uint8_t {
  chosen,
  eligible,        // took part and lost
  not_reached,     // a lower lbset already had a member
  unusable,        // its status says why
  awaiting_retry,  // in error, retry time not over
  draining,        // serves only its own sessions
  spare_not_needed,
  standby_not_needed,
  no_heartbeat,  // nothing was heard of its host lately
  shadowed,      // a later member with the same host takes what its server can do
  not_asked,     // the session named another member
  full,          // queue=: max= connections are in use
};

// One line of an explanation. The scores are those the policy compared: byrequests the credit
// including this turn's quota, bytraffic the weighted bytes, bybusyness busy and then the credit.
struct Candidate {
  std::string name;
  std::string tag;
  Status status;
  Role role = Role::regular;
  Verdict verdict = Verdict::eligible;
  int lbset = 0;
  int load_factor = 0;
  std::int64_t factor_now = 0;  // less while the member comes back slowly
  int busy = 0;
  std::int64_t credit = 0;  // httpd's lbstatus, after this turn's quota and before the winner pays
  std::int64_t weighted_bytes = 0;
  std::optional<int> heartbeat_weight{};    // of its host, when it was heard
  std::optional<float> expected_seconds{};  // until the member begins to answer, once measured
};

struct Explanation {
  Outcome outcome = Outcome::none_usable;
  Reason reason = Reason::none;
  std::vector<Candidate> candidates;  // in configuration order
};

std::string_view to_text(Outcome outcome);
std::string_view to_text(Reason reason);
std::string_view to_text(Verdict verdict);

enum class Attempt : std::uint8_t {
  request,     // the whole sequence: recovery, session, policy; also for each failover
  after_wait,  // the balancer's timeout= runs: only the policy is asked again
  // queue=: it has waited in the line, which does not matter to it any more; no error is forgotten.
  in_line,
  last_chance,  // queue=: its time is over; the whole sequence, also when others wait
};

struct ChoiceRequest {
  Session session;
  Instant now;
  Attempt attempt = Attempt::request;
  Explanation* explanation = nullptr;  // filled when given
  std::uint64_t random = 0;            // any number; policies that draw take theirs from it
  // What lbmethod=heartbeat chooses by; null: nobody was heard.
  const heartbeat::Servers* servers = nullptr;
  std::string_view key{};  // what policies by key hash; empty: the request has none
  // Members that this exchange tried in vain. With failcount=, ejectslow= or trial= they are left
  // out of the choice; else only those that became unusable are (httpd), with retry=0 too.
  std::span<const MemberRef> tried{};
  bool repeats = false;  // repeaton=: they are left out whatever became of them
  // Trials go by these two.
  bool replayable = false;  // may be tried elsewhere should it fail
  bool whole = true;        // all of it was received: nothing waits for its client any more
};

struct Decision {
  Outcome outcome = Outcome::none_usable;
  Reason reason = Reason::none;
  bool tag_changed = false;  // BALANCER_ROUTE_CHANGED
  bool lines_up = false;     // the balancer has a line (queue=)
  // When waiting ends by itself: an error is over. After a choice that found nobody.
  Instant next_retry = never;
  Lease lease;  // holds when picked
  Session session;
  std::vector<Event> events;  // empty, and then without memory, unless a status changed
};

}  // namespace steelyard::balance
