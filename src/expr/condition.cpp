#include "expr/condition.hpp"

#include <utility>

#include "expr/condition_node.hpp"
#include "expr/condition_reader.hpp"

namespace steelyard::expr {

std::expected<Condition, Complaint> Condition::compile(std::string_view text) {
  auto root = ConditionReader(text).read();
  if (!root) return std::unexpected(std::move(root.error()));
  Condition condition;
  condition.text_ = text;
  condition.root_ = std::make_shared<const ConditionNode>(std::move(*root));
  return condition;
}

std::expected<bool, std::string_view> Condition::evaluate(const Facts& facts, Arena& arena) const {
  Evaluation evaluation{facts, arena};
  return evaluate(evaluation);
}

std::expected<bool, std::string_view> Condition::evaluate(Evaluation& evaluation) const {
  const bool holds = root_->holds(evaluation);
  if (!evaluation.fault.empty()) return std::unexpected(evaluation.fault);
  return holds;
}

}  // namespace steelyard::expr
