#include "server/control.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <cstring>

#include "server/pid_file.hpp"

namespace steelyard::server {

namespace {

int signal_of(Control control) {
  switch (control) {
    case Control::stop:
      return SIGTERM;
    case Control::graceful:
      return SIGUSR1;
    case Control::graceful_stop:
      return SIGWINCH;
    case Control::restart:
      return SIGHUP;
    case Control::start:
      break;
  }
  return 0;
}

// httpd: stopping what does not run is no failure, restarting it starts it.
ControlResult nothing_runs(Control control, const std::optional<PidRecord>& record) {
  switch (control) {
    case Control::start:
      return {.go_on_and_start = true};
    case Control::restart:
    case Control::graceful:
      return {.go_on_and_start = true, .message = "steelyard not running, trying to start"};
    default:
      break;
  }
  if (!record) return {.message = "steelyard (no pid file) not running"};
  return {.message = fmt::format("steelyard (pid {}?) not running", record->pid)};
}

}  // namespace

ControlResult control_running_server(Control control, const std::string& pid_file) {
  const auto read = read_pid_file(pid_file);
  if (!read) {
    // A start replaces a file that holds no number; a signal has nobody to go to.
    if (control == Control::start) return {.go_on_and_start = true};
    return {.exit_status = 1, .message = read.error()};
  }
  const std::optional<PidRecord>& record = *read;
  if (!record || !record->running) return nothing_runs(control, record);
  if (control == Control::start) {
    return {.message = fmt::format("steelyard (pid {}) already running", record->pid)};
  }
  if (::kill(record->pid, signal_of(control)) == 0) return {};
  return {.exit_status = 1,
          .message =
              fmt::format("could not signal steelyard (pid {}): {}", record->pid, strerror(errno))};
}

}  // namespace steelyard::server
