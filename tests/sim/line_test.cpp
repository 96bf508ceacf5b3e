// max= with queue=: nobody is above a limit, and whoever waits for it is served in order or told no
// in time. The world itself (world.hpp) looks at who goes first, that nobody waits while a member
// has room, and that nobody is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "world.hpp"

namespace steelyard::sim {
namespace {

constexpr std::array limits{1, 5, 20, 4};  // 3,000 requests a second of 10 ms
constexpr std::size_t members = limits.size();
constexpr double late_by = 0.1 + 1e-3;  // line_pause, and rounding

std::shared_ptr<balance::BalancerSpec> limited_group(const balance::PolicyTraits& policy,
                                                     std::string_view parameters) {
  auto spec =
      group_of(members, "lbmethod=" + std::string(policy.name) + ' ' + std::string(parameters));
  for (std::size_t i = 0; i < members; ++i) {
    spec->members[i].pool.connections_max = limits[i];
    spec->members[i].retry = std::chrono::seconds(1);
  }
  return spec;
}

// What is seen of limits and of the line while a world runs.
struct Sight {
  explicit Sight(World& world) {
    // Attempts under way count: each has, or wants, a connection.
    world.on_choice = [this, &world](const Choice& choice) {
      const int busy = world.member(choice.member)->busy();
      above += busy > limits[choice.member] ? 1 : 0;
      at_limit[choice.member] += busy == limits[choice.member] ? 1 : 0;
    };
    world.on_waited = [this](double seconds) { longest = std::max(longest, seconds); };
    world.key = [](std::mt19937_64& random) { return std::to_string(random() % 1000); };
  }
  int above = 0;
  std::array<int, members> at_limit{};
  double longest = 0;  // wait, in seconds
};

void expect_counters_agree(World& world) {
  const balance::LineCounters counters = world.balancer().line().counters();
  EXPECT_EQ(counters.waiting, 0U);
  EXPECT_EQ(counters.timed_out, static_cast<std::uint64_t>(world.refusals().timed_out));
  EXPECT_EQ(counters.turned_away, static_cast<std::uint64_t>(world.refusals().turned_away));
  for (std::size_t i = 0; i < members; ++i) EXPECT_EQ(world.member(i)->busy(), 0);
}

template <class Test>
void for_all_that_queue(const Test& test) {
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    if (!policy.by_plan) continue;  // lbmethod=heartbeat has no line
    for (const std::uint64_t seed : seeds_of_run()) {
      SCOPED_TRACE(std::string(policy.name) + ", seed " + std::to_string(seed));
      test(policy, seed);
    }
  }
}

// Half as much again as they can do, for a second, and then a third of it.
void two_waves(World& world) {
  for (int i = 0; i < 2; ++i) {
    world.run(4500, 1);
    world.run(1000, 1.5);
  }
  world.finish();
}

void expect_order_and_limits(World& world, const Sight& sight) {
  EXPECT_EQ(sight.above, 0);
  EXPECT_TRUE(std::ranges::all_of(sight.at_limit, [](int times) { return times > 100; }));
  EXPECT_TRUE(std::ranges::is_sorted(world.picks(), {}, &Pick::request)) << "not in order";
  EXPECT_EQ(world.refusals().otherwise, 0);
  EXPECT_GT(world.balancer().line().counters().served, 4000U);
  expect_counters_agree(world);
}

TEST(Line, a_full_one_turns_newcomers_away_and_loses_nobody_else) {
  for_all_that_queue([](const balance::PolicyTraits& policy, std::uint64_t seed) {
    World world(limited_group(policy, "queue=300/2"), {members, {0.01, 1000}}, seed);
    const Sight sight(world);
    two_waves(world);
    expect_order_and_limits(world, sight);
    EXPECT_EQ(world.balancer().line().counters().longest, 300U);
    EXPECT_GT(world.refusals().turned_away, 1000);
    EXPECT_EQ(world.refusals().timed_out, 0);
    // 300 before it, of whom 3,000 a second go on.
    EXPECT_NEAR(sight.longest, 0.1, 0.04);
  });
}

TEST(Line, who_waits_in_vain_is_told_when_its_time_is_over) {
  for_all_that_queue([](const balance::PolicyTraits& policy, std::uint64_t seed) {
    World world(limited_group(policy, "queue=100000/200ms"), {members, {0.01, 1000}}, seed);
    const Sight sight(world);
    two_waves(world);
    expect_order_and_limits(world, sight);
    EXPECT_EQ(world.refusals().turned_away, 0);
    EXPECT_GT(world.refusals().timed_out, 1000);
    EXPECT_GE(sight.longest, 0.2);
    EXPECT_LE(sight.longest, 0.2 + late_by);
  });
}

// Each is down for half a second of five, and all of them for two seconds from the tenth on.
void let_fail(World& world) {
  for (int i = 0; i < 8; ++i) {
    const std::size_t which = static_cast<std::size_t>(i) % members;
    world.after(i * 1.25, [&world, which] { world.model(which).up = false; });
    world.after(i * 1.25 + 0.5, [&world, which] { world.model(which).up = true; });
  }
  for (std::size_t which = 0; which < members; ++which) {
    world.after(11, [&world, which] { world.model(which).up = false; });
    world.after(13, [&world, which] { world.model(which).up = true; });
  }
}

struct Failures {
  std::string_view parameters;
  bool in_time;  // all are answered
};
void PrintTo(const Failures& kind, std::ostream* out) { *out << kind.parameters; }

// With five seconds of time and `retry=1` everybody outlives the two seconds; with one, most do
// not.
constexpr std::array failures{
    Failures{"queue=100000/5", true},
    Failures{"queue=100000/5 forcerecovery=Off", true},
    Failures{"queue=100000/5 failcount=3/10 ejectmax=1", true},
    Failures{"queue=100000/5 slowstart=2 reentry=current trial=On ejectmax=1", true},
    Failures{"queue=100000/1", false},
    Failures{"queue=100000/1 forcerecovery=Off trial=On", false},
};

class LineUnderFailures : public ::testing::TestWithParam<Failures> {};

TEST_P(LineUnderFailures, loses_nobody) {
  const Failures& kind = GetParam();
  for_all_that_queue([&](const balance::PolicyTraits& policy, std::uint64_t seed) {
    World world(limited_group(policy, kind.parameters), {members, {0.01, 1000, true, true, 0.003}},
                seed);
    const Sight sight(world);
    int refusals = 0;
    world.on_refusal = [&](std::size_t) { ++refusals; };
    let_fail(world);
    world.run(1000, 20);
    world.finish();
    EXPECT_EQ(sight.above, 0);
    EXPECT_GT(refusals, 8);
    EXPECT_EQ(world.refusals().turned_away, 0);
    EXPECT_EQ(world.refusals().otherwise, 0);
    if (kind.in_time) {
      EXPECT_EQ(world.refusals().timed_out, 0);
      EXPECT_GT(sight.longest, 1.5);
    } else {
      EXPECT_GT(world.refusals().timed_out, 500);
      EXPECT_LE(sight.longest, 1 + late_by);
    }
    expect_counters_agree(world);
  });
}

INSTANTIATE_TEST_SUITE_P(Line, LineUnderFailures, ::testing::ValuesIn(failures));

}  // namespace
}  // namespace steelyard::sim
