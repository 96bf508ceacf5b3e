#include "http/cookie.hpp"

#include <algorithm>
#include <optional>

#include "base/arena.hpp"
#include "base/text.hpp"

namespace steelyard::http {

namespace {

using Compare = bool (*)(std::string_view text, std::string_view prefix);

bool starts_with_exactly(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}

// Where the value of the last attribute of that name stands: behind its '=' up to the next ';'.
std::optional<std::string_view> last_attribute(std::string_view cookie, std::string_view name) {
  std::optional<std::string_view> value;
  while (true) {
    const std::size_t end = cookie.find(';');
    std::string_view part = cookie.substr(0, end);
    while (part.starts_with(' ') || part.starts_with('\t')) part.remove_prefix(1);
    if (starts_with_ignoring_case(part, name)) value = part.substr(name.size());
    if (end == std::string_view::npos) return value;
    cookie.remove_prefix(end + 1);
  }
}

std::string_view rewrite_attribute(std::string_view cookie, std::string_view name,
                                   std::span<const CookieMapping> mappings, Compare begins,
                                   Arena& arena) {
  if (mappings.empty()) return cookie;
  const auto value = last_attribute(cookie, name);
  if (!value) return cookie;
  const auto fits = std::ranges::find_if(
      mappings, [&](const CookieMapping& mapping) { return begins(*value, mapping.internal); });
  if (fits == mappings.end()) return cookie;
  const auto at = static_cast<std::size_t>(value->data() - cookie.data());
  return arena.join(cookie.substr(0, at), fits->external, cookie.substr(at + value->size()));
}

}  // namespace

std::string_view rewrite_set_cookie(std::string_view value, std::span<const CookieMapping> paths,
                                    std::span<const CookieMapping> domains, Arena& arena) {
  const std::string_view with_path =
      rewrite_attribute(value, "path=", paths, starts_with_exactly, arena);
  return rewrite_attribute(with_path, "domain=", domains, starts_with_ignoring_case, arena);
}

}  // namespace steelyard::http
