#include "manage/rates.hpp"

#include <gmock/gmock.h>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "manage/story.hpp"

namespace steelyard::manage {
namespace {

using balance::Flag;
using balance::MemberView;
using balance::Status;
using std::chrono::seconds;
using testing::DoubleEq;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Optional;

using Latency = std::array<std::uint32_t, latency_places>;

// Places 0, 1, 2, ... end at 0.125, 0.25, 0.5, 1, 2, 4 ms.
TEST(Quantile, lies_within_its_bucket_as_if_that_were_filled_evenly) {
  Latency counts{};
  EXPECT_EQ(quantile_ms(counts, 0.5), std::nullopt);
  counts[4] = 10;  // 1 to 2 ms
  EXPECT_THAT(quantile_ms(counts, 0.5), Optional(DoubleEq(1.5)));
  EXPECT_THAT(quantile_ms(counts, 1), Optional(DoubleEq(2)));
  EXPECT_THAT(quantile_ms(counts, 0), Optional(DoubleEq(1)));
  counts[5] = 30;  // 2 to 4 ms
  EXPECT_THAT(quantile_ms(counts, 0.25), Optional(DoubleEq(2)));
  EXPECT_THAT(quantile_ms(counts, 0.625), Optional(DoubleEq(3)));
  counts[0] = 40;
  EXPECT_THAT(quantile_ms(counts, 0.25), Optional(DoubleEq(0.0625)));
}

TEST(Quantile, of_what_has_no_end_is_its_beginning) {
  Latency counts{};
  counts[DurationHistogram::bound_count] = 3;
  EXPECT_THAT(quantile_ms(counts, 0.99), Optional(DoubleEq(65'536)));
}

TEST(Quantile, rests_on_no_more_than_the_counts) {
  Latency counts{};
  counts[1] = 1;
  EXPECT_THAT(quantile_ms(counts, 7), Optional(DoubleEq(0.25)));
  EXPECT_THAT(quantile_ms(counts, -7), Optional(DoubleEq(0.125)));
}

TEST(Rates, are_counts_by_the_time_they_took) {
  EXPECT_DOUBLE_EQ(per_second(30, seconds(4)), 7.5);
  EXPECT_DOUBLE_EQ(per_second(30, Duration(0)), 0);
}

TEST(Rates, begin_anew_with_a_counter_that_went_back) {
  const Counts before{.requests = 100, .sent = 7};
  const Amount amount =
      Amount::since(before, {.requests = 3, .sent = 9, .received = 5}, seconds(1));
  EXPECT_EQ(amount.requests, 3);
  EXPECT_EQ(amount.sent, 2);
  EXPECT_EQ(amount.received, 5);
}

TEST(Rates, small_counters_may_wrap_around) {
  Counts before, now;
  before.causes[1] = UINT32_MAX;
  now.causes[1] = 1;
  before.bad_answers = UINT32_MAX - 1;
  now.bad_answers = 0;
  const Amount amount = Amount::since(before, now, seconds(1));
  EXPECT_EQ(amount.causes[1], 2);
  EXPECT_EQ(amount.errors(), 4);
}

TEST(Rates, of_several_members_add_up_over_the_same_time_and_of_one_over_the_times) {
  Amount one;
  one.span = seconds(1);
  one.requests = 4;
  one.latency[2] = 4;
  EXPECT_FALSE(one.is_empty());
  Amount beside = one;
  beside.add_beside(one);
  EXPECT_EQ(beside.span, seconds(1));
  EXPECT_EQ(beside.requests, 8);
  Amount later = one;
  later.add_later(one);
  EXPECT_EQ(later.span, seconds(2));
  EXPECT_EQ(later.latency[2], 8);
  EXPECT_TRUE(Amount().is_empty());
}

// Members by words like "2", "1 H", "1 set1 E": factor, set, status letters.
std::vector<MemberView> members(const std::vector<std::string>& words) {
  std::vector<MemberView> views;
  for (const std::string& text : words) {
    auto spec = std::make_shared<balance::MemberSpec>();
    MemberView view;
    view.status = Flag::initialised;
    for (const std::string_view word : split(text, ' ')) {
      if (word.starts_with("set")) {
        CHECK(balance::set_member_parameter(*spec, "lbset", word.substr(3)));
      } else if (is_digit(word.front())) {
        CHECK(balance::set_member_parameter(*spec, "loadfactor", word));
      } else {
        CHECK(balance::apply_status_text(view.status, word));
      }
    }
    view.spec = std::move(spec);
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<double> shares(const std::vector<std::string>& words,
                           std::optional<int> active_min = std::nullopt) {
  return expected_shares(members(words), active_min);
}

TEST(ExpectedShares, follow_the_factors_of_those_that_take_part) {
  EXPECT_THAT(shares({"3", "1"}), ElementsAre(0.75, 0.25));
  EXPECT_THAT(shares({"3", "1", "1 E", "1 D", "1 N"}), ElementsAre(0.75, 0.25, 0, 0, 0));
  EXPECT_THAT(shares({}), ElementsAre());
  EXPECT_THAT(shares({"1 S"}), ElementsAre(0));
}

TEST(ExpectedShares, are_those_of_the_lowest_set_with_anybody) {
  EXPECT_THAT(shares({"1 set1", "1 set1", "1 set0"}), ElementsAre(0, 0, 1));
  EXPECT_THAT(shares({"1 set1", "3 set1", "1 set0 E"}), ElementsAre(0.25, 0.75, 0));
}

TEST(ExpectedShares, go_to_standbys_when_nobody_else_is_there_and_to_a_spare_for_each_missing_one) {
  EXPECT_THAT(shares({"1", "1 H"}), ElementsAre(1, 0));
  EXPECT_THAT(shares({"1 E", "1 H", "1 H"}), ElementsAre(0, 0.5, 0.5));
  EXPECT_THAT(shares({"1", "1", "1 R"}), ElementsAre(0.5, 0.5, 0));
  EXPECT_THAT(shares({"1", "1 E", "1 R", "1 R"}), ElementsAre(0.5, 0, 0.5, 0));
  EXPECT_THAT(shares({"1", "1 H", "1 H"}, 2), ElementsAre(0.5, 0.5, 0));
}

Amount amount(std::uint64_t requests, seconds span) {
  Amount amount;
  amount.span = span;
  amount.requests = requests;
  return amount;
}

TEST(AStory, tells_rates_of_the_last_five_seconds) {
  Story story;
  EXPECT_EQ(story.now().requests, 0);
  for (int i = 0; i < 20; ++i) story.add(amount(i < 15 ? 100 : 2, seconds(1)));
  EXPECT_EQ(story.now().requests, 10);
  EXPECT_EQ(story.now().span, seconds(5));
  story.add(amount(50, seconds(10)));  // nobody looked for a while
  EXPECT_EQ(story.now().requests, 50);
  EXPECT_EQ(story.now().span, seconds(10));
}

TEST(AStory, tells_the_last_minute_and_the_step_under_way) {
  Story story;
  for (int step = 0; step < 10; ++step) {
    story.add(amount(1, seconds(10)));
    story.end_step(0);
  }
  EXPECT_EQ(story.minute().requests, 6);
  story.add(amount(5, seconds(1)));
  EXPECT_EQ(story.minute().requests, 11);
  EXPECT_EQ(story.minute().span, seconds(61));
}

TEST(AStory, keeps_an_hour_of_steps_oldest_first) {
  Story story;
  for (std::uint64_t step = 0; step < Story::steps_max + 2; ++step) {
    Amount one = amount(step * 10, seconds(10));
    one.bad_answers = 20;
    if (step > 100) one.latency[4] = 1;
    story.add(one);
    story.end_step(7);
  }
  const auto steps = story.steps();
  ASSERT_EQ(steps.size(), Story::steps_max);
  EXPECT_FLOAT_EQ(steps.front().requests, 2);
  EXPECT_FLOAT_EQ(steps.back().requests, 361);
  EXPECT_FLOAT_EQ(steps.back().errors, 2);
  EXPECT_FLOAT_EQ(steps.front().p50_ms, -1);
  EXPECT_THAT(steps.back().p99_ms, testing::FloatNear(1.99F, 0.001F));
  EXPECT_EQ(steps.back().in_flight, 7);
}

TEST(AStory, that_begins_late_has_nothing_to_tell_of_before) {
  Story story;
  story.begin_with_empty(2);
  story.add(amount(10, seconds(10)));
  story.end_step(1);
  ASSERT_EQ(story.steps().size(), 3);
  EXPECT_FLOAT_EQ(story.steps()[1].requests, 0);
  EXPECT_FLOAT_EQ(story.steps()[2].requests, 1);
  story.begin_with_empty(100'000);
  EXPECT_EQ(story.steps().size(), Story::steps_max);
}

}  // namespace
}  // namespace steelyard::manage
