#include "config/path_prefix.hpp"

namespace steelyard::config {

namespace {

void skip_slashes(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '/') ++at;
}

bool ends_component(std::string_view pattern, std::string_view path, std::size_t at) {
  return pattern.ends_with('/') || at == path.size() || path[at] == '/';
}

}  // namespace

std::optional<std::size_t> prefix_length(std::string_view pattern, std::string_view path) {
  std::size_t covered = 0;
  for (std::size_t i = 0; i < pattern.size();) {
    if (covered == path.size() || pattern[i] != path[covered]) return std::nullopt;
    if (pattern[i] == '/') {
      skip_slashes(pattern, i);
      skip_slashes(path, covered);
    } else {
      ++i;
      ++covered;
    }
  }
  if (!ends_component(pattern, path, covered)) return std::nullopt;
  return covered;
}

}  // namespace steelyard::config
