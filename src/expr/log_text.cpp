#include "expr/log_text.hpp"

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace steelyard::expr {
namespace {

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\';
}

constexpr std::uint64_t repeated(unsigned char byte) { return 0x0101010101010101ULL * byte; }

// Bit 7 of each byte says whether it equals `byte`; borrows may mark a byte behind a true hit, so
// the result is only good for "some" and for the first hit.
constexpr std::uint64_t equal_bytes(std::uint64_t word, unsigned char byte) {
  const std::uint64_t difference = word ^ repeated(byte);
  return (difference - repeated(1)) & ~difference & repeated(0x80);
}

constexpr std::uint64_t special_bytes(std::uint64_t word) {
  const std::uint64_t below_blank = (word - repeated(0x20)) & ~word & repeated(0x80);
  const std::uint64_t above_ascii = word & repeated(0x80);
  return below_blank | above_ascii | equal_bytes(word, '"') | equal_bytes(word, '\\') |
         equal_bytes(word, 0x7f);
}

std::size_t clean_length(std::string_view text) {
  std::size_t at = 0;
  while (at + 8 <= text.size()) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t special = special_bytes(word);
    if (special != 0) {
      static_assert(std::endian::native == std::endian::little);
      return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    }
    at += 8;
  }
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

void append_escape(char c, std::string& line) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  line += '\\';
  switch (c) {
    case '"':
    case '\\':
      line += c;
      return;
    case '\b':
      line += 'b';
      return;
    case '\n':
      line += 'n';
      return;
    case '\r':
      line += 'r';
      return;
    case '\t':
      line += 't';
      return;
    case '\v':
      line += 'v';
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  line += 'x';
  line += hex_digits[byte >> 4U];
  line += hex_digits[byte & 15U];
}

}  // namespace

void append_escaped(std::string_view text, std::string& line) {
  for (;;) {
    const std::size_t clean = clean_length(text);
    line.append(text.data(), clean);
    if (clean == text.size()) return;
    append_escape(text[clean], line);
    text.remove_prefix(clean + 1);
  }
}

void append_number(std::int64_t number, std::string& line) {
  char digits[20];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  line.append(digits, end.ptr);
}

void append_padded(std::int64_t number, std::size_t digits, std::string& line) {
  const std::size_t begin = line.size();
  append_number(number, line);
  const std::size_t written = line.size() - begin;
  if (written < digits) line.insert(begin, digits - written, '0');
}

void append_hex(std::uint64_t number, std::string& line) {
  char digits[16];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number, 16);
  line.append(digits, end.ptr);
}

}  // namespace steelyard::expr
