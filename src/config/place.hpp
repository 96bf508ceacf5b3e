#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace steelyard::config {

// Where the configuration said something.
struct Place {
  std::shared_ptr<const std::string> file;
  std::uint32_t line = 0;
};

}  // namespace steelyard::config
