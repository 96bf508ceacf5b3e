#include "cgi/response_head.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/arena.hpp"
#include "http/wire_test.hpp"

namespace steelyard::cgi {
namespace {

using namespace std::string_literals;

struct Case {
  std::string text, meaning;
};

std::string meaning(const http::ResponseHead& head) {
  std::string text = std::to_string(head.status) + " " + std::string(head.reason);
  if (head.body.kind == http::BodyFraming::Kind::none) text += " none";
  for (const http::Field& field : head.fields) {
    text += "|" + std::string(field.name) + ":" + std::string(field.value);
  }
  return text + " #" + std::to_string(head.head_bytes);
}

std::string read(const std::string& text, const http::Arrival& arrival,
                 http::Method method = http::Method::get, HeadLimits limits = {}) {
  HeadReader reader(limits);
  http::ResponseHead head;
  Arena arena;
  http::MovingBuffer buffer;
  for (const std::size_t size : arrival) {
    const auto whole =
        reader.read(buffer.grow(std::string_view(text).substr(0, size)), method, head, arena);
    if (!whole) return std::string(describe(whole.error()));
    if (*whole) return meaning(head);
  }
  return "incomplete";
}

void expect_all(const Case& one) {
  for (const http::Arrival& arrival : http::arrivals(one.text.size())) {
    EXPECT_EQ(read(one.text, arrival), one.meaning) << one.text;
  }
}

TEST(CgiHead, lines_say_fields_and_the_status) {
  const Case cases[] = {
      {"Content-Type: text/plain\r\n\r\nbody", "200 OK|Content-Type:text/plain #28"},
      {"Content-Type: text/plain\n\nbody", "200 OK|Content-Type:text/plain #26"},
      {"Status: 404 Not Here\r\nX: 1\r\n\r\n", "404 Not Here|X:1 #30"},
      {"Status: 404\n\n", "404 Not Found #13"},
      {"status:  200OK\n\n", "200 OK #16"},
      {"Status: 601 Odd\n\n", "601 Odd #17"},
      {"Status: 200 OK\nStatus: 404 No\n\n", "404 No #31"},
      {"\nbody", "200 OK #1"},
      {"\r\nbody", "200 OK #2"},
      {"X:\n\n", "200 OK|X: #4"},
      {"Content-Type:\n\n", "200 OK #15"},
      {"Content-Type: t/p\nContent-Type: \n\n", "200 OK #34"},
      {"Status: 304 Not\n\nbody", "304 Not none #17"},
      {"X: 1", "incomplete"},
      {"X: 1\r\n", "incomplete"},
  };
  for (const Case& one : cases) expect_all(one);
}

TEST(CgiHead, what_is_no_status_of_http_is_a_500_with_the_scripts_body) {
  for (const std::string_view status : {"99 low", "abc", "1000 x", "-404 x", ""}) {
    const std::string text = "Status: " + std::string(status) + "\n\n";
    EXPECT_EQ(read(text, {text.size()}),
              "500 Internal Server Error #" + std::to_string(text.size()));
  }
}

TEST(CgiHead, a_location_alone_leaves_the_status) {
  expect_all({"Location: /y\n\n", "200 OK|Location:/y #14"});
}

TEST(CgiHead, framing_and_lengths_are_not_the_scripts) {
  expect_all({"Content-Length: 7\nTransfer-Encoding: chunked\nX: 1\n\n", "200 OK|X:1 #51"});
}

TEST(CgiHead, one_length_is_remembered) {
  const auto told = [](std::string_view text) {
    HeadReader reader;
    http::ResponseHead head;
    Arena arena;
    EXPECT_TRUE(reader.read(text, http::Method::get, head, arena).value());
    return reader.told_length();
  };
  EXPECT_EQ(told("Content-Length: 7\n\n"), 7);
  EXPECT_EQ(told("content-length: 7\nContent-Length: 7\n\n"), 7);
  EXPECT_EQ(told("Content-Length: 7\nContent-Length: 8\n\n"), 0);
  EXPECT_EQ(told("Content-Length: 0\nContent-Length: 8\n\n"), 0);
  EXPECT_EQ(told("Content-Length: +7\n\n"), 0);
  EXPECT_EQ(told("Content-Length: 99999999999999999999\n\n"), 0);
  EXPECT_EQ(told("X: 7\n\n"), 0);
}

TEST(CgiHead, the_last_of_fields_that_stand_once_counts_and_cookies_stay_apart) {
  expect_all({"ETag: a\nSet-Cookie: a\nSet-Cookie: b\nETag: b\nX: 1\nX: 2\n\n",
              "200 OK|ETag:b|Set-Cookie:a|Set-Cookie:b|X:1|X:2 #55"});
}

TEST(CgiHead, the_type_is_in_lower_case_and_its_parameters_are_not) {
  expect_all({"Content-Type: Text/PLAIN ; Charset=X \n\n",
              "200 OK|Content-Type:text/plain ; Charset=X #39"});
}

TEST(CgiHead, lines_that_are_no_fields_are_refused) {
  const Case cases[] = {
      {"nocolon\n\n", "a header line of the script has no colon"},
      {"X: 1\nnocolon\n\n", "a header line of the script has no colon"},
      {"HTTP/1.1 200 OK\nX: 1\n\n", "a header line of the script has no colon"},
      {"HTTP/1.1 200 OK: x\n\n", "a header line of the script has no valid name"},
      {"Bad Name: 1\n\n", "a header line of the script has no valid name"},
      {": empty\n\n", "a header line of the script has no valid name"},
      {"X: 1\n folded: 2\n\n", "a header line of the script has no valid name"},
      {"X : 1\n\n", "a header line of the script has no valid name"},
      {"X: a\1b\n\n", "a header field of the script holds a control byte"},
      {"X: a\0b\n\n"s, "a header field of the script holds a control byte"},
      {"X: a\rb\n\n", "a header field of the script holds a control byte"},
      {"Status: 100 Continue\n\n", "the script's status is below 200"},
      {"Status: 101 Switch\n\n", "the script's status is below 200"},
  };
  for (const Case& one : cases) expect_all(one);
}

TEST(CgiHead, no_body_follows_for_head) {
  const std::string text = "X: 1\n\n";
  EXPECT_EQ(read(text, {text.size()}, http::Method::head), "200 OK none|X:1 #6");
}

TEST(CgiHead, lines_fields_and_the_whole_are_bounded_however_they_arrive) {
  const HeadLimits limits{.line_bytes_max = 10, .fields_max = 3, .head_bytes_max = 30};
  const Case cases[] = {
      {"X: 3456789\r\n\r\n", "200 OK|X:3456789 #14"},
      {"X: 34567890\r\n\r\n", "a header line of the script is too long"},
      {"X: 3456789012345", "a header line of the script is too long"},
      {"A:1\nB:1\nC:1\n\n", "200 OK|A:1|B:1|C:1 #13"},
      {"A:1\nB:1\nC:1\nD:1\n\n", "too many header fields from the script"},
      {"A:1234567\nB:1234567\nC:1234567\nD:1234567\n\n", "the script's header is too long"},
  };
  for (const Case& one : cases) {
    for (const http::Arrival& arrival : http::arrivals(one.text.size())) {
      EXPECT_EQ(read(one.text, arrival, http::Method::get, limits), one.meaning) << one.text;
    }
  }
}

TEST(UwsgiAnswer, is_framed_by_its_length_or_the_end_of_the_connection) {
  using Kind = http::BodyFraming::Kind;
  http::ResponseHead head;
  head.status = 200;
  head.fields.add("Transfer-Encoding", "chunked");
  head.fields.add("X", "1");
  head.body = {Kind::chunked, 0};
  EXPECT_TRUE(frame_uwsgi_answer(head));
  EXPECT_EQ(head.body, (http::BodyFraming{Kind::until_close, 0}));
  EXPECT_EQ(meaning(head), "200 |X:1 #0");
  head.body = {Kind::length, 7};
  EXPECT_TRUE(frame_uwsgi_answer(head));
  EXPECT_EQ(head.body, (http::BodyFraming{Kind::length, 7}));
  head.status = 103;
  EXPECT_FALSE(frame_uwsgi_answer(head));
}

}  // namespace
}  // namespace steelyard::cgi
