#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// How much the error log tells. Threads: plain values.

namespace steelyard::config {

enum class LogLevel : std::uint8_t {
  emerg,
  alert,
  crit,
  error,
  warn,
  notice,
  info,
  debug,
  trace1,
  trace2,
  trace3,
  trace4,
  trace5,
  trace6,
  trace7,
  trace8
};

// By their numbers, as LogLevel and -e spell them.
inline constexpr std::array<std::string_view, 16> log_level_names{
    "emerg",  "alert",  "crit",   "error",  "warn",   "notice", "info",   "debug",
    "trace1", "trace2", "trace3", "trace4", "trace5", "trace6", "trace7", "trace8"};

std::string_view level_name(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view name);  // any case

// LogLevel warn proxy:debug ...
struct LogLevels {
  LogLevel general = LogLevel::warn;
  std::vector<std::pair<std::string, LogLevel>> modules;  // without "mod_", ".c", "_module"
  bool says_general = false;  // `general` was written: what is around a section does not count
  LogLevel of(std::string_view module) const;
};

}  // namespace steelyard::config
