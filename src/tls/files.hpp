#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "config/place.hpp"

// The files that a configuration names for TLS, behind two functions: who may read them is
// another's business (keys are root's). And what is wrong with them.
//
// Threads: the loader's.

namespace steelyard::tls {

struct FileAccess {
  // Its bytes; the error is the system's sentence.
  std::function<std::expected<std::string, std::string>(const std::string& path)> read;
  // Names of the files in a directory.
  std::function<std::expected<std::vector<std::string>, std::string>(const std::string& path)> list;
};

// Ready for a diagnostic.
struct Fault {
  config::Place place;
  std::string text, advice;
};
using Faults = std::vector<Fault>;

}  // namespace steelyard::tls
