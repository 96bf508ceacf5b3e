#include "http/status.hpp"

#include <gtest/gtest.h>

#include "http/framing.hpp"
#include "http/method.hpp"

namespace steelyard::http {
namespace {

TEST(Status, phrases_are_those_of_httpd) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(413), "Request Entity Too Large");
  EXPECT_EQ(reason_phrase(503), "Service Unavailable");
  EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
  for (const int status : {0, 99, 299, 306, 418, 509, 512, 999}) {
    EXPECT_EQ(reason_phrase(status), "") << status;
  }
}

TEST(Status, eight_codes_close_the_connection) {
  int closing = 0;
  for (int status = 100; status < 600; ++status) closing += closes_connection(status) ? 1 : 0;
  EXPECT_EQ(closing, 8);
  for (const int status : {400, 408, 411, 413, 414, 500, 501, 503}) {
    EXPECT_TRUE(closes_connection(status)) << status;
  }
}

TEST(Status, some_codes_never_have_a_body) {
  for (const int status : {100, 101, 199, 204, 304}) EXPECT_TRUE(has_no_body(status)) << status;
  for (const int status : {200, 205, 206, 303, 404}) EXPECT_FALSE(has_no_body(status)) << status;
}

TEST(Persistence, depends_on_the_version_and_the_options) {
  EXPECT_TRUE(persists(http_1_1, {}));
  EXPECT_FALSE(persists(http_1_0, {}));
  EXPECT_TRUE(persists(http_1_0, {.keep_alive = true}));
  EXPECT_FALSE(persists(http_1_1, {.close = true, .keep_alive = true}));
}

TEST(Methods, are_case_sensitive_and_some_may_be_repeated) {
  EXPECT_EQ(method_of("GET"), Method::get);
  EXPECT_EQ(method_of("DELETE"), Method::delete_);
  EXPECT_EQ(method_of("PATCH"), Method::patch);
  EXPECT_EQ(method_of("get"), Method::other);
  EXPECT_EQ(method_of(""), Method::other);
  for (const char* name : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    EXPECT_TRUE(is_idempotent(method_of(name))) << name;
  }
  for (const char* name : {"POST", "PATCH", "CONNECT", "LOCK"}) {
    EXPECT_FALSE(is_idempotent(method_of(name))) << name;
  }
}

}  // namespace
}  // namespace steelyard::http
