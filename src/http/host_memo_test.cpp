#include "http/host_memo.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

void expect_same(HostMemo& memo, const std::string& text) {
  const auto told = memo.split(text);
  const auto parts = split_host(text);
  ASSERT_EQ(told.has_value(), parts.has_value()) << text;
  if (!parts) return;
  EXPECT_EQ(told->host, parts->host) << text;
  EXPECT_EQ(told->host.data(), text.data()) << "a view of what was asked about";
  EXPECT_EQ(told->port, parts->port) << text;
}

TEST(HostMemo, says_what_split_host_says_whatever_was_asked_before) {
  const std::string hosts[] = {"a.test",
                               "a.test:80",
                               "a.test:",
                               "a.test:0",
                               "A.test",
                               "a.tes",
                               "",
                               "10.0.0",
                               "10.0.0.1",
                               "[::1]",
                               "[::1]:81",
                               "[::1",
                               "a..test",
                               "b.test:65536",
                               "b.test:",
                               "b.test",
                               "a,b",
                               "x_y:8080",
                               "a.test",
                               std::string(46, 'h'),
                               std::string(47, 'h'),
                               std::string(300, 'h')};
  HostMemo memo;
  for (const std::string& first : hosts) {
    for (const std::string& second : hosts) {
      expect_same(memo, first);
      expect_same(memo, first);
      expect_same(memo, second);
    }
  }
}

}  // namespace
}  // namespace steelyard::http
