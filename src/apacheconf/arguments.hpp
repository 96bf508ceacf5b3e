#pragma once

#include <string>

#include "apacheconf/directive.hpp"

namespace steelyard::apacheconf {

// Empty when the words have the shape that the row asks for, else httpd's sentence about it.
std::string check_arguments(const Directive& directive, const Statement& statement);

}  // namespace steelyard::apacheconf
