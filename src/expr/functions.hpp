#pragma once

#include <string_view>

#include "expr/evaluation.hpp"

// The functions of httpd's expression language, %{name:argument}. Threads: a constant table.

namespace steelyard::expr {

struct Function {
  std::string_view name;
  // What cannot be found or decoded is empty; what cannot be read is a fault of the evaluation.
  std::string_view (*call)(std::string_view argument, Evaluation& evaluation) = nullptr;
};

// By name in any case; null when httpd knows none of that name either.
const Function* find_function(std::string_view name);
std::string_view function_like(std::string_view name);

}  // namespace steelyard::expr
