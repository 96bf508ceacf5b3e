#pragma once

#include <span>

// From the command line to an exit status.

namespace steelyard::server {

int run_program(std::span<const char* const> arguments);

}  // namespace steelyard::server
