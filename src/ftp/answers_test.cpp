#include "ftp/answers.hpp"

#include <gtest/gtest.h>

namespace steelyard::ftp {
namespace {

TEST(ExtendedPassive, is_a_port_between_bars) {
  EXPECT_EQ(read_extended_passive("Entering Extended Passive Mode (|||6446|)"), 6446);
  EXPECT_EQ(read_extended_passive("x (!!!1!) y"), 1);
  EXPECT_EQ(read_extended_passive("(|||65535|)"), 65535);
  for (const char* text : {"", "(", "(|||", "(|||)", "(||||)", "(|||0|)", "(|||65536|)",
                           "(|||99999999999999999999|)", "(|||12|", "(|||12!)", "(||!12|)",
                           "(|||-1|)", "(||| 12|)", "|||12|", "(|1|127.0.0.1|12|)", "(111121)"})
    EXPECT_FALSE(read_extended_passive(text)) << text;
}

TEST(Passive, is_an_address_and_a_port) {
  EXPECT_EQ(read_passive("Entering Passive Mode (10,1,2,3,4,5)")->text(), "10.1.2.3:1029");
  EXPECT_EQ(read_passive("Entering Passive Mode. 10,1,2,3,4,5")->text(), "10.1.2.3:1029");
  EXPECT_EQ(read_passive("2 words (10,1,2,3,0,21)")->text(), "10.1.2.3:21");
  for (const char* text :
       {"", "()", "(1,2,3,4,5)", "(1,2,3,4,5,256)", "(256,2,3,4,5,6)", "(1,2,3,4,0,0)",
        "(1,2,3,4,5,-6)", "(1, 2,3,4,5,6)", "(1.2.3.4,5,6)", "(1,2,3,4,5,0006)", "huh"})
    EXPECT_FALSE(read_passive(text)) << text;
}

TEST(Size, is_what_the_text_begins_with) {
  EXPECT_EQ(read_size("0"), 0U);
  EXPECT_EQ(read_size("12 bytes"), 12U);
  EXPECT_EQ(read_size("9223372036854775807"), 9223372036854775807U);
  for (const char* text : {"", "x", "-5", " 5", "9223372036854775808", "99999999999999999999999"})
    EXPECT_FALSE(read_size(text)) << text;
}

TEST(Time, is_a_moment_that_exists) {
  using namespace std::chrono;
  const sys_seconds moment = sys_days(2024y / February / 29) + 12h + 34min + 56s;
  EXPECT_EQ(read_time("20240229123456"), moment);
  EXPECT_EQ(read_time("20240229123456.789"), moment);
  EXPECT_EQ(read_time("19600101000000"), sys_seconds(sys_days(1960y / January / 1)));
  for (const char* text :
       {"", "2024022912345", "20230229123456", "20241350123456", "20240229243456", "20240229126056",
        "202402291234567", "2024 229123456", "-0240229123456"})
    EXPECT_FALSE(read_time(text)) << text;
}

TEST(Directory, is_quoted_or_a_word) {
  EXPECT_EQ(read_directory("\"/\" is current directory"), "/");
  EXPECT_EQ(read_directory("  \"/a b\""), "/a b");
  EXPECT_EQ(read_directory("\"/a "
                           "\"\"q\"\" <b>\" is"),
            "/a ");
  EXPECT_EQ(read_directory("\"/a\\\"b\\\\c\\d\""), "/a\"b\\c\\d");
  EXPECT_EQ(read_directory("'/a\"b'"), "/a\"b");
  EXPECT_EQ(read_directory("/abc is"), "/abc");
  EXPECT_EQ(read_directory("\"/never ends"), "/never ends");
  EXPECT_EQ(read_directory("\"x\\"), "x\\");
  EXPECT_EQ(read_directory(""), "");
  EXPECT_EQ(read_directory("   "), "");
}

}  // namespace
}  // namespace steelyard::ftp
