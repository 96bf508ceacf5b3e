#pragma once

#include <optional>
#include <string_view>

#include "config/config.hpp"
#include "server/log_writer.hpp"

// The main thread's own lines in the main server's error log: starts, reloads, stops.
//
// Threads: the main thread.

namespace steelyard::server {

class MainLog {
 public:
  explicit MainLog(LogWriter& writer) : writer_(writer) {}

  // Lines before the first call are dropped: their reasons went to the terminal.
  void write_to(LogOutputId output, const config::LogLevels& levels);
  // Notices are always written, as in httpd.
  void say(config::LogLevel level, std::string_view module, std::string_view text);
  // -e: lines of this level and graver are shown on the terminal too; nullopt: none.
  void show_on_terminal(std::optional<config::LogLevel> level) { shown_ = level; }
  // One line for each line of `text`.
  void say_lines(config::LogLevel level, std::string_view module, std::string_view text);

 private:
  LogWriter& writer_;
  LogOutputId output_ = 0;
  config::LogLevels levels_;
  std::optional<config::LogLevel> shown_;
};

}  // namespace steelyard::server
