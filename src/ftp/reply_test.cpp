#include "ftp/reply.hpp"

#include <gtest/gtest.h>

namespace steelyard::ftp {
namespace {

struct Seen {
  int code = -1;
  std::string text, rest;
};

// Whole, or with a break in front of each byte.
Seen read(std::string_view wire, bool in_pieces) {
  ReplyReader reader;
  std::string waiting;
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t size = in_pieces ? 1 : wire.size();
    waiting += wire.substr(at, size);
    at += size;
    std::string_view data = waiting;
    const auto progress = reader.read(data);
    waiting = std::string(data);
    if (progress == ReplyReader::Progress::complete)
      return {reader.code(), reader.text(),
              waiting + std::string(wire.substr(std::min(at, wire.size())))};
    if (progress == ReplyReader::Progress::too_long) return {-2, {}, {}};
  }
  return {};
}

struct Case {
  std::string wire;
  int code;
  std::string text, rest;
};

TEST(ReplyReader, tells_code_and_text) {
  const std::string a(100, 'a'), b(100, 'b'), c(100, 'c');
  const Case cases[] = {
      {"220 ready\r\n", 220, "ready", ""},
      {"220 ready\n221 x\r\n", 220, "ready", "221 x\r\n"},
      {"220 \r\n", 220, "", ""},
      {"230-Hi <b>\r\n more\r\n230-x\r\n2300 q\r\n230 end\r\n226", 230, "Hi <b>", "226"},
      {"230-one\n two\n230 end\n", 230, "one", ""},
      {"230-one\r\n231 two\r\n230 end\r\n", 230, "one", ""},
      {"hello there\r\n", 0, "o there", ""},
      {"22\r\n", 0, "", ""},
      {"\r\n", 0, "", ""},
      {"220\r\n", 0, "", ""},
      {"22x y\r\n", 0, "y", ""},
      {"abc-y\r\nabc z\r\n", 0, "y", "abc z\r\n"},
      {"500 a\x01"
       "b\x7f"
       "c\td\r\n",
       500, "a?b?c?d", ""},
      {std::string("230 a\0b\r\n", 9), 230, "a?b", ""},
      // A line is looked at up to its 79th byte; one that was cut goes on in the next.
      {"230 " + a + "\r\n", 230, a.substr(0, 75), ""},
      {"230-" + a + "\r\n " + b + "\r\n230 " + c + "\r\n", 230,
       a.substr(0, 75) + b.substr(0, 78) + c.substr(0, 75), ""},
  };
  for (const Case& each : cases) {
    for (const bool in_pieces : {false, true}) {
      const Seen seen = read(each.wire, in_pieces);
      EXPECT_EQ(seen.code, each.code) << each.wire;
      EXPECT_EQ(seen.text, each.text) << each.wire;
      EXPECT_EQ(seen.rest, each.rest) << each.wire;
    }
  }
}

TEST(ReplyReader, waits_for_the_last_of_several_lines) {
  for (const char* wire : {"220-a\r\n", "220-a\r\n220-b\r\n", "220-a\r\n221 b\r\n", "22", "220 x",
                           "220-a\r\n 220 b\r\n"})
    EXPECT_EQ(read(wire, false).code, -1) << wire;
}

TEST(ReplyReader, has_enough_of_a_reply_that_never_ends) {
  std::string bomb = "230-x\r\n";
  while (bomb.size() <= reply_bytes_max) bomb += "and another line\r\n";
  EXPECT_EQ(read(bomb, false).code, -2);
  EXPECT_EQ(read("230 " + std::string(reply_bytes_max, 'x'), false).code, -2);
  EXPECT_EQ(read("230 " + std::string(reply_bytes_max - 6, 'x') + "\r\n", false).code, 230);
}

TEST(ReplyReader, keeps_no_more_text_than_httpd) {
  std::string wire = "230-";
  for (int i = 0; i < 1000; ++i) wire += std::string(200, 'x') + "\r\n ";
  EXPECT_EQ(read(wire + "\r\n230 end\r\n", false).text.size(), reply_text_bytes_max);
}

TEST(ReplyReader, begins_anew) {
  ReplyReader reader;
  std::string_view data = "230-a\r\n230 b\r\n550 c\r\n";
  ASSERT_EQ(reader.read(data), ReplyReader::Progress::complete);
  reader.reset();
  ASSERT_EQ(reader.read(data), ReplyReader::Progress::complete);
  EXPECT_EQ(reader.code(), 550);
  EXPECT_EQ(reader.text(), "c");
  EXPECT_TRUE(data.empty());
}

}  // namespace
}  // namespace steelyard::ftp
