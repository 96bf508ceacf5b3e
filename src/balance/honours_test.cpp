// What every policy honours alike: sets, standbys, spares, drains, what operators and failures take
// out, sessions. Limits are in waiting_line_test and drawing_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

constexpr int requests = 60;

// Those that go by a plan of members; lbmethod=heartbeat picks among servers that were heard.
std::vector<std::string> methods() {
  std::vector<std::string> all;
  for (const PolicyTraits& policy : all_policies()) {
    if (policy.by_plan) all.push_back("stickysession=sid lbmethod=" + std::string(policy.name));
  }
  return all;
}

// Each exchange has a key of its own, brings its member 1,000 bytes and ends before the next
// begins.
std::set<std::string> picked(Group& group) {
  std::set<std::string> names;
  for (int i = 0; i < requests; ++i) {
    const Decision decision = group.choose_for("key" + std::to_string(i));
    names.insert(Group::name_of(decision));
    if (decision.lease) decision.lease.member().add_transferred(1000);
  }
  return names;
}

using Names = std::set<std::string>;

TEST(EveryPolicy, there_are_eight) { EXPECT_EQ(methods().size(), 8U); }

TEST(EveryPolicy, takes_the_lowest_set_that_has_somebody) {
  for (const std::string& method : methods()) {
    Group group("a@1 b c d@2", method);
    EXPECT_EQ(picked(group), (Names{"b", "c"})) << method;
    group.change("b", Flag::disabled);
    group.change("c", Flag::stopped);
    EXPECT_EQ(picked(group), Names{"a"}) << method;
    group.change("a", Flag::health_failed);
    EXPECT_EQ(picked(group), Names{"d"}) << method;
    group.change("c", {}, Flag::stopped);
    EXPECT_EQ(picked(group), Names{"c"}) << method;
  }
}

TEST(EveryPolicy, calls_a_standby_when_nobody_else_is_there) {
  for (const std::string& method : methods()) {
    Group group("a b c,H", method);
    EXPECT_EQ(picked(group), (Names{"a", "b"})) << method;
    group.change("a", Flag::disabled);
    EXPECT_EQ(picked(group), Names{"b"}) << method;
    group.change("b", Flag::disabled);
    EXPECT_EQ(picked(group), Names{"c"}) << method;
  }
}

TEST(EveryPolicy, has_a_spare_stand_in_for_each_who_is_missing) {
  for (const std::string& method : methods()) {
    Group group("a b c,R", method);
    EXPECT_EQ(picked(group), (Names{"a", "b"})) << method;
    group.change("a", Flag::disabled);
    EXPECT_EQ(picked(group), (Names{"b", "c"})) << method;
  }
}

TEST(EveryPolicy, leaves_a_draining_member_to_its_sessions) {
  for (const std::string& method : methods()) {
    Group group("a=r1 b=r2,N", method);
    EXPECT_EQ(picked(group), Names{"a"}) << method;
    EXPECT_EQ(group.picks(5, "r2"), "bbbbb") << method;
    EXPECT_EQ(group.picks(5, "r1"), "aaaaa") << method;
    group.change("a", Flag::disabled);
    EXPECT_EQ(picked(group), Names{"-"}) << method << ": not even alone";
  }
}

TEST(EveryPolicy, keeps_sessions_and_takes_them_elsewhere_when_their_member_is_gone) {
  for (const std::string& method : methods()) {
    Group group("a=r1 b=r2 c=r3 d=r4,H e=r5@3", method);
    EXPECT_EQ(group.picks(20, "r2"), std::string(20, 'b')) << method;
    EXPECT_EQ(group.picks(3, "r4"), "ddd") << method << ": a standby's sessions are its own";
    EXPECT_EQ(group.picks(3, "r5"), "eee") << method << ": and those of a higher set";
    EXPECT_THAT(group.request("b", "r2"), ::testing::AnyOf("ba", "bc")) << method;
    EXPECT_THAT(group.picks(1, "r2"), ::testing::AnyOf("a", "c")) << method;
    group.change("c", Flag::stopped);
    EXPECT_EQ(group.picks(2, "r3"), "aa") << method;
  }
}

TEST(EveryPolicy, gives_a_member_in_error_nothing_until_it_is_due) {
  for (const std::string& method : methods()) {
    Group group("a b", method);
    for (int i = 0; i < requests; ++i) {
      const Decision decision = group.choose_for("key" + std::to_string(i));
      decision.lease.member().add_transferred(1000);
      if (Group::name_of(decision) != "b") continue;
      group.balancer.connect_failed(decision.lease, group.now);
      break;
    }
    EXPECT_EQ(picked(group), Names{"a"}) << method;
    group.now += std::chrono::seconds(61);
    EXPECT_TRUE(picked(group).contains("b")) << method;  // alone, with bytraffic (httpd)
  }
}

}  // namespace
}  // namespace steelyard::balance
