#include "balance/latency.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace steelyard::balance {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

const Instant start = Instant{} + hours(1);

TEST(PeakLatency, is_unknown_before_the_first_answer) { EXPECT_FALSE(Latency().expected(start)); }

TEST(PeakLatency, a_slower_answer_counts_at_once) {
  Latency latency;
  latency.observe(milliseconds(10), start);
  latency.observe(milliseconds(900), start + milliseconds(1));
  EXPECT_NEAR(*latency.expected(start + milliseconds(1)), 0.9, 1e-4);
}

TEST(PeakLatency, quicker_answers_pull_it_down_within_its_memory) {
  Latency latency;
  latency.observe(milliseconds(1000), start);
  Instant now = start;
  for (int i = 0; i < 100; ++i) latency.observe(milliseconds(10), now += milliseconds(100));
  // One memory later 1/e of the difference is left.
  EXPECT_NEAR(*latency.expected(now), 0.01 + 0.99 / 2.71828, 0.01);
}

TEST(PeakLatency, silence_pulls_it_down_too) {
  Latency latency;
  latency.observe(milliseconds(1000), start);
  EXPECT_NEAR(*latency.expected(start + Latency::memory), 1 / 2.71828, 1e-3);
  EXPECT_NEAR(*latency.expected(start + 3 * Latency::memory), 1 / 20.0855, 1e-3);
}

TEST(PeakLatency, a_clock_that_is_a_little_behind_is_no_time_at_all) {
  Latency latency;
  latency.observe(milliseconds(1000), start);
  EXPECT_NEAR(*latency.expected(start - milliseconds(5)), 1.0, 1e-4);
}

TEST(PeakLatency, an_answer_in_no_time_is_still_a_measurement) {
  Latency latency;
  latency.observe(Duration::zero(), start);
  ASSERT_TRUE(latency.expected(start));
  EXPECT_GT(*latency.expected(start), 0);
}

TEST(PeakLatency, a_peak_is_never_lost_among_threads) {
  Latency latency;
  {
    std::vector<std::jthread> threads;
    for (int thread = 1; thread <= 4; ++thread) {
      threads.emplace_back([&latency, thread] {
        for (int i = 1; i <= 2000; ++i) latency.observe(milliseconds(thread * i), start);
      });
    }
  }
  EXPECT_NEAR(*latency.expected(start), 8.0, 1e-3);
}

}  // namespace
}  // namespace steelyard::balance
