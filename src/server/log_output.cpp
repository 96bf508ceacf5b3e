#include "server/log_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "server/log_file.hpp"
#include "server/log_pipe.hpp"
#include "server/log_syslog.hpp"

namespace steelyard::server {

std::expected<std::unique_ptr<LogOutput>, std::string> LogOutput::open(
    const config::LogTarget& target, LogOpener& opener) {
  using Kind = config::LogTarget::Kind;
  switch (target.kind) {
    case Kind::file:
      return FileLog::open(target, opener);
    case Kind::pipe:
    case Kind::pipe_shell:
      return PipeLog::open(target, opener);
    case Kind::syslog:
      return SystemLog::open(target);
  }
  return std::unexpected(std::string("unknown kind of log"));
}

void LogOutput::append(std::string_view lines, config::LogLevel level) {
  if (takes_single_lines()) return say(lines, level);
  if (waiting_bytes() + lines.size() > waiting_bytes_max) return drop(lines);
  if (written_ == waiting_.size()) {
    waiting_.clear();
    written_ = 0;
  }
  waiting_ += lines;
}

bool LogOutput::flush(Instant now) {
  while (written_ < waiting_.size()) {
    if (failing_ && now < retry_at_) return false;
    const Written result = write(std::string_view(waiting_).substr(written_));
    written_ += result.bytes;
    if (result.outcome == Outcome::would_block) return false;
    if (result.outcome == Outcome::failed) {
      fail(result.error, now);
      return false;
    }
    if (failing_) recover();
  }
  waiting_.clear();
  written_ = 0;
  return true;
}

void LogOutput::adopt(LogOutput& old) {
  waiting_ = old.take_unread();
  waiting_.append(old.waiting_, old.written_);
  old.waiting_.clear();
  old.written_ = 0;
  lines_dropped_ = old.lines_dropped_;
  untold_drops_ = old.untold_drops_;
  next_drop_notice_ = old.next_drop_notice_;
}

std::uint64_t LogOutput::unread_lines() {
  return static_cast<std::uint64_t>(std::ranges::count(take_unread(), '\n'));
}

std::string LogOutput::take_notice(Instant now) {
  if (!notice_.empty()) return std::exchange(notice_, {});
  if (now < notice_at()) return {};
  next_drop_notice_ = now + drop_notice_period;
  return fmt::format("{} lines for log {} were lost: they come faster than it takes them",
                     std::exchange(untold_drops_, 0), target_.text);
}

std::string LogOutput::last_notice() {
  const auto waiting = std::ranges::count(std::string_view(waiting_).substr(written_), '\n');
  const std::uint64_t lost = untold_drops_ + static_cast<std::uint64_t>(waiting) + unread_lines();
  if (lost == 0) return {};
  return fmt::format("{} lines for log {} were lost: it did not take them in time", lost,
                     target_.text);
}

void LogOutput::drop(std::string_view lines) {
  const auto count = static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
  lines_dropped_ += count;
  untold_drops_ += count;
}

void LogOutput::fail(int error, Instant now) {
  retry_at_ = now + retry_after;
  if (failing_) return;
  failing_ = true;
  notice_ = fmt::format(
      "({}){}: could not write to log {}; its lines are kept, up to {} MiB, and written when it "
      "works again",
      error, strerror(error), target_.text, waiting_bytes_max >> 20);
}

void LogOutput::recover() {
  failing_ = false;
  retry_at_ = never;
  notice_ = fmt::format("log {} works again; {} lines were lost", target_.text,
                        std::exchange(untold_drops_, 0));
}

}  // namespace steelyard::server
