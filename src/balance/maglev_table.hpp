// Maglev hashing: a table of slots that members claim in turns, each in its own order. Lookups are
// one read, every member has its share of the slots to within one, and when membership changes few
// slots change hands that need not.
//
// Threads: immutable once built.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balance/hash_ring.hpp"

namespace steelyard::balance {

class MaglevTable {
 public:
  // A hundred slots for each member, and no more than this (4 MiB): beyond 10,485 members shares
  // become coarser.
  static constexpr std::uint32_t slots_max = 1'048'573;

  MaglevTable() = default;  // has no owner
  explicit MaglevTable(std::span<const KeyOwner> owners);

  [[nodiscard]] std::span<const Position> slots() const { return slots_; }
  // The table is not empty.
  [[nodiscard]] Position owner(std::uint64_t key) const {
    return slots_[scaled(key, static_cast<std::uint32_t>(slots_.size()))];
  }

 private:
  std::vector<Position> slots_;
};

}  // namespace steelyard::balance
