#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.hpp"
#include "expr/complaint.hpp"
#include "expr/env_rule.hpp"
#include "expr/facts.hpp"
#include "expr/string_expression.hpp"
#include "http/field.hpp"

// Header and RequestHeader: one rule a line, compiled once, applied to a list of fields.
//
// Threads: immutable values.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

enum class HeaderTable : std::uint8_t {
  request,          // RequestHeader
  response_normal,  // Header [onsuccess]: what the backend sent
  response_always,  // Header always: fields that generated pages carry too
};

// Text with the tags of httpd's Header directive: %t %D %l %i %b %{NAME}e %{NAME}s %%.
class HeaderText {
 public:
  static std::expected<HeaderText, Complaint> compile(std::string_view text);
  // A view of the rule when the text has no tag, else of the arena.
  std::string_view write(const Facts& facts, Arena& arena) const;

 private:
  struct Piece {
    enum class Kind : std::uint8_t { text, start, elapsed, load, idle, busy, variable, absent };
    Kind kind = Kind::text;
    std::string text;
  };
  std::vector<Piece> pieces_;
};

// What rules work on.
struct HeaderWork {
  http::FieldList& fields;  // the rules' table
  Environment& notes;       // `Header note` writes here
  Arena& arena;
  // For the always table: where the response's Content-Type lies; `Header always set Content-Type`
  // changes that one. Null: there is no other list.
  http::FieldList* normal_fields = nullptr;
};

class HeaderRule {
 public:
  // `words` are the directive's arguments: [always|onsuccess] action name [value] [condition].
  // `echo`, conditions and tables: config reference of httpd's Header directive.
  static std::expected<HeaderRule, Complaint> parse_response(std::span<const std::string> words);
  static std::expected<HeaderRule, Complaint> parse_request(std::span<const std::string> words);

  HeaderTable table() const { return table_; }

  enum class Action : std::uint8_t {
    set,
    setifempty,
    add,
    append,
    merge,
    unset,
    echo,
    edit,
    edit_all,
    note,
  };
  Action action() const { return action_; }
  const std::string& name() const { return name_; }

  void apply(const HeaderWork& work, const Facts& facts) const;

 private:
  friend class HeaderRuleReader;

  HeaderRule() = default;
  std::string_view value(const Facts& facts, Arena& arena) const;
  void join(const HeaderWork& work, std::string_view text) const;
  void echo(const HeaderWork& work, const Facts& facts) const;
  void edit(const HeaderWork& work, const Facts& facts) const;
  std::string_view edited(std::string_view text, const Facts& facts, Arena& arena) const;

  HeaderTable table_ = HeaderTable::request;
  Action action_ = Action::set;
  std::string name_;
  HeaderText text_;
  std::shared_ptr<const StringExpression> expression_;  // instead of text_
  std::optional<Regex> regex_;                          // echo, edit, edit*
  std::optional<EnvCondition> condition_;
};

// All in order, conditions considered. Names and values lie in the rules, the arena or what the
// facts view; the rules outlive the exchange.
void apply(std::span<const HeaderRule> rules, const HeaderWork& work, const Facts& facts);

}  // namespace steelyard::expr
