#include "server/system_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/arena.hpp"
#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

using expr::FileTrait;

struct SystemFilesTest : testing::Test {
  std::string write(const std::string& name, std::string_view text) {
    const std::string path = directory.file(name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  ScratchDirectory directory;
  SystemFiles files;
  Arena arena;
};

TEST_F(SystemFilesTest, tell_what_kind_of_file_a_path_is) {
  const std::string full = write("full", "text");
  const std::string empty = write("empty", "");
  const std::string link = directory.file("link");
  std::filesystem::create_symlink(full, link);
  const std::string gone = directory.file("gone");
  EXPECT_TRUE(files.has_trait(full, FileTrait::exists));
  EXPECT_TRUE(files.has_trait(full, FileTrait::regular));
  EXPECT_TRUE(files.has_trait(full, FileTrait::with_bytes));
  EXPECT_TRUE(files.has_trait(link, FileTrait::regular));
  EXPECT_TRUE(files.has_trait(link, FileTrait::link));
  EXPECT_TRUE(files.has_trait(directory.file(""), FileTrait::directory));
  EXPECT_FALSE(files.has_trait(empty, FileTrait::with_bytes));
  EXPECT_FALSE(files.has_trait(full, FileTrait::link));
  EXPECT_FALSE(files.has_trait(full, FileTrait::directory));
  EXPECT_FALSE(files.has_trait(full, FileTrait::executable));
  EXPECT_FALSE(files.has_trait(directory.file(""), FileTrait::regular));
  EXPECT_FALSE(files.has_trait(directory.file(""), FileTrait::with_bytes));
  EXPECT_FALSE(files.has_trait(gone, FileTrait::exists));
  EXPECT_FALSE(files.has_trait(std::string("/\0", 2), FileTrait::exists));
  EXPECT_FALSE(files.has_trait(std::string(100000, '/'), FileTrait::exists));
  EXPECT_TRUE(files.has_trait(directory.file(""), FileTrait::executable));
  ASSERT_EQ(::chmod(full.c_str(), 0755), 0);
  EXPECT_TRUE(files.has_trait(full, FileTrait::executable));
}

TEST_F(SystemFilesTest, tell_the_size_of_regular_files) {
  EXPECT_EQ(files.bytes_of(write("five", "12345")), 5U);
  EXPECT_EQ(files.bytes_of(directory.file("")), std::nullopt);
  EXPECT_EQ(files.bytes_of(directory.file("gone")), std::nullopt);
}

TEST_F(SystemFilesTest, read_whole_files_up_to_a_null_byte) {
  EXPECT_EQ(files.read(write("text", "one\ntwo\n"), arena), "one\ntwo\n");
  EXPECT_EQ(files.read(write("empty", ""), arena), "");
  EXPECT_EQ(files.read(write("null", std::string_view("ab\0cd", 5)), arena), "ab");
}

TEST_F(SystemFilesTest, say_why_a_file_cannot_be_read) {
  EXPECT_EQ(files.read(directory.file("gone"), arena).error(), "Cannot open file ");
  EXPECT_EQ(files.read(directory.file(""), arena).error(), "Cannot read from file ");
  const std::string pipe = directory.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(files.read(pipe, arena).error(), "Cannot read from file ");
  const std::string large = write("large", "");
  std::filesystem::resize_file(large, SystemFiles::file_bytes_max + 1);
  EXPECT_EQ(files.read(large, arena).error(), "Too large to be read: file ");
}

}  // namespace
}  // namespace steelyard::server
