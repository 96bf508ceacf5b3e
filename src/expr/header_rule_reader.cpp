#include <cstddef>
#include <utility>

#include "base/text.hpp"
#include "expr/header_rule.hpp"
#include "http/syntax.hpp"

namespace steelyard::expr {
namespace {

using Action = HeaderRule::Action;
using Failure = std::optional<Complaint>;

struct ActionName {
  std::string_view name;
  Action action;
  int values;  // words between the field's name and the condition
};
constexpr ActionName actions[] = {
    {"set", Action::set, 1},        {"setifempty", Action::setifempty, 1},
    {"add", Action::add, 1},        {"append", Action::append, 1},
    {"merge", Action::merge, 1},    {"unset", Action::unset, 0},
    {"echo", Action::echo, 0},      {"edit", Action::edit, 2},
    {"edit*", Action::edit_all, 2}, {"note", Action::note, 1},
};

const ActionName* find_action(std::string_view name) {
  for (const ActionName& row : actions) {
    if (equals_ignoring_case(row.name, name)) return &row;
  }
  return nullptr;
}

}  // namespace

// Reads the words of one line.
class HeaderRuleReader {
 public:
  HeaderRuleReader(std::span<const std::string> words, HeaderTable table)
      : words_(words), directive_(table == HeaderTable::request ? "RequestHeader" : "Header") {
    rule_.table_ = table;
  }

  std::expected<HeaderRule, Complaint> read() {
    take_table();
    if (Failure failure = take_action()) return std::unexpected(std::move(*failure));
    if (Failure failure = take_name()) return std::unexpected(std::move(*failure));
    if (Failure failure = take_values()) return std::unexpected(std::move(*failure));
    if (Failure failure = take_condition()) return std::unexpected(std::move(*failure));
    return std::move(rule_);
  }

 private:
  bool has_word() const { return !words_.empty(); }
  const std::string& take() {
    const std::string& word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  bool is_request() const { return rule_.table_ == HeaderTable::request; }

  void take_table() {
    if (is_request() || !has_word()) return;
    if (equals_ignoring_case(words_.front(), "always")) {
      rule_.table_ = HeaderTable::response_always;
      take();
    } else if (equals_ignoring_case(words_.front(), "onsuccess")) {
      take();
    }
  }

  Failure take_action() {
    const ActionName* known = has_word() ? find_action(take()) : nullptr;
    if (known == nullptr) {
      return Complaint{
          "first argument must be 'add', 'set', 'setifempty', 'append', 'merge', 'unset', 'echo', "
          "'note', 'edit', or 'edit*'.",
          is_request() ? "write RequestHeader set NAME value"
                       : "write Header [always] set NAME value"};
    }
    if (is_request() && known->action == Action::echo) {
      return Complaint{"Header echo only valid on Header directives", "write Header echo pattern"};
    }
    if (is_request() && known->action == Action::note) {
      return Complaint{"RequestHeader does not support the 'note' action",
                       "write Header note NAME note-name"};
    }
    rule_.action_ = known->action;
    values_ = known->values;
    return std::nullopt;
  }

  Failure lacks_words() const {
    if (values_ == 2) {
      return Complaint{"Header edit requires a match and a substitution",
                       "write " + directive_ + " edit NAME pattern replacement"};
    }
    return Complaint{"Header requires three arguments",
                     "add what is missing behind '" + directive_ + "'"};
  }

  Failure take_name() {
    if (!has_word()) return lacks_words();
    const std::string& word = take();
    if (rule_.action_ == Action::echo) return compile_regex(word, "Header echo regex");
    rule_.name_ = word.substr(0, word.find(':'));  // httpd: "Name:" is the same
    rule_.name_is_token_ = http::is_token(rule_.name_);
    rule_.is_content_type_ = equals_ignoring_case(rule_.name_, "Content-Type");
    return std::nullopt;
  }

  Failure compile_regex(const std::string& pattern, const std::string& what) {
    auto regex = Regex::compile(pattern);
    if (!regex) {
      return Complaint{what + " could not be compiled", "'" + pattern + "': " + regex.error()};
    }
    rule_.regex_ = std::move(*regex);
    return std::nullopt;
  }

  Failure take_values() {
    if (words_.size() < static_cast<std::size_t>(values_)) return lacks_words();
    if (words_.size() > static_cast<std::size_t>(values_) + 1) {
      return Complaint{
          values_ == 2 ? "Header has too many arguments" : "Too many arguments to directive",
          "put quotes around a value with blanks"};
    }
    if (values_ == 2) {
      if (Failure failure = compile_regex(take(), "Header edit regex")) return failure;
    }
    return values_ == 0 ? std::nullopt : take_text(take());
  }

  Failure take_text(const std::string& word) {
    constexpr std::string_view prefix = "expr=";
    if (word.starts_with(prefix)) {
      auto expression = StringExpression::compile(std::string_view(word).substr(prefix.size()));
      if (!expression) {
        return Complaint{"Can't parse value expression : " + expression.error().text,
                         expression.error().advice};
      }
      rule_.expression_ = std::make_shared<const StringExpression>(std::move(*expression));
      return std::nullopt;
    }
    auto text = HeaderText::compile(word);
    if (!text) return std::move(text.error());
    rule_.text_ = std::move(*text);
    return std::nullopt;
  }

  Failure take_condition() {
    if (!has_word()) return std::nullopt;
    const std::string& word = take();
    if (equals_ignoring_case(word, "early")) {
      rule_.is_early_ = true;
      return std::nullopt;
    }
    const bool is_expression = LineCondition::is_expression(word);
    if (!is_expression && !starts_with_ignoring_case(word, "env=")) {
      return Complaint{"Unknown parameter: " + word,
                       "only env=NAME, env=!NAME, expr=CONDITION or early may stand here; a value "
                       "with blanks needs quotes"};
    }
    auto condition = LineCondition::parse(word);
    if (!condition && is_expression) {
      return Complaint{"Can't parse envclause/expression: " + condition.error().text,
                       condition.error().advice};
    }
    if (!condition) {
      return Complaint{
          "error: missing environment variable name. envclause should be in the form env=envar",
          condition.error().advice};
    }
    rule_.condition_ = std::move(*condition);
    return std::nullopt;
  }

  std::span<const std::string> words_;
  std::string directive_;
  int values_ = 0;
  HeaderRule rule_;
};

std::expected<HeaderRule, Complaint> HeaderRule::parse_response(
    std::span<const std::string> words) {
  return HeaderRuleReader(words, HeaderTable::response_normal).read();
}

std::expected<HeaderRule, Complaint> HeaderRule::parse_request(std::span<const std::string> words) {
  return HeaderRuleReader(words, HeaderTable::request).read();
}

}  // namespace steelyard::expr
