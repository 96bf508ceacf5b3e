#include "expr/group_text.hpp"

#include <cstddef>

#include "base/text.hpp"

namespace steelyard::expr {

void append_with_groups(std::string_view replacement, const RegexMatch& match, ArenaText& out) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    const bool has_next = i + 1 < replacement.size();
    if (c == '$' && has_next && is_digit(replacement[i + 1])) {
      out.append(match.groups[static_cast<std::size_t>(replacement[++i] - '0')]);
    } else if (c == '\\' && has_next) {
      out.append(replacement[++i]);
    } else {
      out.append(c);
    }
  }
}

}  // namespace steelyard::expr
