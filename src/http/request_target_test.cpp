#include "http/request_target.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

TEST(SplitHost, takes_what_httpd_takes) {
  for (const char* text : {"a",
                           "a.",
                           ".a",
                           "a-b",
                           "-a",
                           "a_b",
                           "-",
                           "_",
                           "10x",
                           "a.b.",
                           "a.b1",
                           "1.2.3.4",
                           "1.2.3.4.",
                           "1.2.3.4:80",
                           "256.1.1.1",
                           "999.999.999.999",
                           "a:65535",
                           "a:01",
                           "[::1]",
                           "[::1]:80",
                           "[::ffff:1.2.3.4]",
                           "xn--nxasmq6b.example"}) {
    EXPECT_TRUE(split_host(text)) << text;
  }
}

TEST(SplitHost, refuses_what_httpd_answers_with_400) {
  for (const char* text : {"",
                           "a..b",
                           "a,b",
                           "h\"<",
                           "[::1",
                           "[::1]x",
                           "[::1]:",
                           "[]",
                           "[x]",
                           "[v1.x]",
                           "a:b",
                           "a:0",
                           "a:99999",
                           "a:",
                           "a:+1",
                           "a:8 0",
                           "a:1:2",
                           "::1",
                           "1.2.3",
                           "10",
                           "0",
                           "10.",
                           "1.2.3.4.5",
                           "01.2.3.4",
                           "x.0",
                           "a.1",
                           "a.1b",
                           "1.2.3.4x",
                           "1.2.3.4-",
                           "0x1.2.3",
                           "1.02.3.4",
                           "1.2.3.4..",
                           "a..",
                           ".",
                           "a b",
                           "a/b",
                           "user@h",
                           "\xc3\xa4",
                           "a~b",
                           "a!b",
                           "a%41",
                           "a\\b",
                           "a?b",
                           "a#b",
                           "*",
                           ":80",
                           "[fe80::1%eth0]",
                           "[1.2.3.4]",
                           "a;b",
                           "a$b",
                           "00.1.2.3"}) {
    EXPECT_FALSE(split_host(text)) << text;
  }
}

TEST(SplitHost, tells_the_port_apart) {
  const auto named = split_host("Name.Test:8080");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->host, "Name.Test");
  EXPECT_EQ(named->port, 8080);
  const auto v6 = split_host("[2001:db8::1]:443");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "[2001:db8::1]");
  EXPECT_EQ(v6->port, 443);
  EXPECT_FALSE(split_host("name")->port);
}

TEST(SplitTarget, origin_form_has_a_path_and_perhaps_a_query) {
  RequestTarget target;
  EXPECT_FALSE(split_target("/a?b?c", {}, target));
  EXPECT_EQ(target.form, RequestTarget::Form::origin);
  EXPECT_EQ(target.path, "/a");
  EXPECT_TRUE(target.has_query);
  EXPECT_EQ(target.query, "b?c");
  EXPECT_FALSE(split_target("/a?", {}, target));
  EXPECT_TRUE(target.has_query);
  EXPECT_EQ(target.query, "");
  EXPECT_FALSE(split_target("//h/a", {}, target));
  EXPECT_EQ(target.path, "//h/a");
  EXPECT_FALSE(target.has_query);
}

TEST(SplitTarget, absolute_form_has_an_authority) {
  RequestTarget target;
  EXPECT_FALSE(split_target("HTTPS://[::1]:8443/a?b", {}, target));
  EXPECT_EQ(target.form, RequestTarget::Form::absolute);
  EXPECT_EQ(target.scheme, "HTTPS");
  EXPECT_EQ(target.authority, "[::1]:8443");
  EXPECT_EQ(target.path, "/a");
  EXPECT_EQ(target.query, "b");
  EXPECT_FALSE(split_target("http://h", {}, target));
  EXPECT_EQ(target.path, "/");
}

TEST(SplitTarget, of_other_schemes_only_ftp_is_one_that_a_forward_proxy_may_know) {
  RequestTarget target;
  EXPECT_FALSE(split_target("ftp://h:2121/a;type=i", {}, target));
  EXPECT_EQ(target.form, RequestTarget::Form::absolute);
  EXPECT_EQ(target.authority, "h:2121");
  for (const std::string_view text :
       {"ajp://h/", "fcgi://h/", "unix:/s|http://h/", "balancer://h/", "ftps://h/", "://h/",
        "ftp:/h/", "http://u@h/", "http://u:p@h/", "ftp://u:p@h/"})
    EXPECT_TRUE(split_target(text, {}, target)) << text;
}

TEST(SplitTarget, the_method_says_which_forms_there_are) {
  RequestTarget target;
  EXPECT_FALSE(split_target("*", {.is_options = true}, target));
  EXPECT_EQ(target.form, RequestTarget::Form::asterisk);
  EXPECT_TRUE(split_target("*", {}, target));
  EXPECT_FALSE(split_target("h:1", {.is_connect = true}, target));
  EXPECT_EQ(target.authority, "h:1");
  EXPECT_TRUE(split_target("h:1", {}, target));
  EXPECT_TRUE(split_target("http://h:1/", {.is_connect = true}, target));
}

}  // namespace
}  // namespace steelyard::http
