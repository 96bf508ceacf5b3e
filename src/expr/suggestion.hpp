#pragma once

#include <string>
#include <string_view>

// Advice about a name that does not exist. Threads: pure.

namespace steelyard::expr {

// Empty when no name is near.
inline std::string suggestion(std::string_view name) {
  return name.empty() ? std::string() : "did you mean '" + std::string(name) + "'?";
}

}  // namespace steelyard::expr
