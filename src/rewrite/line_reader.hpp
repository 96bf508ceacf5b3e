#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"
#include "rewrite/rule.hpp"

// RewriteCond and RewriteRule lines: their own way of splitting words, their flags.
//
//   "a b" 'a b'   one word; nothing is special in it but the quote (a backslash before it, too)
//   a\ b          one word; the backslash stays, as pattern and substitution understand it
//
// Threads: pure functions.

namespace steelyard::rewrite {

struct LineWords {
  std::string_view first, second, flags;  // flags with their brackets; empty: none
};
// nullopt: there are not two words. What follows the third word is ignored (httpd).
std::optional<LineWords> split_line(std::string_view line);

// `remarks`: sentences about what has no effect. `line`: what follows the directive's name.
std::expected<RuleCondition, expr::Complaint> read_condition(std::string_view line,
                                                             std::vector<std::string>& remarks);
// Without the conditions, which came before.
std::expected<Rule, expr::Complaint> read_rule(std::string_view line,
                                               std::vector<std::string>& remarks);

}  // namespace steelyard::rewrite
