#include "base/duration_histogram.hpp"

#include <gtest/gtest.h>

namespace steelyard {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

// The one place that holds anything.
std::size_t place_of(Duration took) {
  DurationHistogram histogram;
  histogram.observe(took);
  for (std::size_t place = 0; place < DurationHistogram::bound_count; ++place) {
    if (histogram.count(place) != 0) return place;
  }
  return DurationHistogram::bound_count;
}

TEST(DurationHistogram, a_bound_belongs_to_its_place_and_what_is_longer_to_the_next) {
  for (std::size_t place = 0; place < DurationHistogram::bound_count; ++place) {
    const Duration bound = DurationHistogram::bound(place);
    EXPECT_EQ(place_of(bound), place);
    EXPECT_EQ(place_of(bound + Duration(1)), place + 1);
  }
}

TEST(DurationHistogram, nothing_and_less_are_in_the_first_place) {
  EXPECT_EQ(place_of(Duration(0)), 0);
  EXPECT_EQ(place_of(Duration(-5)), 0);
  DurationHistogram histogram;
  histogram.observe(Duration(-5));
  EXPECT_EQ(histogram.sum(), Duration(0));
}

TEST(DurationHistogram, its_last_bound_is_a_minute_and_longer_things_have_a_place) {
  EXPECT_EQ(DurationHistogram::bound(DurationHistogram::bound_count - 1), microseconds(65'536'000));
  EXPECT_EQ(place_of(seconds(100'000)), DurationHistogram::bound_count);
}

TEST(DurationHistogram, those_of_several_shards_add_up) {
  DurationHistogram one;
  DurationHistogram other;
  one.observe(seconds(1));
  other.observe(seconds(1));
  other.observe(microseconds(10));
  DurationHistogram sum;
  sum.add(one);
  sum.add(other);
  EXPECT_EQ(sum.count(0), 1);
  EXPECT_EQ(sum.count(13), 2);
  EXPECT_EQ(sum.sum(), seconds(2) + microseconds(10));
}

}  // namespace
}  // namespace steelyard
