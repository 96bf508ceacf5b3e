#include "server/log_program.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/text.hpp"
#include "server/child_program.hpp"

namespace steelyard::server {

namespace {

std::vector<std::string> words_of(const config::LogTarget& target) {
  if (target.kind == config::LogTarget::Kind::pipe_shell) return {"/bin/sh", "-c", target.text};
  // Words in quotes may hold blanks.
  std::vector<std::string> words;
  std::string_view rest = trim(target.text);
  while (!rest.empty()) {
    const char first = rest.front();
    const bool quoted = first == '"' || first == '\'';
    const auto end = quoted ? rest.find(first, 1) : rest.find_first_of(" \t");
    words.emplace_back(rest.substr(quoted ? 1 : 0, quoted && end != rest.npos ? end - 1 : end));
    rest = end == rest.npos ? std::string_view() : trim(rest.substr(end + 1));
  }
  return words;
}

}  // namespace

std::expected<LogProgram, int> start_log_program(const config::LogTarget& target, int input) {
  // Ctrl-C is for the server, which then ends the input.
  const auto child = start_program({.words = words_of(target),
                                    .found = ChildProgram::Found::by_name,
                                    .group = ChildProgram::Group::own,
                                    .input = input});
  if (!child) return std::unexpected(child.error());
  LogProgram program;
  program.child = *child;
  program.exit = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, program.child, 0)));
  return program;
}

}  // namespace steelyard::server
