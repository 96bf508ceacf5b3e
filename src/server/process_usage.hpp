#pragma once

#include "manage/process_usage.hpp"

// Asks the system what this process takes.

namespace steelyard::server {

// Any thread. What cannot be found out is 0.
manage::ProcessUsage measure_process();

}  // namespace steelyard::server
