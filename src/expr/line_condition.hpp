#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "expr/complaint.hpp"
#include "expr/condition.hpp"
#include "expr/env_rule.hpp"

// The last word of a Header, RequestHeader or CustomLog line: whether the line counts for an
// exchange. Threads: immutable.

namespace steelyard::expr {

class LineCondition {
 public:
  // env=NAME, env=!NAME or expr=CONDITION, the prefix in any case.
  static std::expected<LineCondition, Complaint> parse(std::string_view word);
  static bool is_expression(std::string_view word);

  // The error is Condition::evaluate()'s.
  std::expected<bool, std::string_view> holds(Evaluation& evaluation) const;
  std::string text() const;  // as it may be written

 private:
  explicit LineCondition(EnvCondition presence) : what_(std::move(presence)) {}
  explicit LineCondition(Condition condition) : what_(std::move(condition)) {}

  std::variant<EnvCondition, Condition> what_;
};

}  // namespace steelyard::expr
