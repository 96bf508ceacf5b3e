// What the status page shows at one moment, before it becomes HTML or lines.
//
// httpd counts workers, of which each serves one connection. Here a worker stands for one client
// connection that there is room for:
//
//   busy   a request is under way     kept   waits for its next request     idle   room for more
//
// Threads: a value; it lives no longer than the question it answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "manage/markup.hpp"
#include "manage/server_sources.hpp"

namespace steelyard::manage {

struct StatusView {
  const proxy::DeskQuestion& question;
  const config::Server& server;
  ProcessUsage usage;
  std::string built;
  WallTime now;
  std::chrono::seconds uptime{0};
  std::uint64_t accesses = 0, body_kibibytes = 0, duration_milliseconds = 0;
  std::uint64_t connections = 0, busy = 0, limit = 0;

  [[nodiscard]] std::uint64_t kept() const { return connections - busy; }
  [[nodiscard]] std::uint64_t idle() const { return limit - connections; }
  [[nodiscard]] double processor_seconds() const;
};

// The scoreboard shows so many; busy ones first, then those that are kept.
inline constexpr std::uint64_t scoreboard_slots_max = 512;
[[nodiscard]] std::string scoreboard(const StatusView& view);

// As C's %g does, without the 0 before a point (httpd).
[[nodiscard]] std::string short_number(double number);
// " 1 day 2 hours 3 minutes 4 seconds"; nothing for no time.
[[nodiscard]] std::string uptime_text(std::chrono::seconds uptime);
// "Sunday, 29-Nov-2026 08:46:15 UTC", in local time.
[[nodiscard]] std::string page_time(WallTime when);

// ?auto: lines for programs.
[[nodiscard]] std::string status_lines(const StatusView& view);
[[nodiscard]] std::string status_html(const StatusView& view);

// ProxyStatus: the balancers of the virtual host that serves the page.
void append_balancer_lines(std::string& out, const StatusView& view);
void append_balancer_tables(Markup& out, const StatusView& view);

}  // namespace steelyard::manage
