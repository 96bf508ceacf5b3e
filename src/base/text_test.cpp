#include "base/text.hpp"

#include <gtest/gtest.h>

namespace steelyard {
namespace {

TEST(Text, numbers_are_whole_or_nothing) {
  EXPECT_EQ(parse_unsigned("0"), 0u);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", "+1", "-1", " 1", "1 ", "1x", "18446744073709551616"})
    EXPECT_FALSE(parse_unsigned(bad)) << bad;
}

TEST(Text, lax_numbers_ignore_what_follows_the_digits) {
  EXPECT_EQ(parse_lax("5min"), 5);
  EXPECT_EQ(parse_lax("abc"), 0);
  EXPECT_EQ(parse_lax("-3x"), -3);
  EXPECT_EQ(parse_lax("99999999999999999999"), INT64_MAX);
  EXPECT_EQ(parse_lax("-9223372036854775807"), -INT64_MAX);
  EXPECT_EQ(parse_lax("-99999999999999999999"), INT64_MIN);
}

TEST(Text, globs_match_as_a_shell_does) {
  EXPECT_TRUE(matches_glob("*.ex.test", "a.ex.test"));
  EXPECT_FALSE(matches_glob("*.ex.test", "ex.test"));
  EXPECT_TRUE(matches_glob("a?c*", "abcdef"));
  EXPECT_TRUE(matches_glob("[a-c]x", "bx"));
  EXPECT_FALSE(matches_glob("[!a-c]x", "bx"));
  EXPECT_TRUE(matches_glob("[", "["));
  EXPECT_TRUE(matches_glob("A*", "abc", false, true));
}

TEST(Text, case_is_ignored_inside_of_classes_too) {
  const auto matches = [](std::string_view pattern, std::string_view text) {
    return matches_glob(pattern, text, false, true);
  };
  EXPECT_TRUE(matches("[a-c]", "B"));
  EXPECT_TRUE(matches("[A-C]x", "bX"));
  EXPECT_TRUE(matches("[B]", "b"));
  EXPECT_FALSE(matches("[!b]", "B"));
  EXPECT_TRUE(matches("[A-z]", "_"));
  EXPECT_FALSE(matches_glob("[a-c]", "B"));
}

TEST(Text, a_backslash_in_a_class_makes_the_next_character_ordinary) {
  EXPECT_FALSE(matches_glob("[\\]", "\\"));
  EXPECT_TRUE(matches_glob("[\\]", "[]"));
  EXPECT_TRUE(matches_glob("[\\]]", "]"));
  EXPECT_TRUE(matches_glob("[\\a-\\c]", "b"));
  EXPECT_FALSE(matches_glob("[\\a-\\c]", "\\"));
  EXPECT_TRUE(matches_glob("[a\\-c]", "-"));
  EXPECT_FALSE(matches_glob("[a\\-c]", "b"));
}

TEST(Text, a_class_without_an_end_is_a_bracket) {
  EXPECT_TRUE(matches_glob("[a", "[a"));
  EXPECT_TRUE(matches_glob("[a-", "[a-"));
  EXPECT_TRUE(matches_glob("[]", "[]"));
  EXPECT_TRUE(matches_glob("[]a]", "]"));
  EXPECT_TRUE(matches_glob("[a-]", "-"));
  EXPECT_TRUE(matches_glob("[a/b]", "/"));
  EXPECT_TRUE(matches_glob("[a/b]", "[a/b]", true));
  EXPECT_FALSE(matches_glob("[a/b]", "a", true));
}

TEST(Text, wildcards_in_paths_stop_at_a_slash) {
  EXPECT_TRUE(matches_glob("/a/*", "/a/b", true));
  EXPECT_FALSE(matches_glob("/a/*", "/a/b/c", true));
  EXPECT_FALSE(matches_glob("/a?b", "/a/b", true));
  EXPECT_TRUE(matches_glob("/*/c", "/b/c", true));
}

TEST(Text, a_near_miss_is_suggested_and_a_stranger_is_not) {
  const std::vector<std::string_view> names{"ProxyPass", "ProxyPassReverse", "Timeout"};
  EXPECT_EQ(nearest("ProxyPas", names), "ProxyPass");
  EXPECT_EQ(nearest("Timeuot", names), "Timeout");
  EXPECT_EQ(nearest("Frobnicate", names), "");
}

TEST(Text, splitting_keeps_or_drops_empty_pieces) {
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
  EXPECT_EQ(split("", ',').size(), 1u);
  EXPECT_EQ(split_words("  a \t b ").size(), 2u);
}

TEST(EditDistance, counts_a_swap_of_neighbours_once) {
  EXPECT_EQ(edit_distance("deubg", "debug", 3), 1u);
  EXPECT_EQ(edit_distance("Vhots", "VHosts", 3), 1u);
  EXPECT_EQ(edit_distance("abc", "cba", 3), 2u);
  EXPECT_EQ(nearest("deubg", {"error", "debug"}), "debug");
}

TEST(Wildcards, are_those_that_are_not_escaped) {
  for (const std::string_view text : {"*", "a?", "[b]", "a\\\\*", "[\\a]"}) {
    EXPECT_TRUE(has_wildcards(text)) << text;
  }
  for (const std::string_view text : {"", "a", "\\*", "a\\?b", "[a", "]a[", "\\[a]"}) {
    EXPECT_FALSE(has_wildcards(text)) << text;
  }
}

}  // namespace
}  // namespace steelyard
