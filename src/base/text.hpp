#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Small questions about ASCII text. Locale-free: bytes above 0x7f are never letters.

namespace steelyard {

constexpr char ascii_lower(char c) {
  return (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
}
constexpr char ascii_upper(char c) {
  return (c >= 'a' && c <= 'z') ? static_cast<char>(c - 32) : c;
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
// Blank, tab, CR, LF, VT, FF.
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::size_t find_ignoring_case(std::string_view text, std::string_view wanted);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
std::string_view trim(std::string_view text);

// Splits at every `separator`; keeps empty pieces.
std::vector<std::string_view> split(std::string_view text, char separator);
// Splits at runs of white space; no empty pieces.
std::vector<std::string_view> split_words(std::string_view text);

// The whole text as an unsigned decimal number: digits only, no sign, no blank, no overflow.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
// Leading optional sign and digits, the rest ignored; no digits give 0, too many the largest or
// smallest number (httpd's lax integers).
std::int64_t parse_lax(std::string_view text);

// Whether the text has a `*`, a `?` or a `[...]` that no backslash stands before
// (apr_fnmatch_test).
bool has_wildcards(std::string_view pattern);
// Shell-like matching with `*`, `?` and `[...]`. With `slash_is_special` the wildcards never
// match '/' (httpd: sections whose path has wildcards).
bool matches_glob(std::string_view pattern, std::string_view text, bool slash_is_special = false,
                  bool ignore_case = false);

// How many single-character edits, or swaps of two neighbours, lead from one to the other, at most
// `limit` + 1 (for suggestions).
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);
// The candidate nearest to `text` within a third of its length; empty when none is near.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& candidates);

}  // namespace steelyard
