#pragma once

#include <string>

#include "rewrite/rule_set.hpp"

// Rules as one line each, in words of ours, for dumps and tests. Threads: pure functions.

namespace steelyard::rewrite {

std::string describe(const Options& options);
std::string describe(const RuleCondition& condition);
std::string describe(const Rule& rule);

}  // namespace steelyard::rewrite
