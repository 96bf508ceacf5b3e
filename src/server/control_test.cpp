#include "server/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/pid_file.hpp"
#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

// A process that waits for any signal to end it.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  ~Sleeper() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  int signal_that_ended_it() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_;
};

TEST(Control, stopping_what_does_not_run_says_so_and_is_no_failure) {
  const ScratchDirectory scratch;
  const auto result = control_running_server(Control::stop, scratch.file("pid"));
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_FALSE(result.go_on_and_start);
  EXPECT_EQ(result.message, "steelyard (no pid file) not running");
}

TEST(Control, restarting_what_does_not_run_starts_it) {
  const ScratchDirectory scratch;
  EXPECT_TRUE(control_running_server(Control::graceful, scratch.file("pid")).go_on_and_start);
  EXPECT_TRUE(control_running_server(Control::restart, scratch.file("pid")).go_on_and_start);
  EXPECT_TRUE(control_running_server(Control::start, scratch.file("pid")).go_on_and_start);
}

TEST(Control, a_second_start_refuses_without_a_failure) {
  const ScratchDirectory scratch;
  const Sleeper running;
  ASSERT_TRUE(write_pid_file(scratch.file("pid"), running.pid()));
  const auto result = control_running_server(Control::start, scratch.file("pid"));
  EXPECT_FALSE(result.go_on_and_start);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.message, testing::HasSubstr("already running"));
}

TEST(Control, stop_sends_the_terminating_signal) {
  const ScratchDirectory scratch;
  Sleeper running;
  ASSERT_TRUE(write_pid_file(scratch.file("pid"), running.pid()));
  EXPECT_EQ(control_running_server(Control::stop, scratch.file("pid")).exit_status, 0);
  EXPECT_EQ(running.signal_that_ended_it(), SIGTERM);
}

TEST(Control, a_graceful_restart_sends_usr1) {
  const ScratchDirectory scratch;
  Sleeper running;
  ASSERT_TRUE(write_pid_file(scratch.file("pid"), running.pid()));
  EXPECT_EQ(control_running_server(Control::graceful, scratch.file("pid")).exit_status, 0);
  EXPECT_EQ(running.signal_that_ended_it(), SIGUSR1);
}

}  // namespace
}  // namespace steelyard::server
