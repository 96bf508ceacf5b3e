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

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  // The place of the first point at or behind `key`. The ring is not empty.
  [[nodiscard]] std::size_t find(std::uint64_t key) const;
  [[nodiscard]] std::size_t next(std::size_t place) const {
    return place + 1 == places_.size() ? 0 : place + 1;
  }
  [[nodiscard]] Position owner(std::size_t place) const { return places_[place].owner; }

 private:
  // What a search reads is one word, so that it misses the cache once and not twice.
  struct Place {
    std::uint32_t upper_half;  // of its point
    Position owner;
  };

  void index_points();
  [[nodiscard]] bool lies_before(std::size_t place, std::uint64_t key) const {
    const auto upper_half = static_cast<std::uint32_t>(key >> 32);
    if (places_[place].upper_half != upper_half) return places_[place].upper_half < upper_half;
    return points_[place] < key;
  }

  std::vector<std::uint64_t> points_;  // sorted; read only where the upper halves are equal
  std::vector<Place> places_;
  // The first place whose point has at least these upper bits, and the end. So few that they stay
  // in a near cache: between two of them points lie evenly enough to guess where a key belongs.
  std::vector<std::uint32_t> first_places_;
  unsigned shift_ = 63;
};

}  // namespace steelyard::balance
