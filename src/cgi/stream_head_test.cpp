#include "cgi/stream_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::cgi {
namespace {

using namespace std::string_literals;

TEST(ScgiHead, is_a_netstring_that_begins_with_the_length) {
  expr::Environment variables;
  variables.set("REQUEST_METHOD", "POST");
  variables.set("Content_Length", "99");
  variables.set("SCGI", "7");
  variables.set("EMPTY", "");
  std::string out;
  ASSERT_TRUE(append_scgi_head(out, variables, 27));
  const std::string content = "CONTENT_LENGTH\00027\0SCGI\0001\0REQUEST_METHOD\0POST\0EMPTY\0\0"s;
  EXPECT_EQ(out, std::to_string(content.size()) + ":" + content + ",");
}

TEST(ScgiHead, a_nul_would_end_a_word_and_is_refused) {
  expr::Environment variables;
  const std::string value = "b\0C\0d"s;
  variables.set("A", value);
  std::string out;
  EXPECT_FALSE(append_scgi_head(out, variables, 0));
  EXPECT_EQ(out, "");
}

TEST(UwsgiHead, is_a_packet_of_words_with_their_lengths) {
  expr::Environment variables;
  const std::string value(300, 'v');
  variables.set("A", "bc");
  variables.set("LONG", value);
  std::string out;
  ASSERT_TRUE(append_uwsgi_head(out, variables));
  EXPECT_EQ(out, "\0\x3b\1\0\1\0A\2\0bc\4\0LONG\x2c\1"s + value);
}

TEST(UwsgiHead, what_fits_the_packet_to_the_byte_goes_and_one_more_is_refused) {
  for (const std::size_t bytes : {std::size_t{65530}, std::size_t{65531}}) {
    expr::Environment variables;
    const std::string value(bytes, 'v');
    variables.set("A", value);
    std::string out;
    EXPECT_EQ(append_uwsgi_head(out, variables), bytes == 65530) << bytes;
    EXPECT_EQ(out.size(), bytes == 65530 ? 65539 : 0);
  }
}

}  // namespace
}  // namespace steelyard::cgi
