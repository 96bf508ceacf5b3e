#include "http/syntax.hpp"

#include <limits>

#include "http/block_scan.hpp"

namespace steelyard::http {

std::size_t first_control(std::string_view text) noexcept {
  const char* const begin = text.data();
  return static_cast<std::size_t>(find_refused<false>(begin, begin + text.size()) - begin);
}

std::size_t first_blank_or_control(std::string_view text) noexcept {
  const char* const begin = text.data();
  return static_cast<std::size_t>(find_refused<true>(begin, begin + text.size()) - begin);
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  constexpr std::size_t safe_digits = 18;
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (text.size() > safe_digits && value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace steelyard::http
