#include "server/trusted_path.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

constexpr uid_t somebody_else = 65534;
const Suspect stranger{somebody_else, {somebody_else}};

int outcome(const std::string& path, const Suspect& suspect = stranger) {
  const auto opened = open_trusted(path, TrustedFile::log, suspect);
  return opened ? 0 : opened.error();
}

TEST(TrustedPath, a_file_is_created_and_appended_to) {
  const ScratchDirectory scratch;
  EXPECT_EQ(outcome(scratch.file("a")), 0);
  const auto file = open_trusted(scratch.file("a"), TrustedFile::log, stranger);
  ASSERT_TRUE(file);
  EXPECT_NE(::fcntl(file->number(), F_GETFL) & O_APPEND, 0);
}

TEST(TrustedPath, a_directory_that_the_suspect_owns_is_refused) {
  const ScratchDirectory scratch;
  EXPECT_EQ(outcome(scratch.file("a"), {::getuid(), {}}), EACCES);
  EXPECT_FALSE(std::filesystem::exists(scratch.file("a")));
}

TEST(TrustedPath, a_directory_that_everybody_may_write_to_is_refused) {
  const ScratchDirectory scratch;
  ASSERT_EQ(::mkdir(scratch.file("open").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(scratch.file("open").c_str(), 0777), 0);
  EXPECT_EQ(outcome(scratch.file("open/a")), EACCES);
  // The sticky bit keeps what is there in place, but says nothing of a new name.
  ASSERT_EQ(::chmod(scratch.file("open").c_str(), 01777), 0);
  EXPECT_EQ(outcome(scratch.file("open/a")), EACCES);
  ASSERT_EQ(::mkdir(scratch.file("open/ours").c_str(), 0700), 0);
  EXPECT_EQ(outcome(scratch.file("open/ours/a")), 0);
}

TEST(TrustedPath, a_directory_of_one_of_the_suspects_groups_is_refused) {
  const ScratchDirectory scratch;
  ASSERT_EQ(::mkdir(scratch.file("shared").c_str(), 0700), 0);
  ASSERT_EQ(::chmod(scratch.file("shared").c_str(), 0770), 0);
  EXPECT_EQ(outcome(scratch.file("shared/a")), 0);
  EXPECT_EQ(outcome(scratch.file("shared/a"), {somebody_else, {7, ::getgid()}}), EACCES);
}

TEST(TrustedPath, a_link_is_followed_only_from_where_the_suspect_cannot_put_one) {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.file("logs"));
  std::filesystem::create_directories(scratch.file("open"));
  ASSERT_EQ(::chmod(scratch.file("open").c_str(), 0777), 0);
  std::filesystem::create_symlink("logs", scratch.file("ours"));
  std::filesystem::create_symlink(scratch.file("logs"), scratch.file("open/theirs"));
  // A good link that leads through a bad one.
  std::filesystem::create_symlink("open/theirs", scratch.file("through"));
  EXPECT_EQ(outcome(scratch.file("ours/a")), 0);
  EXPECT_EQ(outcome(scratch.file("open/theirs/b")), EACCES);
  EXPECT_EQ(outcome(scratch.file("through/b")), EACCES);
  EXPECT_FALSE(std::filesystem::exists(scratch.file("logs/b")));
}

TEST(TrustedPath, the_files_own_name_may_be_a_good_link) {
  const ScratchDirectory scratch;
  std::filesystem::create_symlink("real", scratch.file("link"));
  EXPECT_EQ(outcome(scratch.file("link")), 0);
  EXPECT_TRUE(std::filesystem::is_regular_file(scratch.file("real")));
}

TEST(TrustedPath, links_in_a_ring_end) {
  const ScratchDirectory scratch;
  std::filesystem::create_symlink("b", scratch.file("a"));
  std::filesystem::create_symlink("a", scratch.file("b"));
  EXPECT_EQ(outcome(scratch.file("a")), ELOOP);
}

TEST(TrustedPath, a_place_is_where_the_links_on_the_way_lead_and_its_own_name_is_not_followed) {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.file("real"));
  std::filesystem::create_symlink("real", scratch.file("link"));
  std::filesystem::create_symlink("/etc", scratch.file("real/a"));
  const auto place = find_trusted_place(scratch.file("link/a"), stranger);
  ASSERT_TRUE(place) << place.error();
  EXPECT_EQ(place->name, "a");
  struct stat found{}, real{};
  ASSERT_EQ(::fstat(place->directory.number(), &found), 0);
  ASSERT_EQ(::stat(scratch.file("real").c_str(), &real), 0);
  EXPECT_EQ(found.st_ino, real.st_ino);
}

TEST(TrustedPath, a_place_that_the_suspect_can_change_is_none) {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.file("theirs"));
  ASSERT_EQ(::chmod(scratch.file("theirs").c_str(), 0777), 0);
  std::filesystem::create_directory(scratch.file("theirs/ours"));
  const auto error_of = [&](const char* name) {
    const auto place = find_trusted_place(scratch.file(name), stranger);
    return place ? 0 : place.error();
  };
  EXPECT_EQ(error_of("a"), 0);
  EXPECT_EQ(error_of("theirs/a"), EACCES);
  EXPECT_EQ(error_of("theirs/ours/a"), EACCES);
  EXPECT_EQ(error_of("none/a"), ENOENT);
  EXPECT_EQ(find_trusted_place("/tmp/a", stranger).error(), EACCES);
  EXPECT_EQ(find_trusted_place("/", stranger).error(), EISDIR);
}

TEST(TrustedPath, only_regular_files_are_opened) {
  const ScratchDirectory scratch;
  ASSERT_EQ(::mkfifo(scratch.file("fifo").c_str(), 0600), 0);
  EXPECT_NE(outcome(scratch.file("fifo")), 0);
  std::filesystem::create_directories(scratch.file("directory"));
  EXPECT_NE(outcome(scratch.file("directory")), 0);
  EXPECT_EQ(outcome(scratch.file("no/a")), ENOENT);
}

}  // namespace
}  // namespace steelyard::server
