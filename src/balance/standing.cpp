#include "balance/standing.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <string_view>
#include <vector>

#include "balance/health.hpp"

namespace steelyard::balance {

namespace {

using std::chrono::seconds;

constexpr seconds wait_min{1};
constexpr seconds wait_max{300};
constexpr seconds wait_when_nothing_tells{30};

bool is_full(const MemberView& view) {
  const int most = view.spec->pool.connections_max.value_or(0);
  return most != 0 && view.busy >= most;
}

// The balancer tells it of members that nothing else hinders.
Instant end_of_error(const MemberView& view) {
  if (view.error_ends) return *view.error_ends;
  const Health health{.status = view.status, .error_time = view.error_time.value_or(no_error)};
  return error_ends(health, view.spec->retry);
}

std::string words_of(HealthCause cause, const Evidence& evidence) {
  if (!evidence.text.empty()) return evidence.text;
  if (evidence.status != 0) return "answered " + std::to_string(evidence.status);
  return std::string(to_text(cause));
}

// What set the flag last.
std::string evidence_for(const MemberView& view, Flag flag) {
  const std::vector<HealthEvent> events = view.member->health_log().events();
  for (const HealthEvent& event : std::views::reverse(events)) {
    if (event.after.has(flag) && !event.before.has(flag))
      return ": " + words_of(event.cause, event.evidence);
  }
  return {};
}

std::string error_text(const MemberView& view, Instant now) {
  const Instant ends = end_of_error(view);
  std::string text = "in error";
  if (ends == never) {
    text += " for good";
  } else if (ends > now) {
    text += " for " + std::to_string(std::chrono::ceil<seconds>(ends - now).count()) + " s more";
  }
  return text + evidence_for(view, Flag::in_error);
}

std::string checks_text(const MemberView& view) {
  const auto& last = view.checks.last;
  if (last && last->verdict == CheckVerdict::failed)
    return "health checks failed: " + words_of(HealthCause::checks_failed, last->evidence);
  return "health checks failed" + evidence_for(view, Flag::health_failed);
}

}  // namespace

std::string standing_reason(const MemberView& view, Instant now) {
  std::string text;
  const auto add = [&text](std::string_view reason) {
    if (!text.empty()) text += ", ";
    text += reason;
  };
  const Status status = view.status;
  if (status.has(Flag::stopped)) add("stopped");
  if (status.has(Flag::disabled)) add("disabled");
  if (status.has(Flag::shutting_down)) add("shutting down");
  if (status.has(Flag::draining)) add("draining");
  if (status.has(Flag::nameless)) add("its name leads nowhere: " + view.name_fault);
  if (status.has(Flag::health_failed)) add(checks_text(view));
  if (status.has(Flag::in_error)) add(error_text(view, now));
  if (is_full(view)) {
    const std::string most = std::to_string(*view.spec->pool.connections_max);
    add("all " + most + " connections in use (max=)");
  }
  if (text.empty()) add(status.usable() ? "usable" : "not set up");
  return text;
}

void WaitAdvice::consider(Instant when) {
  const auto wait = when > now_ ? std::chrono::ceil<std::chrono::seconds>(when - now_) : wait_min;
  first_ = std::min(first_.value_or(wait), wait);
}

void WaitAdvice::consider(Status status, Instant error_ends, std::optional<Instant> next_check) {
  if (status.has(Flag::draining)) return;
  const Status otherwise = status.without(Flag::in_error);
  if (status.has(Flag::in_error) && otherwise.usable()) consider(error_ends);
  if (needs_check(status) && otherwise.without(Flag::health_failed).usable() && next_check)
    consider(*next_check);
  if (status.usable()) consider(now_);
}

std::chrono::seconds WaitAdvice::seconds() const {
  return std::clamp(first_.value_or(wait_when_nothing_tells), wait_min, wait_max);
}

}  // namespace steelyard::balance
