#pragma once

#include <string>

// What -v and -V print.

namespace steelyard::server {

std::string version_text();
std::string build_settings_text();

}  // namespace steelyard::server
