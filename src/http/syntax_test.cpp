#include "http/syntax.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

using namespace std::string_view_literals;

TEST(Syntax, a_token_holds_no_separator) {
  EXPECT_TRUE(is_token("Content-Length"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  EXPECT_FALSE(is_token(""));
  for (const char c : "()<>@,;:\\\"/[]?={} \t\x7f\x01\xe4"sv) {
    EXPECT_FALSE(is_token(std::string("a") + c)) << static_cast<int>(c);
  }
}

TEST(Syntax, a_control_byte_is_found_wherever_it_stands) {
  for (std::size_t size = 1; size < 50; ++size) {
    const std::string clean(size, 'a');
    ASSERT_EQ(first_control(clean), size);
    for (std::size_t at = 0; at < size; ++at) {
      for (const char bad : "\0\x01\n\r\x1f\x7f"sv) {
        std::string text = clean;
        text[at] = bad;
        ASSERT_EQ(first_control(text), at);
        ASSERT_EQ(first_blank_or_control(text), at);
      }
      for (const char fine : "\t \x80\xff~!"sv) {
        std::string text = clean;
        text[at] = fine;
        ASSERT_EQ(first_control(text), size);
        const bool blank = fine == '\t' || fine == ' ';
        ASSERT_EQ(first_blank_or_control(text), blank ? at : size);
      }
    }
  }
}

TEST(Syntax, a_length_is_digits_up_to_the_largest_offset) {
  EXPECT_EQ(parse_length("0"), 0u);
  EXPECT_EQ(parse_length("000000000000000000000000000000012"), 12u);
  EXPECT_EQ(parse_length("9223372036854775807"), 9223372036854775807u);
  for (const char* text : {"9223372036854775808", "18446744073709551616", "99999999999999999999",
                           "", "+5", "-1", " 5", "5 ", "5,5", "0x5", "5a", "\v5"}) {
    EXPECT_FALSE(parse_length(text)) << text;
  }
}

TEST(Syntax, only_blanks_and_tabs_are_trimmed) {
  EXPECT_EQ(trim_blanks(" \t a b\t "), "a b");
  EXPECT_EQ(trim_blanks("\va"), "\va");
  EXPECT_EQ(trim_blanks(" \t"), "");
  EXPECT_EQ(trim_blanks(""), "");
}

}  // namespace
}  // namespace steelyard::http
