#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apacheconf/scope.hpp"

// Access logs as they were written: names of formats may be defined after their use, so they are
// resolved at the end.

namespace steelyard::apacheconf {

struct AccessLogDraft {
  config::LogTarget target;
  std::optional<std::string> format;     // name or text; none: the default (TransferLog)
  std::optional<expr::JsonFormat> json;  // SteelyardJsonLog
  std::optional<expr::LineCondition> condition;
  config::Place place;
  bool warned = false;  // that its format has no such name
};

struct ServerLogs {
  std::map<std::string, std::string> formats;  // LogFormat with a name
  std::optional<std::string> default_format;   // LogFormat without one
  std::vector<AccessLogDraft> logs;
};

// A part of the Reading.
struct LogDrafts {
  std::map<const config::Server*, ServerLogs> servers;
  std::vector<AccessLogDraft> global;
};

// Fills Server::access_logs of every server.
void finish_logs(Reading& reading);

}  // namespace steelyard::apacheconf
