#pragma once

#include <string>

#include "server/options.hpp"

// What `-k` does with the server that runs, and what httpd prints about it.

namespace steelyard::server {

struct ControlResult {
  bool go_on_and_start = false;
  int exit_status = 0;
  std::string message = {};  // for standard output, without newline; may be empty
};

ControlResult control_running_server(Control control, const std::string& pid_file);

}  // namespace steelyard::server
