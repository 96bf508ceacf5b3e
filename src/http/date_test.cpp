#include "http/date.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/arena.hpp"

namespace steelyard::http {
namespace {

using std::chrono::sys_seconds;

std::string written(std::int64_t seconds) {
  std::array<char, date_bytes> text;
  write_date(sys_seconds(std::chrono::seconds(seconds)), text);
  return {text.data(), text.size()};
}

std::int64_t read(std::string_view text) {
  const auto when = parse_date(text);
  return when ? when->time_since_epoch().count() : -1;
}

TEST(Date, is_written_as_imf_fixdate) {
  EXPECT_EQ(written(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(written(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(written(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(written(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(Date, three_formats_are_read) {
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(read("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(read("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(read("Sun, 6 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(read(" Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
}

TEST(Date, what_is_no_date_is_not_read) {
  for (const char* text : {"", "0", "-1", "garbage", "Sun,", "Sun, ",
                           "sun, 06 nov 1994 08:49:37 gmt", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:62 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37", "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994"}) {
    EXPECT_EQ(read(text), -1) << text;
  }
}

std::string normal(std::string_view text) {
  Arena arena;
  return std::string(normalise_date(text, arena));
}

// Every line was seen on httpd.
TEST(Date, obsolete_formats_become_the_usual_one) {
  EXPECT_EQ(normal("Sunday, 06-Nov-94 08:49:37 GMT"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(normal("Sun Nov  6 08:49:37 1994"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(normal("Sun Nov 06 08:49:37 1994"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(normal("Sunday, 06-Nov-69 08:49:37 GMT"), "Wed, 06 Nov 2069 08:49:37 GMT");
  EXPECT_EQ(normal("Sunday, 06-Nov-70 08:49:37 GMT"), "Fri, 06 Nov 1970 08:49:37 GMT");
  EXPECT_EQ(normal("Mon, 06 Nov 1994 08:49:37 UTC"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(normal("Sun, 06 Nov 1994 08:49:60 GMT"), "Sun, 06 Nov 1994 08:50:00 GMT");
  EXPECT_EQ(normal("0"), "0");
  EXPECT_EQ(normal("Sun, 06-Nov-1994 08:49:37 GMT"), "Sun, 06-Nov-1994 08:49:37 GMT");
}

TEST(Date, the_usual_format_is_the_same_view) {
  Arena arena;
  const std::string_view text = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(normalise_date(text, arena).data(), text.data());
}

TEST(DateText, changes_with_the_second) {
  DateText text;
  const sys_seconds now(std::chrono::seconds(784111777));
  EXPECT_EQ(text.at(now), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(text.at(now), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(text.at(now + std::chrono::seconds(1)), "Sun, 06 Nov 1994 08:49:38 GMT");
}

}  // namespace
}  // namespace steelyard::http
