#include "config/compression.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::config {

bool Compression::names_type(std::string_view content_type) const {
  const std::string_view type = content_type.substr(0, content_type.find_first_of("; \t"));
  return std::ranges::find(types, type) != types.end();
}

bool Compression::names_ending(std::string_view path) const {
  if (endings.empty()) return false;
  std::string_view name = path.substr(path.rfind('/') + 1);
  // httpd: what a name begins with is no ending, dot or not.
  const std::size_t first = name.find_first_not_of('.');
  const std::size_t dot = first == std::string_view::npos ? first : name.find('.', first);
  if (dot == std::string_view::npos) return false;
  return std::ranges::any_of(split(name.substr(dot + 1), '.'), [this](std::string_view ending) {
    const auto found = endings.find(to_lower(ending));
    return found != endings.end() && found->second;
  });
}

Compression merge(const Compression& outer, const Compression& inner) {
  Compression merged = inner;
  if (!merged.all) merged.all = outer.all;
  if (merged.types.empty()) merged.types = outer.types;
  merged.endings.insert(outer.endings.begin(), outer.endings.end());
  return merged;
}

}  // namespace steelyard::config
