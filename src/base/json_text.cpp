#include "base/json_text.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace steelyard {

namespace {

constexpr bool is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte)
    table[byte] = is_plain(static_cast<unsigned char>(byte));
  return table;
}();

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

#if defined(__SSE2__)
constexpr std::size_t block_bytes = 16;

// One bit a byte that is not plain. Compared with sign, bytes from 0x80 up are below a blank.
unsigned marks_in_block(const char* at) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i outside = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(outside, del), _mm_or_si128(quote, backslash))));
}
#endif

std::size_t plain_length(std::string_view text) {
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + block_bytes <= text.size(); at += block_bytes) {
    const unsigned marks = marks_in_block(text.data() + at);
    if (marks != 0) return at + static_cast<std::size_t>(std::countr_zero(marks));
  }
#endif
  while (at < text.size() && plain_bytes[byte_at(text, at)]) ++at;
  return at;
}

void append_unicode_escape(std::uint8_t code, std::string& out) {
  constexpr std::string_view hex_digits = "0123456789abcdef";
  out += "\\u00";
  out += hex_digits[code >> 4U];
  out += hex_digits[code & 15U];
}

void append_ascii_escape(std::uint8_t byte, std::string& out) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      append_unicode_escape(byte, out);
  }
}

// How a character of several bytes begins: its length, and between what its second byte lies
// (Unicode table 3-7). Length 0: nothing begins so.
struct Beginning {
  std::size_t bytes = 0;
  std::uint8_t low = 0x80, high = 0xbf;
};

Beginning beginning_with(std::uint8_t byte) {
  if (byte < 0xc2 || byte > 0xf4) return {};
  if (byte < 0xe0) return {.bytes = 2};
  if (byte == 0xe0) return {.bytes = 3, .low = 0xa0};
  if (byte == 0xed) return {.bytes = 3, .high = 0x9f};
  if (byte < 0xf0) return {.bytes = 3};
  if (byte == 0xf0) return {.bytes = 4, .low = 0x90};
  if (byte == 0xf4) return {.bytes = 4, .high = 0x8f};
  return {.bytes = 4};
}

// Takes one character of several bytes, or what was meant to be one.
std::size_t append_wide(std::string_view text, std::string& out) {
  const Beginning beginning = beginning_with(byte_at(text, 0));
  std::size_t sound = 1;
  for (; sound < beginning.bytes && sound < text.size(); ++sound) {
    const std::uint8_t low = sound == 1 ? beginning.low : 0x80;
    const std::uint8_t high = sound == 1 ? beginning.high : 0xbf;
    if (byte_at(text, sound) < low || byte_at(text, sound) > high) break;
  }
  if (sound != beginning.bytes) {
    out += "\xef\xbf\xbd";
  } else if (byte_at(text, 0) == 0xc2 && byte_at(text, 1) < 0xa0) {
    append_unicode_escape(byte_at(text, 1), out);
  } else {
    out.append(text.data(), sound);
  }
  return sound;
}

}  // namespace

void append_json_text(std::string_view text, std::string& out) {
  while (true) {
    const std::size_t plain = plain_length(text);
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    std::size_t taken = 1;
    if (byte_at(text, 0) < 0x80) {
      append_ascii_escape(byte_at(text, 0), out);
    } else {
      taken = append_wide(text, out);
    }
    text.remove_prefix(taken);
  }
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  append_json_text(text, out);
  out += '"';
}

}  // namespace steelyard
