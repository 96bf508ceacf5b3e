#include "base/json_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

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

std::size_t plain_length(std::string_view text) {
  std::size_t at = 0;
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

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
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
  out += '"';
}

}  // namespace steelyard
