#include "balance/census.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "balance/hashing.hpp"

namespace steelyard::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant start = Instant{} + std::chrono::hours(1);

std::uint32_t sessions(const Census& census, Duration window, Instant now) {
  return census.count(window, now).sessions;
}

TEST(Census, counts_each_session_once_and_from_its_last_request) {
  Census census;
  census.note(1, start);
  census.note(2, start + seconds(10));
  census.note(1, start + seconds(20));
  EXPECT_EQ(sessions(census, minutes(1), start + seconds(20)), 2U);
  EXPECT_EQ(sessions(census, minutes(1), start + seconds(70)), 2U);
  EXPECT_EQ(sessions(census, minutes(1), start + seconds(71)), 1U);
  EXPECT_EQ(sessions(census, minutes(1), start + seconds(81)), 0U);
  EXPECT_EQ(sessions(census, minutes(5), start + seconds(81)), 2U);
}

TEST(Census, is_exact_below_its_bound) {
  Random random{20'261'129};
  Census census;
  std::map<std::uint64_t, Instant> plain;
  Instant now = start;
  for (int step = 0; step < 40'000; ++step) {
    now += milliseconds(random.next() % 4 == 0 ? 0 : random.next() % 1500) / 100 * 100;
    const std::uint64_t token = mixed(random.next() % 9000);
    census.note(token, now);
    plain[token] = now;
    if (step % 500 != 0) continue;
    const auto counts = census.counts(now);
    for (std::size_t i = 0; i < Census::windows.size(); ++i) {
      std::uint32_t wanted = 0;
      for (const auto& [known, seen] : plain) wanted += now - seen <= Census::windows[i] ? 1 : 0;
      ASSERT_EQ(counts[i].sessions, wanted) << "step " << step << ", window " << i;
      ASSERT_EQ(census.count(Census::windows[i], now).sessions, wanted);
      ASSERT_FALSE(counts[i].at_least);
    }
  }
}

TEST(Census, tokens_that_meet_in_one_slot_survive_a_sweep) {
  Census census;
  // All have the same home in any table: one chain that wraps around its end.
  const auto token = [](std::uint64_t i) { return (i << 32) | 0xffff'ffff; };
  for (std::uint64_t i = 0; i < 24; ++i) census.note(token(i), start);
  const Instant later = start + Census::window_max + seconds(1);
  for (std::uint64_t i = 24; i < 40; ++i) census.note(token(i), start + seconds(2));
  for (std::uint64_t i = 40; i < 60; ++i) census.note(token(i), later);
  EXPECT_EQ(sessions(census, Census::window_max, later), 36U);
  for (std::uint64_t i = 24; i < 60; ++i) census.note(token(i), later);
  EXPECT_EQ(sessions(census, Census::window_max, later), 36U);
}

TEST(Census, a_table_that_is_large_enough_stays) {
  Census census;
  Instant now = start;
  std::uint64_t token = 0;
  const auto one_hour_of_sessions = [&] {
    for (int i = 0; i < 3600; ++i) census.note(mixed(++token), now += seconds(1));
  };
  one_hour_of_sessions();
  one_hour_of_sessions();
  const std::size_t slots = census.slot_count();
  EXPECT_EQ(slots, 16'384U);
  for (int hour = 0; hour < 20; ++hour) one_hour_of_sessions();
  EXPECT_EQ(census.slot_count(), slots);
  EXPECT_EQ(sessions(census, minutes(15), now), 901U);
}

TEST(Census, beyond_its_bound_it_says_at_least_until_the_window_is_whole_again) {
  Census census;
  const std::uint32_t bound = Census::tokens_max;
  for (std::uint64_t i = 0; i < bound; ++i) census.note(mixed(i), start);
  EXPECT_FALSE(census.count(minutes(1), start).at_least);
  census.note(mixed(bound), start);
  const SessionCount full = census.count(minutes(1), start);
  EXPECT_EQ(full.sessions, bound);
  EXPECT_TRUE(full.at_least);
  EXPECT_EQ(census.slot_count(), 2 * bound);
  // A value that is known is taken all the same.
  census.note(mixed(7), start + seconds(120));
  const SessionCount later = census.count(minutes(1), start + seconds(120));
  EXPECT_EQ(later.sessions, 1U);
  EXPECT_FALSE(later.at_least);
  EXPECT_TRUE(census.count(minutes(5), start + seconds(120)).at_least);
}

TEST(Census, a_full_table_takes_sessions_again_when_old_ones_are_over) {
  Census census;
  for (std::uint64_t i = 0; i <= Census::tokens_max; ++i) census.note(mixed(i), start);
  const Instant later = start + Census::window_max + seconds(1);
  census.note(mixed(1'000'000), later);
  EXPECT_EQ(sessions(census, Census::window_max, later), 1U);
}

TEST(Census, says_when_it_does_not_know_the_whole_window) {
  Census census;
  census.begin(start);
  EXPECT_FALSE(census.count(minutes(1), start + seconds(59)).whole);
  EXPECT_TRUE(census.count(minutes(1), start + seconds(60)).whole);
  EXPECT_FALSE(census.counts(start + seconds(60))[1].whole);
}

TEST(Census, a_clock_that_is_behind_moves_nothing_back) {
  Census census;
  census.note(1, start + seconds(10));
  census.note(1, start);
  EXPECT_EQ(sessions(census, seconds(1), start + seconds(11)), 1U);
  EXPECT_EQ(sessions(census, seconds(1), start), 1U);
}

TEST(Census, looks_no_further_than_the_limit) {
  Census census;
  for (std::uint64_t i = 0; i < 100; ++i) census.note(mixed(i), start);
  EXPECT_EQ(census.count_up_to(3, minutes(1), start).sessions, 4U);
  EXPECT_EQ(census.count_up_to(200, minutes(1), start).sessions, 100U);
}

TEST(Census, values_have_different_tokens) {
  EXPECT_EQ(session_token("abc.r1"), session_token("abc.r1"));
  EXPECT_NE(session_token("abc.r1"), session_token("abc.r2"));
}

}  // namespace
}  // namespace steelyard::balance
