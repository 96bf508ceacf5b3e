#pragma once

#include "server/log_output.hpp"

// The system's log: "syslog[:facility[:tag]]".

namespace steelyard::server {

class SystemLog final : public LogOutput {
 public:
  static std::expected<std::unique_ptr<LogOutput>, std::string> open(
      const config::LogTarget& target);

 private:
  SystemLog(const config::LogTarget& target, int facility, std::string tag)
      : LogOutput(target), facility_(facility), tag_(std::move(tag)) {}
  Written write(std::string_view bytes) override { return {.bytes = bytes.size()}; }
  bool takes_single_lines() const override { return true; }
  void say(std::string_view lines, config::LogLevel level) override;

  int facility_;
  std::string tag_;
};

}  // namespace steelyard::server
