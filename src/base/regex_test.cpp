#include "base/regex.hpp"

#include <gtest/gtest.h>

namespace steelyard {
namespace {

TEST(Regex, groups_are_views_into_the_subject) {
  const auto regex = Regex::compile("^/a/(?<what>[^/]+)(/x)?");
  ASSERT_TRUE(regex);
  RegexMatch match;
  ASSERT_TRUE(regex->search("/a/foo/bar", match));
  EXPECT_EQ(match.groups[0], "/a/foo");
  EXPECT_EQ(match.groups[1], "foo");
  EXPECT_EQ(match.groups[2], "");
  ASSERT_EQ(regex->named_groups().size(), 1u);
  EXPECT_EQ(regex->named_groups()[0].first, "what");
}

TEST(Regex, letters_count_unless_told_otherwise) {
  EXPECT_FALSE(Regex::compile("abc")->search("ABC"));
  EXPECT_TRUE(Regex::compile("abc", RegexCase::insensitive)->search("xABCx"));
}

TEST(Regex, a_bad_pattern_says_where) {
  EXPECT_NE(Regex::compile("(").error().find("offset 1"), std::string::npos);
}

TEST(Regex, replacements_insert_groups_and_unescape) {
  RegexMatch match;
  ASSERT_TRUE(Regex::compile("(a)(b)")->search("xab", match));
  EXPECT_EQ(substitute_groups("$2-$1-$0-\\$1-$9-$", match), "b-a-ab-$1--$");
}

TEST(Regex, a_long_subject_does_not_pass_for_one_that_does_not_match) {
  const auto regex = Regex::compile("^(/[^/]+)*/admin");
  ASSERT_TRUE(regex);
  std::string path;
  for (int i = 0; i < 20'000; ++i) path += "/a";
  EXPECT_TRUE(regex->search(path + "/admin"));
  EXPECT_FALSE(regex->search(path));
}

TEST(Regex, a_dot_is_any_byte_and_a_dollar_the_very_end) {
  EXPECT_TRUE(Regex::compile("^a.b$")->search("a\nb"));
  EXPECT_FALSE(Regex::compile("^a$")->search("a\n"));
}

}  // namespace
}  // namespace steelyard
