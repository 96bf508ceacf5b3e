// What every AJP13 packet has in common (mod_proxy_ajp; Tomcat's AJP Protocol Reference).
//
//   to the container     12 34 | length | payload      length: of the payload; numbers are
//   from the container   41 42 | length | payload      big-endian
//   a string             length | bytes | 00           the NUL is not counted
//   no string            FF FF
//
// The first byte of a payload tells what it is, but a packet with request body bytes has none.
//
// Threads: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steelyard::ajp {

inline constexpr std::size_t packet_head_bytes = 4;  // magic and length
// How large a packet may be, its head included. Both peers have to be told the same number
// (packetSize of Tomcat's connector, iobuffersize= here); httpd keeps it within these.
inline constexpr std::size_t packet_bytes_min = 8192;
inline constexpr std::size_t packet_bytes_max = 65536;
// For an iobuffersize, or a ProxyIOBufferSize: httpd clamps it and takes whole KiB.
[[nodiscard]] constexpr std::size_t packet_bytes_for(std::size_t buffer_bytes) noexcept {
  if (buffer_bytes <= packet_bytes_min) return packet_bytes_min;
  if (buffer_bytes >= packet_bytes_max) return packet_bytes_max;
  return (buffer_bytes + 1023) / 1024 * 1024;
}

// In front of so many bytes of payload, to the container.
[[nodiscard]] std::array<char, packet_head_bytes> packet_head(std::size_t payload_bytes);

// The question whether a container is there, which it answers with a packet of one byte.
inline constexpr std::string_view ping_packet{"\x12\x34\x00\x01\x0a", 5};
inline constexpr std::string_view pong_packet{"AB\x00\x01\x09", 5};

// --- the request's body --------------------------------------------------------------------------

// In front of so many body bytes: magic, length, and the length once more of the bytes alone.
inline constexpr std::size_t data_head_bytes = packet_head_bytes + 2;
// The body bytes that a packet has room for.
[[nodiscard]] constexpr std::size_t data_bytes_max(std::size_t packet_bytes) noexcept {
  return packet_bytes - data_head_bytes;
}
// `bytes` 0 tells that the body is over. At most data_bytes_max(packet_bytes_max).
[[nodiscard]] std::array<char, data_head_bytes> data_packet_head(std::size_t bytes);

}  // namespace steelyard::ajp
