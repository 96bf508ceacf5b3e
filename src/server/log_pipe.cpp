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
  ended_at_once_ = program->has_ended;
  return {};
}

// A program that the system does not let anybody watch counts as running.
bool PipeLog::has_ended() const {
  pollfd watched{.fd = exit_.number(), .events = POLLIN, .revents = 0};
  return ended_at_once_ || (exit_.is_open() && ::poll(&watched, 1, 0) == 1);
}

// A program that ends as soon as it starts is started once in retry_after, no more often.
void PipeLog::note_end(Instant now) {
  if (restart_at_ != never || !has_ended()) return;
  if (child_ != 0) ::waitpid(std::exchange(child_, 0), nullptr, WNOHANG);
  exit_.close();
  ++untold_ends_;
  restart_at_ = std::max(now, started_at_ + retry_after);
}

void PipeLog::tend(Instant now) {
  note_end(now);
  if (restart_at_ > now) return;
  auto started = start();
  start_error_ = started ? std::string() : std::move(started.error());
  if (!started) restart_at_ = now + retry_after;
  note_end(now);
}

Instant PipeLog::notice_at() const {
  const bool has_news = untold_ends_ > 0 || !start_error_.empty();
  return has_news ? std::min(next_end_notice_, LogOutput::notice_at()) : LogOutput::notice_at();
}

std::string PipeLog::take_notice(Instant now) {
  const bool has_news = untold_ends_ > 0 || !start_error_.empty();
  if (!has_news || now < next_end_notice_) return LogOutput::take_notice(now);
  next_end_notice_ = now + end_notice_period;
  const std::uint64_t ends = std::exchange(untold_ends_, 0);
  if (!start_error_.empty()) {
    return fmt::format("{}; its lines are kept, and it is tried again every second", start_error_);
  }
  const std::string times = ends > 1 ? fmt::format(" {} times", ends) : std::string();
  return fmt::format(
      "piped log program '{}' ended unexpectedly{} and is started again; what it had not read "
      "goes to its successor",
      target().text, times);
}

// While the program runs it reads up to the end of its input.
std::string PipeLog::take_unread() {
  if (restart_at_ == never && !has_ended()) return {};
  ::fcntl(read_end_.number(), F_SETFL, O_NONBLOCK);
  char room[65536];
  std::string unread;
  ssize_t got = 0;
  while ((got = ::read(read_end_.number(), room, sizeof room)) > 0)
    unread.append(room, static_cast<std::size_t>(got));
  return unread;
}

LogOutput::Written PipeLog::write(std::string_view bytes) {
  const ssize_t count = ::write(pipe_.number(), bytes.data(), bytes.size());
  if (count >= 0) return {.bytes = static_cast<std::size_t>(count)};
  if (errno == EINTR) return {};
  if (errno == EAGAIN) return {.outcome = Outcome::would_block};
  return {.outcome = Outcome::failed, .error = errno};
}

}  // namespace steelyard::server
