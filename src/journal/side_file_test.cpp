#include "journal/side_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "journal/test_folder.hpp"

namespace steelyard::journal {
namespace {

class SideFile : public ::testing::Test {
 protected:
  TestFolder folder;
  const std::string path = folder.path() + "/cluster.json";
};

TEST_F(SideFile, is_read_as_it_was_written) {
  const auto none = read_whole_file(path);
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  for (const std::string& text : {std::string("a\nb"), std::string(), std::string(100'000, 'x')}) {
    ASSERT_TRUE(replace_file(path, text));
    const auto read = read_whole_file(path);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->value(), text);
  }
  struct stat found{};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(SideFile, is_never_believed_when_it_rotted) {
  ASSERT_TRUE(replace_file(path, "the text"));
  const std::string good = read_file(path);
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write_file(path, bad);
    const auto read = read_whole_file(path);
    ASSERT_FALSE(read) << at;
    EXPECT_EQ(read.error().kind, Fault::Kind::corrupt);
    write_file(path, good.substr(0, at));
    EXPECT_FALSE(read_whole_file(path)) << at;
  }
}

TEST_F(SideFile, stays_as_it_was_when_it_cannot_be_replaced) {
  ASSERT_TRUE(replace_file(path, "the text"));
  EXPECT_FALSE(replace_file(folder.path() + "/missing/cluster.json", "x"));
  EXPECT_EQ(read_whole_file(path)->value(), "the text");
}

}  // namespace
}  // namespace steelyard::journal
