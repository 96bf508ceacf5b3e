#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ip.hpp"

// What mod_heartmonitor, mod_heartbeat and mod_lbmethod_heartbeat were told.

namespace steelyard::config {

struct HeartbeatSettings {
  static constexpr std::uint32_t usual_capacity = 400;  // httpd's MaxRequestWorkers (event)

  std::optional<Endpoint> listen;   // HeartbeatListen
  std::optional<Endpoint> send_to;  // HeartbeatAddress
  std::string storage_path;  // HeartbeatStorage; empty unless a module of heartbeats is loaded
  std::uint32_t servers_max = 10;           // HeartbeatMaxServers; 0: the storage file is used
  bool monitors = false;                    // mod_heartmonitor is loaded
  std::uint32_t capacity = usual_capacity;  // MaxRequestWorkers: what is told to be idle or busy

  // httpd: with mod_heartmonitor choices are made by its memory, whether it listens or not.
  [[nodiscard]] bool uses_file() const { return !monitors || servers_max == 0; }
};

}  // namespace steelyard::config
