#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/regex.hpp"
#include "expr/complaint.hpp"
#include "expr/facts.hpp"
#include "expr/header_text.hpp"
#include "expr/line_condition.hpp"
#include "expr/string_expression.hpp"
#include "http/field.hpp"
#include "http/response_head.hpp"

// Header and RequestHeader: one rule a line, compiled once, applied to a list of fields.
//
// 1. No rule can put a field into a message that would end early or become two: a name that is no
//    token or a value with control bytes never enters a list.
// 2. Names and values that enter a list lie in the rules, the arena or what the facts view; the
//    rules outlive the exchange.
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

// What `edit` may make of a value: as much as a member's whole head. A longer one is treated as one
// with control bytes.
inline constexpr std::size_t edited_bytes_max = http::ResponseLimits{}.head_bytes_max;

// What rules work on.
struct HeaderWork {
  http::FieldList& fields;  // the rules' table
  Environment& notes;       // `Header note` writes here
  Arena& arena;
  // For the always table: where the response's Content-Type lies. httpd keeps that one apart, so
  // `Header always set|edit Content-Type` change it and nothing else does. Null: no other list.
  http::FieldList* normal_fields = nullptr;
  // What conditions and expressions asked for or could not do; null: nobody wants to know. What a
  // condition about an answer asked for stands in its Vary instead.
  Remarks* remarks = nullptr;
};

class HeaderRule {
 public:
  // `words` are the directive's arguments: [always|onsuccess] action name [values]
  // [early|condition].
  static std::expected<HeaderRule, Complaint> parse_response(std::span<const std::string> words);
  static std::expected<HeaderRule, Complaint> parse_request(std::span<const std::string> words);

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
  HeaderTable table() const { return table_; }
  const std::string& name() const { return name_; }
  // What it was understood to say: 'set X-Route "%{BALANCER_WORKER_ROUTE}e" env=DEBUG'.
  std::string describe() const;
  // `early`: before anything else is looked at.
  bool is_early() const { return is_early_; }

  // False when a field that cannot stand in a message would have come out; it was left out.
  bool apply(const HeaderWork& work, const Facts& facts) const;

 private:
  friend class HeaderRuleReader;

  HeaderRule() = default;
  bool is_meant(const HeaderWork& work, const Facts& facts) const;
  std::string_view value(const HeaderWork& work, const Facts& facts) const;
  bool change(const HeaderWork& work, const Facts& facts) const;
  bool join(const HeaderWork& work, std::string_view text) const;
  bool echo(const HeaderWork& work, const Facts& facts) const;
  void note(const HeaderWork& work, const Facts& facts) const;
  bool edit(const HeaderWork& work, const Facts& facts) const;
  std::optional<std::string_view> edited(std::string_view text, std::string_view replacement,
                                         Arena& arena) const;
  bool change_content_type(const HeaderWork& work, const Facts& facts) const;

  HeaderTable table_ = HeaderTable::request;
  Action action_ = Action::set;
  bool name_is_token_ = false;
  bool is_content_type_ = false;
  bool is_early_ = false;
  std::string name_;
  HeaderText text_;
  std::shared_ptr<const StringExpression> expression_;  // instead of text_
  std::optional<Regex> regex_;                          // echo, edit, edit*
  std::optional<LineCondition> condition_;
};

// All in order, conditions considered. False when HeaderRule::apply was false for one of them:
// httpd answers such an exchange with 500.
bool apply(std::span<const HeaderRule> rules, const HeaderWork& work, const Facts& facts);

}  // namespace steelyard::expr
