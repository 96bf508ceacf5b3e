#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view sticky = "stickysession=sid";

TEST(Sticky, a_session_stays_with_its_member) {
  Group group("a=r1 b=r2", sticky);
  EXPECT_EQ(group.picks(3, "r2"), "bbb");
  EXPECT_EQ(group.choose("r2").reason, Reason::by_session);
}

TEST(Sticky, a_hit_charges_its_member_and_pays_all_usable_ones) {
  Group group("a=r1 b=r2*2 c=r3,D d=r4@5", sticky);
  group.picks(1, "r1");
  EXPECT_THAT(group.credits(), ElementsAre(100 - 400, 200, 0, 100));
  group.picks(2, "r2");
  EXPECT_THAT(group.credits(), ElementsAre(-100, 600 - 800, 0, 300));
}

TEST(Sticky, accounting_settles_before_a_member_changes_state) {
  Group group("a=r1 b=r2", sticky);
  group.picks(1, "r1");
  group.change("b", Flag::disabled);
  group.picks(1, "r1");
  EXPECT_THAT(group.credits(), ElementsAre(-100, 100));
}

TEST(Sticky, hits_weigh_on_the_next_picks) {
  Group group("a=r1 b=r2", sticky);
  group.picks(2, "r1");
  EXPECT_THAT(group.credits(), ElementsAre(-200, 200));
  EXPECT_EQ(group.picks(4), "bbab");
}

TEST(Sticky, the_balancers_switch_decides_not_the_request) {
  Group group("a=r1 b=r2");
  EXPECT_EQ(group.picks(2, "r2"), "ab");
}

TEST(Sticky, q11_the_tag_counts_as_changed_on_the_first_visit) {
  Group group("a=r1 b=r2", sticky);
  EXPECT_TRUE(group.choose().tag_changed);
  EXPECT_FALSE(group.choose("r1").tag_changed);
  EXPECT_FALSE(Group("a b").choose().tag_changed);
}

TEST(Sticky, q76_an_unknown_tag_is_balanced_and_reported) {
  Group group("a=r1 b=r2", sticky);
  const Decision decision = group.choose("r9");
  EXPECT_EQ(Group::name_of(decision), "a");
  EXPECT_TRUE(decision.tag_changed);
  EXPECT_TRUE(decision.session.found);
  EXPECT_EQ(decision.session.tag, "r9");
  EXPECT_EQ(decision.reason, Reason::by_policy);
}

TEST(Sticky, an_empty_tag_is_nobodys) {
  Group group("a b=r2", "stickysession=sid nofailover=On");
  EXPECT_EQ(group.picks(2, ""), "ab");
}

TEST(Sticky, q20_nofailover_only_holds_known_tags) {
  Group group("a=r1 b=r2", "stickysession=sid nofailover=On");
  EXPECT_EQ(group.request("a", "r1"), "a-");
  const Decision decision = group.choose("r1");
  EXPECT_EQ(decision.outcome, Outcome::session_member_unusable);
  EXPECT_FALSE(decision.lease);
  EXPECT_FALSE(decision.tag_changed);
  EXPECT_EQ(group.picks(2, "r9"), "bb");
}

TEST(Sticky, q27_a_standby_serves_its_own_sessions) {
  Group group("a=r1 b=r2,H", sticky);
  EXPECT_EQ(group.picks(2, "r2"), "bb");
}

TEST(Sticky, q30_a_draining_member_keeps_its_sessions) {
  Group group("a=r1 b=r2,N", sticky);
  EXPECT_EQ(group.picks(2) + group.picks(2, "r2"), "aabb");
}

TEST(Sticky, q31_a_disabled_member_loses_its_sessions) {
  Group group("a=r1 b=r2,D", sticky);
  EXPECT_EQ(group.picks(2, "r2"), "aa");
}

TEST(Sticky, lbset_and_spare_do_not_matter) {
  Group group("a=r1 b=r2@3 c=r3,R", sticky);
  EXPECT_EQ(group.picks(1, "r2") + group.picks(1, "r3"), "bc");
}

TEST(Sticky, the_first_usable_of_several_members_with_one_tag_always_wins) {
  Group group("a=r b=r c=r", sticky);
  EXPECT_EQ(group.picks(3, "r"), "aaa");
  group.change("a", Flag::stopped);
  EXPECT_EQ(group.picks(3, "r"), "bbb");
}

TEST(Sticky, standbys_with_the_tag_come_after_all_others) {
  Group group("a=r,H b=r", sticky);
  EXPECT_EQ(group.picks(2, "r"), "bb");
  group.change("b", Flag::disabled);
  EXPECT_EQ(group.picks(2, "r"), "aa");
}

TEST(Sticky, tags_are_compared_whole_and_with_case) {
  Group group("a=r1 b=r2 c=r11", sticky);
  EXPECT_EQ(group.picks(1, "r11"), "c");
  EXPECT_EQ(group.choose("R2").reason, Reason::by_policy);
  EXPECT_EQ(group.choose("r").reason, Reason::by_policy);
}

TEST(Sticky, a_dead_member_loses_its_session_until_the_retry_time_passed) {
  Group group("a=r1 b=r2", sticky);
  EXPECT_EQ(group.request("a", "r1"), "ab");
  EXPECT_EQ(group.request("a", "r1"), "b");
  group.now += seconds(61);
  const Decision decision = group.choose("r1");
  EXPECT_EQ(Group::name_of(decision), "a");
  ASSERT_EQ(decision.events.size(), 1U);
  EXPECT_EQ(decision.events[0].kind, EventKind::retried);
  EXPECT_EQ(decision.events[0].member->name(), "a");
}

TEST(Sticky, with_retry_0_a_dead_member_keeps_its_session_for_the_next_request) {
  auto spec = group_spec("a=r1 b=r2", sticky);
  spec->members[0].retry = seconds(0);
  Group group(spec);
  EXPECT_EQ(group.request("a", "r1"), "ab");
  EXPECT_EQ(group.request("", "r1"), "a");
}

TEST(Sticky, with_retry_0_a_session_whose_member_is_alone_stays_its_own) {
  for (const char* parameters : {"stickysession=sid", "stickysession=sid nofailover=On"}) {
    auto spec = group_spec("a=r1 b=r2,D", std::string(parameters) + " maxattempts=2");
    spec->members[0].retry = seconds(0);
    Group group(spec);
    EXPECT_EQ(group.request("a", "r1"), "aaa!") << parameters;
    EXPECT_EQ(group.choose("r1").reason, Reason::by_session);
  }
}

TEST(Sticky, a_draining_member_in_error_is_retried_by_its_sessions_only) {
  Group group("a=r1 b=r2,N", sticky);
  EXPECT_EQ(group.request("b", "r2"), "ba");
  group.now += seconds(61);
  group.picks(1);
  EXPECT_EQ(group.status("b"), "Init Drn Err ");
  EXPECT_EQ(group.picks(1, "r2"), "b");
  EXPECT_EQ(group.status("b"), "Init Drn Ok ");
}

TEST(Redirect, q79_works_only_while_the_member_is_unusable) {
  Group group("a=r1>r3 b=r2>r3,D c=r3", sticky);
  EXPECT_EQ(group.picks(3, "r1"), "aaa");
  EXPECT_EQ(group.picks(3, "r2"), "ccc");
  const Decision decision = group.choose("r2");
  EXPECT_EQ(decision.reason, Reason::by_redirect);
  EXPECT_TRUE(decision.tag_changed);
}

TEST(Redirect, is_followed_from_member_to_member) {
  Group group("a=r1>r2,D b=r2>r3,D c=r3>r4,D d=r4", sticky);
  EXPECT_EQ(group.picks(2, "r1"), "dd");
}

TEST(Redirect, circles_end) {
  Group group("a=r1>r2,D b=r2>r1,D c=r3", sticky);
  EXPECT_EQ(group.picks(1, "r1"), "c");
  EXPECT_EQ(group.choose("r1").reason, Reason::by_policy);
}

TEST(Redirect, of_a_sole_member_is_not_followed) {
  EXPECT_EQ(Group("a=r1>r1,D", sticky).picks(1, "r1"), "-");
}

// The fifth step, r -> x -> r -> x -> r, may not redirect any more and so finds c itself; without
// that limit the second member's redirect would win.
TEST(Redirect, circles_are_followed_as_deep_as_there_are_members) {
  Group group("a=r>x,D b=r>y,D c=r m=x>r,D n=y", sticky);
  EXPECT_EQ(group.picks(1, "r"), "c");
}

TEST(Redirect, another_member_with_the_tag_may_follow_a_failed_redirect) {
  Group group("a=r1>r9,D b=r1 c=r3", sticky);
  EXPECT_EQ(group.picks(1, "r1"), "b");
}

TEST(Redirect, a_standby_is_found_as_target) {
  Group group("a=r1>r2,D b=r2,H c=r3", sticky);
  EXPECT_EQ(group.picks(1, "r1"), "b");
}

// Ten members share a tag and redirect to it: followed literally, that is 9^10 lookups.
TEST(Redirect, many_members_in_a_circle_stay_cheap) {
  std::string members;
  for (int i = 0; i < 10; ++i) members += "m" + std::to_string(i) + "=r>r,D ";
  Group group(members + "z=other", sticky);
  EXPECT_EQ(group.picks(1, "r"), "z");
}

TEST(Sticky, by_traffic_is_charged_in_credit_like_the_others) {
  Group group("a=r1 b=r2", "stickysession=sid lbmethod=bytraffic");
  group.picks(1, "r2");
  EXPECT_THAT(group.credits(), ElementsAre(100, -100));
  EXPECT_EQ(group.picks(2), "aa");
}

}  // namespace
}  // namespace steelyard::balance
