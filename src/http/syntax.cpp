#include "http/syntax.hpp"

#include <array>
#include <cstring>
#include <limits>

namespace steelyard::http {

namespace {

constexpr std::array<bool, 256> token_chars = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

constexpr std::uint64_t in_each_byte(std::uint64_t byte) { return 0x0101010101010101ULL * byte; }
constexpr std::uint64_t high_bits = in_each_byte(0x80);

std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Not 0 when some of the eight bytes lies below `limit` or is DEL. A byte above such a one may be
// blamed too, so the caller looks at the bytes one by one afterwards.
template <unsigned char Limit>
bool holds_low_byte(std::uint64_t word) noexcept {
  const std::uint64_t below = (word - in_each_byte(Limit)) & ~word;
  const std::uint64_t del = word ^ in_each_byte(0x7f);
  return ((below | ((del - in_each_byte(1)) & ~del)) & high_bits) != 0;
}

// Eight bytes at a time as long as all of them are harmless; then `refused` decides byte by byte.
template <unsigned char Limit, class Refused>
std::size_t first_refused(std::string_view text, Refused refused) noexcept {
  const char* data = text.data();
  const std::size_t size = text.size();
  std::size_t at = 0;
  while (true) {
    while (at + 8 <= size && !holds_low_byte<Limit>(load_word(data + at))) at += 8;
    if (at + 8 > size && size >= 8 && !holds_low_byte<Limit>(load_word(data + size - 8))) {
      return size;
    }
    const std::size_t stop = at + 8 < size ? at + 8 : size;
    for (; at < stop; ++at) {
      if (refused(data[at])) return at;
    }
    if (at == size) return size;
  }
}

}  // namespace

bool is_token_char(char c) noexcept { return token_chars[static_cast<unsigned char>(c)]; }

std::size_t token_length(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && token_chars[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && token_length(text) == text.size();
}

std::size_t first_control(std::string_view text) noexcept {
  return first_refused<0x20>(text, is_control);
}

std::size_t first_blank_or_control(std::string_view text) noexcept {
  return first_refused<0x21>(text, [](char c) { return c == ' ' || c == '\t' || is_control(c); });
}

std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace steelyard::http
