#pragma once

#include <string>

// What -v and -V print.

namespace steelyard::server {

std::string version_text();
std::string build_settings_text();
// "Nov 29 2026 08:00:00"
std::string build_time_text();

}  // namespace steelyard::server
