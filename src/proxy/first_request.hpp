#pragma once

#include <string_view>

#include "config/settings_cache.hpp"

// What the client had asked for before an internal redirect put something else in its place: logs
// tell of it. Threads: the shard's.

namespace steelyard::proxy {

struct FirstRequest {
  std::string_view path, query;
  bool proxied = false, asked_for_tunnel = false;
  config::SettingsRef
      settings;  // path, fields and notes may lie in them, and no cache has to keep them

  void clear() { *this = {}; }
};

}  // namespace steelyard::proxy
