#include "server/log_program.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "server/child_program.hpp"

namespace steelyard::server {

namespace {

// As httpd cuts them: a word in quotes may hold blanks, and a backslash takes the next character as
// it is, in quotes and outside.
std::string take_word(std::string_view& rest) {
  const char quote = rest.front() == '"' || rest.front() == '\'' ? rest.front() : '\0';
  const std::string_view ends = quote == '\0' ? " \t" : std::string_view(&quote, 1);
  std::string word;
  std::size_t at = quote == '\0' ? 0 : 1;
  for (; at < rest.size() && !ends.contains(rest[at]); ++at) {
    if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
    word += rest[at];
  }
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return word;
}

std::vector<std::string> words_of(const config::LogTarget& target) {
  if (target.kind == config::LogTarget::Kind::pipe_shell) return {"/bin/sh", "-c", target.text};
  std::vector<std::string> words;
  std::string_view rest = trim(target.text);
  while (!rest.empty()) {
    words.push_back(take_word(rest));
    rest = trim(rest);
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
  program.has_ended = !program.exit.is_open() && errno == ESRCH;
  return program;
}

}  // namespace steelyard::server
