// failcount=, ejectslow=, trial= and minactive= over time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "world.hpp"

namespace steelyard::sim {
namespace {

constexpr std::size_t flapping = 2;

// The member is down for `down` seconds and then up for `up` seconds, again and again.
void flap(World& world, double down, double up) {
  const bool was_up = world.model(flapping).up;
  world.model(flapping).up = !was_up;
  world.after(was_up ? down : up, [&world, down, up] { flap(world, down, up); });
}

// Calls `look` ten times a second.
void watch(World& world, std::function<void()> look) {
  world.after(0.1, [&world, look = std::move(look)] {
    look();
    watch(world, look);
  });
}

int members_out(World& world) {
  int out = 0;
  for (const balance::MemberView& view : world.balancer().members()) {
    out += view.status.has(balance::Flag::in_error) ? 1 : 0;
  }
  return out;
}

// Also where no request may be sent again: then the trial comes after twice the time.
TEST(MemberThatIsBack, gets_its_share_whatever_the_requests_are) {
  for (const double replayable : {0.0, 0.01, 1.0}) {
    auto spec = group_of(4, "failcount=3/10");
    for (balance::MemberSpec& member : spec->members) member.retry = std::chrono::seconds(5);
    World world(spec, std::vector<MemberModel>(4, {0.01, 10}));
    world.replayable = replayable;
    world.model(0).up = false;
    world.run(500, 4);
    world.model(0).up = true;
    EXPECT_EQ(members_out(world), 1);
    world.run(500, 8);
    EXPECT_EQ(members_out(world), 0) << replayable;
    world.forget();
    world.run(500, 60);
    const auto of_it = std::ranges::count(world.picks(), std::size_t{0}, &Pick::member);
    const double share = static_cast<double>(of_it) / static_cast<double>(world.picks().size());
    EXPECT_NEAR(share, 0.25, 0.01) << replayable;
    world.finish();
  }
}

TEST(FlappingMember, costs_no_client_an_error) {
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    if (!policy.by_plan) continue;
    constexpr std::size_t members = 4;
    auto spec =
        group_of(members, "failcount=3/10 ejectmax=20 lbmethod=" + std::string(policy.name));
    for (balance::MemberSpec& member : spec->members) member.retry = std::chrono::seconds(1);
    World world(spec, std::vector<MemberModel>(members, {0.01, 10}));
    int refusals = 0;
    world.on_refusal = [&](std::size_t) { ++refusals; };
    world.key = [](std::mt19937_64& random) { return std::to_string(random() % 10'000); };
    flap(world, 2, 5);
    world.run(500, 300);
    const double part = static_cast<double>(refusals) / static_cast<double>(world.picks().size());
    std::printf("%s: %d attempts in vain of %zu, %d errors\n", std::string(policy.name).c_str(),
                refusals, world.picks().size(), world.refused());
    EXPECT_EQ(world.refused(), 0) << policy.name;
    EXPECT_GT(refusals, 10) << "nothing was tried";
    EXPECT_LT(part, 0.002) << "it would be a member in four, two seconds of seven: 0.07";
  }
}

// What the test above would see if an exchange went on to any member, tried or not.
TEST(FlappingMember, is_out_for_longer_and_longer_while_it_is_dead) {
  auto spec = group_of(3, "failcount=2/10 ejectmax=64");
  for (balance::MemberSpec& member : spec->members) member.retry = std::chrono::seconds(1);
  World world(spec, std::vector<MemberModel>(3, {0.01, 10}));
  world.model(flapping).up = false;
  std::vector<double> refusals;
  world.on_refusal = [&](std::size_t) { refusals.push_back(world.now()); };
  world.run(500, 200);
  // Two failures, and then a trial after 1, 2, 4, ... 64, 64 seconds.
  ASSERT_EQ(refusals.size(), 2U + 8U);
  for (std::size_t i = 2; i < refusals.size(); ++i) {
    const double lasts = i - 2 < 6 ? static_cast<double>(1U << (i - 2)) : 64;
    EXPECT_NEAR(refusals[i] - refusals[i - 1], lasts, 0.05);
  }
  EXPECT_EQ(world.refused(), 0);
}

TEST(SlowMember, is_ejected_and_gets_next_to_nothing) {
  constexpr std::size_t members = 10;
  std::vector<MemberModel> models(members, {0.01, 100});
  models[3].service_seconds = 0.1;
  World world(group_of(members, "ejectslow=3/10"), models);
  std::set<std::size_t> ejected;
  world.on_slow = [&](std::size_t member) { ejected.insert(member); };
  world.run(500, 1000);
  EXPECT_EQ(ejected, std::set<std::size_t>{3});
  double slow = 0;
  for (const Pick& pick : world.picks()) slow += pick.member == 3 ? 1 : 0;
  slow /= static_cast<double>(world.picks().size());
  std::printf("share of the slow member %.4f\n", slow);
  EXPECT_LT(slow, 0.02);
  world.finish();
}

TEST(SlowMember, the_ceiling_holds_whoever_is_slow) {
  constexpr std::size_t members = 10;
  std::vector<MemberModel> models(members, {0.01, 100});
  for (std::size_t i = 0; i < 4; ++i) models[i].service_seconds = 0.1;
  World world(group_of(members, "ejectslow=3/10 maxejected=20"), models);
  int out_max = 0;
  watch(world, [&] { out_max = std::max(out_max, members_out(world)); });
  world.run(500, 300);
  EXPECT_EQ(out_max, 2);
}

// Each window has a thousand answers of each member: the median of exponential times strays by
// 4.6 % then, and twice the group's is beyond twenty times that.
TEST(EqualMembers, are_not_ejected_for_the_noise_of_a_million_requests) {
  constexpr std::size_t members = 10;
  World world(group_of(members, "ejectslow=2/10"), std::vector<MemberModel>(members, {0.01, 100}));
  int ejected = 0;
  world.on_slow = [&](std::size_t) { ++ejected; };
  world.run(1000, 1000);
  EXPECT_GT(world.picks().size(), 990'000U);
  EXPECT_EQ(ejected, 0);
  world.finish();
}

// m0 and m1 are regular, the others standbys; m0 dies for a while.
TEST(MinActive, as_many_members_as_wanted_share_the_work) {
  constexpr std::size_t members = 5;
  auto spec = group_of(members, "minactive=3");
  for (std::size_t i = 2; i < members; ++i) spec->members[i].status = balance::Flag::standby;
  World world(spec, std::vector<MemberModel>(members, {0.01, 10}));
  const auto at_work = [&](double seconds) {
    world.forget();
    world.run(200, seconds);
    std::set<std::size_t> working;
    for (const Pick& pick : world.picks()) working.insert(pick.member);
    return working;
  };
  EXPECT_EQ(at_work(10), (std::set<std::size_t>{0, 1, 2}));
  world.model(0).up = false;
  at_work(1);
  EXPECT_EQ(at_work(10), (std::set<std::size_t>{1, 2, 3}));
  world.model(0).up = true;
  at_work(60);
  EXPECT_EQ(at_work(10), (std::set<std::size_t>{0, 1, 2}));
  EXPECT_EQ(world.refused(), 0);
  world.finish();
}

}  // namespace
}  // namespace steelyard::sim
