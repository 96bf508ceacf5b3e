#include "health/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "health/limits.hpp"

namespace steelyard::health {

namespace {

using balance::CheckEffect;
using balance::CheckVerdict;
using balance::Flag;
using config::LogLevel;

constexpr std::string_view module = "proxy_hcheck";

Duration whole_time(const CheckPlan& plan) {
  if (plan.member.check.timeout) return *plan.member.check.timeout;
  return plan.connect_timeout + plan.read_timeout + dripping_time_max;
}

// What members know of a check by their own counts; of several, what all of them know.
balance::SharedFinding finding_of(std::span<const Asker* const> known) {
  balance::SharedFinding finding;
  finding.is_down = std::ranges::all_of(
      known, [](const Asker* asker) { return asker->member->status().has(Flag::health_failed); });
  const balance::CheckCounts& counts = known.front()->counts;
  (finding.is_down ? finding.passed : finding.failed) =
      finding.is_down ? counts.passed : counts.failed;
  return finding;
}

}  // namespace

Prober::Target::Target(const ProberParts& parts, std::size_t& under_way, Instant begins)
    : parts_(parts), under_way_(under_way), last_end_(begins) {}

void Prober::Target::adopt(std::vector<Asker> askers) {
  const TargetRules& next = *askers.front().rules;
  const bool shares = next.member.check.is_shared;
  const bool has_other_times = askers_.empty() || rules().member.check != next.member.check;
  const bool asks_the_same =
      shares ? !askers_.empty() && question() == question_of(plan_for(next)) : !has_other_times;
  const std::vector<Asker> before = std::exchange(askers_, std::move(askers));
  if (!asks_the_same) last_.reset();
  if (!shares) {
    finding_.reset();
  } else {
    if (!asks_the_same) cancel();  // it would tell who never asked that
    std::set<Asker::Key> known;
    for (const Asker& asker : before) known.insert(asker.key());
    share(known);
  }
  if (has_other_times) draw_jitter();
  foretell();
}

// Who had the check for itself brings what it knew; with no earlier check all of them do.
void Prober::Target::share(const std::set<Asker::Key>& before) {
  if (!finding_) {
    std::vector<const Asker*> known;
    for (const Asker& asker : askers_) {
      if (before.empty() || before.contains(asker.key())) known.push_back(&asker);
    }
    finding_ = finding_of(known);
  }
  if (!last_) return;
  balance::CheckReport report = *last_;
  report.shared = finding_;
  report.shared->told = balance::SharedFinding::Told::past_check;
  // The finding is what they share, and the last check alone may not have changed it.
  const auto verdict =
      finding_->is_down ? balance::CheckVerdict::failed : balance::CheckVerdict::passed;
  if (std::exchange(report.verdict, verdict) != verdict)
    report.evidence = {.text = "as found of those who share its check"};
  for (const Asker& asker : askers_) {
    if (!before.contains(asker.key())) tell_asker(asker, report);
  }
}

void Prober::Target::draw_jitter() {
  const auto most = static_cast<std::uint64_t>(rules().member.check.jitter.count());
  jitter_ = std::chrono::milliseconds(most == 0 ? 0 : parts_.random() % (most + 1));
}

Duration Prober::Target::wait() const {
  const balance::CheckSpec& check = rules().member.check;
  const bool down = std::ranges::any_of(askers_, [](const Asker& asker) {
    return asker.member->status().any(Flag::in_error | Flag::health_failed);
  });
  const auto interval = down ? check.down_interval.value_or(check.interval) : check.interval;
  // Intervals of centuries (httpd takes them) would overflow the clock.
  return std::min<Duration>(std::chrono::hours(24 * 365), interval) + jitter_;
}

bool Prober::Target::is_due() const {
  return !is_under_way_ && parts_.loop.now() > last_end_ + wait() &&
         !std::ranges::all_of(
             askers_, [](const Asker& asker) { return asker.member->status().has(Flag::stopped); });
}

void Prober::Target::begin() {
  is_under_way_ = true;
  ++under_way_;
  began_ = parts_.loop.now();
  rules_under_way_ = askers_.front().rules;
  deadline_.arm(parts_.loop.timers(), began_ + whole_time(plan_for(rules())));
  check_ = run(rules_under_way_);
  check_.start();
}

io::Task<> Prober::Target::run(std::shared_ptr<const TargetRules> rules) {
  tell(*rules, LogLevel::debug, fmt::format("AH03256: Health checking {}", rules->member.name));
  Check check(parts_.loop, parts_.dialer, plan_for(*rules));
  Judgement judged = co_await check.run();
  finish(*rules, std::move(judged));
}

// Outside of the check's own coroutine, which can therefore be destroyed.
void Prober::Target::give_up() {
  check_ = {};
  Judgement judged;
  const Duration took = parts_.loop.now() - began_;
  judged.evidence.latency = took;
  judged.evidence.text = fmt::format("not over within {} ms", took / std::chrono::milliseconds(1));
  finish(*rules_under_way_, std::move(judged));
}

void Prober::Target::cancel() {
  deadline_.disarm();
  check_ = {};
  if (std::exchange(is_under_way_, false)) --under_way_;
}

void Prober::Target::tidy() {
  if (is_under_way_ || rules_under_way_ == nullptr) return;
  check_ = {};
  rules_under_way_.reset();
}

void Prober::Target::finish(const TargetRules& rules, Judgement judged) {
  deadline_.disarm();
  is_under_way_ = false;
  --under_way_;
  last_end_ = parts_.loop.now();
  draw_jitter();
  if (!judged.says_something) {
    tell(rules, LogLevel::warn,
         fmt::format("{} was not checked: {}", rules.member.name, judged.evidence.text));
    foretell();
    return;
  }
  tell_of_verdict(rules, judged);
  last_ = {.ended = last_end_, .verdict = judged.verdict, .evidence = std::move(judged.evidence)};
  if (finding_) {
    finding_ = balance::after_check(*finding_, this->rules().member.check, judged.verdict);
    last_->shared = finding_;
  }
  for (const Asker& asker : askers_) tell_asker(asker, *last_);
  foretell();
}

void Prober::Target::tell_asker(const Asker& asker, const balance::CheckReport& report) const {
  const CheckEffect effect = asker.balancer->check_finished(asker.member, report);
  if (effect == CheckEffect::none) return;
  const bool enabled = effect == CheckEffect::enabled;
  const std::string& balancer = asker.rules->balancer;
  tell(*asker.rules, LogLevel::info,
       fmt::format("{}: Health check {} {}{}: {} after {} ms", enabled ? "AH03302" : "AH03303",
                   enabled ? "ENABLING" : "DISABLING", asker.rules->member.name,
                   is_shared() ? " of " + balancer : "", report.evidence.text,
                   report.evidence.latency / std::chrono::milliseconds(1)));
}

void Prober::Target::foretell() const {
  const Instant due = last_end_ + wait();
  for (const Asker& asker : askers_) asker.member->health_log().set_next_check(due);
}

void Prober::Target::tell_of_verdict(const TargetRules& rules, const Judgement& judged) const {
  if (!judged.status_line.empty()) tell(rules, LogLevel::debug, "AH03254: " + judged.status_line);
  if (!judged.words.empty())
    tell(rules, LogLevel::info, fmt::format("AH01071: Got error '{}'", judged.words));
  if (!judged.eval_error.empty()) {
    tell(rules, LogLevel::info,
         fmt::format("AH03301: Condition {} of {} could not be evaluated: {}",
                     rules.member.check.expression, rules.member.name, judged.eval_error));
  }
  tell(rules, LogLevel::debug,
       fmt::format("AH03251: Health check {} Status ({}) for {}: {}",
                   balance::check_method_name(rules.member.check.method),
                   judged.verdict == CheckVerdict::passed ? 0 : 1, rules.member.name,
                   judged.evidence.text));
}

void Prober::Target::tell(const TargetRules& rules, LogLevel level, std::string_view text) const {
  if (level > rules.server->log_levels.of(module)) return;
  proxy::ErrorLine line;
  line.level = level;
  line.module = module;
  line.text = text;
  line.when = parts_.loop.wall_now();
  parts_.log.error(rules.server->error_log, line);
}

}  // namespace steelyard::health
