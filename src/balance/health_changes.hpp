// How many changes of health all members' logs (health_log.hpp) were told of in this process: who
// looks for news need not go through ten thousand members to find that there are none.
//
// Threads: any.
#pragma once

#include <cstdint>

namespace steelyard::balance {

[[nodiscard]] std::uint64_t health_changes();

}  // namespace steelyard::balance
