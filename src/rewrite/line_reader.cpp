#include "rewrite/line_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "rewrite/flags.hpp"

namespace steelyard::rewrite {

namespace {

using Test = RuleCondition::Test;
using Order = RuleCondition::Order;

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

// Up to the blank or quote that ends the word; `ended` says whether there was one.
std::string_view take_word(std::string_view& rest, bool& ended) {
  char quote = '\0';
  if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
    quote = rest.front();
    rest.remove_prefix(1);
  }
  std::size_t end = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (quote != '\0' ? c == quote : is_space(c)) break;
    if (c == '\\' && end + 1 < rest.size() && is_space(rest[end + 1])) ++end;
  }
  end = std::min(end, rest.size());
  ended = end < rest.size();
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  skip_blanks(rest);
  return word;
}

expr::Complaint because(std::string_view directive, std::string text, std::string advice = {}) {
  return {std::string(directive) + ": " + std::move(text), std::move(advice)};
}

expr::Complaint bad_line(std::string_view directive, std::string_view line, std::string advice) {
  return because(directive, "bad argument line '" + std::string(line) + "'", std::move(advice));
}

struct FileTest {
  std::string_view name;
  expr::FileTrait trait;
};
constexpr auto file_tests = std::to_array<FileTest>({
    {"-d", expr::FileTrait::directory},
    {"-f", expr::FileTrait::regular},
    {"-s", expr::FileTrait::with_bytes},
    {"-x", expr::FileTrait::executable},
    {"-h", expr::FileTrait::link},
    {"-l", expr::FileTrait::link},
    {"-L", expr::FileTrait::link},
});

struct NumberTest {
  std::string_view name;
  Order order;
};
constexpr auto number_tests = std::to_array<NumberTest>({
    {"-lt", Order::less},
    {"-le", Order::less_or_equal},
    {"-eq", Order::equal},
    {"-ge", Order::greater_or_equal},
    {"-gt", Order::greater},
    {"-ne", Order::not_equal},
});

// Tests that begin with '-': true when the pattern is one of them.
bool read_dash_test(std::string_view pattern, RuleCondition& condition) {
  for (const FileTest& known : file_tests) {
    if (pattern != known.name) continue;
    condition.test = Test::file;
    condition.trait = known.trait;
    return true;
  }
  for (const NumberTest& known : number_tests) {
    // httpd: a letter behind it makes it a pattern like any other.
    if (pattern.size() <= 3 || !pattern.starts_with(known.name)) continue;
    condition.test = Test::number;
    condition.order = known.order;
    condition.operand = pattern.substr(3);
    return true;
  }
  return false;
}

bool read_text_test(std::string_view pattern, RuleCondition& condition) {
  if (pattern.size() < 2) return false;
  const bool has_equals = pattern[1] == '=';
  switch (pattern[0]) {
    case '=':
      condition.order = Order::equal;
      break;
    case '<':
      condition.order = has_equals ? Order::less_or_equal : Order::less;
      break;
    case '>':
      condition.order = has_equals ? Order::greater_or_equal : Order::greater;
      break;
    default:
      return false;
  }
  condition.test = Test::text;
  condition.operand = pattern.substr(pattern[0] != '=' && has_equals ? 2 : 1);
  if (condition.operand == "\"\"") condition.operand.clear();
  return true;
}

// Empty, or a complaint.
std::optional<expr::Complaint> read_pattern(std::string_view pattern, RuleCondition& condition,
                                            std::vector<std::string>& remarks) {
  constexpr std::string_view directive = "RewriteCond";
  if (pattern == "-F" || pattern == "-U") {
    return because(directive,
                   std::string(pattern) + " is not supported: it asks what a sub-request would get",
                   "No request is made here to look ahead. Write -f for a file, or Require in a "
                   "<Location> for who may see a path.");
  }
  if (read_dash_test(pattern, condition) || read_text_test(pattern, condition)) {
    if (condition.ignores_case && condition.test != Test::text)
      remarks.emplace_back("RewriteCond: NoCase option for non-regex pattern '" +
                           std::string(pattern) + "' is not supported and will be ignored.");
    return std::nullopt;
  }
  auto regex = Regex::compile(
      pattern, condition.ignores_case ? RegexCase::insensitive : RegexCase::sensitive);
  if (!regex) {
    return because(directive, "cannot compile regular expression '" + std::string(pattern) + "'",
                   regex.error());
  }
  condition.regex = std::move(*regex);
  return std::nullopt;
}

void remark_unknown(std::string_view directive, const Template& text,
                    std::vector<std::string>& remarks) {
  for (const std::string& name : text.unknown_variables()) {
    remarks.emplace_back(std::string(directive) + ": there is no variable '" + name + "', so %{" +
                         name + "} is always empty");
  }
}

// The template, or a complaint.
std::optional<expr::Complaint> compile(std::string_view directive, std::string_view text,
                                       Template& into, std::vector<std::string>& remarks) {
  auto compiled = Template::compile(text);
  if (!compiled)
    return because(directive, compiled.error().text, std::move(compiled.error().advice));
  into = std::move(*compiled);
  remark_unknown(directive, into, remarks);
  return std::nullopt;
}

}  // namespace

std::optional<LineWords> split_line(std::string_view line) {
  LineWords words;
  skip_blanks(line);
  bool ended = false;
  words.first = take_word(line, ended);
  if (!ended) return std::nullopt;
  words.second = take_word(line, ended);
  words.flags = take_word(line, ended);
  return words;
}

std::expected<RuleCondition, expr::Complaint> read_condition(std::string_view line,
                                                             std::vector<std::string>& remarks) {
  constexpr std::string_view directive = "RewriteCond";
  const auto words = split_line(line);
  if (!words) {
    return std::unexpected(
        bad_line(directive, line, "Write RewriteCond TEST-STRING PATTERN [FLAGS]."));
  }
  RuleCondition condition;
  if (auto wrong = read_flags(words->flags, condition))
    return std::unexpected(because(directive, std::move(wrong->text), std::move(wrong->advice)));
  std::string_view pattern = words->second;
  condition.negated = pattern.starts_with('!');
  if (condition.negated) pattern.remove_prefix(1);
  condition.written = pattern;
  if (equals_ignoring_case(words->first, "expr")) {
    auto expression = expr::Condition::compile(pattern);
    if (!expression) {
      return std::unexpected(because(
          directive,
          "cannot compile expression \"" + std::string(pattern) + "\" " + expression.error().text,
          expression.error().advice));
    }
    condition.test = Test::expression;
    condition.expression = std::move(*expression);
    return condition;
  }
  if (auto wrong = compile(directive, words->first, condition.subject, remarks))
    return std::unexpected(std::move(*wrong));
  if (auto wrong = read_pattern(pattern, condition, remarks))
    return std::unexpected(std::move(*wrong));
  return condition;
}

std::expected<Rule, expr::Complaint> read_rule(std::string_view line,
                                               std::vector<std::string>& remarks) {
  constexpr std::string_view directive = "RewriteRule";
  const auto words = split_line(line);
  if (!words) {
    return std::unexpected(
        bad_line(directive, line, "Write RewriteRule PATTERN SUBSTITUTION [FLAGS]."));
  }
  Rule rule;
  bool ignores_case = false;
  if (auto wrong = read_flags(words->flags, rule, ignores_case, remarks))
    return std::unexpected(because(directive, std::move(wrong->text), std::move(wrong->advice)));
  std::string_view pattern = words->first;
  rule.negated = pattern.starts_with('!');
  if (rule.negated) pattern.remove_prefix(1);
  rule.written = pattern;
  auto regex =
      Regex::compile(pattern, ignores_case ? RegexCase::insensitive : RegexCase::sensitive);
  if (!regex) {
    return std::unexpected(
        because(directive, "cannot compile regular expression '" + std::string(pattern) + "'",
                regex.error()));
  }
  rule.regex = std::move(*regex);
  rule.keeps_text = rule.answers || words->second == "-";
  if (auto wrong = compile(directive, words->second, rule.substitution, remarks))
    return std::unexpected(std::move(*wrong));
  for (const auto* list : {&rule.variables, &rule.cookies}) {
    for (const Template& value : *list) remark_unknown(directive, value, remarks);
  }
  return rule;
}

}  // namespace steelyard::rewrite
