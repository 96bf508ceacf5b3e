#include "http/response_head.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/arena.hpp"
#include "http/wire_test.hpp"

namespace steelyard::http {
namespace {

using namespace std::string_literals;
using Code = ResponseFaultCode;

struct Rules {
  Method request = Method::get;
  ResponseLimits limits = {};
  BadHeader bad_header = BadHeader::is_error;
};

std::string meaning(const ResponseHead& head) {
  std::string text = std::to_string(head.status) + " " + std::string(head.reason);
  switch (head.body.kind) {
    case BodyFraming::Kind::none:
      text += " none";
      break;
    case BodyFraming::Kind::length:
      text += " " + std::to_string(head.body.length);
      break;
    case BodyFraming::Kind::chunked:
      text += " chunked";
      break;
    case BodyFraming::Kind::until_close:
      text += " until-close";
      break;
  }
  text += head.may_reuse ? " reuse" : " once";
  for (const Field& field : head.fields) {
    text += "|" + std::string(field.name) + ":" + std::string(field.value);
  }
  return text;
}

std::string read_in(const std::string& text, const Arrival& arrival, Rules rules) {
  ResponseHeadReader reader(rules.limits, rules.bad_header);
  ResponseHead head;
  Arena arena;
  MovingBuffer buffer;
  for (const std::size_t size : arrival) {
    const auto progress = reader.read(buffer.grow(std::string_view(text).substr(0, size)),
                                      rules.request, head, arena);
    if (!progress) {
      return std::to_string(progress.error().status) + ": " +
             std::string(describe(progress.error().code));
    }
    if (*progress == ResponseProgress::no_status_line) return "no status line";
    if (*progress == ResponseProgress::complete) {
      return meaning(head) + " #" + std::to_string(head.head_bytes);
    }
  }
  return "incomplete";
}

void expect_everywhere(const std::string& text, const std::string& wanted, Rules rules = {}) {
  for (const Arrival& arrival : arrivals(text.size())) {
    ASSERT_EQ(read_in(text, arrival, rules), wanted)
        << testing::PrintToString(text.substr(0, 300)) << " first " << arrival.front();
  }
}

struct Accepted {
  std::string text;
  std::string meaning;
  Rules rules = {};
};

// A table.
const Accepted accepted[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 OK 5 reuse|Content-Length:5"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 OK 0 reuse|Content-Length:0"},
    {"HTTP/1.1 200 OK\nA: b\nContent-Length: 1\n\n", "200 OK 1 reuse|A:b|Content-Length:1"},
    {"\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", "200 OK 1 reuse|Content-Length:1"},
    {"\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", "200 OK 1 reuse|Content-Length:1"},
    {"HTTP/1.1 200 OK\r\n\r\n", "200 OK until-close once"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
     "200 OK 1 once|Content-Length:1|Connection:keep-alive"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n",
     "200 OK 1 once|Content-Length:1|Connection:close"},
    {"HTTP/1.9 200 OK\r\nContent-Length: 1\r\n\r\n", "200 OK 1 reuse|Content-Length:1"},
    // status lines
    {"HTTP/1.1 200\r\n\r\n", "200  until-close once"},
    {"HTTP/1.1 299 \r\n\r\n", "299  until-close once"},
    {"HTTP/1.1 999 What: ever\r\n\r\n", "999 What: ever until-close once"},
    {"HTTP/1.1 2000 x\r\n\r\n", "200 OK until-close once"},
    {"HTTP/1.1 200X x\r\n\r\n", "200 OK until-close once"},
    {"HTTP/1.1 200 O\rK: y\r\n\r\n", "200 OK until-close once"},  // row 102
    {"HTTP/1.1 404 O\x01K\r\n\r\n", "404 Not Found until-close once"},
    {"HTTP/1.1 299 O\x01K\r\n\r\n", "299  until-close once"},
    // framing
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
     "200 OK chunked reuse|Transfer-Encoding:Chunked"},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     "200 OK chunked once|Transfer-Encoding:chunked"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
     "200 OK until-close once|Transfer-Encoding:identity"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n",
     "200 OK chunked once|Transfer-Encoding:chunked"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: b\r\nContent-Length: 1\r\n\r\n",
     "200 OK 1 reuse|Content-Length:1|A:b"},
    {"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", "204 No none reuse"},
    {"HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", "304 No none reuse|Content-Length:3"},
    {"HTTP/1.1 100 Go\r\n\r\n", "100 Go none reuse"},
    {"HTTP/1.1 103 E\r\nLink: x\r\n\r\n", "103 E none reuse|Link:x"},
    {"HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n", "101 S none once|Upgrade:x"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
     "200 OK none reuse|Content-Length:3",
     {.request = Method::head}},
    {"HTTP/1.1 200 OK\r\n\r\n", "200 OK none reuse", {.request = Method::head}},
    // fields
    {"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n",
     "200 OK 0 reuse|Set-Cookie:a=1|set-cookie:b=2|Content-Length:0"},
    {"HTTP/1.1 200 OK\r\nSet-Cookie2: a\r\nContent-Length: 0\r\n\r\n",
     "200 OK 0 reuse|Set-Cookie2:a|Content-Length:0"},  // row 108
    {"HTTP/1.1 200 OK\r\nA: \t b\t \xc3\xa4 \r\nContent-Length: 0\r\n\r\n",
     "200 OK 0 reuse|A:b\t \xc3\xa4|Content-Length:0"},
    {"HTTP/1.1 200 OK\r\nA: c\r\n B: d\r\n\tE\r\nContent-Length: 0\r\n\r\n",
     "200 OK 0 reuse|A:c B: d\tE|Content-Length:0"},
    {"HTTP/1.1 200 OK\r\nA:\r\n \t b \r\n  \r\nContent-Length: 0\r\n\r\n",
     "200 OK 0 reuse|A:b|Content-Length:0"},
    {"HTTP/1.1 200 OK\r\nHTTP/1.1 201 OK\r\n folded\r\nContent-Length: 1\r\n\r\n",
     "200 OK 1 reuse|Content-Length:1"},
    {"HTTP/1.1 200 OK\r\nA: b\r\nfoo\r\n bar\r\nContent-Length: 1\r\n\r\n",
     "200 OK 1 reuse|A:b|Content-Length:1",
     {.bad_header = BadHeader::ignore}},
};

TEST(ResponseHead, accepts_however_the_bytes_arrive) {
  for (const Accepted& wanted : accepted) {
    expect_everywhere(wanted.text, wanted.meaning + " #" + std::to_string(wanted.text.size()),
                      wanted.rules);
  }
}

TEST(ResponseHead, stops_at_its_end_when_more_follows) {
  for (const Accepted& wanted : accepted) {
    const std::string text = wanted.text + wanted.text + "\0"s;
    ASSERT_EQ(read_in(text, {text.size()}, wanted.rules),
              wanted.meaning + " #" + std::to_string(wanted.text.size()));
  }
}

TEST(ResponseHead, every_proper_prefix_is_incomplete) {
  for (const Accepted& wanted : accepted) {
    for (std::size_t size = 0; size < wanted.text.size(); ++size) {
      ASSERT_EQ(read_in(wanted.text, {size}, wanted.rules), "incomplete") << wanted.text << size;
    }
  }
}

struct Refused {
  std::string text;
  Code code;
  int status = 502;
};

std::string with(const std::string& fields) { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n"; }

// A table. Row 101 of the list of attacks: no byte of a field can end it early.
const Refused refused[] = {
    {"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Code::empty_lines},
    {"HTTP/2.0 200 OK\r\n\r\n", Code::bad_version},
    {"HTTP/0.9 200 OK\r\n\r\n", Code::bad_version},
    {"HTTP/1.1 099 x\r\n\r\n", Code::bad_status},
    {"HTTP/1.1 000 x\r\n\r\n", Code::bad_status},
    {with("Foo\r\n"), Code::no_colon},
    {with("X-Sp : 1\r\n"), Code::blank_before_colon, 500},
    {with(": b\r\n"), Code::bad_field_name, 500},
    {with("A(: b\r\n"), Code::bad_field_name, 500},
    {with(" A: b\r\n"), Code::bad_field_name, 500},
    {with("A: b\rc\r\n"), Code::control_byte, 500},
    {with("A: b\r\r\n"), Code::control_byte, 500},
    {with("A: b\x01\r\n"), Code::control_byte, 500},
    {with("A: b\r\n c\x01\r\n"), Code::control_byte, 500},
    {with("A: b\0c\r\n"s), Code::control_byte, 502},
    {with("A\0: b\r\n"s), Code::control_byte, 502},
    {with("A\r: b\r\n"), Code::bad_field_name, 500},
    {with("Content-Length: x\r\n"), Code::bad_content_length},
    {with("Content-Length: +1\r\n"), Code::bad_content_length},
    {with("Content-Length:\r\n"), Code::bad_content_length},
    {with("Content-Length: 1, 1\r\n"), Code::bad_content_length},
    {with("Content-Length: 1\r\nContent-Length: 2\r\n"), Code::bad_content_length},
    {with("Content-Length: 1\r\nContent-Length: x\r\n"), Code::bad_content_length},
    {with("Content-Length: 9223372036854775808\r\n"), Code::bad_content_length},
    {with("Transfer-Encoding: cow\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: gzip, chunked\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     Code::bad_transfer_coding},
    {with("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     Code::control_byte, 500},
};

TEST(ResponseHead, refuses_however_the_bytes_arrive) {
  for (const Refused& wanted : refused) {
    expect_everywhere(wanted.text,
                      std::to_string(wanted.status) + ": " + std::string(describe(wanted.code)));
  }
}

TEST(ResponseHead, what_is_not_http_1_is_told_at_once) {
  for (const char* text :
       {"hello\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1  200 x\r\n\r\n", "HTTP/1.1\t200 x\r\n\r\n",
        "http/1.1 200 x\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/11.1 200 x\r\n\r\n", "<html>\n",
        "\rX\n", "HTTP/1.1 2x0 \r\n"}) {
    expect_everywhere(text, "no status line");
  }
  EXPECT_EQ(read_in("HTTQ", {4}, {}), "incomplete")
      << "httpd: what ends without a line is no answer";
  const std::string long_line(ResponseLimits().line_bytes_max + 2, 'x');
  EXPECT_EQ(read_in(long_line, {long_line.size()}, {}), "no status line");
  EXPECT_EQ(read_in("HTTP/1.1 2", {10}, {}), "incomplete");
}

TEST(ResponseHead, a_bad_line_may_begin_the_body) {
  const std::string text = "HTTP/1.1 200 OK\r\nA: b\r\nfoo\r\nC: d\r\n\r\n";
  expect_everywhere(text, "200 OK until-close once|A:b #28", {.bad_header = BadHeader::start_body});
}

TEST(ResponseHead, limits_hold_before_a_line_ends) {
  const Rules rules{
      .limits = {
          .line_bytes_max = 40, .field_bytes_max = 30, .fields_max = 3, .head_bytes_max = 200}};
  const auto refusal = [](Code code) { return "502: " + std::string(describe(code)); };
  expect_everywhere("HTTP/1.1 200 " + std::string(40, 'x'), refusal(Code::line_too_long), rules);
  expect_everywhere("HTTP/1.1 200 " + std::string(40, 'x') + "\r\n", refusal(Code::line_too_long),
                    rules);
  expect_everywhere("HTTP/1.1 200 OK\r\nA: " + std::string(40, 'x'), refusal(Code::field_too_long),
                    rules);
  expect_everywhere(with("A: " + std::string(28, 'x') + "\r\n"), refusal(Code::field_too_long),
                    rules);
  expect_everywhere(with("A: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n"), refusal(Code::too_many_fields),
                    rules);
  expect_everywhere(with("A: b\r\n cccccccccc\r\n cccccccccc\r\n dddddddd\r\n"),
                    refusal(Code::field_too_long), rules);
  std::string skipped;
  for (int i = 0; i < 20; ++i) skipped += "HTTP/1.1 200 OK\r\n";
  expect_everywhere(with(skipped), refusal(Code::head_too_long), rules);
}

TEST(ResponseHead, the_corrupt_line_is_told) {
  ResponseHeadReader reader;
  ResponseHead head;
  Arena arena;
  const auto progress = reader.read("HTTP/2.0 200 OK\r\n\r\n", Method::get, head, arena);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().text, "HTTP/2.0 200 OK");
}

TEST(ResponseHead, one_reader_passes_interim_heads_and_then_the_last) {
  const std::string text = "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  ResponseHeadReader reader;
  ResponseHead head;
  Arena arena;
  ASSERT_EQ(reader.read(text, Method::post, head, arena), ResponseProgress::complete);
  EXPECT_EQ(head.status, 100);
  const std::string_view rest = std::string_view(text).substr(head.head_bytes);
  reader.reset();
  head.clear();
  EXPECT_FALSE(reader.started());
  ASSERT_EQ(reader.read(rest, Method::post, head, arena), ResponseProgress::complete);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(reader.started());
}

TEST(ResponseHead, a_long_fold_is_put_together_in_place) {
  std::string text = "HTTP/1.1 200 OK\r\nA: b\r\n";
  std::string value = "b";
  for (int i = 0; i < 2000; ++i) {
    text += " c\r\n";
    value += " c";
  }
  text += "\r\n";
  ResponseHeadReader reader;
  ResponseHead head;
  Arena arena;
  ASSERT_EQ(reader.read(text, Method::get, head, arena), ResponseProgress::complete);
  EXPECT_EQ(head.fields.value("A"), value);
}

}  // namespace
}  // namespace steelyard::http
