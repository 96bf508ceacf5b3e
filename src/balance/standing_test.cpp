#include "balance/standing.hpp"

#include <gtest/gtest.h>

#include "balance/test_group.hpp"

// What is said of members that take no request, and when to ask again.

namespace steelyard::balance {
namespace {

std::string reason(Group& group, std::string_view name) {
  return standing_reason(group.view(name), group.now);
}

seconds advice(Group& group) { return group.balancer.advised_wait(group.now); }

void fail(Group& group, Evidence evidence) {
  const Decision decision = group.choose();
  group.balancer.connect_failed(decision.lease, group.now, std::move(evidence));
}

CheckReport report(Group& group, CheckVerdict verdict, std::string text) {
  return {.ended = group.now, .verdict = verdict, .evidence = {.text = std::move(text)}};
}

std::shared_ptr<BalancerSpec> checked_spec(std::string_view members) {
  auto spec = group_spec(members);
  for (MemberSpec& member : spec->members) member.check.method = CheckMethod::get;
  return spec;
}

TEST(StandingReason, an_error_is_told_with_what_is_left_of_it_and_what_it_came_from) {
  Group group("a");
  EXPECT_EQ(reason(group, "a"), "usable");
  fail(group, {.text = "connection refused"});
  group.now += milliseconds(47'100);
  EXPECT_EQ(reason(group, "a"), "in error for 13 s more: connection refused");
  group.now += seconds(20);
  EXPECT_EQ(reason(group, "a"), "in error: connection refused");
}

TEST(StandingReason, a_second_ejection_lasts_longer_than_retry) {
  Group group("a", "trial=On forcerecovery=Off");
  fail(group, {.text = "refused"});
  group.now += seconds(61);
  fail(group, {.text = "refused"});
  EXPECT_EQ(reason(group, "a"), "in error for 120 s more: refused");
  EXPECT_EQ(advice(group), seconds(120));
}

TEST(StandingReason, the_last_error_counts_and_a_status_is_evidence) {
  Group group("a", "failonstatus=503");
  fail(group, {.text = "connection refused"});
  group.now += seconds(61);
  group.answer(503);
  EXPECT_EQ(reason(group, "a"), "in error for 60 s more: answered 503");
}

TEST(StandingReason, without_evidence_the_cause_is_told) {
  Group group("a");
  fail(group, {});
  EXPECT_EQ(reason(group, "a"), "in error for 60 s more: could not be connected to");
}

TEST(StandingReason, what_operators_and_the_configuration_asked_for) {
  Group group("a,D b,S c,N d");
  EXPECT_EQ(reason(group, "a"), "disabled");
  EXPECT_EQ(reason(group, "b"), "stopped");
  EXPECT_EQ(reason(group, "c"), "draining");
  group.change("d", Flag::disabled | Flag::stopped);
  EXPECT_EQ(reason(group, "d"), "stopped, disabled");
}

TEST(StandingReason, failed_checks_tell_what_the_last_one_found) {
  Group group(checked_spec("a"));
  const MemberRef member = group.view("a").member;
  group.balancer.check_finished(member, report(group, CheckVerdict::failed, "answered 500"));
  EXPECT_EQ(reason(group, "a"), "health checks failed: answered 500");
  group.balancer.check_finished(member, report(group, CheckVerdict::failed, "timed out"));
  EXPECT_EQ(reason(group, "a"), "health checks failed: timed out");
}

TEST(StandingReason, a_name_that_leads_nowhere) {
  auto spec = group_spec("a");
  spec->members[0].host = "app.example";
  Group group(spec);
  group.balancer.name_failed(group.view("a").member, "no such name", group.now);
  EXPECT_EQ(reason(group, "a"), "its name leads nowhere: no such name");
}

TEST(StandingReason, all_connections_in_use) {
  auto spec = group_spec("a");
  spec->members[0].pool.connections_max = 2;
  Group group(spec);
  const Decision one = group.choose();
  EXPECT_EQ(reason(group, "a"), "usable");
  const Decision two = group.choose();
  EXPECT_EQ(reason(group, "a"), "all 2 connections in use (max=)");
}

TEST(AdvisedWait, is_until_the_first_error_is_over) {
  Group group("a b");
  EXPECT_EQ(group.request("ab"), "ab!");
  EXPECT_EQ(advice(group), seconds(60));
  group.now += milliseconds(17'500);
  EXPECT_EQ(advice(group), seconds(43));
  group.now += seconds(50);
  EXPECT_EQ(advice(group), seconds(1));
}

TEST(AdvisedWait, is_until_the_next_check_of_a_member_that_failed) {
  Group group(checked_spec("a b,D"));
  const MemberRef member = group.view("a").member;
  group.balancer.check_finished(member, report(group, CheckVerdict::failed, "answered 500"));
  EXPECT_EQ(advice(group), seconds(30));  // nothing tells
  member->health_log().set_next_check(group.now + milliseconds(6500));
  EXPECT_EQ(advice(group), seconds(7));
  // Nobody waits for the check of a member that an operator took away.
  group.view("b").member->health_log().set_next_check(group.now + seconds(2));
  EXPECT_EQ(advice(group), seconds(7));
}

TEST(AdvisedWait, is_a_second_for_members_that_are_only_full_and_never_more_than_300) {
  Group group("a b,D");
  EXPECT_EQ(advice(group), seconds(1));
  auto spec = group_spec("a");
  spec->members[0].retry = seconds(3600);
  Group lasting(spec);
  fail(lasting, {});
  EXPECT_EQ(advice(lasting), seconds(300));
}

}  // namespace
}  // namespace steelyard::balance
