#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"

// A text of a rule with what is filled in for each request: substitutions, test strings, the values
// of E= and CO=.
//
//   $1           group of the rule's pattern           %1          of the last condition that held
//   %{NAME}      variable                              ${m:key|d}  looked up in a map; key and
//   %{HTTP:X}    request field, %{ENV:X} environment               default are templates, too
//   \c           c itself
//
// What is none of these stands for itself, also half of a pair of braces (httpd).
//
// Threads: immutable.

namespace steelyard::expr {
struct Variable;
}

namespace steelyard::rewrite {

class Template {
 public:
  enum class Kind : std::uint8_t {
    text,
    rule_group,
    condition_group,
    fact,         // a variable of expressions: `variable`
    subject,      // REQUEST_FILENAME: what rules made of the path so far
    query,        // QUERY_STRING, as rules made it
    server_ip,    // SERVER_ADDR
    field,        // a request field: `text` is its name
    environment,  // `text` is the variable's name
    tls,          // %{SSL:`text`}: `variable`, null when unknown
    map,          // `text` is its name, `parts` key and default
  };
  struct Piece {
    Kind kind = Kind::text;
    std::string text{};
    std::size_t group = 0;
    const expr::Variable* variable = nullptr;
    std::vector<Template> parts{};
  };

  Template() = default;  // the empty text
  // Refused are the variables of sub-requests, and maps in maps beyond depth_max.
  static std::expected<Template, expr::Complaint> compile(std::string_view text) {
    return compile(text, 0);
  }
  static constexpr std::size_t depth_max = 16;

  const std::vector<Piece>& pieces() const { return pieces_; }
  const std::string& text() const { return text_; }  // as written
  // Names of variables that do not exist, which are empty; names of the maps.
  const std::vector<std::string>& unknown_variables() const { return unknown_; }
  const std::vector<std::string>& maps() const { return maps_; }

 private:
  class Reader;
  static std::expected<Template, expr::Complaint> compile(std::string_view text, std::size_t depth);

  std::string text_;
  std::vector<Piece> pieces_;
  std::vector<std::string> unknown_, maps_;
};

}  // namespace steelyard::rewrite
