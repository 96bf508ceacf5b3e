#include "entitled.hpp"

#include <algorithm>

namespace steelyard::sim {

namespace {

using balance::Flag;

std::set<std::size_t> entitled_of_set(World& world, const std::vector<std::size_t>& of_set,
                                      const std::vector<std::size_t>& tried) {
  std::set<std::size_t> entitled;
  std::vector<std::size_t> spares;
  std::vector<std::size_t> standbys;
  std::size_t missing = 0;
  for (const std::size_t at : of_set) {
    const balance::Status status = world.member(at)->status();
    const bool is_regular = !status.any(Flag::spare | Flag::standby);
    const bool takes_newcomers = status.usable() && !status.has(Flag::draining) &&
                                 std::ranges::find(tried, at) == tried.end();
    if (!takes_newcomers) {
      missing += is_regular ? 1 : 0;
    } else if (is_regular) {
      entitled.insert(at);
    } else {
      (status.has(Flag::spare) ? spares : standbys).push_back(at);
    }
  }
  spares.resize(std::min(spares.size(), missing));
  entitled.insert(spares.begin(), spares.end());
  if (entitled.empty()) entitled.insert(standbys.begin(), standbys.end());
  return entitled;
}

}  // namespace

std::set<std::size_t> entitled_members(World& world, const std::vector<std::size_t>& tried) {
  for (int lbset = 0; lbset <= balance::lbset_max; ++lbset) {
    std::vector<std::size_t> of_set;
    for (std::size_t at = 0; at < world.size(); ++at) {
      if (world.spec(at).lbset == lbset) of_set.push_back(at);
    }
    if (of_set.empty()) continue;
    auto entitled = entitled_of_set(world, of_set, tried);
    if (!entitled.empty()) return entitled;
  }
  return {};
}

}  // namespace steelyard::sim
