#include <algorithm>

#include "expr/facts.hpp"

namespace steelyard::expr {

void Environment::set(std::string_view name, std::string_view value) {
  const auto known = std::ranges::find(entries_, name, &Entry::name);
  if (known != entries_.end()) {
    known->value = value;
  } else {
    entries_.push_back({name, value});
  }
}

void Environment::unset(std::string_view name) {
  std::erase_if(entries_, [name](const Entry& entry) { return entry.name == name; });
}

std::optional<std::string_view> Environment::find(std::string_view name) const {
  const auto known = std::ranges::find(entries_, name, &Entry::name);
  if (known == entries_.end()) return std::nullopt;
  return known->value;
}

}  // namespace steelyard::expr
