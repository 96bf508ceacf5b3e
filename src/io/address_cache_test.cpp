#include "io/address_cache.hpp"

#include <gtest/gtest.h>

namespace steelyard::io {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const std::vector<IpAddress> somewhere{IpAddress::v4(0x7f000001)};

TEST(AddressCache, an_answer_is_as_good_as_its_age) {
  AddressCache cache;
  const Instant now{};
  cache.keep("a", somewhere, now, seconds(20));
  EXPECT_NE(cache.find("a", now + seconds(9), seconds(10)), nullptr);
  EXPECT_EQ(cache.find("a", now + seconds(10), seconds(10)), nullptr);
  EXPECT_NE(cache.find("a", now + seconds(19), std::nullopt), nullptr);
  EXPECT_EQ(cache.find("a", now + seconds(20), std::nullopt), nullptr);
  EXPECT_NE(cache.find("a", now + hours(1000), seconds(-1)), nullptr);
  EXPECT_EQ(cache.find("b", now, std::nullopt), nullptr);
}

TEST(AddressCache, what_an_answer_says_about_its_life_is_bounded) {
  EXPECT_EQ(AddressCache::bounded(std::chrono::milliseconds(1)), AddressCache::ttl_min);
  EXPECT_EQ(AddressCache::bounded(hours(100000)), AddressCache::ttl_max);
  EXPECT_EQ(AddressCache::bounded(seconds(0)), AddressCache::ttl_unsaid);
  EXPECT_EQ(AddressCache::bounded(std::nullopt), AddressCache::ttl_unsaid);
  EXPECT_EQ(AddressCache::bounded(seconds(30)), seconds(30));
}

TEST(AddressCache, the_last_answer_is_there_when_its_time_is_over) {
  AddressCache cache;
  EXPECT_EQ(cache.find_last("a"), nullptr);
  cache.keep("a", somewhere, Instant{}, seconds(1));
  EXPECT_EQ(cache.find("a", Instant{} + hours(1), std::nullopt), nullptr);
  EXPECT_EQ(*cache.find_last("a"), somewhere);
}

TEST(AddressCache, a_name_whose_addresses_fail_is_not_looked_up_for_every_request) {
  AddressCache cache;
  EXPECT_TRUE(cache.may_look_again("a", Instant{}));
  EXPECT_FALSE(cache.may_look_again("a", Instant{} + seconds(9)));
  EXPECT_TRUE(cache.may_look_again("a", Instant{} + seconds(10)));
}

TEST(AddressCache, names_without_end_push_out_the_one_used_longest_ago) {
  AddressCache cache;
  cache.keep("configured", somewhere, Instant{}, hours(1));
  for (std::size_t i = 0; i < 3 * AddressCache::names_max; ++i) {
    cache.keep(std::to_string(i), somewhere, Instant{}, hours(1));
    EXPECT_NE(cache.find("configured", Instant{}, std::nullopt), nullptr);
  }
  EXPECT_EQ(cache.size(), AddressCache::names_max);
  EXPECT_EQ(cache.find("0", Instant{}, std::nullopt), nullptr);
}

}  // namespace
}  // namespace steelyard::io
