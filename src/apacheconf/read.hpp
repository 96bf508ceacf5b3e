#pragma once

#include <expected>
#include <memory>
#include <vector>

#include "apacheconf/read_options.hpp"
#include "config/config.hpp"

namespace steelyard::apacheconf {

struct ReadResult {
  std::unique_ptr<config::Config> config;
  std::vector<Diagnostic> remarks;  // warnings and notes, in reading order
  std::string sources;              // the files as -D DUMP_INCLUDES shows them, a line each
};

// Either a complete Config, or everything that is to be said in reading order: at least one fault,
// and the warnings and notes too.
std::expected<ReadResult, std::vector<Diagnostic>> read_configuration(const ReadOptions& options,
                                                                      const Files& files);

}  // namespace steelyard::apacheconf
