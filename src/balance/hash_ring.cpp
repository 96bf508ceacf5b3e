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
  places_.reserve(points.size());
  for (const Point& point : points) {
    points_.push_back(point.at);
    places_.push_back({static_cast<std::uint32_t>(point.at >> 32), point.owner});
  }
  if (!points.empty()) index_points();
}

void HashRing::index_points() {
  // About 32 points in each bucket, and at least two buckets: a shift by all 64 bits means nothing.
  constexpr int bits_max = 32;
  constexpr int bits_of_bucket = 5;
  const auto bits = static_cast<unsigned>(
      std::clamp(static_cast<int>(std::bit_width(points_.size())) - bits_of_bucket, 1, bits_max));
  shift_ = 64U - bits;
  const std::size_t buckets = std::size_t{1} << bits;
  first_places_.reserve(buckets + 1);
  std::size_t place = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    while (place < points_.size() && (points_[place] >> shift_) < bucket) ++place;
    first_places_.push_back(static_cast<std::uint32_t>(place));
  }
  first_places_.push_back(static_cast<std::uint32_t>(points_.size()));
}

std::size_t HashRing::find(std::uint64_t key) const {
  const std::size_t bucket = key >> shift_;
  const std::uint32_t first = first_places_[bucket];
  const std::uint64_t rest = key << (64U - shift_);
  std::size_t place = first + scaled(rest, first_places_[bucket + 1] - first);
  while (place > 0 && !lies_before(place - 1, key)) --place;
  while (place < places_.size() && lies_before(place, key)) ++place;
  return place == places_.size() ? 0 : place;
}

}  // namespace steelyard::balance
