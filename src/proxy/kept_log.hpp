#pragma once

#include <string>
#include <vector>

#include "proxy/log_sink.hpp"

// A log that keeps its lines for tests to look at. For tests only.

namespace steelyard::proxy {

class KeptLog final : public LogSink {
 public:
  void access(const config::LogTarget& /*target*/, std::string_view line) override {
    access_lines.emplace_back(line);
  }
  void error(const config::LogTarget& /*target*/, const ErrorLine& line) override {
    error_lines.emplace_back(line.text);
    error_modules.emplace_back(line.module);
  }
  void turn_ended() override {}
  std::vector<std::string> access_lines, error_lines, error_modules;
};

}  // namespace steelyard::proxy
