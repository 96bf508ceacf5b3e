#include "manage/metric_words.hpp"

namespace steelyard::manage {

namespace {

template <std::size_t Size, class Enum>
std::string_view word(const std::array<std::string_view, Size>& words, Enum which) {
  return words[static_cast<std::size_t>(which)];
}

}  // namespace

std::string_view label_of(balance::Reason reason) {
  static constexpr std::array<std::string_view, balance::reason_count> words{
      "none", "session", "redirect", "policy", "spare", "standby", "trial"};
  return word(words, reason);
}

std::string_view label_of(balance::Outcome outcome) {
  static constexpr std::array<std::string_view, balance::outcome_count> words{
      "picked", "none_usable", "no_members", "session_member_unusable", "all_full", "others_wait"};
  return word(words, outcome);
}

std::string_view label_of(balance::HealthCause cause) {
  static constexpr std::array<std::string_view, balance::health_cause_count> words{
      "connect_failed",  "attempt_failed", "answer_status", "answer_timed_out", "retry_due",
      "recovery_forced", "slow",           "trial_passed",  "trial_failed",     "member_spared",
      "checks_failed",   "checks_passed",  "administrator", "configuration",    "name_lost",
      "name_found",      "drained"};
  return word(words, cause);
}

}  // namespace steelyard::manage
