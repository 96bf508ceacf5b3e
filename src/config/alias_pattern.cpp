#include "config/alias_pattern.hpp"

#include <cstddef>

#include "base/text.hpp"

namespace steelyard::config {

bool matches_alias(std::string_view pattern, std::string_view host) {
  std::size_t p = 0, h = 0;
  std::size_t star = std::string_view::npos, star_host = 0;
  while (h < host.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_host = h;
    } else if (p < pattern.size() &&
               (pattern[p] == '?' || ascii_lower(pattern[p]) == ascii_lower(host[h]))) {
      ++p;
      ++h;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      h = ++star_host;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace steelyard::config
