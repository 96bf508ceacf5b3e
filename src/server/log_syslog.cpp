#define SYSLOG_NAMES  // the C library's table of facility names
#include "server/log_syslog.hpp"

#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::server {

namespace {

std::optional<int> facility_of(std::string_view name) {
  if (name.empty()) return LOG_LOCAL7;  // httpd's
  for (const CODE* code = facilitynames; code->c_name != nullptr; ++code) {
    if (equals_ignoring_case(code->c_name, name)) return code->c_val;
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::unique_ptr<LogOutput>, std::string> SystemLog::open(
    const config::LogTarget& target) {
  const auto parts = split(target.text, ':');
  const std::string_view name = parts.empty() ? "" : parts[0];
  const auto facility = facility_of(name);
  if (!facility) return std::unexpected(fmt::format("unknown syslog facility \"{}\"", name));
  std::string tag(parts.size() > 1 ? parts[1] : "");
  if (tag.empty()) tag = "steelyard";
  return std::unique_ptr<LogOutput>(new SystemLog(target, *facility, std::move(tag)));
}

// The levels emerg ... debug have the numbers of syslog's priorities.
void SystemLog::say(std::string_view lines, config::LogLevel level) {
  const int priority = std::min(static_cast<int>(level), LOG_DEBUG);
  ::openlog(tag_.c_str(), LOG_NDELAY | LOG_CONS | LOG_PID, facility_);
  for (const std::string_view line : split(lines, '\n')) {
    if (!line.empty()) ::syslog(priority, "%.*s", static_cast<int>(line.size()), line.data());
  }
}

}  // namespace steelyard::server
