#include "http/accepted_coding.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/token_list.hpp"

namespace steelyard::http {

namespace {

// "q=0", "q=0.0", "q=0.000".
bool is_no_weight(std::string_view part) {
  const std::string_view word = trim(part);
  if (!equals_ignoring_case(word.substr(0, 2), "q=")) return false;
  const std::string_view weight = word.substr(2);
  return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool accepts_coding(std::string_view value, std::string_view coding) {
  for (const std::string_view wish : tokens(value)) {
    const std::size_t end = std::min(wish.find(';'), wish.size());
    if (!equals_ignoring_case(trim(wish.substr(0, end)), coding)) continue;
    bool is_wanted = true;
    for (const std::string_view part : tokens(wish.substr(end), ";"))
      is_wanted = is_wanted && !is_no_weight(part);
    if (is_wanted) return true;
  }
  return false;
}

}  // namespace steelyard::http
