#pragma once

#include "rewrite/expansion.hpp"
#include "rewrite/rule.hpp"
#include "rewrite/subject.hpp"

// Whether a RewriteCond holds. Threads: the exchange's.

namespace steelyard::rewrite {

// The groups of a pattern that matched are then those of `fill`.
bool condition_holds(const RuleCondition& condition, Expansion& fill, Subject& subject,
                     Arena& arena);

}  // namespace steelyard::rewrite
