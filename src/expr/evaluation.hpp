#pragma once

#include <optional>
#include <string_view>

#include "base/regex.hpp"
#include "expr/facts.hpp"

// One evaluation of an expression: what it may ask, what it remembers on the way and what it finds
// out about itself. Threads: one owner.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

// What is left of evaluations for whoever asked. Views lie in the facts or the arena.
struct Remarks {
  std::string_view vary{};   // request fields that were asked for, as Evaluation has them
  std::string_view fault{};  // the last thing that could not be done
};

struct Evaluation {
  const Facts& facts;
  Arena& arena;
  // $0 to $9: of the last =~ that has groups, empty when that one did not match (httpd).
  RegexMatch groups{};
  // What the last =~ that has groups was about, empty when that one did not match; none was asked.
  std::optional<std::string_view> subject{};
  // The request fields that were asked for, as a Vary field lists them; Host is never among them.
  std::string_view vary{};
  std::string_view fault{};  // the last thing that could not be done; empty: all could

  void note_request_field(std::string_view name);
  void fail(std::string_view what, std::string_view about);
  void tell(Remarks& remarks) const;
};

}  // namespace steelyard::expr
