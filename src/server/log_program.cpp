#include "server/log_program.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"

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

// The server's own signal mask and its ignored SIGPIPE must not reach the program.
std::expected<LogProgram, int> start_log_program(const config::LogTarget& target, int input) {
  std::vector<std::string> words = words_of(target);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: Ctrl-C at the terminal is for the server, which then ends the input.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  LogProgram program;
  const int error = ::posix_spawnp(&program.child, arguments[0], &actions, &attributes,
                                   arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return std::unexpected(error);
  program.exit = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, program.child, 0)));
  return program;
}

}  // namespace steelyard::server
