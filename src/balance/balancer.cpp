#include "balance/balancer.hpp"

#include <algorithm>
#include <utility>

#include "balance/drains.hpp"
#include "balance/editable.hpp"
#include "balance/explanation.hpp"
#include "balance/policies.hpp"
#include "balance/session_member.hpp"
#include "balance/standing.hpp"
#include "base/check.hpp"

namespace steelyard::balance {

namespace {

// How often is looked for room that nobody tells of: only after a reload, and not for long.
constexpr Duration silent_end_pause = std::chrono::milliseconds(100);

// `plan`: `whole`, or that without those who are full.
void explain(const ChoiceRequest& request, const PolicyTraits& policy, Roster& roster,
             const Plan& whole, const Plan& plan) {
  if (policy.by_plan) {
    explain_candidates(*request.explanation, roster, plan, policy.hands_out_credit, request.now);
    if (&plan != &whole) explain_full(*request.explanation, whole, plan);
    return;
  }
  static const heartbeat::Servers nobody_heard;
  explain_heartbeats(*request.explanation, roster,
                     request.servers != nullptr ? *request.servers : nobody_heard, request.now);
}

}  // namespace

WaitTurn::WaitTurn(WaitTurn&& other) noexcept
    : balancer_(std::exchange(other.balancer_, nullptr)), step_(other.step_) {}

WaitTurn::~WaitTurn() {
  if (balancer_ != nullptr) balancer_->waiting_.store(false, std::memory_order_release);
}

Balancer::Balancer(std::shared_ptr<const BalancerSpec> spec, Instant now) : name_(spec->name) {
  adopt(std::move(spec), now);
}

Balancer::~Balancer() = default;

std::shared_ptr<const BalancerSpec> Balancer::spec() const {
  const std::lock_guard guard(lock_);
  return spec_;
}

// Large tables take a while, so nobody waits for them.
PreparedSpec Balancer::prepare(const Composition& composition) const {
  std::unique_lock guard(lock_);
  const auto before = spec_;
  auto tables = tables_;
  guard.unlock();
  PreparedSpec prepared{.spec = composition.result(), .tables = std::move(tables)};
  const bool keeps_tables = before != nullptr && PickTables::same(*before, *prepared.spec);
  if (!keeps_tables) prepared.tables = PickTables::build(*prepared.spec);
  return prepared;
}

void Balancer::adopt(std::shared_ptr<const BalancerSpec> spec, Instant now) {
  CHECK(spec != nullptr && spec->name == name_);
  answer_from_members(*spec);
  std::unique_lock guard(lock_);
  Composition next = composition_;
  guard.unlock();
  next.configure(spec);
  PreparedSpec prepared = prepare(next);
  guard.lock();
  composition_.configure(std::move(spec));
  adopt_members(now, std::move(prepared));
}

void Balancer::adopt_members(Instant now, PreparedSpec prepared) {
  const auto before = std::exchange(spec_, composition_.result());
  if (prepared.spec != nullptr && PickTables::same(*prepared.spec, *spec_)) {
    tables_ = std::move(prepared.tables);
  } else if (before == nullptr || !PickTables::same(*before, *spec_)) {
    tables_ = PickTables::build(*spec_);  // an answer or a reload came between
  }
  roster_.adopt(*spec_, now);
  adopt_ejection(before != nullptr ? &before->ejection : nullptr);
  attempts_max_.store(spec_->effective_maxattempts(), std::memory_order_relaxed);
  lines_up_ = spec_->effective_queue().has_value();
  is_altered_.store(!composition_.overlay.balancer.empty(), std::memory_order_relaxed);
  adopt_policy(before.get(), now);
  line().stir();  // for new members and higher limits
}

void Balancer::adopt_policy(const BalancerSpec* before, Instant now) {
  const Policy policy = spec_->effective_policy();
  // As httpd's manager does for a new method. Live leases stay counted: they are exact here.
  if (before != nullptr && before->effective_policy() != policy) {
    if (policy == Policy::by_traffic) {
      roster_.reset_traffic();
    } else {
      roster_.reset_credits();
    }
  }
  const bool new_sessions = before != nullptr && before->sticky != spec_->sticky;
  for (Position at = 0; new_sessions && at < roster_.size(); ++at) {
    roster_.ref(at)->census_.begin(now);
  }
  hash_bound_ = spec_->effective_hash_bound();
  roster_.count_leases(hash_bound_ != 0 ? InTotal::yes : InTotal::no);
  const bool measures = policy == Policy::least_time || spec_->ejection.slow_limit;
  measures_latency_.store(measures, std::memory_order_relaxed);
  answer_watch_.adopt(*spec_);
}

Decision Balancer::choose(const ChoiceRequest& request) {
  Decision decision;
  decision.session = request.session;
  std::optional<std::uint64_t> key;
  if (!request.key.empty()) key = hash_of(request.key);
  std::optional<std::uint64_t> token;
  const bool counts = counts_sessions_.load(std::memory_order_relaxed);
  if (counts && request.session.found && !request.session.value.empty()) {
    token = session_token(request.session.value);
  }
  {
    const std::lock_guard guard(lock_);
    if (!request.tried.empty() || !left_out_.empty()) leave_out(request);
    const bool joins = lines_up_ && request.attempt == Attempt::request && line().anyone_waits();
    const bool recovers =
        request.attempt == Attempt::request || request.attempt == Attempt::last_chance;
    const auto seek = [&] {
      if (recovers && !joins) recover(request.now, decision.events);
      if (request.attempt != Attempt::after_wait && choose_by_session(request, token, decision))
        return;
      if (joins) {
        decision.outcome = Outcome::others_wait;
      } else {
        choose_by_policy(request, key, decision);
      }
    };
    seek();
    // Nobody else: whom this exchange found dead is better than that (retry=0).
    const bool finds_nobody = decision.outcome == Outcome::none_usable ||
                              decision.outcome == Outcome::session_member_unusable;
    if (finds_nobody && !left_out_.empty() && !ejects() && !request.repeats) {
      left_out_.clear();
      seek();
    }
    decision.lines_up = lines_up_;
  }
  if (request.explanation != nullptr) {
    request.explanation->outcome = decision.outcome;
    request.explanation->reason = decision.reason;
  }
  return decision;
}

// Members are looked at in order, each error put to the retry test, until one is without error. If
// none is, forcerecovery=On forgets all errors, or lets each begin its trial. A disabled member
// without error counts as fine here; one whose name leads nowhere does not.
void Balancer::recover(Instant now, std::vector<Event>& events) {
  for (Position at = 0; at < roster_.size(); ++at) {
    // It is due, if not for this exchange (retry=0).
    const bool is_due = !ejects() && roster_.spec(at).retry.count() == 0;
    if (is_due && std::ranges::find(left_out_, at) != left_out_.end()) return;
    roster_.retry(at, now, events);
    if (!roster_.status(at).any(Flag::in_error | Flag::nameless)) return;
  }
  if (!spec_->force_recovery.value_or(true)) return;
  for (Position at = 0; at < roster_.size(); ++at) {
    if (!roster_.status(at).has(Flag::in_error)) continue;
    if (roster_.tries()) {
      open_for_trial(roster_, at, now, events);
    } else {
      roster_.clear_error(at, EventKind::forced, now, events);
    }
  }
}

// True when the session settled the matter: its member was found, or must not be replaced.
bool Balancer::choose_by_session(const ChoiceRequest& request, std::optional<std::uint64_t> token,
                                 Decision& decision) {
  const std::string_view tag = request.session.tag;
  if (!spec_->sticky.enabled() || !request.session.found || tag.empty()) return false;
  const bool nofailover = spec_->nofailover.value_or(false);
  const SessionSearch search{.tag = tag,
                             .now = request.now,
                             .left_out = left_out_,
                             .fitness = nofailover ? Fitness::any : fitness_of(request)};
  const Position at = find_session_member(roster_, search, decision.events);
  if (at != nobody) {
    if (request.explanation != nullptr) {
      explain_session(*request.explanation, roster_, request.now);
      request.explanation->candidates[at].verdict = Verdict::chosen;
    }
    if (token) roster_.ref(at)->census_.note(*token, request.now);
    decision.outcome = Outcome::picked;
    if (roster_.usable(at)) {
      roster_.charge_session(at);
      decision.lease = roster_.elect(at);
    } else {
      begin_trial(at, decision);
    }
    decision.tag_changed = roster_.spec(at).tag != tag;
    decision.reason = decision.tag_changed ? Reason::by_redirect : Reason::by_session;
    return true;
  }
  if (!nofailover || roster_.tagged(tag).empty()) return false;
  if (request.explanation != nullptr) explain_session(*request.explanation, roster_, request.now);
  decision.outcome = Outcome::session_member_unusable;
  return true;
}

void Balancer::choose_by_policy(const ChoiceRequest& request, std::optional<std::uint64_t> key,
                                Decision& decision) {
  const PolicyTraits& policy = traits_of(spec_->effective_policy());
  decision.outcome = roster_.size() == 0 ? Outcome::no_members : Outcome::none_usable;
  if (!policy.by_plan) {
    heartbeat_list_.update(roster_, request.servers, left_out_, request.now, decision.events);
  } else if (left_out_.empty()) {
    plan_.update(roster_, request.now, decision.events);
  } else {
    plan_.update_without(roster_, left_out_, request.now, decision.events);
  }
  const Plan& plan = lines_up_ ? with_room() : plan_;
  if (request.explanation != nullptr) explain(request, policy, roster_, plan_, plan);
  if (roster_.tries() && choose_trial(request, decision)) return;
  if (policy.by_plan && plan.empty()) {
    if (!plan_.empty()) decision.outcome = Outcome::all_full;
    decision.next_retry = next_retry(request);
    return;
  }
  Turn turn{.roster = roster_,
            .plan = plan,
            .tables = tables_.get(),
            .random = Random(request.random),
            .key = key,
            .bound_percent = hash_bound_,
            .now = request.now,
            .heartbeats = &heartbeat_list_};
  const Position at = pick(policy.policy, turn);
  if (at == nobody) return;
  if (request.explanation != nullptr) {
    request.explanation->candidates[at].verdict = Verdict::chosen;
  }
  decision.outcome = Outcome::picked;
  decision.lease = roster_.elect(at);
  decision.tag_changed = spec_->sticky.enabled();
  decision.reason = !policy.by_plan                         ? Reason::by_policy
                    : roster_.status(at).has(Flag::spare)   ? Reason::spare
                    : roster_.status(at).has(Flag::standby) ? Reason::standby
                                                            : Reason::by_policy;
}

// When a member may be picked that may not now, without any other event.
Instant Balancer::next_retry(const ChoiceRequest& request) {
  const Instant now = request.now;
  Instant last =
      std::min(plan_.next_retry(), roster_.tries() ? trials_.next_end(roster_, now) : never);
  // The session's member may drain, or be of a set that the plan did not come to.
  if (spec_->sticky.enabled() && request.session.found) {
    for (const Position at : roster_.tagged(request.session.tag)) {
      if (!roster_.status(at).awaits_retry() || roster_.error_ends(at) < now) continue;
      last = std::min(last, roster_.error_ends(at));
    }
  }
  const Instant next = last == never ? never : last + Duration(1);
  return roster_.awaits_silent_end() ? std::min(next, now + silent_end_pause) : next;
}

// With a line, nobody is sent to wait at one member while another has room.
const Plan& Balancer::with_room() {
  if (!roster_.any_full(plan_.candidates())) return plan_;
  const auto is_full = [this](Position at) { return !roster_.has_room(at); };
  return plan_with_room_.update_without(plan_, roster_, is_full) ? plan_with_room_ : plan_;
}

bool Balancer::may_try_another(const Lease& lease, int attempts_made) const {
  if (!ejects() && lease.member().usable()) return false;
  return has_attempt_left(attempts_made);
}

bool Balancer::has_attempt_left(int attempts_made) const {
  return attempts_made <= attempts_max_.load(std::memory_order_relaxed);
}

bool Balancer::may_line_up() const {
  const std::lock_guard guard(lock_);
  if (!lines_up_ || !spec_->maxattempts) return lines_up_;
  for (Position at = 0; at < roster_.size(); ++at) {
    const bool takes_turns = roster_.usable(at) && !roster_.status(at).has(Flag::draining);
    // Errors may be forgotten at any time, by a request that found all members in error.
    if (takes_turns && !roster_.ref(at)->blemished()) return false;
  }
  return true;
}

std::optional<QueueSpec> Balancer::queue() const {
  const std::lock_guard guard(lock_);
  return spec_->effective_queue();
}

std::optional<WaitTurn> Balancer::begin_wait() {
  std::chrono::milliseconds timeout{0};
  {
    const std::lock_guard guard(lock_);
    if (spec_->timeout) timeout = *spec_->timeout;
  }
  if (timeout == std::chrono::milliseconds(0)) return std::nullopt;
  if (waiting_.exchange(true, std::memory_order_acquire)) return std::nullopt;
  return WaitTurn(this, timeout / WaitTurn::tries);
}

bool Balancer::connect_failed(const Lease& lease, Instant now, Evidence evidence) {
  return (lease.member().usable() || lease.is_trial()) &&
         force_error(lease, now, HealthCause::connect_failed, std::move(evidence));
}

bool Balancer::force_error(const Lease& lease, Instant now, HealthCause cause, Evidence evidence) {
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(lease.member());
  if (lease.member().status().has(Flag::ignore_errors)) return false;
  if (at == nobody) {
    Roster::mark_retired_in_error(lease.member());
    return true;
  }
  HealthChange change{.cause = cause, .when = now, .evidence = std::move(evidence)};
  if (ejects()) return blame(at, lease, std::move(change));
  roster_.take(at, after_failure(roster_.health(at), now), std::move(change));
  return true;
}

bool Balancer::connected(const Lease& lease) {
  if (lease.is_trial() && lease.member().status().awaits_retry()) return true;
  if (!lease.member().usable()) return false;
  if (!lease.member().blemished()) return true;
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(lease.member());
  if (at == nobody) return true;
  if (!roster_.usable(at)) return false;
  roster_.forget_errors(at);
  return true;
}

AnswerMark Balancer::answer_status(const Lease& lease, Instant now, int status, bool late,
                                   Duration took) {
  if (answer_watch_.fails(status) && force_error(lease, now, HealthCause::answer_status,
                                                 {.status = status, .text = {}, .latency = took})) {
    return AnswerMark::in_error_by_status;
  }
  if (late && answer_watch_.timeouts_fail() &&
      force_error(lease, now, HealthCause::answer_timed_out,
                  {.status = 0, .text = "no answer came in time", .latency = took})) {
    return AnswerMark::in_error_by_timeout;
  }
  return AnswerMark::none;
}

bool Balancer::change_status(const MemberRef& member, Status set, Status clear, Instant now) {
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(*member);
  if (at == nobody) return false;
  Drains::operator_changed(*member, set.with(clear), now);
  roster_.take(at, after_wish(roster_.health(at), set, clear),
               {.cause = HealthCause::administrator, .when = now});
  note_wish(at);
  return true;
}

// What an operator says of a member is a change like that of any other field: a reload keeps it.
void Balancer::note_wish(Position at) {
  Member& member = *roster_.ref(at);
  MemberSpec spec = *member.spec_;
  const std::string before = text_of(spec, "status");
  spec.status = spec.status.without(operator_flags).with(roster_.status(at).only(operator_flags));
  std::string now = text_of(spec, "status");
  if (now == before) return;
  composition_.overlay.put(member.name(), "status", before, std::move(now));
  member.adopt(spec);
}

CheckEffect Balancer::check_finished(const MemberRef& member, CheckReport report) {
  const std::lock_guard guard(lock_);
  const Position at = roster_.find(*member);
  // One that was under way when a reload ended the checks: nobody could ever take back what it
  // says.
  if (at == nobody || roster_.spec(at).check.method == CheckMethod::none) return CheckEffect::none;
  const CheckSpec& rules = roster_.spec(at).check;
  const auto& shared = report.shared;
  if (!shared || shared->told != SharedFinding::Told::past_check)
    member->health_log().note_check({report.ended, report.verdict, report.evidence});
  const Health before = roster_.health(at);
  const Health next = shared
                          ? after_shared_check(before, rules, report.verdict, *shared, report.ended)
                          : after_check(before, rules, report.verdict, report.ended);
  const bool enabled = report.verdict == CheckVerdict::passed;
  roster_.take(at, next,
               {.cause = enabled ? HealthCause::checks_passed : HealthCause::checks_failed,
                .when = report.ended,
                .evidence = std::move(report.evidence)});
  if (next.status == before.status) return CheckEffect::none;
  return enabled ? CheckEffect::enabled : CheckEffect::disabled;
}

std::chrono::seconds Balancer::advised_wait(Instant now) const {
  const std::lock_guard guard(lock_);
  WaitAdvice advice(now);
  for (Position at = 0; at < roster_.size(); ++at) {
    const Status status = roster_.status(at);
    advice.consider(
        status, roster_.error_ends(at),
        needs_check(status) ? roster_.ref(at)->health_log().next_check() : std::nullopt);
  }
  return advice.seconds();
}

void Balancer::count_sessions(bool wanted) {
  counts_sessions_.store(wanted, std::memory_order_relaxed);
}

std::vector<MemberView> Balancer::members() {
  const std::lock_guard guard(lock_);
  std::vector<MemberView> views;
  views.reserve(roster_.size());
  for (Position at = 0; at < roster_.size(); ++at) {
    const Member& member = *roster_.ref(at);
    MemberView view{.member = roster_.ref(at),
                    .spec = member.spec_,
                    .status = roster_.status(at),
                    .credit = roster_.credits()[at],
                    .busy = member.busy(),
                    .elected = member.elected(),
                    .retries = member.retries(),
                    .transferred_bytes = member.transferred_bytes(),
                    .read_bytes = member.read_bytes(),
                    .error_time = std::nullopt,
                    .error_ends = std::nullopt,
                    .ejections = roster_.ejection(at).in_row,
                    .on_trial = member.on_trial(),
                    .checks = roster_.ref(at)->health_log().checks(),
                    .check_counts = member.check_counts_,
                    .name_fault = member.addresses().fault(),
                    .drain = member.drain_};
    if (roster_.error_time(at) != Instant::min()) view.error_time = roster_.error_time(at);
    if (view.error_time && view.status.awaits_retry()) view.error_ends = roster_.error_ends(at);
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace steelyard::balance
