#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// MD5 (RFC 1321) and SHA-1 (RFC 3174) of a text, for the functions of the expression language and
// for WebSocket handshakes. No protection rests on them: both can be forged today. Threads: pure.

namespace steelyard {

std::array<std::uint8_t, 16> md5(std::string_view text);
std::array<std::uint8_t, 20> sha1(std::string_view text);

}  // namespace steelyard
