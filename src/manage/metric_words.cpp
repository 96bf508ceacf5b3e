#include "manage/metric_words.hpp"

namespace steelyard::manage {

std::string_view label_of(balance::HealthCause cause) {
  static constexpr std::array<std::string_view, balance::health_cause_count> words{
      "connect_failed",  "attempt_failed", "answer_status", "answer_timed_out", "retry_due",
      "recovery_forced", "slow",           "trial_passed",  "trial_failed",     "member_spared",
      "checks_failed",   "checks_passed",  "administrator", "configuration",    "name_lost",
      "name_found",      "drained"};
  return words[static_cast<std::size_t>(cause)];
}

}  // namespace steelyard::manage
