#pragma once

#include <span>

// `steelyard ctl`: asks the server that runs, by its control socket, and prints the answers.

namespace steelyard::server {

// `words` are those behind "ctl". The exit status is one of manage::CtlExit.
int run_ctl(std::span<const char* const> words);

}  // namespace steelyard::server
