#pragma once

#include "server/keeper.hpp"

// The keeper's own side: answers questions until the server is gone.

namespace steelyard::server {

// Becomes the keeper: everything but `line` is closed. Returns when the server is gone.
void keep(const Descriptor& line, const Keeper::Duties& duties) noexcept;

}  // namespace steelyard::server
