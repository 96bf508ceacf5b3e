#include "expr/log_format.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

void use_time_zone(const char* zone) {
  setenv("TZ", zone, 1);
  tzset();
}

struct LogFormats : testing::Test {
  LogFormats() {
    use_time_zone("UTC");
    facts.texts = {
        {TextFact::client_ip, "127.0.0.1"},
        {TextFact::peer_ip, "10.0.0.9"},
        {TextFact::local_ip, "127.0.0.2"},
        {TextFact::method, "GET"},
        {TextFact::path, "/ab"},
        {TextFact::final_path, "/ab"},
        {TextFact::marked_query, "?q=1"},
        {TextFact::request_line, "GET /ab?q=1 HTTP/1.1"},
        {TextFact::protocol, "HTTP/1.1"},
        {TextFact::server_name, "main.test"},
        {TextFact::canonical_name, "127.0.0.1"},
        {TextFact::handler, "proxy-server"},
        {TextFact::filename, "proxy:http://b/ab"},
    };
    facts.numbers = {
        {NumberFact::status, 404},         {NumberFact::original_status, 403},
        {NumberFact::body_bytes_sent, 0},  {NumberFact::bytes_received, 133},
        {NumberFact::bytes_sent, 1188},    {NumberFact::keepalive_count, 2},
        {NumberFact::client_port, 58326},  {NumberFact::local_port, 8080},
        {NumberFact::canonical_port, 80},  {NumberFact::process_id, 42},
        {NumberFact::thread_id, 0x7fc02d}, {NumberFact::first_byte_micros, -1},
    };
    facts.request = {{"User-Agent", "curl/7.88.1"},
                     {"Empty", ""},
                     {"Cookie", R"(A=1; b = 2 x ;c=;d; e="q;r"; F=7=8)"}};
    facts.response = {{"Content-Type", "text/html; charset=iso-8859-1"},
                      {"Set-Cookie", "a=1"},
                      {"X", "y"},
                      {"Set-Cookie", "b=2"}};
    facts.request_trailers = {{"T", "in"}};
    facts.response_trailers = {{"T", "out"}};
    facts.variables = {{"V", "v1"}};
    facts.notes = {{"N", "n1"}};
    facts.begin = WallTime(seconds(1795197487) + microseconds(782830));
    facts.took = microseconds(2'345'678);
    facts.end = facts.begin + facts.took;
  }

  std::string line(std::string_view format) const {
    const auto compiled = LogFormat::compile(format);
    if (!compiled) return "refused: " + compiled.error().text;
    std::string text;
    compiled->write(facts, text);
    return text;
  }

  TableFacts facts;
};

struct Case {
  std::string_view format, expected;
};

TEST_F(LogFormats, every_directive_prints_what_httpd_prints) {
  const Case cases[] = {
      {"%h %{c}h %a %{c}a %A", "127.0.0.1 10.0.0.9 127.0.0.1 10.0.0.9 127.0.0.2"},
      {"%B %b", "0 -"},
      {"%{a}C|%{B}C|%{c}C|%{d}C|%{e}C|%{f}C|%{g}C", R"(1|2 x|-|-|\"q|7=8|-)"},
      {"%D %T %{ms}T %{us}T %{s}T %{}T %{abc}T", "2345678 2 2345 2345678 2 2 abc"},
      {"%{V}e %{W}e %{}e", "v1 - -"},
      {"%f %R %H %m %U %q", "proxy:http://b/ab proxy-server HTTP/1.1 GET /ab ?q=1"},
      {"%{user-agent}i|%{Empty}i|%{X}i|%i", "curl/7.88.1||-|-"},
      {"%{Content-Type}o|%{Set-Cookie}o|%{X}o|%{Y}o", "text/html|a=1, b=2|y|-"},
      {"%{T}^ti %{T}^to %^ti", "in out -"},
      {"%I %O %S %^FB", "133 1188 1321 -"},
      {"%k %l %u %L %{c}L", "2 - - - -"},
      {"%{N}n %{M}n", "n1 -"},
      {"%p %{canonical}p %{local}p %{remote}p %{x}p", "80 80 8080 58326 x"},
      {"%P %{pid}P %{tid}P %{hextid}P %{x}P", "42 42 8372269 7fc02d x"},
      {"%r", "GET /ab?q=1 HTTP/1.1"},
      {"%s %>s %<s", "403 404 403"},
      {"%v %V %X %%", "main.test 127.0.0.1 + %"},
      {common_log_format,
       R"(127.0.0.1 - - [20/Nov/2026:17:58:07 +0000] "GET /ab?q=1 HTTP/1.1" 404 -)"},
  };
  for (const Case& each : cases) EXPECT_EQ(line(each.format), each.expected) << each.format;
}

TEST_F(LogFormats, times_print_begin_or_end_in_every_unit) {
  const Case cases[] = {
      {"%t", "[20/Nov/2026:17:58:07 +0000]"},
      {"%{}t %{begin}t", "[20/Nov/2026:17:58:07 +0000] [20/Nov/2026:17:58:07 +0000]"},
      {"%{end}t", "[20/Nov/2026:17:58:10 +0000]"},
      {"%{sec}t %{end:sec}t %{begin:sec}t", "1795197487 1795197490 1795197487"},
      {"%{msec}t %{usec}t", "1795197487782 1795197487782830"},
      {"%{msec_frac}t %{usec_frac}t %{end:usec_frac}t", "782 782830 128508"},
      {"%{%Y-%m-%dT%H:%M:%S}t", "2026-11-20T17:58:07"},
      {"%{end:%S}t", "10"},
      {"%{secx}t %{endx}t %{begin:end:sec}t", "secx endx end:sec"},
  };
  for (const Case& each : cases) EXPECT_EQ(line(each.format), each.expected) << each.format;
}

TEST_F(LogFormats, fractions_keep_their_leading_zeros) {
  facts.begin = WallTime(seconds(5) + microseconds(1234));
  EXPECT_EQ(line("%{msec_frac}t %{usec_frac}t"), "001 001234");
}

TEST_F(LogFormats, the_local_time_zone_counts_on_both_sides_of_greenwich) {
  facts.begin = WallTime(seconds(1'000'000'001));
  use_time_zone("XXX+03:30");
  EXPECT_EQ(line("%t"), "[08/Sep/2001:22:16:41 -0330]");
  facts.begin += seconds(1);
  use_time_zone("YYY-05:45");
  EXPECT_EQ(line("%t"), "[09/Sep/2001:07:31:42 +0545]");
  use_time_zone("UTC");
}

TEST_F(LogFormats, a_status_list_decides_by_the_final_status) {
  const Case cases[] = {
      {"%404{User-Agent}i", "curl/7.88.1"},
      {"%200,404s", "403"},
      {"%403s", "-"},
      {"%!404s", "-"},
      {"%!200,304{User-Agent}i", "curl/7.88.1"},
      {"%{User-Agent}!200i", "curl/7.88.1"},
      {"%403>s", "-"},
      {"%404>s", "404"},
      {"%!s", "403"},
      {"%99999999999s", "-"},
  };
  for (const Case& each : cases) EXPECT_EQ(line(each.format), each.expected) << each.format;
}

TEST_F(LogFormats, literal_text_knows_four_escapes) {
  EXPECT_EQ(line(R"(a\n\t\r\\\q%%\)"), "a\n\t\r\\\\q%\\");
  EXPECT_EQ(line("%{a\\}b}i"), "-}i");
}

TEST_F(LogFormats, what_comes_from_outside_cannot_break_a_line) {
  facts.request = {{"X", "a\"b\\c\nd\re\tf\vg\bh\x01\x1f\x7f\xff\f end of a longer clean run"}};
  EXPECT_EQ(line("%{X}i"),
            R"(a\"b\\c\nd\re\tf\vg\bh\x01\x1f\x7f\xff\x0c end of a longer clean run)");
}

TEST_F(LogFormats, every_byte_is_escaped_alike_at_every_position) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 37; ++at) {
      std::string text(37, 'x');
      text[at] = static_cast<char>(byte);
      facts.request = {{"X", text}};
      std::string alone(1, text[at]);
      TableFacts single = facts;
      single.request = {{"X", alone}};
      std::string expected;
      LogFormat::compile("%{X}i")->write(single, expected);
      ASSERT_EQ(line("%{X}i"), std::string(at, 'x') + expected + std::string(36 - at, 'x'));
    }
  }
}

TEST_F(LogFormats, a_request_that_never_came_prints_dashes) {
  facts.texts.clear();
  facts.numbers[NumberFact::status] = 408;
  EXPECT_EQ(line(R"("%r" %>s %b%q %m %U)"), R"("-" 408 - - -)");
}

TEST_F(LogFormats, wrong_formats_are_refused_in_httpds_words) {
  const std::string ran_off = "Ran off end of LogFormat parsing args to some directive";
  const std::pair<std::string_view, std::string> cases[] = {
      {"%y", "Unrecognized LogFormat directive %y"},
      {"%{xx}y", "Unrecognized LogFormat directive %y"},
      {"%^xx", "Unrecognized LogFormat directive %^"},
      {"%^FU", "Unrecognized LogFormat directive %^"},
      {"%5%", "Unrecognized LogFormat directive %%"},
      {"%", ran_off},
      {"%{abc", ran_off},
      {"%{abc}", ran_off},
      {"a %200,304", ran_off},
  };
  for (const auto& [format, expected] : cases) {
    EXPECT_EQ(line(format), "refused: " + expected) << format;
  }
}

TEST_F(LogFormats, x_and_c_are_of_tls) {
  EXPECT_EQ(line("%{SSL_PROTOCOL}x %{version}c"), "- -");
  facts.tls = {{"SSL_PROTOCOL", "TLSv1.3"}, {"SSL_CLIENT_S_DN", "CN=\"a\""}, {"SSL_EMPTY", ""}};
  EXPECT_EQ(line("%{SSL_PROTOCOL}x %{version}c %{subjectdn}c %{clientcert}c"),
            "TLSv1.3 TLSv1.3 CN=\\\"a\\\" CN=\\\"a\\\"");
  EXPECT_EQ(line("%{SSL_EMPTY}x %{SSL_NONE}x %{errcode}c %{SSL_PROTOCOL}c %x %c"), "- - - - - -");
  EXPECT_TRUE(LogFormat::compile("%h %{SSL_PROTOCOL}x")->names_tls());
  EXPECT_FALSE(LogFormat::compile("%h %{c}a")->names_tls());
}

TEST_F(LogFormats, h_is_the_clients_name_when_it_was_looked_up) {
  facts.texts[TextFact::client_host] = "host.test";
  EXPECT_EQ(line("%h %a"), "host.test 127.0.0.1");
}

TEST_F(LogFormats, a_question_mark_alone_is_a_query) {
  facts.texts[TextFact::marked_query] = "?";
  EXPECT_EQ(line("%U%q"), "/ab?");
  facts.texts[TextFact::marked_query] = "";
  EXPECT_EQ(line("%U%q"), "/ab");
}

TEST_F(LogFormats, a_path_is_that_of_the_first_or_the_last_request) {
  facts.texts[TextFact::final_path] = "/error.html";
  EXPECT_EQ(line("%U %<U %>U"), "/ab /ab /error.html");
}

TEST_F(LogFormats, a_line_is_appended_to_what_is_there) {
  std::string text = "before ";
  LogFormat::compile("%s")->write(facts, text);
  EXPECT_EQ(text, "before 403");
}

TEST_F(LogFormats, the_three_ends_of_a_connection_have_their_signs) {
  facts.ending = ConnectionEnd::aborted;
  EXPECT_EQ(line("%X"), "X");
  facts.ending = ConnectionEnd::closed;
  EXPECT_EQ(line("%X"), "-");
}

}  // namespace
}  // namespace steelyard::expr
