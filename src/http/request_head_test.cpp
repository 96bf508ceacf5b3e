#include "http/request_head.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/wire_test.hpp"

namespace steelyard::http {
namespace {

using namespace std::string_literals;
using Code = RequestFaultCode;

std::string body_text(BodyFraming body) {
  switch (body.kind) {
    case BodyFraming::Kind::none:
      return "none";
    case BodyFraming::Kind::length:
      return std::to_string(body.length);
    case BodyFraming::Kind::chunked:
      return "chunked";
    case BodyFraming::Kind::until_close:
      return "until close";
  }
  return {};
}

std::string meaning(const RequestHead& head) {
  std::string text(head.method);
  text += ' ' + std::string(head.target.path);
  if (head.target.has_query) text += '?' + std::string(head.target.query);
  text += " 1." + std::to_string(head.version.minor) + " host=" + std::string(head.host);
  text += " body=" + body_text(head.body);
  text += head.asks_keep_alive() ? " keep" : " close";
  if (head.expects_continue) text += " expects";
  if (head.expects_the_unknown) text += " expects the unknown";
  for (const Field& field : head.fields) {
    text += "|" + std::string(field.name) + ":" + std::string(field.value);
  }
  return text;
}

// The meaning of the text, or "status: why" of the fault, fed as `arrival` says.
std::string read_in(const std::string& text, const Arrival& arrival, RequestLimits limits) {
  RequestHeadReader reader(limits);
  RequestHead head;
  MovingBuffer buffer;
  for (const std::size_t size : arrival) {
    const auto progress = reader.read(buffer.grow(std::string_view(text).substr(0, size)), head);
    if (!progress) {
      return std::to_string(progress.error().status) + ": " +
             std::string(describe(progress.error().code));
    }
    if (*progress == HeadProgress::complete) {
      return meaning(head) + " #" + std::to_string(head.head_bytes);
    }
  }
  return "incomplete";
}

void expect_everywhere(const std::string& text, const std::string& wanted,
                       RequestLimits limits = {}) {
  for (const Arrival& arrival : arrivals(text.size())) {
    ASSERT_EQ(read_in(text, arrival, limits), wanted)
        << testing::PrintToString(text.substr(0, 300)) << " first " << arrival.front();
  }
}

struct Accepted {
  const char* what;
  std::string text;
  std::string meaning;
};

// A table; `meaning` is method, path, version, host, body, persistence, fields.
const Accepted accepted[] = {
    {"the least", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / 1.1 host=x body=none keep|Host:x"},
    {"1.0 without fields", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 host= body=none close"},
    {"1.0 that keeps alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "GET / 1.0 host= body=none keep|Connection:Keep-Alive"},
    {"1.0 with an empty Host", "GET / HTTP/1.0\r\nHost:\r\n\r\n",
     "GET / 1.0 host= body=none close|Host:"},
    {"close among options", "GET / HTTP/1.1\r\nHost: x\r\nConnection: a, Close\r\n\r\n",
     "GET / 1.1 host=x body=none close|Host:x|Connection:a, Close"},
    {"a newer version counts as 1.1", "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x"},
    {"1.2 counts as 1.1", "GET / HTTP/1.2\r\nHost: x\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x"},
    {"any token is a method", "get'it /x HTTP/1.1\r\nHost: x\r\n\r\n",
     "get'it /x 1.1 host=x body=none keep|Host:x"},
    {"ten empty lines in front", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n",
     "GET / 1.0 host= body=none close"},
    {"blanks around values", "GET / HTTP/1.1\r\nHost:x\r\nA: \t b c \t \r\nB:\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x|A:b c|B:"},
    {"high bytes and tabs in values", "GET / HTTP/1.1\r\nHost: x\r\nA: \xc3\xa4\tb\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x|A:\xc3\xa4\tb"},
    {"high bytes in the target", "GET /\x80 HTTP/1.1\r\nHost: x\r\n\r\n",
     "GET /\x80 1.1 host=x body=none keep|Host:x"},
    {"a length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 007\r\n\r\n",
     "POST / 1.1 host=x body=7 keep|Host:x|Content-Length:007"},
    {"an announced empty body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
     "POST / 1.1 host=x body=0 keep|Host:x|Content-Length:0"},
    {"chunked in any case", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: CHUNKED \r\n\r\n",
     "POST / 1.1 host=x body=chunked keep|Host:x|Transfer-Encoding:CHUNKED"},
    {"an expectation", "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n\r\n",
     "PUT / 1.1 host=x body=none keep expects|Host:x|Expect:100-Continue"},
    {"an expectation of 1.0 is not met", "PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
     "PUT / 1.0 host= body=none close|Expect:100-continue"},
    {"and closes", "PUT / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n",
     "PUT / 1.0 host= body=none close|Connection:keep-alive|Expect:100-continue"},
    {"an empty expectation", "PUT / HTTP/1.1\r\nHost: x\r\nExpect:\r\n\r\n",
     "PUT / 1.1 host=x body=none keep|Host:x|Expect:"},
    {"an unknown expectation", "PUT / HTTP/1.1\r\nHost: x\r\nExpect: y 100-continue\r\n\r\n",
     "PUT / 1.1 host=x body=none keep expects the unknown|Host:x|Expect:y 100-continue"},  // 33
    {"an unknown expectation of 1.0", "GET / HTTP/1.0\r\nExpect: foo\r\n\r\n",
     "GET / 1.0 host= body=none close expects the unknown|Expect:foo"},
    {"a list of expectations",
     "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue, 100-continue\r\n\r\n",
     "PUT / 1.1 host=x body=none keep expects the unknown|Host:x|Expect:100-continue, "
     "100-continue"},
    {"an expectation on two lines",
     "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n\r\n",
     "PUT / 1.1 host=x body=none keep expects the unknown|Host:x|Expect:100-continue|Expect:"
     "100-continue"},
    {"the target's authority replaces Host",
     "GET http://y:81/p?q HTTP/1.1\r\nA: b\r\nHost: x\r\n\r\n",
     "GET /p?q 1.1 host=y:81 body=none keep|A:b|Host:y:81"},
    {"even a malformed Host", "GET http://y HTTP/1.1\r\nHost: a..b\r\n\r\n",
     "GET / 1.1 host=y body=none keep|Host:y"},
    {"and stands in for it in 1.0, without making one", "GET http://y?q HTTP/1.0\r\n\r\n",
     "GET /?q 1.0 host=y body=none close"},
    {"OPTIONS of the server", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
     "OPTIONS * 1.1 host=x body=none keep|Host:x"},
    {"CONNECT names an authority", "CONNECT y:443 HTTP/1.1\r\nHost: y:443\r\n\r\n",
     "CONNECT  1.1 host=y:443 body=none keep|Host:y:443"},
    {"empty connection options", "GET / HTTP/1.1\r\nHost: x\r\nConnection: ,,,,\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x|Connection:,,,,"},
    {"a body of a GET is announced like any other",
     "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
     "GET / 1.1 host=x body=10 keep|Host:x|Content-Length:10"},
    {"the query is nobody's business", "GET /?a=%zz&b;c=1 HTTP/1.1\r\nHost: x\r\n\r\n",
     "GET /?a=%zz&b;c=1 1.1 host=x body=none keep|Host:x"},
    {"odd cookies", "GET / HTTP/1.1\r\nHost: x\r\nCookie: ;a=b\r\nCookie: =\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x|Cookie:;a=b|Cookie:="},
    {"a name of 284 bytes that begins like Content-Length",
     "GET / HTTP/1.1\r\nHost: x\r\nContent-Length0" + std::string(270, 'a') + ":\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x|Content-Length0" + std::string(270, 'a') + ":"},
    {"options of an upgrade",
     "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n",
     "GET / 1.1 host=x body=none keep|Host:x|Connection:Upgrade|Upgrade:a"},
};

TEST(RequestHead, accepts_however_the_bytes_arrive) {
  for (const Accepted& wanted : accepted) {
    SCOPED_TRACE(wanted.what);
    expect_everywhere(wanted.text, wanted.meaning + " #" + std::to_string(wanted.text.size()));
  }
}

TEST(RequestHead, stops_at_its_end_when_more_follows) {
  for (const Accepted& wanted : accepted) {
    SCOPED_TRACE(wanted.what);
    const std::string full = wanted.meaning + " #" + std::to_string(wanted.text.size());
    for (const std::string& next : {wanted.text, "\0\r\xff"s, "x"s}) {
      const std::string text = wanted.text + next;
      ASSERT_EQ(read_in(text, {text.size()}, {}), full);
    }
  }
}

TEST(RequestHead, every_proper_prefix_is_incomplete) {
  for (const Accepted& wanted : accepted) {
    SCOPED_TRACE(wanted.what);
    for (std::size_t size = 0; size < wanted.text.size(); ++size) {
      ASSERT_EQ(read_in(wanted.text, {size}, {}), "incomplete") << size;
    }
  }
}

struct Refused {
  std::string text;
  Code code;
  int status = 400;
};

std::string with(const std::string& fields) {
  return "POST /a HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

// A table. Numbers are rows of the list of known attacks on proxies.
const Refused refused[] = {
    // request line
    {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", Code::malformed_line},
    {"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", Code::malformed_line},
    {"GET / HTTP/1.1 x\r\nHost: x\r\n\r\n", Code::malformed_line},  // 2
    {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", Code::malformed_line},
    {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", Code::malformed_line},
    {"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_method},  // 2
    {"GET /\tHTTP/1.1\r\nHost: x\r\n\r\n", Code::control_byte},
    {"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", Code::control_byte},
    {"GET /a /../b HTTP/1.1\r\nHost: x\r\n\r\n", Code::malformed_line},  // 38
    {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_method},
    {"GET\r\n\r\n", Code::malformed_line},
    {"GET /\r\n\r\n", Code::no_version},
    {"GET / \r\n\r\n", Code::bad_version},
    {"GET / HTTP/0.8\r\nHost: x\r\n\r\n", Code::bad_version},
    {"GET / HTTP/0.9\r\nHost: x\r\n\r\n", Code::bad_version},
    {"GET / HTTP/1.10\r\nHost: x\r\n\r\n", Code::bad_version},
    {"GET / http/1.1\r\nHost: x\r\n\r\n", Code::bad_version},
    {"GET / HTTP/11\r\nHost: x\r\n\r\n", Code::bad_version},
    {"GET / HTTPS/1.1\r\nHost: x\r\n\r\n", Code::bad_version},
    {"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"s, Code::control_byte},
    {"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", Code::control_byte},
    {"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", Code::control_byte},
    {"\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", Code::control_byte},  // TLS on a plain port
    {"GET / HTTP/1.1\nHost: x\r\n\r\n", Code::bare_lf},
    {"GET /\rHTTP/1.1\r\nHost: x\r\n\r\n", Code::bare_cr},
    {"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", Code::bare_lf},
    {"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", Code::empty_lines},
    // target
    {"GET a HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},
    {"GET ?a HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},
    {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},
    {"GET @127.0.0.1:80/x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},    // 71
    {"GET :8080/x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},            // 71
    {"GET unix:/x|http://h/ HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},  // 73
    {"GET gopher://h/x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},
    {"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_host},  // 19
    {"GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_target},
    {"GET http://u:p@h/x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_host},  // 11
    {"GET http://h\\x/a HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_host},
    {"GET /index.html#.png HTTP/1.1\r\nHost: x\r\n\r\n", Code::fragment},  // 9
    {"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_host},
    {"CONNECT h HTTP/1.1\r\nHost: x\r\n\r\n", Code::bad_host},
    // field lines
    {with("Foo : bar\r\n"), Code::blank_before_colon},  // 2
    {with("Foo\t: bar\r\n"), Code::blank_before_colon},
    {with("Content-Length : 10\r\n"), Code::blank_before_colon},          // 13
    {with("Transfer-Encoding : chunked\r\n"), Code::blank_before_colon},  // 22
    {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", Code::blank_before_colon},     // 23
    {with("A: b\rc\r\n"), Code::bare_cr},                                 // 2
    {with("Foo: a\rTransfer-Encoding: chunked\r\n"), Code::bare_cr},      // 26
    {with("Content-Length\r: 5\r\n"), Code::bare_cr},                     // 26
    {with("A: b\r\r\n"), Code::bare_cr},
    {with("A: b\nC: d\r\n"), Code::bare_lf},  // 17
    {"GET / HTTP/1.1\r\nHost: x\r\n\nX", Code::bare_lf},
    {"GET / HTTP/1.1\r\nHost: x\r\n\rX", Code::bare_cr},
    {with("A: b\r\n c\r\n"), Code::folded_field},
    {with("A: b\r\n\tTransfer-Encoding: chunked\r\n"), Code::folded_field},
    {with("Expect:\r\n 100-continue\r\n"), Code::folded_field},                       // 32
    {"GET / HTTP/1.1\r\n Content-Length: 1\r\nHost: x\r\n\r\n", Code::folded_field},  // 26
    {with(" \r\n"), Code::folded_field},
    {with(":x\r\nContent-Length: 40\r\n"), Code::empty_field_name},  // 7
    {with("Foo\r\n"), Code::no_colon},
    {with("Foo\x85: x\r\n"), Code::bad_field_name},  // 18
    {with("Fo(o: x\r\n"), Code::bad_field_name},
    {with("Fo o: x\r\n"), Code::bad_field_name},
    {with("A: b\0c\r\n"s), Code::control_byte},  // 51
    {with("A\0: b\r\n"s), Code::control_byte},
    {with("A: b\x01\r\n"), Code::control_byte},
    {with("A: b\x7f\r\n"), Code::control_byte},
    // Host
    {"GET / HTTP/1.1\r\n\r\n", Code::no_host},
    {"GET http://h/ HTTP/1.1\r\n\r\n", Code::no_host},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", Code::bad_host},
    {"GET / HTTP/1.1\r\nHost: a..b\r\n\r\n", Code::bad_host},
    {"GET / HTTP/1.0\r\nHost: a,b\r\n\r\n", Code::bad_host},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Code::several_hosts},
    // body framing
    {with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
     Code::length_and_coding},  // 3, 15
    {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Code::length_and_coding},
    {with("Content-Length: 0\r\nContent-Length: 0\r\n"), Code::several_content_lengths},  // 13, 24
    {with("Content-Length: 5\r\ncontent-length: 6\r\n"), Code::several_content_lengths},
    {with("Content-Length: \r\ncontent-length: 59\r\n"), Code::several_content_lengths},  // 8
    {with("Content-Length: \r\n"), Code::bad_content_length},
    {with("Content-Length: 5, 5\r\n"), Code::bad_content_length},
    {with("Content-Length: 5 5\r\n"), Code::bad_content_length},  // 16
    {with("Content-Length: +5\r\n"), Code::bad_content_length},   // 16
    {with("Content-Length: -5\r\n"), Code::bad_content_length},
    {with("Content-Length: 0x5\r\n"), Code::bad_content_length},
    {with("Content-Length:\x0b"
          "5\r\n"),
     Code::control_byte},  // 22
    {with("Content-Length: 9223372036854775808\r\n"), Code::bad_content_length},
    {with("Content-Length: 18446744073709551621\r\n"), Code::bad_content_length},
    {with("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     Code::control_byte},                                                  // 10
    {with("Transfer-Encoding: xchunked\r\n"), Code::bad_transfer_coding},  // 14
    {with("Transfer-Encoding: chunke\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: chunked, cow\r\n"), Code::bad_transfer_coding},  // 18, 103
    {with("Transfer-Encoding: cow, chunked\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: chunked, chunked\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: chunked,\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: ,chunked\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: \"chunked\"\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: chunked;q=1\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: identity\r\n"), Code::bad_transfer_coding},  // 27
    {with("Transfer-Encoding:\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     Code::bad_transfer_coding},
    {with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: gzip\r\n"), Code::bad_transfer_coding},
    {with("Transfer-Encoding: gzip, chunked\r\n"), Code::unsupported_coding, 501},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Code::coding_in_http_1_0},
};

TEST(RequestHead, refuses_however_the_bytes_arrive) {
  for (const Refused& wanted : refused) {
    expect_everywhere(wanted.text,
                      std::to_string(wanted.status) + ": " + std::string(describe(wanted.code)));
  }
}

TEST(RequestHead, the_offending_words_are_told) {
  const auto words = [](const std::string& text) {
    RequestHeadReader reader;
    RequestHead head;
    const auto progress = reader.read(text, head);
    return progress ? std::string("none") : std::string(progress.error().text);
  };
  EXPECT_EQ(words(with("Content-Length: 5x\r\n")), "5x");
  EXPECT_EQ(words(with("Fo(o: x\r\n")), "Fo(o");
  EXPECT_EQ(words(with("A: b\x01\r\n")), "A");
  EXPECT_EQ(words("GET / HTTP/1.1\r\nHost: a..b\r\n\r\n"), "a..b");
  EXPECT_EQ(words("GET / HTTP/1.10\r\n\r\n"), "HTTP/1.10");
}

std::string line_of(std::size_t bytes) {
  const std::string begin = "GET /";
  const std::string end = " HTTP/1.1";
  return begin + std::string(bytes - begin.size() - end.size(), 'x') + end;
}

TEST(RequestHead, a_request_line_of_the_limit_and_one_more_byte_passes) {
  const RequestLimits limits{.line_bytes_max = 100};
  for (const std::size_t bytes : {std::size_t{99}, std::size_t{100}, std::size_t{101}}) {
    const std::string text = line_of(bytes) + "\r\nHost: x\r\n\r\n";
    EXPECT_TRUE(read_in(text, {text.size()}, limits).starts_with("GET"));
  }
  expect_everywhere(line_of(102) + "\r\nHost: x\r\n\r\n",
                    "414: " + std::string(describe(Code::line_too_long)), limits);
  // Without any end in sight.
  expect_everywhere("GET /" + std::string(200, 'x'),
                    "414: " + std::string(describe(Code::line_too_long)), limits);
}

TEST(RequestHead, the_default_limits_are_those_of_httpd) {
  const std::string longest = line_of(8191) + "\r\nHost: x\r\n\r\n";
  EXPECT_TRUE(read_in(longest, {longest.size()}, {}).starts_with("GET"));
  expect_everywhere(line_of(8192) + "\r\nHost: x\r\n\r\n",
                    "414: " + std::string(describe(Code::line_too_long)));
  const std::string field = "A: " + std::string(8191 - 3, 'x');
  const std::string fits = with(field + "\r\n");
  EXPECT_TRUE(read_in(fits, {fits.size()}, {}).starts_with("POST"));
  expect_everywhere(with(field + "x\r\n"), "400: " + std::string(describe(Code::field_too_long)));
}

TEST(RequestHead, a_field_that_is_too_long_is_named) {
  RequestHeadReader reader;
  RequestHead head;
  const std::string text = with("X-Long: " + std::string(9000, 'x') + "\r\n");
  const auto progress = reader.read(text, head);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().text, "X-Long");
}

TEST(RequestHead, fields_are_counted_by_line) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "A: b\r\n";
  const std::string fits = with(fields);  // with Host 100
  EXPECT_TRUE(read_in(fits, {fits.size()}, {}).starts_with("POST"));
  expect_everywhere(with(fields + "A: b\r\n"),
                    "400: " + std::string(describe(Code::too_many_fields)));
  const std::string many = with(fields + fields);
  EXPECT_TRUE(read_in(many, {many.size()}, {.fields_max = 0}).starts_with("POST"));
}

TEST(RequestHead, tells_whether_a_request_began_and_has_its_line) {
  RequestHeadReader reader;
  RequestHead head;
  const std::string text = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto at = [&](std::size_t size) {
    EXPECT_TRUE(reader.read(std::string_view(text).substr(0, size), head));
    return std::pair(reader.started(), reader.has_line());
  };
  EXPECT_EQ(at(0), std::pair(false, false));
  EXPECT_EQ(at(1), std::pair(false, false));
  EXPECT_EQ(at(2), std::pair(false, false));
  EXPECT_EQ(at(3), std::pair(true, false));
  EXPECT_EQ(at(17), std::pair(true, false));
  EXPECT_EQ(at(18), std::pair(true, true));
  reader.reset();
  EXPECT_FALSE(reader.started());
}

TEST(RequestHead, one_reader_serves_a_pipeline) {
  const std::string text =
      "GET /1 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: y\r\n\r\n"
      "GET /3 HTTP/1.0\r\n\r\n";
  RequestHeadReader reader;
  RequestHead head;
  std::string_view rest = text;
  std::string seen;
  while (!rest.empty()) {
    reader.reset();
    head.clear();
    ASSERT_EQ(reader.read(rest, head), HeadProgress::complete);
    seen += meaning(head) + "\n";
    rest.remove_prefix(head.head_bytes);
  }
  EXPECT_EQ(seen,
            "GET /1 1.1 host=x body=none keep|Host:x|A:b\n"
            "GET /2 1.1 host=y body=none keep|Host:y\n"
            "GET /3 1.0 host= body=none close\n");
}

TEST(RequestHead, the_line_is_kept_as_received) {
  RequestHeadReader reader;
  RequestHead head;
  const std::string text = "\r\nGET http://H/x?y HTTP/2.0\r\nHost: x\r\n\r\n";
  ASSERT_EQ(reader.read(text, head), HeadProgress::complete);
  EXPECT_EQ(head.line, "GET http://H/x?y HTTP/2.0");
  EXPECT_EQ(head.method_id, Method::get);
  EXPECT_EQ(head.target.text, "http://H/x?y");
  EXPECT_EQ(head.target.scheme, "http");
  EXPECT_EQ(head.target.form, RequestTarget::Form::absolute);
  EXPECT_EQ(head.received_version, (Version{2, 0}));
  EXPECT_EQ(head.version, http_1_1);
}

}  // namespace
}  // namespace steelyard::http
