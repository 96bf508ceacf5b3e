#include "balance/health.hpp"

#include <algorithm>

namespace steelyard::balance {

std::string_view to_text(HealthCause cause) {
  switch (cause) {
    case HealthCause::connect_failed:
      return "could not be connected to";
    case HealthCause::attempt_failed:
      return "failed a request";
    case HealthCause::answer_status:
      return "answered a status of failonstatus";
    case HealthCause::answer_timed_out:
      return "answered too late (failontimeout)";
    case HealthCause::retry_due:
      return "retry time is over";
    case HealthCause::recovery_forced:
      return "recovery forced, all members in error";
    case HealthCause::slow:
      return "took much longer than the others";
    case HealthCause::trial_passed:
      return "passed its trial";
    case HealthCause::trial_failed:
      return "failed its trial";
    case HealthCause::member_spared:
      return "would have been ejected, but is needed";
    case HealthCause::checks_failed:
      return "health checks failed";
    case HealthCause::checks_passed:
      return "health checks passed";
    case HealthCause::administrator:
      return "set by an operator";
    case HealthCause::configuration:
      return "set by the configuration";
    case HealthCause::name_lost:
      return "its name leads nowhere";
    case HealthCause::name_found:
      return "its name leads to other addresses";
    case HealthCause::drained:
      return "drained";
  }
  return {};
}

Health after_failure(Health health, Instant now) {
  if (health.status.has(Flag::ignore_errors)) return health;
  health.status = health.status.with(Flag::in_error);
  health.error_time = now;
  health.ejected_for = Duration::zero();
  return health;
}

Health after_ejection(Health health, Instant now, Duration lasts) {
  health = after_failure(health, now);
  if (health.status.has(Flag::in_error)) health.ejected_for = lasts;
  return health;
}

Health after_early_end(Health health) {
  health.error_time = no_error;
  return health;
}

Health after_retry(Health health) {
  health.status = health.status.without(Flag::in_error);
  return health;
}

Health after_connect(Health health) {
  health.error_time = no_error;
  return health;
}

Health after_check(Health health, const CheckSpec& rules, CheckVerdict verdict, Instant now) {
  const bool down = health.status.any(Flag::in_error | Flag::health_failed);
  if (down && verdict == CheckVerdict::passed) {
    if (++health.checks.passed < rules.passes) return health;
    health.checks.passed = 0;
    health.status = health.status.without(Flag::in_error | Flag::health_failed);
  } else if (!down && verdict == CheckVerdict::failed) {
    health.error_time = now;
    if (++health.checks.failed < rules.fails) return health;
    health.checks.failed = 0;
    health.status = health.status.with(Flag::health_failed);
  }
  return health;
}

SharedFinding after_check(SharedFinding finding, const CheckSpec& rules, CheckVerdict verdict) {
  const bool was_down = finding.is_down;
  finding.told = SharedFinding::Told::check;
  if (finding.is_down && verdict == CheckVerdict::passed) {
    if (++finding.passed < rules.passes) return finding;
    finding.passed = 0;
    finding.is_down = false;
  } else if (!finding.is_down && verdict == CheckVerdict::failed) {
    if (++finding.failed < rules.fails) return finding;
    finding.failed = 0;
    finding.is_down = true;
  }
  if (finding.is_down != was_down) finding.told = SharedFinding::Told::conclusion;
  return finding;
}

// C follows what was found, but a passed check never sets it and a failed one never clears it. One
// that is down alone, by its traffic or its operator, counts its own passes to hcpasses.
Health after_shared_check(Health health, const CheckSpec& rules, CheckVerdict verdict,
                          const SharedFinding& finding, Instant now) {
  health.checks.failed = finding.failed;
  if (verdict == CheckVerdict::failed) {
    if (!health.status.any(Flag::in_error | Flag::health_failed)) health.error_time = now;
    if (!finding.is_down) return health;
    health.status = health.status.with(Flag::health_failed);
    health.checks.passed = finding.passed;
  } else if (finding.is_down) {
    health.checks.passed = finding.passed;
  } else if (health.status.any(Flag::in_error | Flag::health_failed)) {
    // An error by traffic outlives a check that was not made of this member.
    if (finding.told == SharedFinding::Told::past_check && !health.status.has(Flag::health_failed))
      return health;
    const bool is_theirs =
        finding.told != SharedFinding::Told::check && health.status.has(Flag::health_failed);
    if (!is_theirs && ++health.checks.passed < rules.passes) return health;
    health.checks.passed = 0;
    health.status = health.status.without(Flag::in_error | Flag::health_failed);
  }
  return health;
}

// An error told of machines that the name no longer means.
Health after_lookup(Health health, NameLookup lookup) {
  health.status = lookup == NameLookup::finds
                      ? health.status.without(Flag::nameless | Flag::in_error)
                      : health.status.with(Flag::nameless);
  return health;
}

Health after_wish(Health health, Status set, Status clear) {
  health.status = health.status.without(clear).with(set);
  return health;
}

Duration error_length(const Health& health, std::chrono::seconds retry) {
  return std::max<Duration>(health.ejected_for, retry);
}

Instant error_ends(const Health& health, std::chrono::seconds retry) {
  if (health.status.has(Flag::stopped)) return never;
  if (health.status.has(Flag::ignore_errors)) return Instant::min();
  // retry=0: httpd reads the clock for each look, and it has mostly gone on since the error. Whom
  // an exchange found dead itself is another matter: Balancer::leave_out().
  if (health.ejected_for == Duration::zero() && retry.count() == 0) return Instant::min();
  return health.error_time + error_length(health, retry);
}

bool is_retry_due(const Health& health, std::chrono::seconds retry, Instant now) {
  if (!health.status.has(Flag::in_error) || health.status.has(Flag::stopped)) return false;
  return health.status.has(Flag::ignore_errors) || now > error_ends(health, retry);
}

}  // namespace steelyard::balance
