#pragma once

#include <string_view>

#include "expr/evaluation.hpp"

// The variables of httpd's expression language, %{NAME}. Threads: a constant table.

namespace steelyard::expr {

struct Variable {
  std::string_view name;
  // A view of the facts, of a literal or of the arena.
  std::string_view (*read)(Evaluation& evaluation) = nullptr;
  // Instead, of a family of variables: `name` as it was written.
  std::string_view (*read_one)(Evaluation& evaluation, std::string_view name) = nullptr;
};

// By name in any case; null when httpd knows none of that name either.
const Variable* find_variable(std::string_view name);
// The known name most like this one; empty when none is near.
std::string_view variable_like(std::string_view name);

}  // namespace steelyard::expr
