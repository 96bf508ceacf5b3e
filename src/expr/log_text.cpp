#include "expr/log_text.hpp"

#include <bit>
#include <charconv>
#include <cstddef>

#include "http/block_scan.hpp"

namespace steelyard::expr {
namespace {

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\';
}

#if defined(__SSE2__)
// One bit a byte that needs an escape. Compared with sign, bytes from 0x80 up are below a blank.
unsigned escapes_in_block(const char* at) {
  const __m128i block = http::load_block(at);
  const __m128i outside = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  const __m128i marks = _mm_or_si128(_mm_or_si128(outside, del), _mm_or_si128(quote, backslash));
  return static_cast<unsigned>(_mm_movemask_epi8(marks));
}
#endif

std::size_t clean_length(std::string_view text) {
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + http::block_bytes <= text.size(); at += http::block_bytes) {
    const unsigned marks = escapes_in_block(text.data() + at);
    if (marks != 0) return at + static_cast<std::size_t>(std::countr_zero(marks));
  }
#endif
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
