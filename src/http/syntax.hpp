// Byte classes of HTTP's grammar (RFC 9110 5.6).
//
// Nothing here reads the locale. Threads: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/text.hpp"

namespace steelyard::http {

// The value of a hexadecimal digit, or -1.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// tchar of RFC 9110 5.6.2: what names and methods are made of.
inline constexpr std::array<bool, 256> token_chars = [] {
  std::array<bool, 256> table{};
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    table[static_cast<std::size_t>(byte)] =
        is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  }
  return table;
}();
// Index of the first byte that is not a tchar; text.size() when all are.
[[nodiscard]] inline std::size_t token_length(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  const bool* const is_token_char = token_chars.data();
  while (at != end && is_token_char[static_cast<unsigned char>(*at)]) ++at;
  return static_cast<std::size_t>(at - text.data());
}
[[nodiscard]] inline bool is_token(std::string_view text) noexcept {
  return !text.empty() && token_length(text) == text.size();
}

// A control other than tab, or DEL: never in a value. Bytes from 0x80 up are fine, as in httpd.
[[nodiscard]] constexpr bool is_control(char c) noexcept {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}
// Index of the first is_control byte; text.size() when there is none.
[[nodiscard]] std::size_t first_control(std::string_view text) noexcept;
// The same, but a blank and a tab count too: for request targets.
[[nodiscard]] std::size_t first_blank_or_control(std::string_view text) noexcept;

// Without blanks and tabs at both ends (OWS).
[[nodiscard]] constexpr std::string_view trim_blanks(std::string_view text) noexcept {
  const char* begin = text.data();
  const char* end = begin + text.size();
  while (begin != end && (*begin == ' ' || *begin == '\t')) ++begin;
  while (begin != end && (end[-1] == ' ' || end[-1] == '\t')) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Decimal digits only, at least one, at most 2^63-1; anything else is nothing. No sign, no blank.
[[nodiscard]] std::optional<std::uint64_t> parse_length(std::string_view text) noexcept;

}  // namespace steelyard::http
