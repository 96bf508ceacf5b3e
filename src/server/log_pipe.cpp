#include "server/log_pipe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
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

// The server's own signal mask and its ignored SIGPIPE must not reach the program.
pid_t spawn(std::vector<std::string> words, int input, int* error) {
  std::vector<char*> arguments;
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
  pid_t pid = 0;
  *error = ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return *error == 0 ? pid : 0;
}

}  // namespace

std::expected<std::unique_ptr<LogOutput>, std::string> PipeLog::open(
    const config::LogTarget& target) {
  if (trim(target.text).empty()) return std::unexpected(std::string("a piped log needs a program"));
  std::unique_ptr<PipeLog> log(new PipeLog(target));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return std::unexpected(fmt::format("({}){}: pipe", errno, strerror(errno)));
  }
  log->read_end_ = Descriptor(ends[0]);
  log->pipe_ = Descriptor(ends[1]);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  if (auto started = log->start(); !started) return std::unexpected(started.error());
  return log;
}

PipeLog::~PipeLog() {
  if (program_ != 0) ::waitpid(program_, nullptr, WNOHANG);
}

std::expected<void, std::string> PipeLog::start() {
  int error = 0;
  started_at_ = std::chrono::steady_clock::now();
  restart_at_ = never;
  program_ = spawn(words_of(target()), read_end_.number(), &error);
  if (program_ == 0) {
    return std::unexpected(fmt::format("({}){}: could not start piped log program {}", error,
                                       strerror(error), target().text));
  }
  exit_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, program_, 0)));
  return {};
}

// A program that ends as soon as it starts is started once in retry_after, no more often.
void PipeLog::tend(Instant now) {
  pollfd watched{.fd = exit_.number(), .events = POLLIN, .revents = 0};
  if (exit_.is_open() && ::poll(&watched, 1, 0) == 1) {
    ::waitpid(std::exchange(program_, 0), nullptr, WNOHANG);
    exit_.close();
    restart_at_ = std::max(now, started_at_ + retry_after);
  }
  if (restart_at_ > now) return;
  if (!start()) restart_at_ = now + retry_after;
}

LogOutput::Written PipeLog::write(std::string_view bytes) {
  const ssize_t count = ::write(pipe_.number(), bytes.data(), bytes.size());
  if (count >= 0) return {.bytes = static_cast<std::size_t>(count)};
  if (errno == EINTR) return {};
  if (errno == EAGAIN) return {.outcome = Outcome::would_block};
  return {.outcome = Outcome::failed, .error = errno};
}

}  // namespace steelyard::server
