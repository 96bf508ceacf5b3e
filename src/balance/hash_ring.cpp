#include "balance/hash_ring.hpp"

#include <algorithm>
#include <bit>

#include "balance/spec.hpp"

namespace steelyard::balance {

namespace {

std::int64_t points_of(const KeyOwner& owner, std::int64_t points_per_unit) {
  return std::max<std::int64_t>(1, owner.factor * points_per_unit / load_factor_unit);
}

// Whole steps of two only: a scale that followed the members' number would move every key.
std::int64_t scale_for(std::span<const KeyOwner> owners) {
  std::int64_t scale = HashRing::points_per_unit;
  while (scale > 1) {
    std::int64_t all = 0;
    for (const KeyOwner& owner : owners) all += points_of(owner, scale);
    if (all <= HashRing::points_max) break;
    scale /= 2;
  }
  return scale;
}

}  // namespace

HashRing::HashRing(std::span<const KeyOwner> owners) {
  struct Point {
    std::uint64_t at;
    Position owner;
  };
  const std::int64_t scale = scale_for(owners);
  std::vector<Point> points;
  for (const KeyOwner& owner : owners) {
    std::uint64_t seed = owner.identity;
    for (std::int64_t i = points_of(owner, scale); i > 0; --i) {
      points.push_back({mixed(seed += golden_step), owner.position});
    }
  }
  std::ranges::sort(points, {}, &Point::at);
  points_.reserve(points.size());
  owners_.reserve(points.size());
  for (const Point& point : points) {
    points_.push_back(point.at);
    owners_.push_back(point.owner);
  }
  if (!points.empty()) index_points();
}

void HashRing::index_points() {
  // As many buckets as points, and at least two: a shift by all 64 bits means nothing.
  constexpr int bits_max = 32;
  const auto bits = static_cast<unsigned>(
      std::clamp(static_cast<int>(std::bit_width(points_.size())), 1, bits_max));
  shift_ = 64U - bits;
  first_places_.resize(std::size_t{1} << bits);
  std::size_t place = 0;
  for (std::size_t bucket = 0; bucket < first_places_.size(); ++bucket) {
    while (place < points_.size() && (points_[place] >> shift_) < bucket) ++place;
    first_places_[bucket] = static_cast<std::uint32_t>(place);
  }
}

std::size_t HashRing::find(std::uint64_t key) const {
  std::size_t place = first_places_[key >> shift_];
  while (place < points_.size() && points_[place] < key) ++place;
  return place == points_.size() ? 0 : place;
}

}  // namespace steelyard::balance
