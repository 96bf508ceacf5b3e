#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/regex.hpp"
#include "expr/condition.hpp"
#include "expr/local_files.hpp"
#include "rewrite/escape.hpp"
#include "rewrite/template.hpp"

// One RewriteRule with the RewriteConds before it. Threads: immutable once read.

namespace steelyard::rewrite {

struct RuleCondition {
  enum class Test : std::uint8_t {
    pattern,     // subject matches `regex`
    expression,  // `expression` holds
    file,        // subject names a file with `trait`
    text,        // subject `order` operand, as text
    number,      // the same as numbers
  };
  enum class Order : std::uint8_t {
    equal,
    not_equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal
  };

  Test test = Test::pattern;
  Order order = Order::equal;
  expr::FileTrait trait = expr::FileTrait::exists;
  bool negated = false, ignores_case = false;
  bool or_next = false;  // [OR]: it is enough when this or the next one holds
  bool no_vary = false;  // [NV]
  Template subject{};
  std::string operand{};  // of text and number
  std::optional<Regex> regex{};
  std::optional<expr::Condition> expression{};
  std::string written{};  // the pattern as it stands in the line
};

struct Rule {
  static constexpr std::uint32_t rounds_default = 10000;  // httpd

  std::string written{};  // the pattern as it stands in the line
  std::optional<Regex> regex{};
  bool negated = false;
  std::vector<RuleCondition> conditions{};
  bool keeps_text = false;  // the substitution is "-"
  Template substitution{};

  std::vector<Template> variables{}, cookies{};  // E=, CO=
  ReferenceEscaping escaping{};                  // B and its relatives
  bool chained = false, last = false, ends = false, passes_through = false;
  bool proxies = false, redirects = false, unescaped = false;            // P, R, NE
  bool adds_query = false, drops_query = false, splits_at_last = false;  // QSA, QSD, QSL
  bool keeps_slashes = false;                                            // UNC
  bool allows_question_mark = false;                                     // UnsafeAllow3F
  bool answers = false;     // the rule ends with `status`: F, G, R=404
  int status = 302;         // also of redirects
  std::uint32_t skips = 0;  // S=n
  bool next_round = false;  // N
  std::uint32_t rounds_max = rounds_default;
  std::string handler{};  // H=
};

}  // namespace steelyard::rewrite
