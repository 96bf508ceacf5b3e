#include "config/log_level.hpp"

#include "base/text.hpp"

namespace steelyard::config {

std::string_view level_name(LogLevel level) {
  return log_level_names[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < log_level_names.size(); ++i) {
    if (equals_ignoring_case(name, log_level_names[i])) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

LogLevel LogLevels::of(std::string_view module) const {
  for (const auto& [name, level] : modules) {
    if (name == module) return level;
  }
  return general;
}

}  // namespace steelyard::config
