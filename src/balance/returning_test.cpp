// Members that come back: slowstart= and reentry=, and httpd's way without them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::ElementsAre;

std::string method(std::string_view policy) { return "lbmethod=" + std::string(policy); }

// `a` of three equal members has been away and comes back now.
Group& back_again(Group& group) {
  group.change("a", Flag::stopped);
  group.picks(300);
  group.change("a", {}, Flag::stopped);
  return group;
}

// How many of the turns of the next `count` milliseconds are a's, one turn each, and each exchange
// moves bytes.
int turns_of_a(Group& group, int count) {
  int turns = 0;
  for (int i = 0; i < count; ++i) {
    group.now += milliseconds(1);
    const Decision decision = group.choose_for("key" + std::to_string(group.random.next()));
    decision.lease.member().add_read(100'000);
    turns += Group::name_of(decision) == "a" ? 1 : 0;
  }
  return turns;
}

// The factor grows in a straight line from 1/32 of itself; what a member of part `p` gets is p of
// p + 2. By key it is p of its own third, and tables spread a little.
TEST(SlowStart, the_share_of_every_policy_grows_to_the_factor) {
  for (const PolicyTraits& policy : all_policies()) {
    if (!policy.by_plan) continue;                       // chooses by heartbeats alone
    if (policy.policy == Policy::by_busyness) continue;  // idle members: see below
    Group group("a b c", method(policy.name) + " slowstart=9");
    back_again(group);
    constexpr int third_of_ramp = 3000;
    const double spread = policy.by_key() ? 0.2 : 0.12;
    for (const double middle : {1 / 6.0, 3 / 6.0, 5 / 6.0}) {
      const double part = middle + (1 - middle) / 32;
      const double share = policy.by_key() ? part / 3 : part / (part + 2);
      EXPECT_NEAR(turns_of_a(group, third_of_ramp), third_of_ramp * share,
                  third_of_ramp * share * spread)
          << policy.name << " at " << middle;
    }
    EXPECT_NEAR(turns_of_a(group, 3000), 1000, 1000 * (policy.by_key() ? 0.15 : 0.1))
        << policy.name;
  }
}

TEST(SlowStart, a_member_that_a_reload_puts_back_into_service_begins_slowly) {
  Group group("a,D b c", "slowstart=9");
  group.picks(30);
  group.balancer.adopt(group_spec("a b c", "slowstart=9"), group.now);
  EXPECT_LT(turns_of_a(group, 300), 40);
}

// bybusyness sends to whoever is least busy, whatever the factors: a ramp caps that.
TEST(SlowStart, bybusyness_sends_a_returned_idle_member_no_more_than_its_part_of_the_turns) {
  Group group("a b c", "lbmethod=bybusyness slowstart=9");
  std::vector<Lease> held;
  held.reserve(60);
  for (int i = 0; i < 60; ++i) held.push_back(group.choose().lease);
  std::erase_if(held, [](const Lease& lease) { return lease.member().name() == "a"; });
  group.change("a", Flag::stopped);
  group.change("a", {}, Flag::stopped);
  for (const double middle : {1 / 6.0, 3 / 6.0, 5 / 6.0}) {
    const double part = middle + (1 - middle) / 32;
    const double share = part / (part + 2);
    EXPECT_NEAR(turns_of_a(group, 3000), 3000 * share, 3000 * share * 0.1 + 2) << middle;
  }
}

TEST(SlowStart, does_nothing_at_the_start_of_the_program) {
  Group group("a b", "slowstart=60");
  EXPECT_EQ(group.picks(6), "ababab");
}

TEST(SlowStart, begins_with_the_first_choice_after_an_error_a_check_an_operator_or_a_reload) {
  const auto share_of_a = [](Group& group) {
    return static_cast<double>(turns_of_a(group, 1000)) / 1000;
  };
  Group erred("a b", "slowstart=1000");
  erred.request("a");
  erred.now += seconds(61);
  EXPECT_LT(share_of_a(erred), 0.04);
  Group checked("a b", "slowstart=1000");
  checked.change("a", Flag::health_failed);
  checked.change("a", {}, Flag::health_failed);
  EXPECT_LT(share_of_a(checked), 0.04);
  Group drained("a b", "slowstart=1000");
  drained.change("a", Flag::draining);
  drained.change("a", {}, Flag::draining);
  EXPECT_LT(share_of_a(drained), 0.04);
  Group reloaded("b", "slowstart=1000");
  reloaded.balancer.adopt(group_spec("a b", "slowstart=1000"));
  EXPECT_LT(share_of_a(reloaded), 0.04);
}

TEST(SlowStart, of_a_member_comes_before_that_of_its_balancer) {
  auto spec = group_spec("a b", "slowstart=1000");
  ASSERT_TRUE(set_member_parameter(spec->members[0], "slowstart", "0"));
  Group group(spec);
  group.change("a", Flag::stopped);
  group.change("a", {}, Flag::stopped);
  EXPECT_EQ(turns_of_a(group, 100), 50);
}

TEST(SlowStart, goes_on_over_a_reload) {
  Group group("a b", "slowstart=10");
  group.change("a", Flag::stopped);
  group.change("a", {}, Flag::stopped);
  turns_of_a(group, 5000);
  group.balancer.adopt(group_spec("a b c,D", "slowstart=10"));
  const double part = 0.55;
  EXPECT_NEAR(turns_of_a(group, 1000), 1000 * part / (1 + part), 40);
}

TEST(SlowStart, when_all_come_back_together_none_is_held_back) {
  for (const PolicyTraits& policy : all_policies()) {
    if (!policy.by_plan) continue;  // chooses by heartbeats alone
    Group group("a b c", method(policy.name) + " slowstart=100");
    for (const char* name : {"a", "b", "c"}) group.change(name, Flag::stopped);
    EXPECT_FALSE(group.choose().lease);
    for (const char* name : {"a", "b", "c"}) group.change(name, {}, Flag::stopped);
    EXPECT_NEAR(turns_of_a(group, 3000), 1000, policy.by_key() ? 200 : 150) << policy.name;
  }
}

TEST(SlowStart, sessions_of_a_ramping_member_stay_with_it) {
  Group group("a=r1 b=r2", "stickysession=sid slowstart=100");
  group.change("a", Flag::stopped);
  group.change("a", {}, Flag::stopped);
  EXPECT_EQ(group.picks(5, "r1"), "aaaaa");
}

TEST(SlowStart, keys_come_back_one_by_one_and_each_only_once) {
  Group group("a b c", "lbmethod=hash slowstart=10");
  back_again(group);
  std::map<int, bool> is_back;
  for (int tenth = 0; tenth <= 10; ++tenth) {
    for (int key = 0; key < 300; ++key) {
      const bool at_a = Group::name_of(group.choose_for("k" + std::to_string(key))) == "a";
      EXPECT_TRUE(at_a || !is_back[key]) << key;
      is_back[key] = at_a;
    }
    group.now += seconds(1);
  }
  const auto back = std::ranges::count_if(is_back, [](const auto& key) { return key.second; });
  EXPECT_GT(back, 50);
}

// httpd: the member has moved few bytes, so it gets every request until it has caught up.
TEST(Reentry, bytraffic_floods_a_returned_member_by_default) {
  Group group("a b c", "lbmethod=bytraffic");
  group.change("a", Flag::stopped);
  turns_of_a(group, 300);
  group.change("a", {}, Flag::stopped);
  EXPECT_EQ(turns_of_a(group, 150), 150);
}

TEST(Reentry, at_the_current_position_bytraffic_does_not) {
  Group group("a b c", "lbmethod=bytraffic reentry=current");
  group.change("a", Flag::stopped);
  turns_of_a(group, 300);
  group.change("a", {}, Flag::stopped);
  EXPECT_NEAR(turns_of_a(group, 150), 50, 1);
  EXPECT_NEAR(turns_of_a(group, 150), 50, 1);
}

TEST(Reentry, a_new_member_of_a_reload_gets_the_current_position) {
  Group group("b c", "lbmethod=bytraffic reentry=current");
  turns_of_a(group, 300);
  group.balancer.adopt(group_spec("a b c", "lbmethod=bytraffic reentry=current"));
  EXPECT_NEAR(turns_of_a(group, 150), 50, 1);
}

TEST(Reentry, gives_the_mean_credit_of_the_others) {
  Group kept("a b*3 c");
  Group current("a b*3 c", "reentry=current");
  for (Group* group : {&kept, &current}) {
    group->picks(3);
    group->change("c", Flag::stopped);
    group->picks(1);
    group->change("c", {}, Flag::stopped);
    group->picks(1);
  }
  EXPECT_NE(kept.credits(), current.credits());
  Group again("a b*3 c", "reentry=current");
  again.picks(3);
  again.change("c", Flag::stopped);
  again.picks(1);
  const auto before = again.credits();
  again.change("c", {}, Flag::stopped);
  Explanation explanation;
  (void)again.balancer.choose({.session = {}, .now = again.now, .explanation = &explanation});
  EXPECT_EQ(explanation.candidates[2].credit, (before[0] + before[1]) / 2 + 100);
}

TEST(Reentry, a_standby_gets_its_position_when_it_takes_part) {
  Group group("a b h,H", "lbmethod=bytraffic reentry=current");
  group.change("h", Flag::stopped);
  group.change("h", {}, Flag::stopped);
  turns_of_a(group, 100);
  group.change("h", {}, Flag::standby);
  EXPECT_NEAR(turns_of_a(group, 150), 50, 1);
}

TEST(Reentry, without_others_nothing_changes) {
  Group group("a b", "reentry=current");
  group.picks(3);
  const auto before = group.credits();
  for (const char* name : {"a", "b"}) group.change(name, Flag::stopped);
  for (const char* name : {"a", "b"}) group.change(name, {}, Flag::stopped);
  group.picks(2);
  EXPECT_EQ(group.credits(), before);
}

}  // namespace
}  // namespace steelyard::balance
