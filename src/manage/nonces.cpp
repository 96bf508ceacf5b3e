#include "manage/nonces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

namespace steelyard::manage {

const std::string& Nonces::of(const std::shared_ptr<const balance::Balancer>& balancer) {
  std::string& nonce = known_[balancer];
  if (nonce.empty()) nonce = random_uuid();
  return nonce;
}

void Nonces::forget_the_gone() {
  std::erase_if(known_, [](const auto& known) { return known.first.expired(); });
}

// RFC 9562 5.4. std::random_device is the system's generator here, not a computed one.
std::string random_uuid() {
  std::random_device random;
  const std::array<std::uint32_t, 4> words{random(), random(), random(), random()};
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16,
                     words[1] & 0xfff, 0x8000 | (words[2] >> 16 & 0x3fff), words[2] & 0xffff,
                     words[3]);
}

bool is_same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differences = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    differences |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return differences == 0;
}

}  // namespace steelyard::manage
