#include "base/sip_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard {
namespace {

// The key 00 01 ... 0f and texts 00 01 ..., as in the paper and its reference vectors.
constexpr SipKey key{.first = 0x0706050403020100, .second = 0x0f0e0d0c0b0a0908};

std::string counting(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(i);
  return text;
}

TEST(SipHash, meets_the_vectors_of_its_authors) {
  EXPECT_EQ(sip_hash(key, ""), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(sip_hash(key, counting(8)), 0x93f5f5799a932462U);
  EXPECT_EQ(sip_hash(key, counting(15)), 0xa129ca6149be45e5U);
}

TEST(SipHash, depends_on_both_halves_of_the_key) {
  const std::uint64_t hash = sip_hash(key, "session");
  EXPECT_NE(hash, sip_hash({.first = key.first + 1, .second = key.second}, "session"));
  EXPECT_NE(hash, sip_hash({.first = key.first, .second = key.second + 1}, "session"));
}

}  // namespace
}  // namespace steelyard
