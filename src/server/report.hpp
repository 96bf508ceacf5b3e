#pragma once

#include <string>

#include "config/config.hpp"

// What -S, -M, -l and -L print, in httpd's form.

namespace steelyard::server {

std::string hosts_report(const config::Config& config);
std::string modules_report(const config::Config& config);
std::string built_in_modules();
std::string directives_report();

}  // namespace steelyard::server
