#pragma once

#include <chrono>
#include <ctime>
#include <string_view>

// Local time as logs and expressions print it. The C library takes a lock and reads the time zone
// for each conversion, so a thread remembers the seconds it converted last.
//
// Threads: each has its own memory; a result lives until the same thread converts a few others.

namespace steelyard::expr {

const std::tm& local_calendar(std::chrono::sys_seconds when);

// "[20/Nov/2026:17:58:07 +0100]"
std::string_view common_log_time(std::chrono::sys_seconds when);

}  // namespace steelyard::expr
