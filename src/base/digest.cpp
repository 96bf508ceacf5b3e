#include "base/digest.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace steelyard {
namespace {

constexpr std::size_t block_bytes = 64;
using Block = std::array<std::uint8_t, block_bytes>;

enum class ByteOrder : std::uint8_t { little, big };

std::uint32_t load(const std::uint8_t* bytes, ByteOrder order) {
  std::uint32_t word = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned shift = order == ByteOrder::little ? 8 * i : 24 - 8 * i;
    word |= static_cast<std::uint32_t>(bytes[i]) << shift;
  }
  return word;
}

// Calls `take` with each block of the padded message: the text, a bit, zeros, the length in bits.
template <class Take>
void each_block(std::string_view text, ByteOrder order, Take take) {
  Block block;
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  while (text.size() >= block_bytes) {
    std::memcpy(block.data(), text.data(), block_bytes);
    take(block);
    text.remove_prefix(block_bytes);
  }
  block.fill(0);
  std::ranges::copy(text, block.begin());
  block[text.size()] = 0x80;
  if (text.size() >= block_bytes - 8) {
    take(block);
    block.fill(0);
  }
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned shift = order == ByteOrder::little ? 8 * i : 56 - 8 * i;
    block[block_bytes - 8 + i] = static_cast<std::uint8_t>(bits >> shift);
  }
  take(block);
}

template <std::size_t count>
std::array<std::uint8_t, count * 4> bytes_of(const std::array<std::uint32_t, count>& words,
                                             ByteOrder order) {
  std::array<std::uint8_t, count * 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t shift = order == ByteOrder::little ? 8 * (i % 4) : 24 - 8 * (i % 4);
    bytes[i] = static_cast<std::uint8_t>(words[i / 4] >> shift);
  }
  return bytes;
}

// RFC 1321 3.4: the integer part of 2^32 times |sin(i + 1)|.
const std::array<std::uint32_t, 64>& md5_constants() {
  static const std::array<std::uint32_t, 64> constants = [] {
    std::array<std::uint32_t, 64> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double sine = std::fabs(std::sin(static_cast<double>(i + 1)));
      values[i] = static_cast<std::uint32_t>(std::floor(sine * 4294967296.0));
    }
    return values;
  }();
  return constants;
}

void md5_block(std::array<std::uint32_t, 4>& state, const Block& block) {
  static constexpr std::array<std::array<int, 4>, 4> turns{
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  const auto& constants = md5_constants();
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t mixed = 0;
    std::size_t at = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d);
        at = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c);
        at = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d;
        at = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d);
        at = 7 * i % 16;
        break;
    }
    mixed += a + constants[i] + load(&block[4 * at], ByteOrder::little);
    a = d;
    d = c;
    c = b;
    b += std::rotl(mixed, turns[i / 16][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

void sha1_block(std::array<std::uint32_t, 5>& state, const Block& block) {
  std::array<std::uint32_t, 80> words{};
  for (std::size_t i = 0; i < 16; ++i) words[i] = load(&block[4 * i], ByteOrder::big);
  for (std::size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  static constexpr std::array<std::uint32_t, 4> constants{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                                          0xca62c1d6};
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t mixed = b ^ c ^ d;
    if (i < 20) mixed = (b & c) | (~b & d);
    if (i >= 40 && i < 60) mixed = (b & c) | (b & d) | (c & d);
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + words[i] + constants[i / 20];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

}  // namespace

std::array<std::uint8_t, 16> md5(std::string_view text) {
  std::array<std::uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  each_block(text, ByteOrder::little, [&state](const Block& block) { md5_block(state, block); });
  return bytes_of(state, ByteOrder::little);
}

std::array<std::uint8_t, 20> sha1(std::string_view text) {
  std::array<std::uint32_t, 5> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  each_block(text, ByteOrder::big, [&state](const Block& block) { sha1_block(state, block); });
  return bytes_of(state, ByteOrder::big);
}

}  // namespace steelyard
