#pragma once

#include <string_view>

#include "base/arena.hpp"
#include "base/regex.hpp"
#include "expr/facts.hpp"

// Texts of routes that depend on the request.

namespace steelyard::config {

// ${NAME} becomes the variable's value, nothing when it is unset (ProxyPassInterpolateEnv).
std::string_view interpolate(std::string_view text, const expr::Environment& environment,
                             Arena& arena);

// $0 to $9 become the groups of the match, `\c` becomes c. Returns a view equal to `text` when it
// holds neither.
std::string_view substitute(std::string_view text, const RegexMatch& match, Arena& arena);

}  // namespace steelyard::config
