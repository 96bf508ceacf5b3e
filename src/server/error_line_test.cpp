#include "server/error_line.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

namespace steelyard::server {
namespace {

std::string line_of(proxy::ErrorLine line) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  line.when = WallTime(std::chrono::microseconds(1795190248985458));
  std::string out;
  append_error_line(out, 77, line);
  return out;
}

proxy::ErrorLine line_with(std::string_view text) {
  proxy::ErrorLine line;
  line.text = text;
  return line;
}

TEST(ErrorLine, has_httpds_layout) {
  const Endpoint client{*IpAddress::parse("127.0.0.1"), 54808};
  proxy::ErrorLine line = line_with("attempt to connect");
  line.level = config::LogLevel::debug;
  line.client = &client;
  line.referer = "http://a.test/";
  EXPECT_EQ(line_of(line),
            fmt::format("[Fri Nov 20 15:57:28.985458 2026] [proxy:debug] [pid {}:tid 77] "
                        "[client 127.0.0.1:54808] attempt to connect, referer: http://a.test/\n",
                        ::getpid()));
}

TEST(ErrorLine, without_a_client_there_is_no_client_part) {
  proxy::ErrorLine line = line_with("hello");
  line.level = config::LogLevel::notice;
  line.module = "core";
  EXPECT_EQ(line_of(line),
            fmt::format("[Fri Nov 20 15:57:28.985458 2026] [core:notice] [pid {}:tid 77] hello\n",
                        ::getpid()));
}

TEST(ErrorLine, a_text_cannot_forge_a_second_line) {
  const auto line =
      line_of(line_with("a\nb\rc\td\x01"
                        "e\x7f"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_NE(line.find("a\\nb\\rc\\td\\x01e\\x7f"), std::string::npos);
}

}  // namespace
}  // namespace steelyard::server
