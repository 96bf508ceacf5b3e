#include "expr/arena_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::expr {
namespace {

// A value that is made while the text around it grows lies in the same arena.
TEST(ArenaText, what_others_take_meanwhile_stays_theirs) {
  Arena arena(64);
  ArenaText text(arena, 40);
  text.append("a");
  const std::string_view value = arena.copy(std::string(200, 'v'));
  text.append("b");
  EXPECT_EQ(text.finish(), "ab");
  const std::string_view later = arena.copy(std::string(30, 'x'));
  EXPECT_EQ(value, std::string(200, 'v'));
  EXPECT_EQ(later, std::string(30, 'x'));
}

TEST(ArenaText, what_it_did_not_need_is_given_back) {
  Arena arena(4096);
  ArenaText text(arena, 40);
  text.append("abc");
  const std::string_view made = text.finish();
  EXPECT_EQ(arena.take(1), made.data() + 3);
}

TEST(ArenaText, grows_and_is_cut_whole_texts_at_a_time) {
  Arena arena;
  ArenaText text(arena, 1, 6);
  text.append("abc");
  text.append("def");
  EXPECT_FALSE(text.cut());
  text.append("g");
  EXPECT_TRUE(text.cut());
  EXPECT_EQ(text.finish(), "abcdef");
}

}  // namespace
}  // namespace steelyard::expr
