#pragma once

#include <string>

#include "config/config.hpp"

// The whole configuration as readable text, in a fixed order and without defaults that nobody
// wrote: what golden tests compare and what `-t -D DUMP_CONFIG` prints.

namespace steelyard::config {

std::string dump(const Config& config);

}  // namespace steelyard::config
