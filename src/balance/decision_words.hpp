#pragma once

#include <string_view>

#include "balance/decision.hpp"

// Why somebody was picked, or nobody, in words without blanks that stay as they are: labels of
// metrics, fields of logs, attributes of spans. Threads: pure.

namespace steelyard::balance {

std::string_view label_of(Reason reason);
std::string_view label_of(Outcome outcome);

}  // namespace steelyard::balance
