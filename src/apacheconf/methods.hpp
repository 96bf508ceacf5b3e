#pragma once

#include <string>
#include <vector>

#include "apacheconf/scope.hpp"

// The request methods that lines may name: those httpd knows and what RegisterHttpMethod added
// above.

namespace steelyard::apacheconf {

struct RegisteredMethods {
  std::vector<std::string> names;
};

bool is_known_method(Reading& reading, std::string_view name);

// RegisterHttpMethod
void register_methods(Scope& scope, const Statement& statement);

}  // namespace steelyard::apacheconf
