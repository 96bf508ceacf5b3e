#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.hpp"

// The bounds of health checks that no parameter sets.

namespace steelyard::health {

// How often the prober looks who is due; httpd's watchdog does the same.
inline constexpr Duration look_interval = std::chrono::milliseconds(100);

// Checks under way at a time: descriptors belong to clients first. Who is due beyond that is looked
// at again by the next look, beginning where this one stopped.
inline constexpr std::size_t checks_under_way_max = 512;

// So much of a body is read, kept for conditions and judged; httpd reads without end.
inline constexpr std::size_t body_bytes_max = std::size_t{1} << 20;

// So much an application of FastCGI may say in all, STDERR and framing included, and who answers in
// another protocol before its body. Others have their turn after so many bytes.
inline constexpr std::size_t heard_bytes_max = std::size_t{16} << 20;
inline constexpr std::size_t heard_bytes_a_turn = std::size_t{64} << 10;

// Beyond connect and read timeouts: what an answer may take that comes drop by drop.
inline constexpr Duration dripping_time_max = std::chrono::minutes(5);

}  // namespace steelyard::health
