// How much a member gets that comes back.
//
// Overshoot: over all windows of time that begin at or after its return, the most that its part of
// the requests is above its fair share, relative to that. The fair share is that of its factor; by
// key, which part of the keys is its own, it is the part that it had before. A window is so long
// that a fair share is 10,000 requests: chance alone makes it stray by 1 % then, and 5 % is five
// times that.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "world.hpp"

namespace steelyard::sim {
namespace {

constexpr std::size_t members = 5;
constexpr std::size_t returning = 2;
constexpr double rate = 1000;
constexpr double window = 10'000 * members / rate;  // seconds
constexpr double ramp = 60;                         // seconds, slowstart= below

double part_of(const std::vector<Pick>& picks, std::size_t member, double from, double to) {
  double own = 0;
  double all = 0;
  auto pick = std::ranges::lower_bound(picks, from, {}, &Pick::at);
  for (; pick != picks.end() && pick->at < to; ++pick) {
    own += pick->member == member ? 1 : 0;
    all += 1;
  }
  return own / all;
}

struct Course {
  double overshoot = 0;
  double early = 0;  // its part of the first tenth of the ramp, relative to its fair share
  double late = 0;   // its part of the last window
};

Course bring_back(const balance::PolicyTraits& policy, std::string_view parameters) {
  const std::string words = "lbmethod=" + std::string(policy.name) + ' ' + std::string(parameters);
  auto spec = group_of(members, words);
  World world(spec, std::vector<MemberModel>(members, {0.01, 10, false}));
  world.key = [](std::mt19937_64& random) { return std::to_string(random() % 5'000'000); };
  world.run(rate, window);
  const double fair = policy.by_key() ? part_of(world.picks(), returning, 0, window)
                                      : 1.0 / static_cast<double>(members);
  world.balancer().change_status(world.member(returning), balance::Flag::health_failed, {});
  world.run(rate, window);
  world.balancer().change_status(world.member(returning), {}, balance::Flag::health_failed);
  world.forget();
  const double back = world.now();
  world.run(rate, ramp + 2 * window);
  Course course;
  for (double from = back; from + window <= world.now(); from += window / 20) {
    const double part = part_of(world.picks(), returning, from, from + window);
    course.overshoot = std::max(course.overshoot, part / fair - 1);
    course.late = part / fair;
  }
  course.early = part_of(world.picks(), returning, back, back + ramp / 10) / fair;
  world.finish();
  std::printf("%s: overshoot %.3f, early %.3f, late %.3f\n", words.c_str(), course.overshoot,
              course.early, course.late);
  return course;
}

TEST(Recovery, overshoots_by_less_than_five_per_cent_with_slowstart) {
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    if (!policy.by_plan) continue;  // chooses by heartbeats alone
    const Course course = bring_back(policy, "slowstart=60");
    EXPECT_LE(course.overshoot, 0.05) << policy.name;
    EXPECT_LT(course.early, 0.2) << policy.name;
    EXPECT_NEAR(course.late, 1, 0.05) << policy.name;
  }
}

// The part of the requests that is due to the returning one of two members between two moments of
// its ramp, as parts of that: the mean of share/(1 + share), where the share goes from 1/32 to 1.
double due_of_two(double from, double to) {
  const auto share = [](double moment) { return 1.0 / 32 + moment * 31 / 32; };
  const double span = share(to) - share(from);
  return 1 - std::log((1 + share(to)) / (1 + share(from))) / span;
}

// Beside one other member it is half of every pair, and as it is idle and quicker it wins each.
TEST(Recovery, gives_a_quicker_one_of_two_no_more_than_its_ramp) {
  constexpr double requests_per_second = 10'000;
  constexpr int parts = 10;
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    if (!policy.by_plan || policy.by_key()) continue;
    const std::string words = "slowstart=60 lbmethod=" + std::string(policy.name);
    World world(group_of(2, words), {{0.01, 1000, false}, {0.002, 1000, false}});
    world.run(requests_per_second, 5);
    world.balancer().change_status(world.member(1), balance::Flag::health_failed, {});
    world.run(requests_per_second, 5);
    world.balancer().change_status(world.member(1), {}, balance::Flag::health_failed);
    world.forget();
    const double back = world.now();
    world.run(requests_per_second, ramp);
    double worst = 0;
    for (int i = 0; i < parts; ++i) {
      const double from = static_cast<double>(i) / parts;
      const double to = static_cast<double>(i + 1) / parts;
      const double part = part_of(world.picks(), 1, back + from * ramp, back + to * ramp);
      worst = std::max(worst, part / due_of_two(from, to) - 1);
    }
    std::printf("%s, of two: at most %.3f above its ramp\n", words.c_str(), worst);
    EXPECT_LE(worst, 0.05) << policy.name;
    world.finish();
  }
}

TEST(Recovery, at_the_current_position_does_not_flood) {
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    if (!policy.has_position) continue;
    EXPECT_LE(bring_back(policy, "reentry=current").overshoot, 0.05) << policy.name;
  }
}

// What the tests above would see without the parameters: bytraffic as httpd has it.
TEST(Recovery, floods_with_bytraffic_as_in_httpd) {
  const Course course = bring_back(traits_of(balance::Policy::by_traffic), "");
  EXPECT_GT(course.overshoot, 0.5);
  EXPECT_GT(course.early, 4.5);  // of 5: everything
}

}  // namespace
}  // namespace steelyard::sim
