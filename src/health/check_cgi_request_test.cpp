#include "health/check_cgi_request.hpp"

#include <gtest/gtest.h>

#include <map>

#include "balance/parameters.hpp"

namespace steelyard::health {
namespace {

using namespace std::string_literals;
using cgi::Protocol;
using Variables = std::map<std::string, std::string>;

std::size_t byte(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text.at(at));
}

// BEGIN_REQUEST, PARAMS of short names and values, their end and that of STDIN.
Variables read_fcgi(std::string_view text) {
  EXPECT_EQ(text.substr(0, 16), "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"s);
  EXPECT_EQ(text.substr(text.size() - 16), "\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0"s);
  const std::size_t size = byte(text, 20) * 256 + byte(text, 21);
  EXPECT_EQ(text.size(), 16 + 8 + size + 16);
  Variables read;
  for (std::size_t at = 24; at < 24 + size;) {
    const std::size_t name = byte(text, at), value = byte(text, at + 1);
    read.emplace(text.substr(at + 2, name), text.substr(at + 2 + name, value));
    at += 2 + name + value;
  }
  return read;
}

Variables read_scgi(std::string_view text) {
  text.remove_prefix(text.find(':') + 1);
  Variables read;
  while (text != ",") {
    const std::size_t name = text.find('\0'), value = text.find('\0', name + 1);
    read.emplace(text.substr(0, name), text.substr(name + 1, value - name - 1));
    text.remove_prefix(value + 1);
  }
  return read;
}

Variables read_uwsgi(std::string_view text) {
  EXPECT_EQ(text.size(), 4 + byte(text, 1) + byte(text, 2) * 256);
  Variables read;
  for (std::size_t at = 4; at < text.size();) {
    const std::size_t name = byte(text, at), value = byte(text, at + 2 + name);
    read.emplace(text.substr(at + 2, name), text.substr(at + 4 + name, value));
    at += 4 + name + value;
  }
  return read;
}

balance::MemberSpec member_of(std::string_view url, std::string_view method, std::string_view uri) {
  balance::MemberSpec member;
  EXPECT_TRUE(balance::parse_member_url(member, url)) << url;
  EXPECT_TRUE(balance::set_member_parameter(member, "hcmethod", method));
  EXPECT_TRUE(balance::set_member_parameter(member, "hcuri", uri));
  return member;
}

Variables told(const balance::MemberSpec& member, CgiCheckPlace place = {}) {
  place.here = {IpAddress::v4(0x0a000001), 4711};
  place.member = {IpAddress::v4(0x0a000002), 9000};
  const Protocol protocol = member.scheme == "fcgi"   ? Protocol::fcgi
                            : member.scheme == "scgi" ? Protocol::scgi
                                                      : Protocol::uwsgi;
  const auto request = cgi_check_request(member, protocol, place);
  EXPECT_TRUE(request);
  if (!request) return {};
  switch (protocol) {
    case Protocol::fcgi:
      return read_fcgi(*request);
    case Protocol::scgi:
      return read_scgi(*request);
    case Protocol::uwsgi:
      return read_uwsgi(*request);
  }
  return {};
}

TEST(CgiCheckRequest, says_which_script_with_which_query) {
  struct Row {
    std::string_view url, uri, file, name, query;
  };
  const Row rows[] = {
      {"fcgi://h:9000", "/ping?json&full", "proxy:fcgi://h:9000/ping", "/ping", "json&full"},
      {"fcgi://h:9000", "ping", "proxy:fcgi://h:9000/ping", "/ping", ""},
      {"fcgi://h:9000", "", "proxy:fcgi://h:9000/", "/", ""},
      {"fcgi://h:9000/www", "/up.php", "proxy:fcgi://h:9000/www/up.php", "/up.php", ""},
      {"fcgi://h:9000/www/", "up.php", "proxy:fcgi://h:9000/www/up.php", "/up.php", ""},
      {"fcgi://h:9000/www/up.php", "", "proxy:fcgi://h:9000/www/up.php", "/", ""},
      {"fcgi://h", "/a%20b", "proxy:fcgi://h/a%20b", "/a b", ""},
      {"fcgi://[::1]:9000", "/ping", "proxy:fcgi://[::1]:9000/ping", "/ping", ""},
      {"unix:/run/php.sock|fcgi://localhost", "/ping", "proxy:fcgi://localhost/ping", "/ping", ""},
      {"scgi://h:4001", "/up?x", "proxy:scgi://h:4001/up", "/up", "x"},
      // The whole path is the application's.
      {"uwsgi://h:3031/app", "/up?x", "proxy:uwsgi://h/app/up", "", "x"},
  };
  for (const Row& row : rows) {
    Variables variables = told(member_of(row.url, "GET", row.uri));
    EXPECT_EQ(variables["SCRIPT_FILENAME"], row.file) << row.url;
    EXPECT_EQ(variables["SCRIPT_NAME"], row.name) << row.url;
    EXPECT_EQ(variables["QUERY_STRING"], row.query) << row.url;
  }
  EXPECT_EQ(told(member_of("uwsgi://h:3031/app", "GET", "/up%2Fx"))["PATH_INFO"], "/app/up/x");
  EXPECT_EQ(told(member_of("uwsgi://h:3031", "GET", ""))["PATH_INFO"], "/");
}

TEST(CgiCheckRequest, has_the_method_that_was_written) {
  struct Row {
    std::string_view method, told, protocol;
  };
  constexpr Row rows[] = {
      {"GET", "GET", "HTTP/1.0"},         {"HEAD", "HEAD", "HTTP/1.0"},
      {"OPTIONS", "OPTIONS", "HTTP/1.0"}, {"GET11", "GET", "HTTP/1.1"},
      {"HEAD11", "HEAD", "HTTP/1.1"},     {"OPTIONS11", "OPTIONS", "HTTP/1.1"},
  };
  for (const std::string_view url : {"fcgi://h:9000", "scgi://h:9000", "uwsgi://h:9000"}) {
    for (const Row& row : rows) {
      Variables variables = told(member_of(url, row.method, "/ping"));
      EXPECT_EQ(variables["REQUEST_METHOD"], row.told);
      EXPECT_EQ(variables["SERVER_PROTOCOL"], row.protocol);
      EXPECT_EQ(variables["REQUEST_URI"], "/ping");
    }
  }
}

TEST(CgiCheckRequest, comes_from_here_and_asks_for_the_host) {
  balance::MemberSpec member = member_of("fcgi://h:9000", "GET", "/ping");
  const CgiCheckPlace place{.document_root = "/srv", .server_admin = "me", .server_software = "S"};
  Variables variables = told(member, place);
  EXPECT_EQ(variables["HTTP_HOST"], "h:9000");
  EXPECT_EQ(variables["SERVER_NAME"], "h");
  EXPECT_EQ(variables["SERVER_PORT"], "9000");
  EXPECT_EQ(variables["REMOTE_ADDR"], "10.0.0.1");
  EXPECT_EQ(variables["REMOTE_PORT"], "4711");
  EXPECT_EQ(variables["SERVER_ADDR"], "10.0.0.2");
  EXPECT_EQ(variables["DOCUMENT_ROOT"], "/srv");
  EXPECT_EQ(variables["SERVER_ADMIN"], "me");
  EXPECT_EQ(variables["SERVER_SOFTWARE"], "S");
  EXPECT_EQ(variables["GATEWAY_INTERFACE"], "CGI/1.1");
  EXPECT_EQ(variables.count("CONTENT_LENGTH"), 0U);
  member.check.host = "app.example";
  variables = told(member, place);
  EXPECT_EQ(variables["HTTP_HOST"], "app.example");
  EXPECT_EQ(variables["SERVER_NAME"], "app.example");
  EXPECT_EQ(variables["SERVER_PORT"], "80");
  member.check.host = "[::1]:81";
  EXPECT_EQ(told(member, place)["SERVER_PORT"], "81");
}

TEST(CgiCheckRequest, leaves_the_path_to_other_servers_than_php_fpm) {
  const CgiCheckPlace place{.backend = cgi::BackendType::generic};
  EXPECT_EQ(told(member_of("fcgi://h:9000/www", "GET", "/up.php"), place)["SCRIPT_FILENAME"],
            "/www/up.php");
}

TEST(CgiCheckRequest, holds_no_word_that_the_protocol_cannot_say) {
  for (const std::string_view url : {"scgi://h:9000", "uwsgi://h:9000"}) {
    const auto protocol = url.starts_with('s') ? Protocol::scgi : Protocol::uwsgi;
    EXPECT_FALSE(cgi_check_request(member_of(url, "GET", "/a%00b"), protocol, {})) << url;
  }
}

}  // namespace
}  // namespace steelyard::health
