#include "health/check_request.hpp"

#include <gtest/gtest.h>

#include "balance/parameters.hpp"

namespace steelyard::health {
namespace {

struct Row {
  std::string_view url, method, uri, first_line, host;
};

// What httpd 2.4.71 sent to a member of that URL with that hcmethod and hcuri.
constexpr Row rows[] = {
    {"http://127.0.0.1:81/app", "OPTIONS", "/x", "OPTIONS * HTTP/1.0", "127.0.0.1:81"},
    {"http://LOCALHOST:81", "OPTIONS11", "", "OPTIONS * HTTP/1.1", "localhost:81"},
    {"http://h:81/app", "HEAD", "/status", "HEAD /app//status HTTP/1.0", "h:81"},
    {"http://h:81/app/", "GET", "status", "GET /app//status HTTP/1.0", "h:81"},
    {"http://h:81", "GET", "status", "GET status HTTP/1.0", "h:81"},
    {"http://h:81", "get11", "", "GET  HTTP/1.1", "h:81"},
    {"http://h:81/app", "GET11", "", "GET /app HTTP/1.1", "h:81"},
    {"http://h", "HEAD11", "/a?b=c%20d", "HEAD /a?b=c%20d HTTP/1.1", "h:80"},
    {"http://user:pw@h:81", "GET11", "/u", "GET /u HTTP/1.1", "h:81"},
    {"unix:/run/u.sock|http://h:81", "GET11", "/u", "GET /u HTTP/1.1", "h:81"},
    // httpd leaves the brackets out.
    {"http://[::1]:81", "GET11", "/x", "GET /x HTTP/1.1", "[::1]:81"},
};

TEST(CheckRequest, is_what_httpd_sends_byte_for_byte) {
  for (const Row& row : rows) {
    balance::MemberSpec member;
    ASSERT_TRUE(balance::parse_member_url(member, row.url));
    ASSERT_TRUE(balance::set_member_parameter(member, "hcmethod", row.method));
    ASSERT_TRUE(balance::set_member_parameter(member, "hcuri", row.uri));
    EXPECT_EQ(check_request(member),
              std::string(row.first_line) + "\r\nHost: " + std::string(row.host) + "\r\n\r\n")
        << row.url;
  }
}

TEST(CheckRequest, names_the_host_that_hchost_gives) {
  balance::MemberSpec member;
  ASSERT_TRUE(balance::parse_member_url(member, "http://10.0.0.1:81"));
  member.check = {.method = balance::CheckMethod::get11, .uri = "/", .host = "app.example"};
  EXPECT_EQ(check_request(member), "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
}

TEST(CheckRequest, has_a_target_that_http_2_takes) {
  balance::MemberSpec member;
  ASSERT_TRUE(balance::parse_member_url(member, "h2c://h:81"));
  const auto target = [&](balance::CheckMethod method, std::string uri) {
    member.check = {.method = method, .uri = std::move(uri)};
    return http2_check_words(member).target;
  };
  EXPECT_EQ(target(balance::CheckMethod::get, ""), "/");
  EXPECT_EQ(target(balance::CheckMethod::get11, "status"), "/status");
  EXPECT_EQ(target(balance::CheckMethod::head, "/status?x"), "/status?x");
  EXPECT_EQ(target(balance::CheckMethod::options, "/x"), "*");
  EXPECT_EQ(http2_check_words(member).method, "OPTIONS");
  EXPECT_EQ(http2_check_words(member).host, "h:81");
}

}  // namespace
}  // namespace steelyard::health
