#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.hpp"

// The bounds of looking after names. How long an answer counts: io::AddressCache.

namespace steelyard::names {

// Lookups under way at a time; who is due beyond that comes a little later.
inline constexpr std::size_t lookups_under_way_max = 64;
inline constexpr Duration crowded_pause = std::chrono::milliseconds(50);

// After a lookup without an answer, doubled each time.
inline constexpr Duration retry_first = std::chrono::seconds(1);
inline constexpr Duration retry_max = std::chrono::seconds(8);

// How long a start or a reload waits for members that are what a name leads to.
inline constexpr Duration first_answers_wait = std::chrono::seconds(1);

// A lookup that nobody ended; c-ares gives up before.
inline constexpr Duration lookup_time_max = std::chrono::seconds(30);

// A name whose addresses failed is looked up at once, but not more often than this.
inline constexpr Duration look_again_pause = std::chrono::seconds(1);

// Addresses that a member is given; a request tries them one after the other.
inline constexpr std::size_t addresses_of_member_max = 64;

}  // namespace steelyard::names
