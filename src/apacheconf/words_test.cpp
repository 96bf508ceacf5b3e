#include "apacheconf/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;

struct Case {
  std::string_view text;
  std::vector<std::string> words;
};

TEST(Words, split_by_httpd_rules) {
  const std::vector<Case> cases{
      {"a b\tc", {"a", "b", "c"}},
      {R"("a b" 'c d')", {"a b", "c d"}},
      {R"("a\"b" 'c\'d')", {"a\"b", "c'd"}},
      {R"("a\'b")", {R"(a\'b)"}},
      {R"("a\\b")", {R"(a\b)"}},
      {R"("a"b)", {"a", "b"}},
      {R"("open end)", {"open end"}},
      {R"(a="b c")", {"a=\"b", "c\""}},
      {R"(a\\b a\b)", {R"(a\b)", R"(a\b)"}},
      {R"("")", {""}},
      {"", {}},
  };
  for (const Case& each : cases) EXPECT_EQ(split_into_words(each.text), each.words) << each.text;
}

TEST(Words, braces_quote_where_asked_for) {
  std::string_view rest = "{a {b} c} d";
  std::string word;
  ASSERT_TRUE(take_word(rest, word, Braces::quote));
  EXPECT_EQ(word, "a {b} c");
  EXPECT_EQ(rest, "d");
  EXPECT_THAT(split_into_words("{a b}"), ElementsAre("{a", "b}"));
}

}  // namespace
}  // namespace steelyard::apacheconf
