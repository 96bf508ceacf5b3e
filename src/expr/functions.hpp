#pragma once

#include <string_view>

#include "expr/facts.hpp"

// The functions of httpd's expression language, %{name:argument}. Threads: a constant table.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

struct Function {
  std::string_view name;
  // Never fails: what cannot be found or decoded is empty. Null: `refusal` says why not.
  std::string_view (*call)(std::string_view argument, const Facts& facts, Arena& arena) = nullptr;
  std::string_view refusal = {};
};

// By name in any case; null when httpd knows none of that name either.
const Function* find_function(std::string_view name);
std::string_view function_like(std::string_view name);

}  // namespace steelyard::expr
