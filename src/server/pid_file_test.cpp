#include "server/pid_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

TEST(PidFile, a_missing_file_is_no_error) {
  const ScratchDirectory scratch;
  const auto read = read_pid_file(scratch.file("httpd.pid"));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST(PidFile, what_was_written_is_read_back) {
  const ScratchDirectory scratch;
  const auto path = scratch.file("httpd.pid");
  ASSERT_TRUE(write_pid_file(path, ::getppid()));
  const auto read = read_pid_file(path);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->pid, ::getppid());
  EXPECT_TRUE((*read)->running);
}

TEST(PidFile, our_own_number_is_a_left_over) {
  const ScratchDirectory scratch;
  const auto path = scratch.file("httpd.pid");
  ASSERT_TRUE(write_pid_file(path, ::getpid()));
  EXPECT_FALSE((*read_pid_file(path))->running);
}

TEST(PidFile, a_process_that_ended_is_not_running) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const ScratchDirectory scratch;
  const auto path = scratch.file("httpd.pid");
  ASSERT_TRUE(write_pid_file(path, child));
  EXPECT_FALSE((*read_pid_file(path))->running);
}

TEST(PidFile, garbage_is_reported_with_the_name_of_the_file) {
  const ScratchDirectory scratch;
  const auto path = scratch.file("httpd.pid");
  std::ofstream(path) << "hello\n";
  EXPECT_THAT(read_pid_file(path).error(), testing::HasSubstr(path));
}

TEST(PidFile, a_directory_that_does_not_exist_is_reported) {
  const ScratchDirectory scratch;
  EXPECT_THAT(write_pid_file(scratch.file("no/httpd.pid"), 1).error(),
              testing::HasSubstr("No such file or directory"));
}

TEST(PidFile, a_link_is_replaced_and_not_followed) {
  const ScratchDirectory scratch;
  const auto path = scratch.file("httpd.pid");
  const auto precious = scratch.file("precious");
  const Suspect stranger{65534, {65534}};
  for (const bool trusts : {false, true}) {
    std::filesystem::remove(path);
    std::ofstream(precious) << "kept";
    std::filesystem::create_symlink(precious, path);
    // Also under the name that it has before it is whole.
    std::filesystem::create_symlink(precious, path + "." + std::to_string(::getpid()));
    if (trusts) {
      EXPECT_TRUE(write_trusted_pid_file(path, ::getpid(), stranger));
    } else {
      EXPECT_TRUE(write_pid_file(path, ::getpid()));
    }
    EXPECT_FALSE(std::filesystem::is_symlink(path));
    EXPECT_EQ((*read_pid_file(path))->pid, ::getpid());
    EXPECT_EQ(std::filesystem::file_size(precious), 4U);
  }
}

TEST(PidFile, root_writes_none_where_the_server_could_have_prepared_the_path) {
  const ScratchDirectory scratch;
  const Suspect owner{::getuid(), {}};
  const auto path = scratch.file("httpd.pid");
  EXPECT_EQ(write_trusted_pid_file(path, ::getpid(), owner).error(), EACCES);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PidFile, only_the_file_that_names_us_is_removed) {
  const ScratchDirectory scratch;
  const auto path = scratch.file("httpd.pid");
  ASSERT_TRUE(write_pid_file(path, ::getppid()));
  remove_pid_file(path, ::getpid());
  EXPECT_TRUE(*read_pid_file(path));
  remove_pid_file(path, ::getppid());
  EXPECT_FALSE(*read_pid_file(path));
}

}  // namespace
}  // namespace steelyard::server
