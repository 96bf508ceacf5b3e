#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "tls/files.hpp"

namespace steelyard::tls {

// The paths of all keys, certificates and lists that the configuration names, once each; of
// directories, those that lie in them now. What cannot be listed has none.
std::vector<std::string> named_files(const config::Config& config,
                                     const decltype(FileAccess::list)& list);

}  // namespace steelyard::tls
