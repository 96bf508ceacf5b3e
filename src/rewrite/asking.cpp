#include "rewrite/asking.hpp"

#include <compare>

#include "base/arena.hpp"
#include "base/text.hpp"

namespace steelyard::rewrite {

namespace {

using Order = RuleCondition::Order;
using Test = RuleCondition::Test;

bool stands(std::strong_ordering found, Order wanted) {
  switch (wanted) {
    case Order::equal:
      return found == 0;
    case Order::not_equal:
      return found != 0;
    case Order::less:
      return found < 0;
    case Order::less_or_equal:
      return found <= 0;
    case Order::greater:
      return found > 0;
    case Order::greater_or_equal:
      return found >= 0;
  }
  return false;
}

// httpd: a shorter text comes before a longer one, unless case is ignored.
std::strong_ordering compare(std::string_view a, std::string_view b, bool ignores_case) {
  if (!ignores_case) return a.size() != b.size() ? a.size() <=> b.size() : a <=> b;
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto left = static_cast<unsigned char>(ascii_lower(a[i]));
    const auto right = static_cast<unsigned char>(ascii_lower(b[i]));
    if (left != right) return left <=> right;
  }
  return a.size() <=> b.size();
}

bool expression_holds(const RuleCondition& condition, Expansion& fill, Subject& subject,
                      Arena& arena) {
  expr::Evaluation evaluation{subject.facts(), arena};
  evaluation.vary = fill.vary();
  const auto holds = condition.expression->evaluate(evaluation);
  fill.set_vary(evaluation.vary);
  if (!holds) {
    subject.complain(arena.join("a RewriteCond could not be decided: ", holds.error()));
    return false;
  }
  if (*holds && !condition.negated && evaluation.groups.count != 0)
    fill.condition_groups = evaluation.groups;
  return *holds;
}

bool pattern_matches(const RuleCondition& condition, std::string_view subject, Expansion& fill) {
  RegexMatch match;
  const bool found = condition.regex->search(subject, match);
  if (found && !condition.negated) fill.condition_groups = match;
  return found;
}

bool file_is_there(const RuleCondition& condition, std::string_view path, Subject& subject) {
  const expr::LocalFiles* const files = subject.facts().local_files();
  return files != nullptr && !path.empty() && files->has_trait(path, condition.trait);
}

bool test(const RuleCondition& condition, std::string_view text, Expansion& fill,
          Subject& subject) {
  switch (condition.test) {
    case Test::pattern:
      return pattern_matches(condition, text, fill);
    case Test::file:
      return file_is_there(condition, text, subject);
    case Test::number:
      return stands(parse_lax(trim(text)) <=> parse_lax(trim(condition.operand)), condition.order);
    case Test::text:
      return stands(compare(text, condition.operand, condition.ignores_case), condition.order);
    case Test::expression:
      break;
  }
  return false;
}

}  // namespace

bool condition_holds(const RuleCondition& condition, Expansion& fill, Subject& subject,
                     Arena& arena) {
  const std::string_view vary = fill.vary();
  const bool asks_expression = condition.test == Test::expression;
  const std::string_view text = asks_expression ? std::string_view() : fill.fill(condition.subject);
  const bool found = asks_expression ? expression_holds(condition, fill, subject, arena)
                                     : test(condition, text, fill, subject);
  const bool holds = found != condition.negated;
  if (condition.no_vary) fill.set_vary(vary);
  if (fill.is_traced && subject.traces(4)) {
    subject.trace(4, arena.join("condition: '", text, "' and '", condition.negated ? "!" : "",
                                std::string_view(condition.written),
                                holds ? "': holds" : "': does not hold"));
  }
  return holds;
}

}  // namespace steelyard::rewrite
