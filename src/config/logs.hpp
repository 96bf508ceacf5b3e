// Where log lines go, and which access logs there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "expr/json_format.hpp"
#include "expr/line_condition.hpp"
#include "expr/log_format.hpp"

namespace steelyard::config {

// Where log lines go.
struct LogTarget {
  enum class Kind : std::uint8_t { file, pipe, pipe_shell, syslog } kind = Kind::file;
  std::string text;  // path, command, or syslog "facility:tag"
  bool operator==(const LogTarget&) const = default;
};

struct AccessLog {
  LogTarget target;
  std::variant<expr::LogFormat, expr::JsonFormat> format;
  std::optional<expr::LineCondition> condition;
};

}  // namespace steelyard::config
