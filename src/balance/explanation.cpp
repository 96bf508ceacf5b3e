#include "balance/explanation.hpp"

#include <string_view>
#include <unordered_set>

#include "balance/heartbeats.hpp"

namespace steelyard::balance {

namespace {

Role role_of(Status status) {
  if (status.has(Flag::spare)) return Role::spare;
  return status.has(Flag::standby) ? Role::standby : Role::regular;
}

Candidate candidate_at(Roster& roster, Position at, Instant now) {
  const MemberSpec& spec = roster.spec(at);
  return {.name = spec.name,
          .tag = spec.tag,
          .status = roster.status(at),
          .role = role_of(roster.status(at)),
          .verdict = Verdict::not_asked,
          .lbset = roster.lbset(at),
          .load_factor = spec.load_factor,
          .factor_now = roster.factors()[at],
          .busy = roster.busy(at),
          .credit = roster.credits()[at],
          .weighted_bytes = roster.weigh(at),
          .expected_seconds = roster.latency(at).expected(now)};
}

// Why a member that is not among the candidates is not.
Verdict verdict_outside(const Candidate& candidate, const Plan& plan) {
  const Status status = candidate.status;
  if (candidate.lbset > plan.lbset()) return Verdict::not_reached;
  if (status.has(Flag::draining)) return Verdict::draining;
  if (!status.usable()) {
    return status.awaits_retry() ? Verdict::awaiting_retry : Verdict::unusable;
  }
  return candidate.role == Role::spare ? Verdict::spare_not_needed : Verdict::standby_not_needed;
}

}  // namespace

void explain_candidates(Explanation& explanation, Roster& roster, const Plan& plan,
                        bool earns_quota, Instant now) {
  explanation.candidates.clear();
  for (Position at = 0; at < roster.size(); ++at) {
    Candidate candidate = candidate_at(roster, at, now);
    candidate.verdict = verdict_outside(candidate, plan);
    explanation.candidates.push_back(std::move(candidate));
  }
  for (const Run run : plan.candidates()) {
    for (Position at = run.begin; at < run.end; ++at) {
      Candidate& candidate = explanation.candidates[at];
      candidate.verdict = Verdict::eligible;
      if (earns_quota) candidate.credit += candidate.factor_now;
    }
  }
}

void explain_full(Explanation& explanation, const Plan& whole, const Plan& with_room) {
  for (const Run run : whole.candidates()) {
    for (Position at = run.begin; at < run.end; ++at) {
      if (!with_room.takes_part(at)) explanation.candidates[at].verdict = Verdict::full;
    }
  }
}

void explain_heartbeats(Explanation& explanation, Roster& roster, const heartbeat::Servers& servers,
                        Instant now) {
  explanation.candidates.clear();
  for (Position at = 0; at < roster.size(); ++at) {
    Candidate candidate = candidate_at(roster, at, now);
    const heartbeat::Server* const server = fresh_server(servers, roster.spec(at), now);
    if (server != nullptr) candidate.heartbeat_weight = server->weight();
    candidate.verdict = server == nullptr                 ? Verdict::no_heartbeat
                        : candidate.status.usable()       ? Verdict::eligible
                        : candidate.status.awaits_retry() ? Verdict::awaiting_retry
                                                          : Verdict::unusable;
    explanation.candidates.push_back(std::move(candidate));
  }
  std::unordered_set<const heartbeat::Server*> taken;
  for (Position at = roster.size(); at-- > 0;) {
    Verdict& verdict = explanation.candidates[at].verdict;
    if (verdict == Verdict::eligible &&
        !taken.insert(fresh_server(servers, roster.spec(at), now)).second)
      verdict = Verdict::shadowed;
  }
}

void explain_session(Explanation& explanation, Roster& roster, Instant now) {
  explanation.candidates.clear();
  for (Position at = 0; at < roster.size(); ++at) {
    Candidate candidate = candidate_at(roster, at, now);
    if (candidate.status.usable()) candidate.credit += candidate.factor_now;
    explanation.candidates.push_back(std::move(candidate));
  }
}

}  // namespace steelyard::balance
