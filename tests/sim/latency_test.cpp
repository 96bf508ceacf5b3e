// What clients wait for.
#include <gtest/gtest.h>

#include <cstdio>

#include "queueing_theory.hpp"
#include "world.hpp"

namespace steelyard::sim {
namespace {

constexpr std::size_t members = 200;
constexpr double service = 0.01;  // seconds

// The 99th percentile in service times, of 400,000 requests after the queues have filled.
double p99(std::string_view policy, double load) {
  World world(group_of(members, policy), std::vector<MemberModel>(members, {service}));
  const double rate = load * static_cast<double>(members) / service;
  world.run(rate, 4);
  world.forget();
  world.run(rate, 400'000 / rate);
  const double result = quantile(world.times(), 0.99) / service;
  world.finish();
  return result;
}

// The tolerances are five standard deviations: with one choice a long queue lasts, so a few
// thousand independent looks at 200 queues are all that a run gives.
TEST(TwoChoices, beat_one_by_the_margin_of_theory) {
  for (const double load : {0.5, 0.7}) {
    const double one = p99("lbmethod=random", load);
    const double two = p99("lbmethod=tworandom", load);
    const double one_by_theory = p99_of_one_choice(load);
    const double two_by_theory = p99_of_two_choices(load);
    std::printf("load %.1f: p99 %.2f and %.2f service times, %.2f and %.2f by theory\n", load, one,
                two, one_by_theory, two_by_theory);
    EXPECT_NEAR(one, one_by_theory, one_by_theory * 0.09);
    EXPECT_NEAR(two, two_by_theory, two_by_theory * 0.05);
    EXPECT_NEAR(one / two, one_by_theory / two_by_theory, one_by_theory / two_by_theory * 0.12);
  }
}

struct SlowOne {
  double share_of_slow = 0;
  double p99 = 0;  // seconds
};

// One of ten members takes ten times as long as the others.
SlowOne with_a_slow_member(std::string_view policy) {
  constexpr std::size_t few = 10;
  std::vector<MemberModel> models(few, {service, 4});
  models[3].service_seconds = 10 * service;
  World world(group_of(few, policy), models);
  constexpr double rate = 1500;
  world.run(rate, 20);
  world.forget();
  world.run(rate, 100);
  SlowOne result;
  double slow = 0;
  for (const Pick& pick : world.picks()) slow += pick.member == 3 ? 1 : 0;
  result.share_of_slow = slow / static_cast<double>(world.picks().size());
  result.p99 = quantile(world.times(), 0.99);
  world.finish();
  return result;
}

// Its capacity is 40 of the 1500 requests a second: 2.7 %. Turns give it 10 %, so its queue grows
// without end; two choices fill its places; least time asks it just often enough to know.
TEST(LeastTime, shifts_traffic_from_a_slow_member) {
  const SlowOne turns = with_a_slow_member("lbmethod=byrequests");
  const SlowOne two = with_a_slow_member("lbmethod=tworandom");
  const SlowOne least = with_a_slow_member("lbmethod=leasttime");
  std::printf("share of the slow member %.3f %.3f %.3f, p99 %.3f %.3f %.3f s\n",
              turns.share_of_slow, two.share_of_slow, least.share_of_slow, turns.p99, two.p99,
              least.p99);
  EXPECT_NEAR(turns.share_of_slow, 0.1, 0.001);
  EXPECT_LT(least.share_of_slow, 0.01);
  EXPECT_LT(least.share_of_slow, two.share_of_slow / 2);
  EXPECT_LT(least.p99, two.p99 / 1.5);
  EXPECT_LT(least.p99, turns.p99 / 10);
}

// The member recovers: it is asked again, and gets its share back.
TEST(LeastTime, finds_out_that_a_slow_member_is_quick_again) {
  constexpr std::size_t few = 10;
  std::vector<MemberModel> models(few, {service, 4});
  models[3].service_seconds = 10 * service;
  World world(group_of(few, "lbmethod=leasttime"), models);
  world.run(1500, 30);
  world.model(3).service_seconds = service;
  world.run(1500, 60);
  world.forget();
  world.run(1500, 60);
  double share = 0;
  for (const Pick& pick : world.picks()) share += pick.member == 3 ? 1 : 0;
  share /= static_cast<double>(world.picks().size());
  EXPECT_NEAR(share, 0.1, 0.03);
  world.finish();
}

}  // namespace
}  // namespace steelyard::sim
