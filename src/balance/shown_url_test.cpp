#include "balance/shown_url.hpp"

#include <gtest/gtest.h>

#include "balance/overlay.hpp"
#include "balance/parameters.hpp"

namespace steelyard::balance {
namespace {

TEST(ShownUrl, has_a_user_and_no_password) {
  const struct {
    const char *url, *shown;
  } cases[] = {
      {"ftp://joe:secret@h:81/p", "ftp://joe@h:81/p"},
      {"ftp://joe:@h", "ftp://joe@h"},
      {"ftp://:secret@h", "ftp://@h"},
      {"ftp://joe:se@c:ret@h/", "ftp://joe@h/"},
      {"unix:/s|http://joe:secret@h/", "unix:/s|http://joe@h/"},
      {"http://joe:secret@[::1]:81/", "http://joe@[::1]:81/"},
      {"ftp://joe@h:81", "ftp://joe@h:81"},
      {"http://h:81/a:b@c", "http://h:81/a:b@c"},
      {"http://h?a:b@c", "http://h?a:b@c"},
      {"http://[::1]:81/@", "http://[::1]:81/@"},
      {"http://$1:81/", "http://$1:81/"},
      {"a:b@c", "a:b@c"},
      {"", ""},
  };
  for (const auto& one : cases) EXPECT_EQ(without_password(one.url), one.shown) << one.url;
}

TEST(ShownUrl, is_a_members_name) {
  MemberSpec spec;
  ASSERT_TRUE(parse_member_url(spec, "FTP://joe:secret@Host:2121/p"));
  EXPECT_EQ(spec.name, "ftp://joe@host:2121/p");
  EXPECT_EQ(spec.userinfo, "joe:secret");
  EXPECT_EQ(member_url(spec, "192.0.2.1"), "ftp://joe@192.0.2.1:2121/p");
}

// What operators did is remembered by names.
TEST(ShownUrl, a_member_with_a_password_is_not_added) {
  EXPECT_FALSE(added_member("ftp://joe:secret@h"));
  EXPECT_TRUE(added_member("ftp://joe@h"));
}

}  // namespace
}  // namespace steelyard::balance
