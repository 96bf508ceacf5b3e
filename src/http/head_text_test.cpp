#include "http/head_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

TEST(HeadText, writes_lines) {
  HeadText head;
  head.append("HTTP/1.1 ").append(std::uint64_t{200}).append(" OK\r\n");
  head.append_field("Server", "x");
  head.append_field("Via", "1.0 a", "1.1 b");
  head.append_field("Via", "", "1.1 b");
  EXPECT_EQ(head.view(), "HTTP/1.1 200 OK\r\nServer: x\r\nVia: 1.0 a, 1.1 b\r\nVia: 1.1 b\r\n");
}

TEST(HeadText, a_row_is_written_the_same_whatever_stood_between_name_and_value) {
  for (const std::string line : {"Name: value", "Name:value", "Name:  value", "Name:\tvalue"}) {
    const Field row{std::string_view(line).substr(0, 4),
                    std::string_view(line).substr(line.size() - 5), FieldId::other};
    HeadText head;
    head.append_field(row);
    EXPECT_EQ(head.view(), "Name: value\r\n") << line;
  }
}

TEST(HeadText, keeps_what_it_holds_when_it_grows) {
  HeadText head;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    head.append_field("Name", std::to_string(i));
    expected += "Name: " + std::to_string(i) + "\r\n";
  }
  EXPECT_EQ(head.view(), expected);
}

}  // namespace
}  // namespace steelyard::http
