#include "io/address_cache.hpp"

#include <gtest/gtest.h>

namespace steelyard::io {
namespace {

using std::chrono::seconds;

const std::vector<IpAddress> somewhere{IpAddress::v4(0x7f000001)};

TEST(AddressCache, an_answer_is_as_good_as_its_age) {
  AddressCache cache;
  const Instant now{};
  cache.keep("a", somewhere, now);
  EXPECT_NE(cache.find("a", now + seconds(9), seconds(10)), nullptr);
  EXPECT_EQ(cache.find("a", now + seconds(10), seconds(10)), nullptr);
  EXPECT_NE(cache.find("a", now + seconds(1000), std::nullopt), nullptr);
  EXPECT_EQ(cache.find("b", now, std::nullopt), nullptr);
}

TEST(AddressCache, names_without_end_push_out_the_one_used_longest_ago) {
  AddressCache cache;
  cache.keep("configured", somewhere, Instant{});
  for (std::size_t i = 0; i < 3 * AddressCache::names_max; ++i) {
    cache.keep(std::to_string(i), somewhere, Instant{});
    EXPECT_NE(cache.find("configured", Instant{}, std::nullopt), nullptr);
  }
  EXPECT_EQ(cache.size(), AddressCache::names_max);
  EXPECT_EQ(cache.find("0", Instant{}, std::nullopt), nullptr);
}

}  // namespace
}  // namespace steelyard::io
