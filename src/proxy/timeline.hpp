#pragma once

#include <optional>

#include "balance/decision.hpp"
#include "expr/timeline.hpp"
#include "proxy/core.hpp"
#include "proxy/counters.hpp"
#include "proxy/failure.hpp"

// How an exchange goes, noted as it goes: for logs and spans. Where nobody asks for it (most
// servers), every function here is one test of a flag.
//
//   keep ─▶ (queued)* ─▶ open ─▶ moments ─▶ close ─▶ ... ─▶ end
//
// Threads: the shard's.

namespace steelyard::proxy {

// The virtual host is known: begins a timeline if that one wants any.
void begin_timeline(Exchange& x);

// The attempt that is under way; null when there is no timeline or no attempt.
inline expr::Attempt* open_attempt(Exchange& x) {
  expr::Timeline* const timeline = x.timeline_kept();
  return timeline == nullptr || timeline->attempts.empty() ? nullptr : &timeline->attempts.back();
}

struct AttemptBegin {
  const Group& group;
  const balance::Lease& lease;
  balance::Reason reason = balance::Reason::none;
  std::optional<ResendProof> proof;
  std::string_view path;  // as it is asked for at the member
};
void note_attempt(Exchange& x, Shard::Core& core, const AttemptBegin& begin);
// The attempt goes on with another connection, which is an attempt of its own here.
void note_repeat(Exchange& x, Shard::Core& core, const Failure& failure, ResendProof proof);
// `status`: of the member's final answer, 0: none came.
void close_attempt(Exchange& x, Shard::Core& core, const Failure& failure, int status);

// A time without a member, from its construction on.
class QueuedStage {
 public:
  QueuedStage(Exchange& x, Shard::Core& core) : x_(x), core_(core), began_(core.now()) {}
  QueuedStage(const QueuedStage&) = delete;
  QueuedStage& operator=(const QueuedStage&) = delete;
  // Call it when somebody was found, or not.
  void end() {
    if (expr::Timeline* const timeline = x_.timeline_kept())
      timeline->queued.push_back({began_, core_.now()});
  }

 private:
  Exchange& x_;
  Shard::Core& core_;
  Instant began_;
};

// What the balancer said when it had nobody: `why` is a word without blanks.
inline void note_refusal(Exchange& x, std::string_view why) {
  if (expr::Timeline* const timeline = x.timeline_kept()) timeline->refusal = why;
}
void note_balancer(Exchange& x, const Group& group);

// The exchange is over; its own fields say how.
void end_timeline(Exchange& x);

}  // namespace steelyard::proxy
