#include "server/child_program.hpp"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

namespace steelyard::server {

// The server's own signal mask and its ignored SIGPIPE must not reach the program.
std::expected<pid_t, int> start_program(ChildProgram program) {
  std::vector<char*> arguments;
  arguments.reserve(program.words.size() + 1);
  for (std::string& word : program.words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (program.group == ChildProgram::Group::own) flags |= POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(&attributes, flags);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, program.input, STDIN_FILENO);
  if (program.output) posix_spawn_file_actions_adddup2(&actions, *program.output, STDOUT_FILENO);
  const auto spawn = program.found == ChildProgram::Found::by_name ? ::posix_spawnp : ::posix_spawn;
  pid_t child = 0;
  const int error = spawn(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return std::unexpected(error);
  return child;
}

}  // namespace steelyard::server
