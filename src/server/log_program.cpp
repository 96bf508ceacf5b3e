#include "server/log_program.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/text.hpp"

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
