#include "ftp/login.hpp"

#include <gtest/gtest.h>

namespace steelyard::ftp {
namespace {

std::string choose(std::string_view authorization, std::string_view userinfo = {}) {
  const auto login = choose_login(authorization, userinfo);
  if (!login) return "refused";
  return login->user + "|" + (login->has_password ? login->password : "(none)");
}

TEST(Login, is_anonymous_when_nobody_says_otherwise) {
  EXPECT_EQ(choose(""), "anonymous|apache-proxy@");
  EXPECT_EQ(choose("Bearer xyz"), "anonymous|apache-proxy@");
  EXPECT_EQ(choose("Basic"), "anonymous|apache-proxy@");
  EXPECT_EQ(choose("Basic OnB3"), "anonymous|apache-proxy@");  // ":pw"
}

TEST(Login, comes_from_the_client_first) {
  EXPECT_EQ(choose("Basic am9lOnB3"), "joe|pw");
  EXPECT_EQ(choose("basic   am9lOnB3 "), "joe|pw");
  EXPECT_EQ(choose("Basic am9lOnB3", "url:pw"), "joe|pw");
  EXPECT_EQ(choose("Basic am9l"), "joe|");
  EXPECT_EQ(choose("Basic am9lOnB3OnE="), "joe|pw:q");
  EXPECT_EQ(choose("Basic am9lOnB3!!!!"), "joe|pw");
  EXPECT_TRUE(choose_login("Basic am9lOnB3", "")->is_clients);
  EXPECT_FALSE(choose_login("", "joe:pw")->is_clients);
}

TEST(Login, comes_from_the_url_then) {
  EXPECT_EQ(choose("", "joe:pw"), "joe|pw");
  EXPECT_EQ(choose("", "joe"), "joe|(none)");
  EXPECT_EQ(choose("", "joe:"), "joe|");
  EXPECT_EQ(choose("", "j%40e:p%3Aw"), "j@e|p:w");
  EXPECT_EQ(choose("Basic OnB3", "joe:pw"), "joe|pw");
}

TEST(Login, ends_no_command) {
  EXPECT_EQ(choose("Basic am9lDQpERUxFOnB3"), "refused");  // "joe\r\nDELE:pw"
  EXPECT_EQ(choose("Basic am9lOnBcMA=="), "joe|p\\0");
  EXPECT_EQ(choose("Basic am9lOmEAYg=="), "refused");  // "joe:a\0b"
  EXPECT_EQ(choose("Basic am9lOiUwYQ=="), "refused");  // "joe:%0a"
  EXPECT_EQ(choose("Basic asO2ZTpwdw=="), "refused");  // bytes above 0x7e
  EXPECT_EQ(choose("", "joe%0d:pw"), "refused");
  EXPECT_EQ(choose("", "joe:pw%0a"), "refused");
}

}  // namespace
}  // namespace steelyard::ftp
