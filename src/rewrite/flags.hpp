#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"
#include "rewrite/rule.hpp"

// The flags of RewriteCond and RewriteRule: [L], [R=301,QSA], [E=NAME:value]. In any case, short or
// long; the table with all of them is in flags.cpp.
//
// Threads: pure functions.

namespace steelyard::rewrite {

// Each returns nothing, or what is wrong. `flags` has its brackets; empty: there are none.
std::optional<expr::Complaint> read_flags(std::string_view flags, RuleCondition& condition);
std::optional<expr::Complaint> read_flags(std::string_view flags, Rule& rule, bool& ignores_case,
                                          std::vector<std::string>& remarks);

}  // namespace steelyard::rewrite
