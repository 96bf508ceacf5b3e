#include "ftp/path.hpp"

#include <gtest/gtest.h>

namespace steelyard::ftp {
namespace {

// "/ a b | name I list"
std::string read(std::string_view path, PathRules rules = {}) {
  const auto plan = read_path(path, rules);
  if (!plan) {
    switch (plan.error()) {
      case PathFault::bad_byte:
        return "bad byte";
      case PathFault::bad_type:
        return "bad type";
      case PathFault::slash:
        return "slash";
    }
  }
  std::string text = plan->from_root ? "/ " : "";
  for (const std::string& directory : plan->directories) text += "<" + directory + "> ";
  text += "| " + plan->name + " " + plan->type;
  if (plan->wants_list) text += plan->is_listable ? " list only" : " list";
  return text;
}

TEST(Path, is_walked_part_by_part) {
  EXPECT_EQ(read("/a.txt"), "| a.txt I");
  EXPECT_EQ(read("/"), "|  I list only");
  EXPECT_EQ(read(""), "|  I list only");
  EXPECT_EQ(read("/d/e/f"), "<d> <e> | f I");
  EXPECT_EQ(read("/d/"), "<d> |  I list only");
  EXPECT_EQ(read("//d"), "<> | d I");  // httpd: CWD without a name
  EXPECT_EQ(read("/my%20dir/a%2525"), "<my dir> | a%25 I");
  EXPECT_EQ(read("/%zz/%4"), "<%zz> | %4 I");
}

TEST(Path, may_begin_at_the_root) {
  EXPECT_EQ(read("/%2fetc/x"), "/ <etc> | x I");
  EXPECT_EQ(read("/%2F/etc/x"), "/ <etc> | x I");
  EXPECT_EQ(read("/%2f"), "/ |  I list only");
  EXPECT_EQ(read("/%2f%2fx"), "slash");
}

TEST(Path, has_slashes_nowhere_else) {
  EXPECT_EQ(read("/d%2fx"), "slash");
  EXPECT_EQ(read("/d%2Fx/y"), "slash");
  EXPECT_EQ(read("/%252f"), "| %2f I");
}

TEST(Path, ends_with_a_type) {
  EXPECT_EQ(read("/a;type=a"), "| a A");
  EXPECT_EQ(read("/a;type=E"), "| a E");
  EXPECT_EQ(read("/a;type=i"), "| a I");
  EXPECT_EQ(read("/a;type=iq"), "| a I");  // httpd looks at one letter
  EXPECT_EQ(read("/d;type=d"), "| d A list");
  EXPECT_EQ(read("/d/;type=D"), "<d> |  A list only");
  EXPECT_EQ(read("/a;type=x"), "bad type");
  EXPECT_EQ(read("/a;type="), "| a I");
  EXPECT_EQ(read("/a;type=1"), "| a I");
  EXPECT_EQ(read("/a;foo/b"), "| a I");
  EXPECT_EQ(type_words("/a;type=x;y"), "type=x;y");
  EXPECT_EQ(type_words("/a"), "");
}

TEST(Path, lists_what_a_pattern_names) {
  EXPECT_EQ(read("/a*"), "| a* I list only");
  EXPECT_EQ(read("/%5Bab]"), "| [ab] I list only");
  EXPECT_EQ(read("/~joe"), "| ~joe I list only");
  EXPECT_EQ(read("/a%5C*b"), "| a\\*b I");
  EXPECT_EQ(read("/a*", {.lists_on_wildcard = false}), "| a* I");
  EXPECT_EQ(read("/*/b"), "<*> | b I");
}

TEST(Path, holds_nothing_that_could_end_a_command) {
  for (const char* path : {"/a%0d%0aDELE%20x", "/a%0a", "/a%0D/b", "/%ff", "/%80/x", "/a%00b",
                           "/a%09", "/%7f", "/\xff", "/a\nb"})
    EXPECT_EQ(read(path), "bad byte") << path;
}

TEST(Path, has_a_hundred_directories_at_most) {
  std::string path = "/", walked;
  for (int i = 0; i < 100; ++i) {
    path += "d" + std::to_string(i) + "/";
    walked += "<d" + std::to_string(i) + "> ";
  }
  EXPECT_EQ(read(path + "f"), walked + "| f I");
  EXPECT_EQ(read(path), walked + "|  I list only");
  EXPECT_EQ(read(path + "more/f"), "bad byte");
  EXPECT_EQ(read(path + "more/"), "bad byte");
}

TEST(Path, may_be_plain_text) {
  const PathRules raw{.is_encoded = false};
  EXPECT_EQ(read("/my%20file", raw), "| my%20file I");
  EXPECT_EQ(read("/%2fa", raw), "| %2fa I");
  EXPECT_EQ(read("/a\r", raw), "bad byte");
}

TEST(Wildcards, are_escaped) {
  EXPECT_EQ(escape_wildcards("a*b?c[d]{e}~f"), "a\\*b\\?c\\[d]\\{e}\\~f");
  EXPECT_EQ(escape_wildcards("plain"), "plain");
}

}  // namespace
}  // namespace steelyard::ftp
