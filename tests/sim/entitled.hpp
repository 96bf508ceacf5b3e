// Who may be picked for a request without session, by the letter of httpd's rule and as slowly:
// regular members of the lowest set that has anybody, one spare for each of them that is missing,
// and that set's standbys only if there is neither.
#pragma once

#include <set>
#include <vector>

#include "world.hpp"

namespace steelyard::sim {

// As members are now, without those that were tried in vain.
std::set<std::size_t> entitled_members(World& world, const std::vector<std::size_t>& tried);

}  // namespace steelyard::sim
