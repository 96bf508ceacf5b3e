#include "http/path.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/arena.hpp"

namespace steelyard::http {
namespace {

std::string decoded(std::string_view raw, PathRules rules = {}) {
  Arena arena;
  const auto path = decode_path(raw, rules, arena);
  if (path) return std::string(*path);
  return std::to_string(status_of(path.error())) + ": " + std::string(describe(path.error()));
}

std::string refused(PathFault fault) {
  return std::to_string(status_of(fault)) + ": " + std::string(describe(fault));
}

TEST(DecodePath, a_plain_path_is_the_same_view) {
  Arena arena;
  const std::string_view raw = "/app/index.html;v=1";
  const auto path = decode_path(raw, {}, arena);
  ASSERT_TRUE(path);
  EXPECT_EQ(path->data(), raw.data());
  EXPECT_EQ(*path, raw);
}

struct Case {
  const char* raw;
  const char* path;
};

TEST(DecodePath, follows_httpd) {
  const Case cases[] = {
      {"/", "/"},
      {"/a/%41%7e%2e", "/a/A~."},
      {"/a//b///c", "/a/b/c"},
      {"//a/x", "/a/x"},
      {"/a/b/../c", "/a/c"},
      {"/a/./c/.", "/a/c/"},
      {"/a/b/..", "/a/"},
      {"/a/b//../c", "/a/c"},
      {"/a/..", "/"},
      {"/a/%2e%2e", "/"},
      {"/a/.%2E/b", "/b"},
      {"/..b/x", "/..b/x"},
      {"/...", "/..."},
      {"/.a/.b", "/.a/.b"},
      {"/a/..;/x", "/a/..;/x"},
      {"/a/b;x/../c", "/a/c"},
      {"/a/%01%20%c3%a9\x80", "/a/\x01 \xc3\xa9\x80"},
      {"/a/%3f%25%23", "/a/?%#"},
      {"/a/%252e%252e/b", "/a/%2e%2e/b"},  // decoded once, never twice
      {"/a/", "/a/"},
      {"/a/%2f/../b", "/a/b"},  // dot segments go before the slash is met
  };
  for (const Case& c : cases) {
    EXPECT_EQ(decoded(c.raw), c.path) << c.raw;
  }
}

TEST(DecodePath, refuses_with_the_status_of_httpd) {
  for (const char* raw : {"/%", "/a%4", "/a%zz", "/%%32%65/x", "/%4g", "/%-1", "/%2f%zz"}) {
    EXPECT_EQ(decoded(raw), refused(PathFault::bad_escape)) << raw;
  }
  for (const char* raw : {"/..", "/a/../../x", "/%2e%2e/x", "/cgi-bin/.%2e/%2e%2e/etc", "/./.."}) {
    EXPECT_EQ(decoded(raw), refused(PathFault::above_root)) << raw;
  }
  EXPECT_EQ(decoded("/a%00b"), refused(PathFault::encoded_nul));
  EXPECT_EQ(decoded("/a%2fb"), refused(PathFault::encoded_slash));
  EXPECT_EQ(decoded("/a%2Fb"), refused(PathFault::encoded_slash));
  EXPECT_EQ(decoded("a"), refused(PathFault::no_slash));
  EXPECT_EQ(decoded(""), refused(PathFault::no_slash));
  EXPECT_EQ(decoded("*"), refused(PathFault::no_slash));
  EXPECT_EQ(status_of(PathFault::bad_escape), 400);
  EXPECT_EQ(status_of(PathFault::above_root), 400);
  EXPECT_EQ(status_of(PathFault::encoded_nul), 404);
  EXPECT_EQ(status_of(PathFault::encoded_slash), 404);
}

TEST(DecodePath, encoded_slashes_may_be_decoded_or_kept) {
  const PathRules on{.encoded_slashes = EncodedSlashes::decode};
  EXPECT_EQ(decoded("/a%2Fb", on), "/a/b");
  EXPECT_EQ(decoded("/a%2f../b", on), "/b");  // slashes decoded late make dot segments
  EXPECT_EQ(decoded("/a/%2fb", on), "/a/b");
  EXPECT_EQ(decoded("/public%2f..%2f..%2fadmin", on), refused(PathFault::above_root));
  const PathRules keep{.encoded_slashes = EncodedSlashes::keep};
  EXPECT_EQ(decoded("/a%2Fb%2fc%41", keep), "/a%2Fb%2fcA");
  EXPECT_EQ(decoded("/a%2f../b", keep), "/a%2f../b");
}

TEST(DecodePath, slashes_stay_apart_when_not_merged) {
  const PathRules apart{.merge_slashes = false};
  EXPECT_EQ(decoded("/a//b", apart), "/a//b");
  EXPECT_EQ(decoded("//a", apart), "//a");
  EXPECT_EQ(decoded("/a//../b", apart), "/a/b");
  EXPECT_EQ(decoded("//..", apart), "/");
  EXPECT_EQ(decoded("/a//", apart), "/a//");
}

TEST(RefusedPath, is_decoded_in_place_up_to_a_nul) {
  Arena arena;
  const auto read = [&](std::string_view raw, EncodedSlashes slashes) {
    return refused_path(raw, {.encoded_slashes = slashes}, arena);
  };
  EXPECT_EQ(read("/a/b%00c/%2f/d", EncodedSlashes::refuse), "/a/b");
  EXPECT_EQ(read("/a//%2fx%00", EncodedSlashes::refuse), "/a//x");
  EXPECT_EQ(read("/%2e%2e%00", EncodedSlashes::refuse), "/..");
  EXPECT_EQ(read("/a%00/../x", EncodedSlashes::refuse), "/x");
  EXPECT_EQ(read("/a%2f%2500", EncodedSlashes::refuse), "/a/%00");
  EXPECT_EQ(read("/a%2f%00", EncodedSlashes::keep), "/a%2f");
  EXPECT_EQ(read("/a%zz%00", EncodedSlashes::refuse), "/a%zz%00");
  EXPECT_EQ(read("*", EncodedSlashes::refuse), "*");
}

TEST(NormaliseEncodedPath, decodes_unreserved_characters_only) {
  Arena arena;
  EXPECT_EQ(normalise_encoded_path("/%41%2f%20/../b%2F", {}, arena), "/b%2F");
  EXPECT_EQ(normalise_encoded_path("/a%2fb%20c", {}, arena), "/a%2fb%20c");
  EXPECT_EQ(normalise_encoded_path("/%zz", {}, arena), std::unexpected(PathFault::bad_escape));
  EXPECT_EQ(normalise_encoded_path("/%2e%2e", {}, arena), std::unexpected(PathFault::above_root));
}

std::string encoded(std::string_view path, EncodedSlashes slashes = EncodedSlashes::refuse) {
  Arena arena;
  return std::string(encode_path(path, slashes, arena));
}

TEST(EncodePath, leaves_the_allowed_characters) {
  Arena arena;
  const std::string_view plain = "/aZ09~$-_.+!*'(),;:@&=";
  EXPECT_EQ(encode_path(plain, EncodedSlashes::refuse, arena).data(), plain.data());
  EXPECT_EQ(encoded("/A~[|\xc3\xa9%?"), "/A~%5B%7C%C3%A9%25%3F");
  EXPECT_EQ(encoded("/\"<>^`{|} #\x01\x7f"), "/%22%3C%3E%5E%60%7B%7C%7D%20%23%01%7F");
}

TEST(EncodePath, keeps_an_encoded_slash_only_when_told) {
  EXPECT_EQ(encoded("/a%2fb"), "/a%252fb");
  EXPECT_EQ(encoded("/a%2fb%2Fc%41", EncodedSlashes::keep), "/a%2fb%2Fc%2541");
  EXPECT_EQ(encoded("/a%2", EncodedSlashes::keep), "/a%252");
}

TEST(EncodePath, decoding_gives_the_path_back) {
  std::minstd_rand random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string path = "/";
    for (unsigned i = random() % 20; i > 0; --i) {
      path += static_cast<char>(1 + random() % 255);
    }
    const std::string settled = decoded(encoded(path));
    if (path.find("//") != std::string::npos || path.find("/.") != std::string::npos) continue;
    ASSERT_EQ(settled, path);
  }
}

TEST(MayBeForwardedRaw, neither_blank_nor_control_goes_out) {
  EXPECT_TRUE(may_be_forwarded_raw("/a%20b?\xc3\xa9#"));
  EXPECT_TRUE(may_be_forwarded_raw(""));
  EXPECT_FALSE(may_be_forwarded_raw("/a b"));
  EXPECT_FALSE(may_be_forwarded_raw("/a\tb"));
  EXPECT_FALSE(may_be_forwarded_raw("/a\r\nb"));
  EXPECT_FALSE(may_be_forwarded_raw("/a\x7f"));
}

}  // namespace
}  // namespace steelyard::http
