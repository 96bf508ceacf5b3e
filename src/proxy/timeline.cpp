#include "proxy/timeline.hpp"

#include "balance/decision_words.hpp"

namespace steelyard::proxy {

namespace {

std::string_view balancer_of(const Group& group) {
  return group.direct ? std::string_view() : std::string_view(group.spec->name);
}

// An ErrorDocument's page does not change why the exchange ended so.
void say_who_ended_it(const Exchange& x, expr::Timeline& timeline) {
  if (x.client_gone || x.failed.cause == Cause::gone) {
    timeline.ended_by = to_text(Party::client);
    timeline.end_cause = to_text(Cause::gone);
  } else if (x.failed.cause != Cause::none) {
    timeline.ended_by = to_text(x.failed.party);
    timeline.end_cause = to_text(x.failed.cause);
  } else if (!timeline.refusal.empty()) {
    timeline.ended_by = to_text(Party::none);
    timeline.end_cause = timeline.refusal;
  } else {
    timeline.ended_by = to_text(x.own_answer ? Party::none : Party::backend);
    timeline.end_cause = "complete";
  }
}

}  // namespace

void begin_timeline(Exchange& x) {
  if (x.server->keeps_timelines) x.keep_timeline();
}

void note_attempt(Exchange& x, Shard::Core& core, const AttemptBegin& begin) {
  expr::Timeline* const timeline = x.timeline_kept();
  if (timeline == nullptr) return;
  // Members may be let go before the exchange ends.
  const balance::MemberSpec& spec = begin.lease.spec();
  expr::Attempt attempt;
  attempt.balancer = balancer_of(begin.group);
  attempt.member = x.arena.copy(spec.name);
  attempt.route = x.arena.copy(spec.tag);
  attempt.host = x.arena.copy(spec.host);
  attempt.port = spec.port;
  attempt.path = begin.path;
  attempt.reason = label_of(begin.reason);
  if (begin.proof) attempt.proof = to_text(*begin.proof);
  attempt.began = core.now();
  if (timeline->has_trace()) attempt.span = core.ids.next_span();
  timeline->attempts.push_back(attempt);
}

void note_repeat(Exchange& x, Shard::Core& core, const Failure& failure, ResendProof proof) {
  const expr::Attempt* const open = open_attempt(x);
  if (open == nullptr) return;
  expr::Attempt next;
  next.balancer = open->balancer;
  next.member = open->member;
  next.route = open->route;
  next.host = open->host;
  next.port = open->port;
  next.path = open->path;
  next.reason = open->reason;
  close_attempt(x, core, failure, 0);
  next.proof = to_text(proof);
  next.began = core.now();
  if (open->span != 0) next.span = core.ids.next_span();
  x.timeline_kept()->attempts.push_back(next);
}

void close_attempt(Exchange& x, Shard::Core& core, const Failure& failure, int status) {
  expr::Attempt* const open = open_attempt(x);
  if (open == nullptr) return;
  open->ended = core.now();
  open->status = status;
  if (!failure) return;
  open->party = to_text(failure.party);
  open->cause = to_text(failure.cause);
}

void note_balancer(Exchange& x, const Group& group) {
  if (expr::Timeline* const timeline = x.timeline_kept()) timeline->balancer = balancer_of(group);
}

void end_timeline(Exchange& x) {
  if (expr::Timeline* const timeline = x.timeline_kept()) say_who_ended_it(x, *timeline);
}

}  // namespace steelyard::proxy
