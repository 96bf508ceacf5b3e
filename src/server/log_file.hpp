#pragma once

#include "server/log_output.hpp"

// A log file, opened for append.

namespace steelyard::server {

class FileLog final : public LogOutput {
 public:
  static std::expected<std::unique_ptr<LogOutput>, std::string> open(
      const config::LogTarget& target, LogOpener& opener);

 private:
  FileLog(const config::LogTarget& target, Descriptor file)
      : LogOutput(target), file_(std::move(file)) {}
  std::optional<FileIdentity> file() const override;
  Written write(std::string_view bytes) override;

  Descriptor file_;
};

}  // namespace steelyard::server
