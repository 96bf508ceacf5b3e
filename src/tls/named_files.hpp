#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace steelyard::tls {

// The paths of all keys, certificates and lists that the configuration names, once each. Those in
// directories are not among them.
std::vector<std::string> named_files(const config::Config& config);

}  // namespace steelyard::tls
