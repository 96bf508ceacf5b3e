#pragma once

#include <string>

#include "config/place.hpp"

// A file that a line of the configuration names; nothing of it is loaded yet.
//
// Threads: values.

namespace steelyard::config {

struct NamedFile {
  std::string path;  // absolute
  Place place;       // of the line that names it
};

}  // namespace steelyard::config
