#include "base/base64_url.hpp"

#include <gtest/gtest.h>

namespace steelyard {
namespace {

TEST(Base64Url, reads_what_the_standard_shows) {
  EXPECT_EQ(decode_base64_url(""), "");
  EXPECT_EQ(decode_base64_url("Zg"), "f");
  EXPECT_EQ(decode_base64_url("Zm8"), "fo");
  EXPECT_EQ(decode_base64_url("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64_url("-_-_"), "\xfb\xff\xbf");
}

TEST(Base64Url, refuses_padding_other_letters_and_loose_ends) {
  for (const char* text : {"Zg==", "Zm9+", "Zm9/", "Z", "Zh", "Zm9\n", "Zm 8"})
    EXPECT_FALSE(decode_base64_url(text).has_value()) << text;
}

}  // namespace
}  // namespace steelyard
