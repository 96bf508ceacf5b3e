#pragma once

#include <span>

// `steelyard top`: what the members of the server that runs do, in a terminal, by its control
// socket. Where the output is no terminal it prints one table and ends.

namespace steelyard::server {

// `words` are those behind "top". The exit status is one of manage::CtlExit.
int run_top(std::span<const char* const> words);

}  // namespace steelyard::server
