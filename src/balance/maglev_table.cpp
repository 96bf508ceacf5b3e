#include "balance/maglev_table.hpp"

#include <algorithm>
#include <array>

namespace steelyard::balance {

namespace {

constexpr Position unclaimed = UINT32_MAX;
constexpr std::size_t slots_per_owner = 100;
// Primes, so that every step goes through all slots. Few sizes, as another size moves every key.
constexpr std::array<std::uint32_t, 3> sizes{4093, 65521, MaglevTable::slots_max};

std::uint32_t size_for(std::size_t owners) {
  for (const std::uint32_t size : sizes) {
    if (owners * slots_per_owner <= size) return size;
  }
  return sizes.back();
}

struct Claimant {
  std::uint32_t next;
  std::uint32_t step;
  std::int64_t due;  // what it may claim still, in units of the largest factor
};

}  // namespace

MaglevTable::MaglevTable(std::span<const KeyOwner> owners) {
  if (owners.empty()) return;
  const std::uint32_t size = size_for(owners.size());
  const std::int64_t largest = std::ranges::max(owners, {}, &KeyOwner::factor).factor;
  std::vector<Claimant> claimants;
  for (const KeyOwner& owner : owners) {
    const std::uint64_t first = mixed(owner.identity + golden_step);
    const std::uint64_t second = mixed(owner.identity + 2 * golden_step);
    claimants.push_back({scaled(first, size), 1 + scaled(second, size - 1), 0});
  }
  slots_.assign(size, unclaimed);
  for (std::uint32_t left = size; left > 0;) {
    for (std::size_t i = 0; i < owners.size() && left > 0; ++i) {
      Claimant& claimant = claimants[i];
      claimant.due += owners[i].factor;
      if (claimant.due < largest) continue;
      claimant.due -= largest;
      while (slots_[claimant.next] != unclaimed) {
        claimant.next = (claimant.next + claimant.step) % size;
      }
      slots_[claimant.next] = owners[i].position;
      --left;
    }
  }
}

}  // namespace steelyard::balance
