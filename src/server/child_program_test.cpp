#include "server/child_program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/check.hpp"
#include "server/descriptor.hpp"

namespace steelyard::server {
namespace {

using Found = ChildProgram::Found;
using Group = ChildProgram::Group;

// All that a program says before it ends; empty: it could not be started.
std::string said_by(ChildProgram program) {
  int ends[2];
  CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  program.input = nothing.number();
  program.output = to.number();
  const auto child = start_program(std::move(program));
  to.close();
  if (!child) return "";
  std::string said;
  std::array<char, 512> room;
  for (ssize_t got = 0; (got = ::read(from.number(), room.data(), room.size())) > 0;)
    said.append(room.data(), static_cast<std::size_t>(got));
  EXPECT_EQ(::waitpid(*child, nullptr, 0), *child);
  return said;
}

TEST(ChildProgram, is_not_told_of_signals_that_are_blocked_or_ignored_here) {
  sigset_t own, before;
  sigemptyset(&own);
  sigaddset(&own, SIGTERM);
  CHECK(::sigprocmask(SIG_BLOCK, &own, &before) == 0);
  auto* const pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const auto said_around = [](const std::string& signal) {
    return said_by({.words = {"/bin/sh", "-c", "echo begun; kill -" + signal + " $$; echo alive"}});
  };
  EXPECT_EQ(said_around("0"), "begun\nalive\n");
  EXPECT_EQ(said_around("TERM"), "begun\n");
  EXPECT_EQ(said_around("PIPE"), "begun\n");
  ::signal(SIGPIPE, pipe_before);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(ChildProgram, has_a_group_of_its_own_or_stays) {
  const std::string words = "read -r pid name state parent group rest < /proc/self/stat; ";
  EXPECT_EQ(said_by({.words = {"/bin/sh", "-c", words + "[ $group = $pid ] && echo own"},
                     .group = Group::own}),
            "own\n");
  EXPECT_EQ(said_by({.words = {"/bin/sh", "-c", words + "echo $group"}, .group = Group::same}),
            std::to_string(::getpgrp()) + '\n');
}

TEST(ChildProgram, is_looked_for_in_PATH_only_by_its_name) {
  EXPECT_EQ(said_by({.words = {"echo", "a b", "c"}, .found = Found::by_name}), "a b c\n");
  EXPECT_EQ(start_program({.words = {"echo"}}), std::unexpected(ENOENT));
}

}  // namespace
}  // namespace steelyard::server
