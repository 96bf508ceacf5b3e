#pragma once

#include <string_view>

#include "base/regex.hpp"
#include "expr/arena_text.hpp"

// The replacement text of a matched pattern, for the data path: base/regex.hpp has the same rules
// with a string of its own. Threads: pure.

namespace steelyard::expr {

// `$0` to `$9` stand for groups, `\c` for c.
void append_with_groups(std::string_view replacement, const RegexMatch& match, ArenaText& out);

}  // namespace steelyard::expr
