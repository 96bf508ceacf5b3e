#pragma once

#include "proxy/core.hpp"

// The end of an exchange in the logs.

namespace steelyard::proxy {

// One line in each access log of the server whose condition holds.
void record_access(Exchange& x, Shard::Core& core);

}  // namespace steelyard::proxy
