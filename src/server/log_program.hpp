#pragma once

#include <sys/types.h>

#include <expected>

#include "config/config.hpp"
#include "server/descriptor.hpp"

// Starting the program behind a piped log.

namespace steelyard::server {

struct LogProgram {
  pid_t child = 0;         // to be waited for; 0: it is another process's child
  Descriptor exit;         // readable when the program has ended; closed: nobody can say
  bool has_ended = false;  // so soon that there is no such descriptor
};

// "|program arguments" directly, "|$command line" by the shell; `input` becomes its standard input.
// The error is an errno.
std::expected<LogProgram, int> start_log_program(const config::LogTarget& target, int input);

}  // namespace steelyard::server
