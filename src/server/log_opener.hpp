#pragma once

#include <expected>
#include <string>

#include "server/log_program.hpp"

// Opens log files and starts the programs of piped logs: with the rights of the process itself, or
// by the keeper, which kept root's.
//
// Threads: any.

namespace steelyard::server {

class LogOpener {
 public:
  virtual ~LogOpener() = default;
  // For append; created if need be. The error is an errno.
  virtual std::expected<Descriptor, int> open_file(const std::string& path) = 0;
  virtual std::expected<LogProgram, int> start_program(const config::LogTarget& target,
                                                       int input) = 0;
};

class OwnRights final : public LogOpener {
 public:
  std::expected<Descriptor, int> open_file(const std::string& path) override;
  std::expected<LogProgram, int> start_program(const config::LogTarget& target,
                                               int input) override {
    return start_log_program(target, input);
  }
  // It has no state.
  static OwnRights& instance();
};

}  // namespace steelyard::server
