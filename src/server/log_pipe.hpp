#pragma once

#include <algorithm>

#include "server/log_output.hpp"

// A program that reads log lines from its standard input: "|program arguments" started directly,
// "|$command line" by the shell. When it ends it is started again on the same pipe, whose reading
// end stays open here, so that what it had not read goes to its successor. The end of the input
// tells it to end.

namespace steelyard::server {

class PipeLog final : public LogOutput {
 public:
  static std::expected<std::unique_ptr<LogOutput>, std::string> open(
      const config::LogTarget& target, LogOpener& opener);
  ~PipeLog() override;

  int writable_descriptor() const override { return pipe_.number(); }
  int exit_descriptor() const override { return exit_.number(); }
  Instant retry_at() const override { return std::min(LogOutput::retry_at(), restart_at_); }
  void tend(Instant now) override;

 private:
  PipeLog(const config::LogTarget& target, LogOpener& opener)
      : LogOutput(target), opener_(opener) {}
  std::expected<void, std::string> start();
  Written write(std::string_view bytes) override;

  LogOpener& opener_;
  Descriptor read_end_, pipe_;
  Descriptor exit_;  // readable when the program has ended
  pid_t child_ = 0;  // 0: the program is the keeper's child
  Instant started_at_{};
  Instant restart_at_ = never;
};

}  // namespace steelyard::server
