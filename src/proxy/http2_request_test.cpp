#include "proxy/client/http2_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "proxy/limits.hpp"

namespace steelyard::proxy {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Kind = Http2RequestReader::Result::Kind;

struct Read {
  http::RequestHead head;
  Arena arena;
  Http2RequestReader::Result result;
  bool is_hopeless = false;
};

void read(Read& into, const Fields& fields, bool has_body = false,
          const http::RequestLimits& limits = {}) {
  Http2RequestReader reader;
  reader.begin(into.head, into.arena, limits);
  for (const auto& [name, value] : fields)
    into.is_hopeless = into.is_hopeless || !reader.add(name, value);
  into.result = reader.finish(has_body);
}

Fields with(const Fields& more) {
  Fields fields{
      {":method", "GET"}, {":scheme", "https"}, {":authority", "a.test"}, {":path", "/p?q"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Fields without(const std::string& name, const Fields& more = {}) {
  Fields fields = with(more);
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

Fields replaced(const std::string& name, const std::string& value) {
  Fields fields = with({});
  for (auto& field : fields)
    if (field.first == name) field.second = value;
  return fields;
}

TEST(Http2Request, becomes_the_head_that_HTTP_1_would_have_brought) {
  Read read_one;
  read(read_one,
       with({{"user-agent", " t "}, {"cookie", "a=1"}, {"x-a-b", ""}, {"cookie", "b=2"}}));
  const http::RequestHead& head = read_one.head;
  EXPECT_EQ(read_one.result.kind, Kind::complete);
  EXPECT_EQ(head.line, "GET /p?q HTTP/2.0");
  EXPECT_EQ(head.method_id, http::Method::get);
  EXPECT_EQ(head.target.path, "/p");
  EXPECT_EQ(head.target.query, "q");
  EXPECT_EQ(head.host, "a.test");
  EXPECT_EQ(head.received_version.major, 2);
  EXPECT_EQ(head.fields.value("User-Agent"), "t");
  EXPECT_EQ(head.fields.value("Cookie"), "a=1; b=2");
  EXPECT_EQ(head.fields[2].name, "X-A-B");
  EXPECT_EQ(head.body.kind, http::BodyFraming::Kind::none);
}

TEST(Http2Request, its_body_has_the_length_it_says_or_comes_in_chunks) {
  Read known, unknown;
  read(known, with({{"content-length", "5"}}), true);
  EXPECT_EQ(known.head.body, (http::BodyFraming{http::BodyFraming::Kind::length, 5}));
  read(unknown, with({}), true);
  EXPECT_EQ(unknown.head.body.kind, http::BodyFraming::Kind::chunked);
}

TEST(Http2Request, Host_stands_in_for_a_missing_authority) {
  Read read_one;
  read(read_one, without(":authority", {{"host", "b.test:81"}}));
  EXPECT_EQ(read_one.result.kind, Kind::complete);
  EXPECT_EQ(read_one.head.host_parts->port, 81);
}

TEST(Http2Request, what_is_no_message_is_malformed) {
  const std::vector<Fields> cases = {
      without(":method"),
      without(":path"),
      replaced(":method", "GET /x HTTP/1.1\r\nA: b\r\n\r\nGET"),
      replaced(":method", "G T"),
      with({{":path", "/again"}}),
      with({{":status", "200"}}),
      replaced(":scheme", "http\r\nx: y"),
      replaced(":scheme", "ht tp"),
      replaced(":scheme", "http "),
      replaced(":scheme", "http://b.test/?"),
      replaced(":scheme", "1http"),
      replaced(":scheme", "+"),
      replaced(":scheme", "h\xc3\xa4"),
      with({{"Upper", "x"}}),
      with({{"", "x"}}),
      with({{"a b", "x"}}),
      with({{"transfer-encoding:chunked", "x"}}),
      with({{"x", "a\r\nb: c"}}),
      with({{"x", std::string("a\0b", 3)}}),
      with({{"connection", "close"}}),
      with({{"keep-alive", "1"}}),
      with({{"proxy-connection", "x"}}),
      with({{"transfer-encoding", "chunked"}}),
      with({{"upgrade", "websocket"}}),
      with({{"te", "gzip"}}),
      with({{"content-length", "1"}, {"content-length", "1"}}),
  };
  for (const Fields& fields : cases) {
    Read read_one;
    read(read_one, fields);
    EXPECT_EQ(read_one.result.kind, Kind::malformed) << fields.back().first << fields.size();
  }
}

TEST(Http2Request, what_HTTP_1_would_answer_with_an_error_is_answered) {
  const std::vector<std::pair<Fields, int>> cases = {
      {replaced(":path", "/a#b"), 400},
      {replaced(":path", "a"), 400},
      {replaced(":path", "/a b"), 400},
      {replaced(":path", "https://b.test/"), 400},
      {replaced(":path", "*"), 400},
      {replaced(":scheme", "ftp"), 400},
      {replaced(":authority", "u@a.test"), 400},
      {replaced(":authority", "a b"), 400},
      {without(":authority"), 400},
      {with({{"content-length", "5"}}), 400},
      {with({{"content-length", "+0"}}), 400},
      {with({{"x", std::string(8200, 'y')}}), 431},
      {replaced(":path", "/" + std::string(8200, 'y')), 414},
  };
  for (const auto& [fields, status] : cases) {
    Read read_one;
    read(read_one, fields);
    EXPECT_EQ(read_one.result.kind, Kind::fault) << fields.back().first;
    EXPECT_EQ(read_one.result.status, status) << fields.back().first;
  }
}

TEST(Http2Request, a_web_scheme_goes_on_any_connection) {
  for (const std::string scheme : {"http", "https", "HTTPS", "Http"}) {
    Read read_one;
    read(read_one, replaced(":scheme", scheme));
    EXPECT_EQ(read_one.result.kind, Kind::complete) << scheme;
    EXPECT_EQ(read_one.head.line, "GET /p?q HTTP/2.0");
    EXPECT_EQ(read_one.head.target.form, http::RequestTarget::Form::origin);
    EXPECT_EQ(read_one.head.target.scheme, "");
  }
}

TEST(Http2Request, of_another_scheme_there_is_nothing_and_the_log_shows_it) {
  for (const std::string scheme : {"ftp", "ws", "httpx", "a+b-c.1"}) {
    Read read_one;
    read(read_one, replaced(":scheme", scheme));
    EXPECT_EQ(read_one.result.status, 400) << scheme;
    EXPECT_EQ(read_one.head.line, "GET " + scheme + "://a.test/p?q HTTP/2.0");
  }
  Read asterisk;
  Fields fields = replaced(":scheme", "ftp");
  fields[0].second = "OPTIONS";
  fields[3].second = "*";
  read(asterisk, fields);
  EXPECT_EQ(asterisk.result.status, 400);
  EXPECT_EQ(asterisk.head.line, "OPTIONS * HTTP/2.0");
}

Fields extended_connect(const std::string& protocol, const Fields& more = {}) {
  Fields fields = replaced(":method", "CONNECT");
  fields.emplace_back(":protocol", protocol);
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TEST(Http2Request, an_extended_CONNECT_becomes_the_GET_that_asks_for_a_websocket) {
  for (const bool goes_on : {false, true}) {
    Read read_one;
    read(read_one, extended_connect("websocket"), goes_on);
    const http::RequestHead& head = read_one.head;
    EXPECT_EQ(read_one.result.kind, Kind::websocket);
    EXPECT_EQ(head.line, "GET /p?q HTTP/2.0");
    EXPECT_EQ(head.method_id, http::Method::get);
    EXPECT_EQ(head.target.path, "/p");
    EXPECT_EQ(head.host, "a.test");
    EXPECT_EQ(head.fields.value("Upgrade"), "websocket");
    EXPECT_EQ(head.fields.value("Connection"), "Upgrade");
    EXPECT_TRUE(head.connection.upgrade);
    EXPECT_EQ(head.body.kind, http::BodyFraming::Kind::none);
  }
}

TEST(Http2Request, an_extended_CONNECT_to_something_else_is_answered) {
  const std::vector<std::pair<Fields, int>> cases = {
      {extended_connect("connect-udp"), 501},
      {extended_connect("WEBSOCKET"), 501},
      {extended_connect("websocket", {{"content-length", "0"}}), 400},
      {extended_connect("websocket", {{"x", std::string(8200, 'y')}}), 431},
  };
  for (const auto& [fields, status] : cases) {
    Read read_one;
    read(read_one, fields, true);
    EXPECT_EQ(read_one.result.kind, Kind::fault);
    EXPECT_EQ(read_one.result.status, status);
  }
  Read other;
  read(other, extended_connect("connect-udp"), true);
  EXPECT_EQ(other.head.line, "CONNECT /p?q HTTP/2.0");
}

TEST(Http2Request, an_extended_CONNECT_has_all_that_a_request_has) {
  for (const std::string name : {":scheme", ":path", ":authority"}) {
    Fields fields = extended_connect("websocket");
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    Read read_one;
    read(read_one, fields);
    EXPECT_EQ(read_one.result.kind, Kind::malformed) << name;
  }
  Read of_nothing;
  read(of_nothing, extended_connect(""));
  EXPECT_EQ(of_nothing.result.kind, Kind::malformed);
  Read of_get;
  read(of_get, with({{":protocol", "websocket"}}));
  EXPECT_EQ(of_get.result.kind, Kind::malformed);
}

Fields plain_connect(const std::string& place, const Fields& more = {}) {
  Fields fields{{":method", "CONNECT"}, {":authority", place}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TEST(Http2Request, a_CONNECT_is_a_place_and_its_stream_has_no_body) {
  for (const bool goes_on : {false, true}) {
    Read read_one;
    read(read_one, plain_connect("far.test:443", {{"host", "b.test"}, {"content-length", "0"}}),
         goes_on);
    const http::RequestHead& head = read_one.head;
    EXPECT_EQ(read_one.result.kind, Kind::tunnel);
    EXPECT_EQ(head.line, "CONNECT far.test:443 HTTP/2.0");
    EXPECT_EQ(head.method_id, http::Method::connect);
    EXPECT_EQ(head.target.form, http::RequestTarget::Form::authority);
    EXPECT_EQ(head.target.authority, "far.test:443");
    EXPECT_EQ(head.host, "far.test:443");
    EXPECT_EQ(head.fields.value("Host"), "far.test:443");
    EXPECT_EQ(head.body.kind, http::BodyFraming::Kind::none);
  }
}

TEST(Http2Request, a_CONNECT_with_a_path_or_without_a_place_is_malformed) {
  const std::vector<Fields> cases = {
      {{":method", "CONNECT"}},
      {{":method", "CONNECT"}, {"host", "far.test:443"}},
      plain_connect(""),
      plain_connect("far.test:443", {{":path", "/"}}),
      plain_connect("far.test:443", {{":path", ""}}),
      plain_connect("far.test:443", {{":scheme", "https"}}),
      plain_connect("far.test:443", {{":scheme", ""}}),
      plain_connect("far.test:443", {{":scheme", "https"}, {":path", "/"}}),
      plain_connect("far.test:443", {{":authority", "other.test:443"}}),
  };
  for (const Fields& fields : cases) {
    Read read_one;
    read(read_one, fields, true);
    EXPECT_EQ(read_one.result.kind, Kind::malformed) << fields.back().first << fields.size();
  }
}

TEST(Http2Request, a_CONNECT_to_what_is_no_place_is_answered) {
  for (const std::string place :
       {"far.test", "far.test:", "far.test:0", "far.test:65536", "far.test:+443", ":443",
        "[::1:443", "u@far.test:443", "u:p@far.test:443", "far.test:443@x.test:1", "far.test:443/x",
        "http://far.test:443", "far.test:443?x", "/", "*"}) {
    Read read_one;
    read(read_one, plain_connect(place), true);
    EXPECT_EQ(read_one.result.kind, Kind::fault) << place;
    EXPECT_EQ(read_one.result.status, 400) << place;
  }
  for (const std::string length : {"5", "x", "+0", "-0"}) {
    Read read_one;
    read(read_one, plain_connect("far.test:443", {{"content-length", length}}), true);
    EXPECT_EQ(read_one.result.status, 400) << length;
  }
}

TEST(Http2Request, fields_are_counted_and_their_memory_has_an_end) {
  Fields fields = with({});
  for (int i = 0; i < 101; ++i) fields.emplace_back("x" + std::to_string(i), "y");
  Read many;
  read(many, fields);
  EXPECT_EQ(many.result.status, 431);
  EXPECT_FALSE(many.is_hopeless);
  for (int i = 0; i < 101; ++i) fields.emplace_back("z", "y");
  Read more;
  read(more, fields);
  EXPECT_TRUE(more.is_hopeless);
  Read large;
  read(large, with(Fields(140, {"x", std::string(8000, 'y')})), false, {.fields_max = 0});
  EXPECT_TRUE(large.is_hopeless);
}

TEST(Http2Request, cookies_together_keep_to_the_limit_of_one_field) {
  Read read_one;
  read(read_one, with(Fields(20, {"cookie", std::string(1000, 'c')})));
  EXPECT_EQ(read_one.result.status, 431);
}

TEST(Http2Request, an_expectation_is_read) {
  Read known, unknown;
  read(known, with({{"expect", "100-continue"}}), true);
  EXPECT_TRUE(known.head.expects_continue);
  read(unknown, with({{"expect", "more"}}), true);
  EXPECT_TRUE(unknown.head.expects_the_unknown);
}

}  // namespace
}  // namespace steelyard::proxy
