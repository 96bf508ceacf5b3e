#include "ajp/packet.hpp"

#include "base/check.hpp"

namespace steelyard::ajp {

namespace {

char high(std::size_t number) { return static_cast<char>(number >> 8); }
char low(std::size_t number) { return static_cast<char>(number & 0xff); }

}  // namespace

std::array<char, packet_head_bytes> packet_head(std::size_t payload_bytes) {
  CHECK(payload_bytes <= packet_bytes_max - packet_head_bytes);
  return {0x12, 0x34, high(payload_bytes), low(payload_bytes)};
}

std::array<char, data_head_bytes> data_packet_head(std::size_t bytes) {
  CHECK(bytes <= data_bytes_max(packet_bytes_max));
  const std::array<char, packet_head_bytes> head = packet_head(bytes + 2);
  return {head[0], head[1], head[2], head[3], high(bytes), low(bytes)};
}

}  // namespace steelyard::ajp
