#include "http/warning.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

std::string all_of(std::string_view value) {
  std::string text;
  while (const auto warning = take_warning(value)) {
    text += '[' + std::string(warning->text) + "|" + std::string(warning->date) + ']';
  }
  return text;
}

TEST(Warning, is_code_agent_text_and_perhaps_a_date) {
  EXPECT_EQ(all_of(R"(110 x "a")"), R"([110 x "a"|])");
  EXPECT_EQ(all_of(R"(110 x:80  "a b" "Sun, 06 Nov 1994 08:49:37 GMT")"),
            R"([110 x:80  "a b" "Sun, 06 Nov 1994 08:49:37 GMT"|Sun, 06 Nov 1994 08:49:37 GMT])");
  EXPECT_EQ(all_of(R"(110 x "a" "")"), R"([110 x "a"|])");
  EXPECT_EQ(all_of(R"(110 x "a""d")"), R"([110 x "a"|])");
}

TEST(Warning, several_may_share_a_value_with_anything_between) {
  EXPECT_EQ(all_of(R"(110 x "a", 1199 y "b" "c" nonsense,299 - "")"),
            R"([110 x "a"|][199 y "b" "c"|c][299 - ""|])");
}

TEST(Warning, nothing_else_is_one) {
  for (const char* value : {"", "nonsense", "11 x \"a\"", "110x \"a\"", "110 \"a\"", "110 x a",
                            "110 x \"a", "110 x\"a\"", "110", "110 x"}) {
    EXPECT_EQ(all_of(value), "") << value;
  }
}

}  // namespace
}  // namespace steelyard::http
