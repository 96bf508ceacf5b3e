#include <algorithm>

#include "base/text.hpp"
#include "expr/facts.hpp"

namespace steelyard::expr {

namespace {

// The length and the first letter settle nearly every comparison.
bool is_same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.empty()) return true;
  return ascii_lower(a.front()) == ascii_lower(b.front()) && equals_ignoring_case(a, b);
}

template <class Entries>
auto find_entry(Entries& entries, std::string_view name) {
  return std::ranges::find_if(entries,
                              [name](const auto& entry) { return is_same_name(entry.name, name); });
}

}  // namespace

void Environment::set(std::string_view name, std::string_view value) {
  const auto known = find_entry(entries_, name);
  if (known != entries_.end()) {
    known->value = value;
  } else {
    entries_.push_back({name, value});
  }
}

void Environment::unset(std::string_view name) {
  std::erase_if(entries_, [name](const Entry& entry) { return is_same_name(entry.name, name); });
}

std::optional<std::string_view> Environment::find(std::string_view name) const {
  const auto known = find_entry(entries_, name);
  if (known == entries_.end()) return std::nullopt;
  return known->value;
}

}  // namespace steelyard::expr
