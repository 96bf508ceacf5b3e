#include "ajp/packet.hpp"

#include "base/check.hpp"

namespace steelyard::ajp {

std::array<char, data_head_bytes> data_packet_head(std::size_t bytes) {
  CHECK(bytes <= data_bytes_max(packet_bytes_max));
  const std::size_t payload = bytes + 2;
  const auto high = [](std::size_t number) { return static_cast<char>(number >> 8); };
  const auto low = [](std::size_t number) { return static_cast<char>(number & 0xff); };
  return {0x12, 0x34, high(payload), low(payload), high(bytes), low(bytes)};
}

}  // namespace steelyard::ajp
