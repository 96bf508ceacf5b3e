#include "expr/line_condition.hpp"

#include <utility>

#include "base/text.hpp"

namespace steelyard::expr {
namespace {

constexpr std::string_view prefix = "expr=";

}  // namespace

bool LineCondition::is_expression(std::string_view word) {
  return starts_with_ignoring_case(word, prefix);
}

std::expected<LineCondition, Complaint> LineCondition::parse(std::string_view word) {
  if (!is_expression(word)) {
    auto presence = EnvCondition::parse(word);
    if (!presence) return std::unexpected(std::move(presence.error()));
    return LineCondition(std::move(*presence));
  }
  auto condition = Condition::compile(word.substr(prefix.size()));
  if (!condition) return std::unexpected(std::move(condition.error()));
  return LineCondition(std::move(*condition));
}

std::expected<bool, std::string_view> LineCondition::holds(Evaluation& evaluation) const {
  if (const auto* presence = std::get_if<EnvCondition>(&what_)) {
    return presence->holds(evaluation.facts);
  }
  return std::get<Condition>(what_).evaluate(evaluation);
}

std::string LineCondition::text() const {
  if (const auto* presence = std::get_if<EnvCondition>(&what_)) {
    return std::string("env=") + (presence->wants_absence ? "!" : "") + presence->name;
  }
  return std::string(prefix) + std::get<Condition>(what_).text();
}

}  // namespace steelyard::expr
