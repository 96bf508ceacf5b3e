#pragma once

#include <memory>
#include <string>

#include "io/spill_file.hpp"

namespace steelyard::io {

// In `directory`, readable by nobody else. nullptr when the system refuses.
std::unique_ptr<SpillFile> open_temporary_file(const std::string& directory);

}  // namespace steelyard::io
