// One turn's quota for consecutive candidates: every credit grows by its factor. This is the loop
// that a choice among thousands of members consists of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard::balance {

// So many at a time: what was just written is still in the nearest cache when it is looked at.
inline constexpr std::size_t earning_block = 128;

// Adds each factor to its credit and returns the largest credit then. `count` is not 0.
std::int64_t earn(std::int64_t* credits, const std::int64_t* factors, std::size_t count);

}  // namespace steelyard::balance
