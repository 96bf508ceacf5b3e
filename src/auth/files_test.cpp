#include "auth/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::auth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pointee;

TEST(UserFiles, are_read_as_httpd_reads_them) {
  const UserFile file = UserFile::read(
      "# users\n\n  bob:one  \r\n\tann::two:more:still\nbob:three\n#carl:x\nnone\n"
      "wal\\\nter:fo\\\nur\nzero:a\n");
  EXPECT_THAT(file.password_of("bob"), Pointee(std::string("one")));
  EXPECT_THAT(file.password_of("ann"), Pointee(std::string("two")));
  EXPECT_THAT(file.password_of("none"), Pointee(std::string()));
  EXPECT_THAT(file.password_of("walter"), Pointee(std::string("four")));
  EXPECT_EQ(file.password_of("carl"), nullptr);
  EXPECT_EQ(file.password_of("#carl"), nullptr);
  EXPECT_EQ(file.password_of("BOB"), nullptr);
  EXPECT_EQ(file.password_of(""), nullptr);
  EXPECT_EQ(file.size(), 5);
  EXPECT_THAT(file.any_password(), Pointee(std::string("one")));
}

TEST(UserFiles, may_be_empty) {
  for (const std::string_view text : {"", "\n", "#x", "\\", "\\\n"}) {
    EXPECT_EQ(UserFile::read(text).size(), 0) << text;
    EXPECT_EQ(UserFile::read(text).any_password(), nullptr);
  }
}

// httpd stops there without a word.
TEST(UserFiles, end_at_a_line_that_is_too_long) {
  const std::string text = "bob:one\n" + std::string(line_bytes_max + 1, 'x') + "\nann:two\n";
  EXPECT_NE(UserFile::read(text).password_of("bob"), nullptr);
  EXPECT_EQ(UserFile::read(text).password_of("ann"), nullptr);
}

TEST(GroupFiles, tell_of_which_groups_a_user_is_one) {
  const GroupFile file = GroupFile::read(
      "# groups\nadmins: bob ann bob\nusers : carl \"d e\" 'f'\nempty:\nadmins: carl\nodd ann\n");
  EXPECT_THAT(file.groups_of("bob"), ElementsAre("admins"));
  EXPECT_THAT(file.groups_of("ann"), ElementsAre("admins"));
  EXPECT_THAT(file.groups_of("carl"), ElementsAre("users", "admins"));
  EXPECT_THAT(file.groups_of("d e"), ElementsAre("users"));
  EXPECT_THAT(file.groups_of("f"), ElementsAre("users"));
  EXPECT_THAT(file.groups_of("Bob"), IsEmpty());
  EXPECT_THAT(file.groups_of(""), IsEmpty());
}

}  // namespace
}  // namespace steelyard::auth
