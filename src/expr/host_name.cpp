#include "expr/host_name.hpp"

#include <cstddef>

#include "base/text.hpp"

namespace steelyard::expr {

bool is_in_domain(std::string_view name, std::string_view domain) {
  if (domain.empty() || name.size() < domain.size()) return false;
  const std::size_t above = name.size() - domain.size();
  if (!equals_ignoring_case(name.substr(above), domain)) return false;
  return above == 0 || domain.front() == '.' || name[above - 1] == '.';
}

}  // namespace steelyard::expr
