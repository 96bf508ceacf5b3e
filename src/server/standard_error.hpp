#pragma once

#include "config/config.hpp"
#include "server/log_opener.hpp"

// Where the process's standard error goes once it has left the terminal: into the main server's
// error log, as httpd's does. So the last words of a crash are found, and what the programs of
// piped logs complain of. With an error log that is no file: nowhere.
//
// Threads: the main thread.

namespace steelyard::server {

class StandardError {
 public:
  // From now on it belongs to the log, opened anew at each call; before that, to whoever started
  // the process.
  void leave_terminal() { has_left_ = true; }
  void follow(const config::LogTarget& error_log, LogOpener& opener) const;

 private:
  bool has_left_ = false;
};

}  // namespace steelyard::server
