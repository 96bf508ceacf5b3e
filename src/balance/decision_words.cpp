#include "balance/decision_words.hpp"

#include <array>

namespace steelyard::balance {

std::string_view label_of(Reason reason) {
  static constexpr std::array<std::string_view, reason_count> words{
      "none", "session", "redirect", "policy", "spare", "standby", "trial"};
  return words[static_cast<std::size_t>(reason)];
}

std::string_view label_of(Outcome outcome) {
  static constexpr std::array<std::string_view, outcome_count> words{
      "picked", "none_usable", "no_members", "session_member_unusable", "all_full", "others_wait"};
  return words[static_cast<std::size_t>(outcome)];
}

}  // namespace steelyard::balance
