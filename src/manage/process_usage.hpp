// What the process takes of its machine, as the server finds out for a page. Threads: a value.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace steelyard::manage {

struct ProcessUsage {
  std::int64_t process_id = 0;
  WallTime started{};
  double user_seconds = 0, system_seconds = 0;  // of a processor
  double children_user_seconds = 0, children_system_seconds = 0;
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_descriptors = 0, descriptors_max = 0;
  std::array<double, 3> load_averages{};  // of 1, 5 and 15 minutes
};

}  // namespace steelyard::manage
