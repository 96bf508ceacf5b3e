#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "apacheconf/diagnostic.hpp"
#include "config/config.hpp"
#include "server/options.hpp"
#include "tls/hosts.hpp"

// Reads the configuration that the command line names, at the start and at every reload.

namespace steelyard::server {

struct Configuration {
  std::unique_ptr<config::Config> config;
  std::vector<apacheconf::Diagnostic> remarks;  // warnings and notes
  std::shared_ptr<const tls::Hosts> tls;        // once load_tls() was here
  std::string sources = {};                     // the files that were read, for people
};

// Who only looks something up is not told what serving needs beyond the file.
enum class Purpose { serve, look };
// The error: everything there is to say, at least one fault.
std::expected<Configuration, std::vector<apacheconf::Diagnostic>> read_configuration(
    const Options& options, Purpose purpose = Purpose::serve);

enum class ShowNotes { no, yes };
// What to print about them, each ending with a newline.
std::string describe_all(const std::vector<apacheconf::Diagnostic>& diagnostics, ShowNotes notes);

}  // namespace steelyard::server
