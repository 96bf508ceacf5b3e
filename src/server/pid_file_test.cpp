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
