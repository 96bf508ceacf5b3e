#include "http/connection_names.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/token_list.hpp"

namespace steelyard::http {

namespace {

constexpr std::string_view separators = ",;";  // httpd splits at both

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool stands_before(std::string_view left, std::string_view right) noexcept {
  return std::ranges::lexicographical_compare(left, right, {}, lower, lower);
}

bool names_a_field(std::string_view option) noexcept {
  return !equals_ignoring_case(option, "close") && !equals_ignoring_case(option, "keep-alive") &&
         !equals_ignoring_case(option, "upgrade") && !equals_ignoring_case(option, "connection");
}

}  // namespace

ConnectionNames::ConnectionNames(const FieldList& fields) {
  if (!fields.has(FieldId::connection)) return;
  for (const Field& row : fields) {
    if (row.id != FieldId::connection) continue;
    for (const std::string_view option : tokens(row.value, separators))
      if (names_a_field(option)) names_.push_back(option);
  }
  std::ranges::sort(names_, stands_before);
}

bool ConnectionNames::contains(std::string_view name) const noexcept {
  return std::ranges::binary_search(names_, name, stands_before);
}

}  // namespace steelyard::http
