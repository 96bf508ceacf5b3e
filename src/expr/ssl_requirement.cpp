#include "expr/ssl_requirement.hpp"

#include <utility>

#include "expr/condition_node.hpp"
#include "expr/condition_reader.hpp"

namespace steelyard::expr {

std::expected<SslRequirement, Complaint> SslRequirement::compile(std::string_view text) {
  auto root = ConditionReader(text, Comparisons::of_ssl_require).read();
  if (!root) return std::unexpected(std::move(root.error()));
  SslRequirement requirement;
  requirement.text_ = text;
  requirement.root_ = std::make_shared<const ConditionNode>(std::move(*root));
  return requirement;
}

bool SslRequirement::holds(Evaluation& evaluation) const {
  const bool holds = root_->holds(evaluation);
  return holds && evaluation.fault.empty();
}

}  // namespace steelyard::expr
