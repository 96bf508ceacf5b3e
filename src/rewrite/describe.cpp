#include "rewrite/describe.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace steelyard::rewrite {

namespace {

void add(std::string& text, bool holds, std::string_view word) {
  if (!holds) return;
  if (!text.empty()) text += ' ';
  text += word;
}

std::string_view test_name(RuleCondition::Test test) {
  constexpr std::array<std::string_view, 5> names{"~", "expression", "file", "text", "number"};
  return names[static_cast<std::size_t>(test)];
}

std::string_view order_name(RuleCondition::Order order) {
  constexpr std::array<std::string_view, 6> names{"=", "!=", "<", "<=", ">", ">="};
  return names[static_cast<std::size_t>(order)];
}

void add_escaping(std::string& text, const ReferenceEscaping& escaping) {
  if (!escaping.on) return;
  add(text, true, escaping.controls_only ? "escapes-controls" : "escapes-references");
  if (!escaping.only.empty()) text += '=' + quoted(escaping.only);
  if (!escaping.except.empty()) text += " but " + quoted(escaping.except);
  add(text, !escaping.blank_is_plus, "blank-is-%20");
}

void add_numbers(std::string& text, const Rule& rule) {
  if (rule.redirects || rule.answers) add(text, true, "status=" + std::to_string(rule.status));
  if (rule.skips > 0) add(text, true, "skips=" + std::to_string(rule.skips));
  if (rule.next_round) add(text, true, "rounds=" + std::to_string(rule.rounds_max));
}

}  // namespace

std::string describe(const Options& options) {
  std::string text;
  add(text, options.inherits, "inherits");
  add(text, options.inherits_before, "inherits-before");
  add(text, options.gives_down, "gives-down");
  add(text, options.gives_down_before, "gives-down-before");
  add(text, options.refuses_gifts, "refuses-gifts");
  add(text, options.merges_base, "merges-base");
  return text;
}

std::string describe(const RuleCondition& condition) {
  using Test = RuleCondition::Test;
  std::string text = condition.test == Test::expression ? "" : quoted(condition.subject.text());
  add(text, condition.negated, "not");
  add(text, true, test_name(condition.test));
  if (condition.test == Test::text || condition.test == Test::number) {
    add(text, true, order_name(condition.order));
    add(text, true, quoted(condition.operand));
  } else {
    add(text, true, quoted(condition.written));
  }
  add(text, condition.ignores_case, "any-case");
  add(text, condition.or_next, "or");
  add(text, condition.no_vary, "no-vary");
  return text;
}

std::string describe(const Rule& rule) {
  std::string text = (rule.negated ? "not " : "") + quoted(rule.written);
  add(text, !rule.keeps_text, "-> " + quoted(rule.substitution.text()));
  const std::pair<bool, std::string_view> words[] = {
      {rule.proxies, "proxies"},
      {rule.redirects, "redirects"},
      {rule.answers, "answers"},
      {rule.passes_through, "passes"},
      {rule.chained, "chained"},
      {rule.last, "last"},
      {rule.ends, "ends"},
      {rule.unescaped, "unescaped"},
      {rule.adds_query, "adds-query"},
      {rule.drops_query, "drops-query"},
      {rule.splits_at_last, "splits-at-last"},
      {rule.keeps_slashes, "keeps-slashes"},
      {rule.allows_question_mark, "allows-question-mark"},
  };
  for (const auto& [holds, word] : words) add(text, holds, word);
  add_numbers(text, rule);
  add_escaping(text, rule.escaping);
  for (const Template& variable : rule.variables) add(text, true, "env " + quoted(variable.text()));
  for (const Template& cookie : rule.cookies) add(text, true, "cookie " + quoted(cookie.text()));
  if (!rule.handler.empty()) add(text, true, "handler " + rule.handler);
  return text;
}

}  // namespace steelyard::rewrite
