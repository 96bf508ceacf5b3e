#include "server/log_pipe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/text.hpp"

namespace steelyard::server {

std::expected<std::unique_ptr<LogOutput>, std::string> PipeLog::open(
    const config::LogTarget& target, LogOpener& opener) {
  if (trim(target.text).empty()) return std::unexpected(std::string("a piped log needs a program"));
  std::unique_ptr<PipeLog> log(new PipeLog(target, opener));
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
  if (child_ != 0) ::waitpid(child_, nullptr, WNOHANG);
}

std::expected<void, std::string> PipeLog::start() {
  started_at_ = std::chrono::steady_clock::now();
  restart_at_ = never;
  auto program = opener_.start_program(target(), read_end_.number());
  if (!program) {
    return std::unexpected(fmt::format("({}){}: could not start piped log program {}",
                                       program.error(), strerror(program.error()), target().text));
  }
  child_ = program->child;
  exit_ = std::move(program->exit);
  return {};
}

// A program that ends as soon as it starts is started once in retry_after, no more often.
void PipeLog::tend(Instant now) {
  pollfd watched{.fd = exit_.number(), .events = POLLIN, .revents = 0};
  if (exit_.is_open() && ::poll(&watched, 1, 0) == 1) {
    if (child_ != 0) ::waitpid(std::exchange(child_, 0), nullptr, WNOHANG);
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
