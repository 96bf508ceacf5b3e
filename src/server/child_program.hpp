#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

// Starting another program beside the server: one that logs, one that tells pass phrases.

namespace steelyard::server {

struct ChildProgram {
  // By its path, or by its name where PATH has it.
  enum class Found : std::uint8_t { by_path, by_name };
  // Ctrl-C at the terminal reaches this process's group; who stays in it may read from there.
  enum class Group : std::uint8_t { own, same };

  std::vector<std::string> words;  // itself and its arguments
  Found found = Found::by_path;
  Group group = Group::same;
  int input = 0;                // becomes its standard input
  std::optional<int> output{};  // becomes its standard output
};

// Its process, to be waited for. The error is an errno.
std::expected<pid_t, int> start_program(ChildProgram program);

}  // namespace steelyard::server
