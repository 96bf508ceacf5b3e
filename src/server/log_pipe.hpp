#pragma once

#include <algorithm>

#include "server/log_output.hpp"

// A program that reads log lines from its standard input: "|program arguments" started directly,
// "|$command line" by the shell. When it ends it is started again on the same pipe, whose reading
// end stays open here, so that what it had not read goes to its successor. The end of the input
// tells it to end. That it ended by itself, or could not be started again, is told at once, and
// then once in end_notice_period.

namespace steelyard::server {

class PipeLog final : public LogOutput {
 public:
  static constexpr Duration end_notice_period = std::chrono::seconds(60);

  static std::expected<std::unique_ptr<LogOutput>, std::string> open(
      const config::LogTarget& target, LogOpener& opener);
  ~PipeLog() override;

  int writable_descriptor() const override { return pipe_.number(); }
  int exit_descriptor() const override { return exit_.number(); }
  Instant retry_at() const override { return std::min(LogOutput::retry_at(), restart_at_); }
  void tend(Instant now) override;
  std::string take_notice(Instant now) override;
  Instant notice_at() const override;
  std::string take_unread() override;

 private:
  PipeLog(const config::LogTarget& target, LogOpener& opener)
      : LogOutput(target), opener_(opener) {}
  std::expected<void, std::string> start();
  bool has_ended() const;
  void note_end(Instant now);
  Written write(std::string_view bytes) override;

  LogOpener& opener_;
  Descriptor read_end_, pipe_;
  Descriptor exit_;             // readable when the program has ended
  bool ended_at_once_ = false;  // before it could be watched
  pid_t child_ = 0;             // 0: the program is the keeper's child
  Instant started_at_{};
  Instant restart_at_ = never;
  std::uint64_t untold_ends_ = 0;
  std::string start_error_;  // of the last attempt; empty: it runs
  Instant next_end_notice_{};
};

}  // namespace steelyard::server
