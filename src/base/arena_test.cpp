#include "base/arena.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard {
namespace {

TEST(Arena, texts_stay_until_the_reset) {
  Arena arena(16);
  const std::string_view a = arena.copy("hello");
  const std::string_view big = arena.copy(std::string(100, 'x'));
  EXPECT_EQ(a, "hello");
  EXPECT_EQ(big.size(), 100u);
  EXPECT_EQ(arena.join("a", "", "bc"), "abc");
  EXPECT_EQ(arena.copy("").size(), 0u);
  EXPECT_EQ(arena.decimal(0), "0");
  EXPECT_EQ(arena.decimal(18446744073709551615u), "18446744073709551615");
}

TEST(Arena, a_reset_gives_the_first_block_again) {
  Arena arena(256);
  const char* small = arena.take(10);
  arena.reset();
  EXPECT_EQ(arena.take(10), small);
  arena.take(1000);
  arena.reset();
  const char* regular = arena.take(10);
  arena.take(1000);
  arena.reset();
  EXPECT_EQ(arena.take(10), regular);
}

TEST(Arena, who_needs_little_gets_a_small_block_and_who_needed_more_a_whole_one) {
  Arena arena(256);
  const char* first = arena.take(10);
  EXPECT_NE(arena.take(10), first + 10);
  arena.reset();
  first = arena.take(10);
  EXPECT_EQ(arena.take(246), first + 10);
  arena.reset();
  EXPECT_EQ(arena.take(256), first);
}

TEST(Arena, what_was_not_used_is_given_back) {
  Arena arena(256);
  const char* first = arena.take(30);
  arena.give_back(30, 4);
  EXPECT_EQ(arena.take(1), first + 4);
}

}  // namespace
}  // namespace steelyard
