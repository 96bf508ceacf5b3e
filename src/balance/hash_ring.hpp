// Consistent hashing: each member owns points on a ring, a key belongs to the next point behind it.
//
//   ring   ...  b'  a  c   key→  b  a'  c' ...        the key is b's, and a's when b cannot
//
// The points follow from a member's name and factor alone, so a member that comes or goes moves the
// keys of its own points and no others.
//
// Threads: immutable once built.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "balance/weight_table.hpp"

namespace steelyard::balance {

// A member as tables of keys see it.
struct KeyOwner {
  Position position;
  std::uint64_t identity;  // the hash of its name
  std::int64_t factor;     // above 0, load_factor_unit is 1
};

class HashRing {
 public:
  static constexpr std::int64_t points_per_unit = 160;  // of factor 1
  // All points together; when the members want more, each gets half as many, again and again.
  static constexpr std::int64_t points_max = 1 << 19;

  HashRing() = default;  // has no owner
  explicit HashRing(std::span<const KeyOwner> owners);

  [[nodiscard]] std::size_t size() const { return owners_.size(); }
  // The place of the first point at or behind `key`. The ring is not empty.
  [[nodiscard]] std::size_t find(std::uint64_t key) const;
  [[nodiscard]] std::size_t next(std::size_t place) const {
    return place + 1 == owners_.size() ? 0 : place + 1;
  }
  [[nodiscard]] Position owner(std::size_t place) const { return owners_[place]; }

 private:
  void index_points();

  std::vector<std::uint64_t> points_;  // sorted
  std::vector<Position> owners_;       // of the same place
  // The first place whose point has at least these upper bits: a key is a step or two away.
  std::vector<std::uint32_t> first_places_;
  unsigned shift_ = 63;
};

}  // namespace steelyard::balance
