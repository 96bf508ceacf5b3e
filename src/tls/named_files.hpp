#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "tls/files.hpp"

namespace steelyard::tls {

// The paths of all keys, certificates and lists that the configuration names, once each; of
// directories, those that lie in them now. What cannot be listed has none.
std::vector<std::string> named_files(const config::Config& config,
                                     const decltype(FileAccess::list)& list);

// Complains of files and directories that are named, are not there, cannot be read or are empty,
// whether or not anything uses them (httpd). `seen`: paths that need no second look.
void look_at_named(const config::Config& config, const FileAccess& files,
                   std::set<std::string>& seen, Faults& faults);

}  // namespace steelyard::tls
