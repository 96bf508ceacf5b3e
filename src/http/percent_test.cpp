#include "http/percent.hpp"

#include <gtest/gtest.h>

namespace steelyard::http {
namespace {

TEST(PercentDecoded, leaves_what_is_no_escape) {
  const struct {
    std::string text, plain;
  } cases[] = {
      {"", ""},
      {"a%20b", "a b"},
      {"%2f%2F", "//"},
      {"%", "%"},
      {"%4", "%4"},
      {"%zz", "%zz"},
      {"%4z1", "%4z1"},
      {"%%41", "%A"},
      {"%2541", "%41"},
      {"+", "+"},
      {"x%C3%a9", "x\xc3\xa9"},
      {"a%00b", std::string("a\0b", 3)},
  };
  for (const auto& one : cases) EXPECT_EQ(percent_decoded(one.text), one.plain) << one.text;
}

}  // namespace
}  // namespace steelyard::http
