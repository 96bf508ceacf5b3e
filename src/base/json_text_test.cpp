#include "base/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard {
namespace {

using std::string_view_literals::operator""sv;

std::string json(std::string_view text) {
  std::string out = "<";
  append_json_string(text, out);
  return out + '>';
}

TEST(JsonText, what_is_plain_stays_as_it_is) {
  EXPECT_EQ(json(""), "<\"\">");
  EXPECT_EQ(json("GET /a?b=c HTTP/1.1"), "<\"GET /a?b=c HTTP/1.1\">");
  EXPECT_EQ(json("</script>&'"), "<\"</script>&'\">");
}

TEST(JsonText, quotes_backslashes_and_controls_are_escaped) {
  EXPECT_EQ(json("a\"b\\c"), R"(<"a\"b\\c">)");
  EXPECT_EQ(json("\r\n\t"), R"(<"\r\n\t">)");
  EXPECT_EQ(json("\0\x01\x1b\x7f"sv), R"(<"\u0000\u0001\u001b\u007f">)");
}

TEST(JsonText, what_needs_an_escape_is_found_wherever_it_stands) {
  for (std::size_t at = 0; at < 40; ++at) {
    std::string text(40, 'x');
    text[at] = '"';
    std::string expected = "<\"" + text + "\">";
    expected.insert(at + 2, 1, '\\');
    EXPECT_EQ(json(text), expected);
    text[at] = '\x7f';
    EXPECT_EQ(json(text).size(), 40u + 9u) << at;
  }
}

TEST(JsonText, characters_of_utf_8_stay_whatever_their_length) {
  for (const std::string_view text :
       {"\xc2\xa0", "\xc3\xa9", "\xdf\xbf", "\xe0\xa0\x80", "\xe2\x82\xac", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf0\x9f\x98\x80",
        "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(json(text), "<\"" + std::string(text) + "\">");
  }
}

TEST(JsonText, controls_beyond_ascii_are_escaped_too) {
  EXPECT_EQ(json("\xc2\x80\xc2\x9b\xc2\x9f"), R"(<"\u0080\u009b\u009f">)");
}

TEST(JsonText, what_is_no_utf_8_becomes_replacement_characters) {
  const auto replaced = [](std::size_t count, std::string_view rest = {}) {
    std::string text = "<\"";
    for (std::size_t i = 0; i < count; ++i) text += "\xef\xbf\xbd";
    return text + std::string(rest) + "\">";
  };
  EXPECT_EQ(json("\x80"), replaced(1));                  // goes on with nothing
  EXPECT_EQ(json("\xff\xfe"), replaced(2));              // begins nothing
  EXPECT_EQ(json("\xc0\xaf"), replaced(2));              // '/' in two bytes
  EXPECT_EQ(json("\xe0\x80\xaf"), replaced(3));          // in three
  EXPECT_EQ(json("\xed\xa0\x80"), replaced(3));          // half of a surrogate pair
  EXPECT_EQ(json("\xf4\x90\x80\x80"), replaced(4));      // beyond the last character
  EXPECT_EQ(json("\xe2\x82"), replaced(1));              // cut off
  EXPECT_EQ(json("\xf0\x9f\x98"), replaced(1));          // cut off later
  EXPECT_EQ(json("\xe2\x82\"x"), replaced(1, "\\\"x"));  // the quote is not swallowed
  EXPECT_EQ(json("\xc3\nx"), replaced(1, "\\nx"));       // nor is the line's end
  EXPECT_EQ(json("\xc3\xc3\xa9"), replaced(1, "\xc3\xa9"));
}

}  // namespace
}  // namespace steelyard
