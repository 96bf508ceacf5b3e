#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "config/config.hpp"
#include "server/descriptor.hpp"
#include "server/log_opener.hpp"

// One place that log lines go to: a file, a program that reads them, or the system's log.
//
// Lines that cannot be written now (full disk, a program that does not read) wait here, in order,
// up to waiting_bytes_max; what does not fit is dropped by whole lines and counted.
//
// A program that stopped reading is no failure: its lines wait the same way, silently. How many did
// not fit is told once in `drop_notice_period`, and at the end.
//
// Invariants: 1. the order of append() is the order in the file.
//             2. nothing blocks but a file system.
// Threads: one at a time; open() on the main thread, the rest on the log thread.

namespace steelyard::server {

// Which file a path leads to, or a descriptor.
struct FileIdentity {
  dev_t device = 0;
  ino_t number = 0;
  bool operator==(const FileIdentity&) const = default;
};

class LogOutput {
 public:
  static constexpr std::size_t waiting_bytes_max = std::size_t{16} << 20;
  static constexpr Duration retry_after = std::chrono::seconds(1);
  static constexpr Duration drop_notice_period = std::chrono::seconds(10);

  // The opener outlives the output.
  static std::expected<std::unique_ptr<LogOutput>, std::string> open(
      const config::LogTarget& target, LogOpener& opener = OwnRights::instance());
  virtual ~LogOutput() = default;
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;

  const config::LogTarget& target() const { return target_; }

  // Whole lines, all of one level (which only the system's log looks at).
  void append(std::string_view lines, config::LogLevel level);
  // Writes what goes; true when nothing waits any more.
  bool flush(Instant now);
  // What there is to tell since the last call: the first failure, the end of one, lines dropped.
  virtual std::string take_notice(Instant now);
  // What was never told, when nothing is written any more: lines that were dropped, still wait, or
  // that nobody reads.
  std::string last_notice();

  std::size_t waiting_bytes() const { return waiting_.size() - written_; }
  std::uint64_t lines_dropped() const { return lines_dropped_; }
  // When flush() is worth calling again although nothing became ready; `never`: not by time.
  virtual Instant retry_at() const { return retry_at_; }
  // When take_notice() will have something to tell; `never`: nothing as yet.
  virtual Instant notice_at() const {
    return untold_drops_ > 0 && !failing_ ? next_drop_notice_ : never;
  }

  // Of what was written: what nobody will read, when nothing is written any more.
  virtual std::string take_unread() { return {}; }
  std::uint64_t unread_lines();
  virtual std::optional<FileIdentity> file() const { return std::nullopt; }
  // What a poll may wait for; -1: nothing.
  virtual int writable_descriptor() const { return -1; }
  virtual int exit_descriptor() const { return -1; }
  // Looks after the program behind a pipe: when it has ended, starts it again.
  virtual void tend(Instant /*now*/) {}
  // Takes over what waits in the output that this one replaces, and what nobody read of it.
  void adopt(LogOutput& old);

 protected:
  explicit LogOutput(config::LogTarget target) : target_(std::move(target)) {}

  enum class Outcome : std::uint8_t { written, would_block, failed };
  struct Written {
    Outcome outcome = Outcome::written;
    std::size_t bytes = 0;
    int error = 0;
  };
  virtual Written write(std::string_view bytes) = 0;
  // The system's log takes lines one by one, each with its level; it waits for nothing.
  virtual bool takes_single_lines() const { return false; }
  virtual void say(std::string_view /*lines*/, config::LogLevel /*level*/) {}

 private:
  void drop(std::string_view lines);
  void fail(int error, Instant now);
  void recover();

  config::LogTarget target_;
  std::string waiting_;
  std::size_t written_ = 0;  // of waiting_
  std::uint64_t lines_dropped_ = 0;
  std::uint64_t untold_drops_ = 0;
  Instant next_drop_notice_{};
  bool failing_ = false;
  Instant retry_at_ = never;
  std::string notice_;
};

}  // namespace steelyard::server
