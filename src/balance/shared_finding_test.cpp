#include <gtest/gtest.h>

#include <array>
#include <random>

#include "balance/balancer.hpp"
#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using std::chrono::seconds;
using Told = SharedFinding::Told;

constexpr auto passed = CheckVerdict::passed;
constexpr auto failed = CheckVerdict::failed;
const Instant start = Instant(std::chrono::hours(1));

TEST(SharedFinding, is_what_one_member_alone_would_have_found) {
  std::mt19937 random(11);
  for (int life = 0; life < 300; ++life) {
    const CheckSpec rules{.passes = int(random() % 4), .fails = int(random() % 4)};
    Health alone{.status = Flag::initialised};
    std::array<Health, 3> sharing;
    sharing.fill(alone);
    SharedFinding finding;
    for (int step = 0; step < 60; ++step) {
      const Instant now = start + seconds(step);
      const CheckVerdict verdict = random() % 2 == 0 ? passed : failed;
      alone = after_check(alone, rules, verdict, now);
      finding = after_check(finding, rules, verdict);
      ASSERT_EQ(finding.is_down, alone.status.has(Flag::health_failed)) << life << ':' << step;
      for (Health& each : sharing) {
        each = after_shared_check(each, rules, verdict, finding, now);
        ASSERT_EQ(each, alone) << life << ':' << step;
      }
    }
  }
}

// Whatever traffic and operators do to single members, conclusions reach all at the same moment.
TEST(SharedFinding, takes_all_down_and_brings_all_back_at_once) {
  std::mt19937 random(12);
  for (int life = 0; life < 300; ++life) {
    const CheckSpec rules{.passes = int(random() % 4), .fails = int(random() % 4)};
    std::array<Health, 3> sharing;
    sharing.fill({.status = Flag::initialised});
    SharedFinding finding;
    for (int step = 0; step < 60; ++step) {
      const Instant now = start + seconds(step);
      Health& one = sharing[random() % sharing.size()];
      if (random() % 4 == 0) one = after_failure(one, now);
      if (random() % 8 == 0) one = after_retry(one);
      if (random() % 8 == 0) one = after_wish(one, {}, Flag::health_failed);
      // One that failed other checks than these.
      if (random() % 8 == 0) one = {.status = Flag::initialised | Flag::health_failed};
      const CheckVerdict verdict = random() % 2 == 0 ? passed : failed;
      const bool was_down = finding.is_down;
      finding = after_check(finding, rules, verdict);
      for (Health& each : sharing) {
        each = after_shared_check(each, rules, verdict, finding, now);
        if (verdict == failed && finding.is_down) {
          ASSERT_TRUE(each.status.has(Flag::health_failed)) << life << ':' << step;
        }
        if (was_down && !finding.is_down) {
          ASSERT_FALSE(each.status.any(Flag::health_failed | Flag::in_error))
              << life << ':' << step;
        }
        ASSERT_EQ(each.checks.failed, finding.failed);
      }
    }
  }
}

TEST(SharedFinding, leaves_an_error_by_traffic_to_its_member) {
  const CheckSpec rules{.passes = 2, .fails = 1};
  Health health = after_failure({.status = Flag::initialised}, start);
  const SharedFinding up;
  health = after_shared_check(health, rules, passed, up, start);
  EXPECT_TRUE(health.status.has(Flag::in_error)) << "one of two passes";
  EXPECT_EQ(health.error_time, start);
  health =
      after_shared_check(health, rules, failed, SharedFinding{.failed = 1}, start + seconds(1));
  EXPECT_EQ(health.error_time, start) << "httpd: only a sound member gets a new one";
  health = after_shared_check(health, rules, passed, up, start);
  EXPECT_FALSE(health.status.has(Flag::in_error));
}

TEST(SharedFinding, does_not_take_out_a_member_by_a_passed_check) {
  const CheckSpec rules{.passes = 2, .fails = 1};
  const SharedFinding on_the_way_up{.is_down = true, .passed = 1};
  Health cleared{.status = Flag::initialised};
  cleared = after_shared_check(cleared, rules, passed, on_the_way_up, start);
  EXPECT_FALSE(cleared.status.has(Flag::health_failed));
  Health marked{.status = Flag::initialised | Flag::health_failed};
  marked = after_shared_check(marked, rules, failed, {}, start);
  EXPECT_TRUE(marked.status.has(Flag::health_failed)) << "nor bring back one by a failed check";
}

TEST(SharedFinding, brings_back_whom_an_operator_marked_after_hcpasses_checks) {
  const CheckSpec rules{.passes = 2, .fails = 1};
  SharedFinding finding;
  for (const CheckVerdict verdict : {failed, passed, passed})
    finding = after_check(finding, rules, verdict);
  ASSERT_EQ(finding.told, Told::conclusion);
  Health marked{.status = Flag::initialised | Flag::health_failed};
  for (const bool is_down : {true, false}) {
    finding = after_check(finding, rules, passed);
    marked = after_shared_check(marked, rules, passed, finding, start);
    EXPECT_EQ(marked.status.has(Flag::health_failed), is_down);
  }
}

TEST(SharedFinding, is_a_newcomers_at_once_but_ends_no_error_by_its_traffic) {
  const CheckSpec rules{.passes = 2, .fails = 1};
  const SharedFinding up{.told = Told::past_check};
  const Health down{.status = Flag::initialised | Flag::health_failed};
  EXPECT_EQ(after_shared_check(down, rules, passed, up, start).status, Flag::initialised);
  const Health in_error = after_failure({.status = Flag::initialised}, start);
  EXPECT_TRUE(after_shared_check(in_error, rules, passed, up, start).status.has(Flag::in_error));
}

TEST(SharedFinding, is_told_to_a_newcomer_without_counting_as_a_check_of_it) {
  Group group("a b");
  auto spec = std::make_shared<BalancerSpec>(*group.balancer.spec());
  for (MemberSpec& member : spec->members) member.check.method = CheckMethod::tcp;
  group.balancer.adopt(spec, start);
  const auto tell = [&](std::string_view name, Told told) {
    return group.balancer.check_finished(group.view(name).member,
                                         {.ended = start,
                                          .verdict = failed,
                                          .evidence = {.status = 0, .text = "refused"},
                                          .shared = SharedFinding{.is_down = true, .told = told}});
  };
  EXPECT_EQ(tell("a", Told::conclusion), CheckEffect::disabled);
  EXPECT_EQ(tell("b", Told::past_check), CheckEffect::disabled);
  const auto log = [&](std::string_view name) -> HealthLog& {
    return group.view(name).member->health_log();
  };
  EXPECT_EQ(log("a").totals().checks_failed, 1U);
  EXPECT_EQ(log("b").totals().checks_failed, 0U);
  EXPECT_FALSE(group.view("b").checks.last);
  EXPECT_EQ(log("b").events().back().evidence.text, "refused");
}

TEST(SharedFinding, brings_a_member_back_as_its_own_checks_would) {
  CheckSpec rules{.method = CheckMethod::tcp};
  Group alone("a b c", "slowstart=20 trial=On"), sharing("a b c", "slowstart=20 trial=On");
  for (Group* group : {&alone, &sharing}) {
    auto spec = std::make_shared<BalancerSpec>(*group->balancer.spec());
    for (MemberSpec& member : spec->members) member.check = rules;
    group->balancer.adopt(spec, group->now);
  }
  std::mt19937 random(13);
  SharedFinding finding;
  std::string picks, picks_sharing;
  for (int step = 0; step < 400; ++step) {
    alone.now += seconds(1);
    sharing.now += seconds(1);
    if (random() % 10 == 0) {
      const CheckVerdict verdict = random() % 2 == 0 ? passed : failed;
      finding = after_check(finding, rules, verdict);
      alone.balancer.check_finished(alone.view("a").member, {alone.now, verdict, {}});
      sharing.balancer.check_finished(sharing.view("a").member,
                                      {sharing.now, verdict, {}, finding});
    }
    picks += alone.request("");
    picks_sharing += sharing.request("");
  }
  EXPECT_EQ(picks_sharing, picks);
  EXPECT_TRUE(picks.contains('a'));
}

}  // namespace
}  // namespace steelyard::balance
