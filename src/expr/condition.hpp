#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "expr/complaint.hpp"
#include "expr/evaluation.hpp"
#include "expr/facts.hpp"

// The boolean mode of httpd's expression language: `Require expr`, <If>, `expr=` of Header and
// CustomLog, SetEnvIfExpr, ProxyHCExpr. Compiled once, then asked about one exchange after another.
//
//   condition := true | false | ! condition | condition && condition | condition || condition
//              | ( condition ) | -X word | word -name word | word <op> word
//              | word =~ /regex/ | word in { word, ... }
//   word      := digits | "text" | 'text' | %{NAME} | %{function:text} | $0..$9 | function(word)
//              | word . word
//
// `!` binds before `&&`, `&&` before `||`; `not`, `and`, `or` say the same. Evaluating goes from
// left to right, only as far as needed, and takes from the arena alone.
//
// Threads: immutable.

namespace steelyard::expr {

struct ConditionNode;

class Condition {
 public:
  // The complaint names the character where reading stopped.
  static std::expected<Condition, Complaint> compile(std::string_view text);

  // An error is a sentence about what could not be done ("Cannot open file /x"); it lies in the
  // arena. Who asks decides what holds then: httpd takes a condition for false, and does what a
  // Header line says.
  std::expected<bool, std::string_view> evaluate(const Facts& facts, Arena& arena) const;
  // The same for who needs the groups of the last pattern or the request fields asked for.
  std::expected<bool, std::string_view> evaluate(Evaluation& evaluation) const;

  const std::string& text() const { return text_; }  // as written

 private:
  Condition() = default;

  std::string text_;
  std::shared_ptr<const ConditionNode> root_;
};

}  // namespace steelyard::expr
