#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "config/config.hpp"

// Where the data path puts its log lines. Handing a line over never blocks and never touches a
// file: the server's writer thread does that.
//
// Threads: one sink a shard.

namespace steelyard::proxy {

struct ErrorLine {
  config::LogLevel level = config::LogLevel::error;
  std::string_view module = "proxy";  // "proxy", "proxy_balancer", "proxy_http", "core", ...
  const Endpoint* client = nullptr;   // nullptr: not about one client
  std::string_view text;              // without line end; the sink escapes control bytes
  std::string_view referer;           // empty: none
  WallTime when;
};

class LogSink {
 public:
  virtual ~LogSink() = default;

  // One finished access log line without its line end.
  virtual void access(const config::LogTarget& target, std::string_view line) = 0;
  virtual void error(const config::LogTarget& target, const ErrorLine& line) = 0;
  // The end of a loop turn: what was collected may be handed over now.
  virtual void turn_ended() = 0;
};

}  // namespace steelyard::proxy
