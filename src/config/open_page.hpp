// Pages about the server (balancer-manager, server-status, ...) tell much and may change much. One
// that the configuration leaves open to everybody is for clients on this machine only.
//
// Threads: pure.
#pragma once

#include <string_view>

#include "config/path_settings.hpp"

namespace steelyard::config {

// How to open it on purpose.
inline constexpr std::string_view how_to_open_it =
    "write Require with those who may come in, or Require expr true for everybody";

// A page that may be left open: all that a desk answers.
[[nodiscard]] bool is_page(Responder responder);

// No Require line, and no Order, asks anything of who comes with this method.
[[nodiscard]] bool is_left_open(const PathSettings& settings, std::string_view method);
// The same for any of the methods that the page has an answer to: <Limit GET POST> closes no PATCH.
[[nodiscard]] bool is_left_open(const PathSettings& settings, Responder page);

}  // namespace steelyard::config
