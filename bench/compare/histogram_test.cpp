#include "histogram.hpp"

#include <gtest/gtest.h>

namespace steelyard::bench {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, a_percentile_is_never_below_the_true_value_and_at_most_a_64th_above_it) {
  for (std::int64_t value = 1; value < 10'000'000'000; value = value * 3 / 2 + 1) {
    Histogram times;
    times.add(nanoseconds(value));
    times.add(nanoseconds(value * 4));  // so that the first is not cut down to the largest
    const auto median = times.percentile(0.4).count();
    EXPECT_GE(median, value);
    EXPECT_LE(median, value + value / 64 + 1);
  }
}

TEST(Histogram, percentiles_of_a_thousand_even_steps_are_their_ranks) {
  Histogram times;
  for (int i = 1; i <= 1000; ++i) times.add(std::chrono::microseconds(i));
  EXPECT_EQ(times.total(), 1000U);
  EXPECT_NEAR(static_cast<double>(times.percentile(0.5).count()), 500e3, 10e3);
  EXPECT_NEAR(static_cast<double>(times.percentile(0.99).count()), 990e3, 16e3);
  EXPECT_EQ(times.percentile(1.0), std::chrono::milliseconds(1));
  EXPECT_EQ(times.largest(), std::chrono::milliseconds(1));
}

TEST(Histogram, times_out_of_range_fall_into_the_outermost_buckets) {
  Histogram times;
  times.add(nanoseconds(-5));
  times.add(std::chrono::hours(1000));
  EXPECT_EQ(times.percentile(0.0).count(), 0);
  EXPECT_EQ(times.total(), 2U);
}

TEST(Histogram, without_times_every_percentile_is_zero) {
  EXPECT_EQ(Histogram().percentile(0.99).count(), 0);
}

}  // namespace
}  // namespace steelyard::bench
