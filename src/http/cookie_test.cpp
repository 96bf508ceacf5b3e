#include "http/cookie.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/arena.hpp"

namespace steelyard::http {
namespace {

constexpr std::array<CookieMapping, 2> paths = {{{"/b", "/aa"}, {"/c/d", "/ee"}}};
constexpr std::array<CookieMapping, 1> domains = {{{"int.test", "ext.test"}}};

// Every line was seen on httpd with these mappings.
TEST(SetCookie, is_rewritten_as_httpd_does) {
  const std::pair<const char*, const char*> cases[] = {
      {"k=v; Path=/b/q; path=/c/d/e", "k=v; Path=/b/q; path=/ee"},
      {"k=v; path=/c/d/e; PATH=/b/q", "k=v; path=/c/d/e; PATH=/aa"},
      {"k=path=/b", "k=path=/b"},
      {"k=v;path=/b", "k=v;path=/aa"},
      {"k=v; path = /b", "k=v; path = /b"},
      {"k=v; path=\"/b/x\"; secure", "k=v; path=\"/b/x\"; secure"},
      {"path=/b; k=v", "path=/aa; k=v"},
      {"k=v; Domain=INT.test.foo; path=/zz", "k=v; Domain=ext.test; path=/zz"},
      {"k=v; domain=a; domain=int.test", "k=v; domain=a; domain=ext.test"},
      {"k=v; xpath=/b", "k=v; xpath=/b"},
      {"k=v;  path=/b ; x", "k=v;  path=/aa; x"},
      {"k=v;path=/bb", "k=v;path=/aa"},
      {"k=v; path=", "k=v; path="},
      {"k=v; path=/b;domain=int.test", "k=v; path=/aa;domain=ext.test"},
      {"k=v; path=/b;;x", "k=v; path=/aa;;x"},
      {"k=v; Domain=.int.test", "k=v; Domain=.int.test"},
  };
  Arena arena;
  for (const auto& [cookie, rewritten] : cases) {
    EXPECT_EQ(rewrite_set_cookie(cookie, paths, domains, arena), rewritten);
  }
}

TEST(SetCookie, is_the_same_view_when_nothing_fits) {
  Arena arena;
  for (const std::string_view cookie : {"", ";", "k=v", "k=v; path=/zz; domain=zz"}) {
    EXPECT_EQ(rewrite_set_cookie(cookie, paths, domains, arena).data(), cookie.data());
  }
  const std::string_view cookie = "k=v; path=/b";
  EXPECT_EQ(rewrite_set_cookie(cookie, {}, {}, arena).data(), cookie.data());
}

TEST(SetCookie, many_and_long_parts_do_no_harm) {
  Arena arena;
  std::string cookie = "k=v";
  for (int i = 0; i < 2000; ++i) cookie += "; Path=/b" + std::string(20, 'x') + "; Domain=int.test";
  const std::string_view rewritten = rewrite_set_cookie(cookie, paths, domains, arena);
  EXPECT_TRUE(rewritten.ends_with("; Path=/aa; Domain=ext.test"));
}

}  // namespace
}  // namespace steelyard::http
