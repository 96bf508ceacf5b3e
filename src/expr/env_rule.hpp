#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.hpp"
#include "expr/complaint.hpp"
#include "expr/condition.hpp"
#include "expr/facts.hpp"

// SetEnvIf and its family, and the condition `env=[!]NAME` of Header and CustomLog lines.
//
// Threads: immutable values.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

// `env=NAME` holds when the variable is there, whatever its value; `env=!NAME` when it is not.
struct EnvCondition {
  std::string name;
  bool wants_absence = false;

  // `text` with its "env=".
  static std::expected<EnvCondition, Complaint> parse(std::string_view text);
  bool holds(const Facts& facts) const { return holds(facts.variable(name).has_value()); }
  bool holds(const Environment& environment) const { return holds(environment.has(name)); }

 private:
  bool holds(bool present) const { return present != wants_absence; }
};

enum class EnvDirective : std::uint8_t {
  set_env_if,
  set_env_if_no_case,
  browser_match,
  browser_match_no_case,
  set_env_if_expr,
};

// One line: an attribute and a pattern, or a condition, and what to set or unset when it matches.
class EnvRule {
 public:
  // `words` are the directive's arguments.
  static std::expected<EnvRule, Complaint> parse(EnvDirective directive,
                                                 std::span<const std::string> words);

 private:
  friend void apply(std::span<const EnvRule>, const Facts&, Environment&, Arena&, Remarks*);

  enum class Attribute : std::uint8_t {
    remote_host,
    remote_addr,
    server_addr,
    request_method,
    request_protocol,
    request_uri,
    header,          // or the environment variable of that name
    header_pattern,  // the last header whose name matches
  };
  struct Change {
    std::string name;
    std::string value;
    bool unsets = false;
  };

  EnvRule() = default;
  std::expected<void, Complaint> read_pattern(EnvDirective directive,
                                              std::span<const std::string>& words);
  std::expected<void, Complaint> read_condition(std::span<const std::string>& words);
  bool set_attribute(std::string_view name);
  bool set_pattern(std::string_view text, RegexCase letters);
  void add_change(std::string_view word);
  bool reads_as(const EnvRule& other) const;
  std::string_view read(const Facts& facts, const Environment& environment) const;
  bool matches(std::string_view value, RegexMatch& match) const;
  void change(const RegexMatch& match, Environment& environment, Arena& arena) const;

  Attribute attribute_ = Attribute::header;
  RegexCase letters_ = RegexCase::sensitive;
  std::string attribute_name_;
  std::optional<Regex> attribute_regex_;
  // A pattern without special characters is looked for as it is (httpd does the same, and then
  // $0 to $9 in values mean nothing).
  std::string literal_;
  std::optional<Regex> regex_;
  std::optional<Condition> condition_;  // SetEnvIfExpr: instead of all above
  std::vector<Change> changes_;
};

// Applies all in order. httpd: consecutive rules about the same attribute see the value that the
// first of them read, and a SetEnvIfExpr without groups of its own sees those of the last pattern
// that had some. Values lie in the rules or the arena; the rules outlive the exchange.
// `remarks`: what conditions asked for or could not do; a line whose condition fails sets nothing.
void apply(std::span<const EnvRule> rules, const Facts& facts, Environment& environment,
           Arena& arena, Remarks* remarks = nullptr);

}  // namespace steelyard::expr
