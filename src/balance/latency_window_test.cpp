// ejectslow=: windows, medians, and who is ejected for being slow.
#include "balance/latency_window.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;

double microseconds_of(Duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

TEST(LatencyWindow, tells_a_median_within_six_per_cent) {
  std::mt19937 random(23);
  double scale = 20;
  while (scale < 1e9) {
    LatencyWindow window;
    std::vector<double> times;
    for (int i = 0; i < 501; ++i) {
      times.push_back(std::min(4e9, std::lognormal_distribution<>(std::log(scale), 0.5)(random)));
      window.observe(Duration(static_cast<std::int64_t>(times.back() * 1000)));
    }
    std::ranges::sort(times);
    const MedianTime median = window.take();
    EXPECT_EQ(median.answers, 501U);
    EXPECT_NEAR(microseconds_of(median.median) / times[250], 1, 0.0625) << scale;
    scale *= 3.7;
  }
}

TEST(LatencyWindow, holds_any_time) {
  LatencyWindow window;
  for (const Duration took : {Duration(-5), Duration(0), Duration::max()}) window.observe(took);
  EXPECT_EQ(window.take().answers, 3U);
}

TEST(LatencyWindow, is_empty_once_it_was_taken) {
  LatencyWindow window;
  window.observe(milliseconds(1));
  window.take();
  EXPECT_EQ(window.take().answers, 0U);
  EXPECT_EQ(window.take().median, Duration::zero());
}

std::vector<std::size_t> outliers(std::vector<MedianTime> members, int factor_hundredths) {
  std::vector<std::size_t> found;
  const SlowLimit limit{.factor_hundredths = factor_hundredths, .window = seconds(1)};
  for (const Outlier& one : find_outliers(members, limit)) found.push_back(one.which);
  return found;
}

TEST(Outliers, are_more_than_factor_times_the_median_of_medians) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  const auto ms = [](int time) { return MedianTime{10, milliseconds(time)}; };
  EXPECT_THAT(outliers({ms(10), ms(10), ms(31)}, 300), ElementsAre(2));
  EXPECT_THAT(outliers({ms(10), ms(10), ms(30)}, 300), IsEmpty());
  EXPECT_THAT(outliers({ms(40), ms(10), ms(10), ms(50), ms(10)}, 300), ElementsAre(3, 0))
      << "the slowest first";
  EXPECT_THAT(outliers({ms(10), ms(90)}, 300), IsEmpty()) << "of two, who is the slow one?";
  EXPECT_THAT(outliers({ms(10), ms(10), {9, milliseconds(90)}}, 300), IsEmpty())
      << "nine answers tell nothing";
  EXPECT_THAT(outliers({ms(10), ms(10), {9, milliseconds(1)}, ms(90)}, 300), ElementsAre(3));
}

// Ten thousand hundredths of twelve days are more nanoseconds than 64 bits count.
TEST(Outliers, are_judged_rightly_however_long_answers_take) {
  const auto hours = [](int time) { return MedianTime{10, std::chrono::hours(time)}; };
  EXPECT_THAT(outliers({hours(300), hours(300), hours(301)}, 10'000), testing::IsEmpty());
  EXPECT_THAT(outliers({hours(300), hours(300), hours(30'001)}, 10'000), testing::ElementsAre(2));
}

TEST(Outliers, are_at_least_a_millisecond_slower) {
  const auto us = [](int time) { return MedianTime{10, microseconds(time)}; };
  EXPECT_THAT(outliers({us(100), us(100), us(1099)}, 300), testing::IsEmpty());
  EXPECT_THAT(outliers({us(100), us(100), us(1100)}, 300), testing::ElementsAre(2));
}

TEST(Outliers, tell_what_they_are_judged_by) {
  EXPECT_EQ((Outlier{.median = milliseconds(310), .group = microseconds(4200)}.text()),
            "median 310 ms, group 4.2 ms");
}

// Each member answers `answers` times; `slow` are ten times slower than the rest.
std::vector<SlowEjection> one_window(Group& group, int answers, std::string_view slow) {
  std::vector<SlowEjection> ejected;
  const auto ready = [&](const std::string& name) { return group.view(name).status.usable(); };
  for (const MemberView& view : group.balancer.members()) {
    const std::string& name = view.member->name();
    for (int i = 0; i < answers && ready(name); ++i) {
      const Decision decision = group.choose(name);
      if (Group::name_of(decision) != name) continue;
      const auto took = milliseconds(slow.contains(name) ? 100 + 50 * slow.find(name) : 10);
      auto found = group.balancer.observe_latency(decision.lease, took, group.now);
      std::ranges::move(found, std::back_inserter(ejected));
    }
  }
  group.now += seconds(10);
  return ejected;
}

std::string names_of(const std::vector<SlowEjection>& ejected) {
  std::string names;
  for (const SlowEjection& one : ejected) names += one.member->name();
  return names;
}

constexpr std::string_view tagged_five = "a=a b=b c=c d=d e=e";

TEST(EjectSlow, ejects_who_took_too_long_when_the_window_is_over) {
  Group group(tagged_five, "stickysession=s ejectslow=3/10");
  one_window(group, 1, "");  // opens the first window
  EXPECT_EQ(names_of(one_window(group, 20, "c")), "") << "the window is not over";
  const auto ejected = one_window(group, 20, "c");
  ASSERT_EQ(names_of(ejected), "c");
  EXPECT_EQ(ejected[0].lasts, seconds(60));
  EXPECT_EQ(group.status("c"), "Init Err ");
  const auto event = group.view("c").member->health_log().events().back();
  EXPECT_EQ(event.cause, HealthCause::slow);
  EXPECT_THAT(event.evidence.text,
              testing::MatchesRegex("median (9[0-9]|10[0-9]) ms, group .* ms"));
  EXPECT_EQ(ejected[0].evidence, event.evidence.text);
  EXPECT_GT(event.evidence.latency, milliseconds(90));
}

TEST(EjectSlow, respects_the_ceiling_and_takes_the_slowest_first) {
  Group group(tagged_five, "stickysession=s ejectslow=3/10 maxejected=20");
  one_window(group, 1, "");
  one_window(group, 20, "cd");
  EXPECT_EQ(names_of(one_window(group, 20, "cd")), "d");
  EXPECT_EQ(group.status("c"), "Init Ok ");
  EXPECT_EQ(group.view("c").member->health_log().events().back().cause, HealthCause::member_spared);
}

TEST(EjectSlow, leaves_members_alone_that_ignore_errors) {
  Group group("a=a b=b c=c,I d=d e=e", "stickysession=s ejectslow=3/10");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(names_of(one_window(group, 20, "c")), "");
  EXPECT_EQ(group.status("c"), "Init Ign Ok ");
}

TEST(EjectSlow, is_off_without_the_parameter_and_after_a_reload_without_it) {
  Group group(tagged_five, "stickysession=s");
  EXPECT_EQ(group.view("a").member->latency_window(), nullptr) << "no memory for it";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(names_of(one_window(group, 20, "c")), "");
  group.balancer.adopt(group_spec(tagged_five, "stickysession=s ejectslow=3/10"));
  one_window(group, 20, "c");
  group.balancer.adopt(group_spec(tagged_five, "stickysession=s"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(names_of(one_window(group, 20, "c")), "");
}

TEST(EjectSlow, what_was_measured_before_it_was_on_does_not_count) {
  Group group(tagged_five, "stickysession=s ejectslow=3/10");
  one_window(group, 1, "");
  one_window(group, 20, "c");
  group.balancer.adopt(group_spec(tagged_five, "stickysession=s ejectslow=4/10"));
  EXPECT_EQ(names_of(one_window(group, 1, "")), "");
}

TEST(EjectSlow, a_failure_is_still_an_error_at_once) {
  Group group("a b c", "ejectslow=3/10");
  const Decision decision = group.choose();
  EXPECT_TRUE(group.balancer.connect_failed(decision.lease, group.now));
  EXPECT_EQ(group.status("a"), "Init Err ");
}

}  // namespace
}  // namespace steelyard::balance
