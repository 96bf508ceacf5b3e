#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"

// Traces of requests (W3C Trace Context) and where their spans go (OTLP/HTTP). Threads: values.

namespace steelyard::config {

// SteelyardTrace, of a server.
struct TraceSettings {
  bool on = false;       // else the fields pass through untouched, as in httpd
  double sampled = 1.0;  // share of new traces, 0 to 1
  // Whose traces are joined; others begin a new one.
  bool joins_all = true;
  std::vector<IpNetwork> joins;
};

// SteelyardTraceExport, of the process.
struct TraceExport {
  static constexpr Duration timeout_min = std::chrono::milliseconds(10);
  static constexpr Duration timeout_max = std::chrono::minutes(1);
  static constexpr std::uint32_t caller_limit_max = 1'000'000;

  std::string url;
  std::string service = "steelyard";  // service.name
  std::vector<std::string> headers;   // "name: value"
  std::string ca_file;                // empty: the system's
  Duration timeout = std::chrono::seconds(10);
  // Requests a second that are recorded because their client says they are sampled.
  std::uint32_t caller_limit = 100;

  bool operator==(const TraceExport&) const = default;
};

}  // namespace steelyard::config
