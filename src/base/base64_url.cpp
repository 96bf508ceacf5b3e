#include "base/base64_url.hpp"

#include <cstdint>

namespace steelyard {

namespace {

// The six bits of a letter, or -1.
int bits_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

}  // namespace

std::optional<std::string> decode_base64_url(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;
  int held_bits = 0;
  for (const char c : text) {
    const int bits = bits_of(c);
    if (bits < 0) return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(bits);
    held_bits += 6;
    if (held_bits < 8) continue;
    held_bits -= 8;
    decoded.push_back(static_cast<char>(held >> held_bits & 0xff));
  }
  // What is left over is no whole byte, and has to be nothing.
  if (held_bits == 6 || (held & ((1U << held_bits) - 1)) != 0) return std::nullopt;
  return decoded;
}

}  // namespace steelyard
