// SipHash-2-4 (Aumasson and Bernstein, 2012): a hash of 64 bits under a secret key. Whoever chooses
// the texts but does not know the key cannot make them collide.
#pragma once

#include <cstdint>
#include <string_view>

namespace steelyard {

struct SipKey {
  std::uint64_t first = 0, second = 0;
};

[[nodiscard]] std::uint64_t sip_hash(const SipKey& key, std::string_view text);

}  // namespace steelyard
