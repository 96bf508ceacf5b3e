#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "expr/complaint.hpp"
#include "expr/evaluation.hpp"

// What SSLRequire asks for: a condition (condition.hpp) whose comparisons are those that mod_ssl
// had before httpd had conditions. `<`, `lt` and their relatives all compare texts, and a longer
// one is greater than a shorter one; `-lt` and its relatives compare numbers.
//
// Threads: immutable.

namespace steelyard::expr {

struct ConditionNode;

class SslRequirement {
 public:
  static std::expected<SslRequirement, Complaint> compile(std::string_view text);

  // With a fault in `evaluation` it does not hold.
  bool holds(Evaluation& evaluation) const;
  const std::string& text() const { return text_; }  // as written

 private:
  SslRequirement() = default;

  std::string text_;
  std::shared_ptr<const ConditionNode> root_;
};

}  // namespace steelyard::expr
