// Values of labels: words without blanks that stay as they are, as queries name them.
// Threads: pure.
#pragma once

#include <array>
#include <string_view>

#include "balance/decision_words.hpp"
#include "balance/health.hpp"
#include "balance/status.hpp"

namespace steelyard::manage {

using balance::label_of;
std::string_view label_of(balance::HealthCause cause);

struct FlagLabel {
  balance::Flag flag;
  std::string_view label;
};
// What an operator may want to be told of.
inline constexpr std::array<FlagLabel, 9> flag_labels{{
    {balance::Flag::disabled, "disabled"},
    {balance::Flag::draining, "draining"},
    {balance::Flag::health_failed, "health_failed"},
    {balance::Flag::ignore_errors, "ignore_errors"},
    {balance::Flag::in_error, "in_error"},
    {balance::Flag::nameless, "nameless"},
    {balance::Flag::spare, "spare"},
    {balance::Flag::standby, "standby"},
    {balance::Flag::stopped, "stopped"},
}};

}  // namespace steelyard::manage
