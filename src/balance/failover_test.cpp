#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::ElementsAre;

std::vector<EventKind> kinds(const Decision& decision) {
  std::vector<EventKind> all;
  for (const Event& event : decision.events) all.push_back(event.kind);
  return all;
}

TEST(Failover, q19_goes_to_another_member_by_default) {
  Group group("a b");
  EXPECT_EQ(group.request("a"), "ab");
  EXPECT_EQ(group.request("a"), "b");
}

TEST(Failover, q18_maxattempts_0_gives_up_at_once) {
  Group group("a b", "maxattempts=0");
  EXPECT_EQ(group.request("a"), "a!");
  EXPECT_EQ(group.request("a"), "b");
}

TEST(Failover, tries_as_many_others_as_there_are) {
  Group group("a b c", "forcerecovery=Off");
  EXPECT_EQ(group.request("abc"), "abc!");
  EXPECT_EQ(group.request("abc"), "-");
}

TEST(Failover, a_sole_member_is_tried_once) { EXPECT_EQ(Group("a").request("a"), "a!"); }

TEST(Failover, more_attempts_than_members_end_with_nobody) {
  Group group("a b", "maxattempts=9 forcerecovery=Off");
  EXPECT_EQ(group.request("ab"), "ab-");
}

TEST(Failover, q17_a_member_that_ignores_errors_is_never_left) {
  Group group("a b,I");
  EXPECT_EQ(group.request("b"), "a");
  EXPECT_EQ(group.request("b"), "b!");
  EXPECT_EQ(group.request("b"), "a");
  EXPECT_EQ(group.status("b"), "Init Ign Ok ");
}

// repeaton=: who failed may be usable all the same.
class Repeated : public ::testing::Test {
 protected:
  // The first two members that one exchange asks.
  void ask_twice(Group& group, std::string_view tag = "") {
    leases.push_back(std::move(group.choose(tag).lease));
    in_vain.emplace_back(&leases.back().member());
    leases.push_back(std::move(again(group, tag).lease));
  }
  Decision again(Group& group, std::string_view tag = "") {
    Session session;
    session.found = !tag.empty();
    session.tag = tag;
    return group.balancer.choose(
        {.session = session, .now = group.now, .tried = in_vain, .repeats = true});
  }
  std::string name(std::size_t at) { return leases.at(at).member().name(); }

  std::vector<Lease> leases;
  std::vector<MemberRef> in_vain;
};

TEST_F(Repeated, a_usable_member_is_not_asked_again) {
  for (int i = 0; i < 4; ++i) {
    Group group("a*9 b");
    leases.clear();
    in_vain.clear();
    ask_twice(group);
    EXPECT_EQ(name(0) + name(1), "ab");
  }
}

TEST_F(Repeated, a_session_leaves_its_member_too) {
  Group group("a=a b=b", "stickysession=sid");
  ask_twice(group, "b");
  EXPECT_EQ(name(0) + name(1), "ba");
}

TEST_F(Repeated, when_everybody_was_asked_nobody_is_chosen) {
  Group group("a b");
  ask_twice(group);
  in_vain.emplace_back(&leases.back().member());
  group.balancer.force_error(leases.back(), group.now);
  group.balancer.force_error(leases.front(), group.now);
  EXPECT_FALSE(again(group).lease);
}

TEST_F(Repeated, as_many_attempts_as_maxattempts_says) {
  EXPECT_TRUE(Group("a b c").balancer.has_attempt_left(2));
  EXPECT_FALSE(Group("a b c").balancer.has_attempt_left(3));
  EXPECT_TRUE(Group("a b c", "maxattempts=1").balancer.has_attempt_left(1));
  EXPECT_FALSE(Group("a b c", "maxattempts=1").balancer.has_attempt_left(2));
  EXPECT_FALSE(Group("a").balancer.has_attempt_left(1));
}

TEST(Failover, a_member_tried_and_left_stays_busy_until_the_exchange_ends) {
  Group group("a b");
  Decision first = group.choose();
  group.balancer.connect_failed(first.lease, group.now);
  const Decision second = group.choose();
  EXPECT_EQ(group.view("a").busy + group.view("b").busy, 2);
  first.lease.end();
  EXPECT_EQ(group.view("a").busy, 0);
  EXPECT_EQ(group.view("b").busy, 1);
}

TEST(Errors, q32_forced_recovery_probes_a_dead_balancer_on_each_request) {
  Group group("a");
  EXPECT_EQ(group.request("a"), "a!");
  const Decision decision = group.choose();
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::forced));
  EXPECT_EQ(Group::name_of(decision), "a");
  EXPECT_EQ(group.view("a").retries, 1U);
}

TEST(Errors, q32_without_forced_recovery_a_dead_balancer_rests_until_the_retry_time) {
  Group group("a", "forcerecovery=Off");
  EXPECT_EQ(group.request("a"), "a!");
  EXPECT_EQ(group.request("a"), "-");
  group.now += seconds(61);
  EXPECT_EQ(group.request("a"), "a!");
}

TEST(Errors, forced_recovery_clears_all_members) {
  Group group("a b");
  EXPECT_EQ(group.request("ab"), "ab!");
  const Decision decision = group.choose();
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::forced, EventKind::forced));
  EXPECT_EQ(group.status("a") + group.status("b"), "Init Ok Init Ok ");
}

TEST(Errors, a_disabled_member_without_error_prevents_forced_recovery) {
  Group group("a b,D");
  EXPECT_EQ(group.request("a"), "a-");
  EXPECT_EQ(group.request("a"), "-");
}

TEST(Errors, the_retry_test_of_the_recovery_scan_stops_at_the_first_good_member) {
  auto spec = group_spec("a b@1 c");
  spec->members[0].retry = spec->members[1].retry = seconds(10);
  Group group(spec);
  group.request("a");
  group.now += seconds(11);
  group.change("b", Flag::in_error);
  const Decision decision = group.choose();
  ASSERT_THAT(kinds(decision), ElementsAre(EventKind::retried));
  EXPECT_EQ(decision.events[0].member->name(), "a");
  EXPECT_EQ(group.status("b"), "Init Err ") << "its set was not visited";
}

TEST(Errors, retry_0_means_at_once) {
  auto spec = group_spec("a b");
  spec->members[0].retry = seconds(0);
  Group group(spec);
  EXPECT_EQ(group.request("a"), "ab");
  EXPECT_EQ(group.picks(2), "ba");
}

TEST(Errors, with_retry_0_whom_a_request_found_dead_is_for_later_requests) {
  for (const char* members : {"a b,H", "a b@1", "a b c"}) {
    auto spec = group_spec(members);
    for (MemberSpec& member : spec->members) member.retry = seconds(0);
    Group group(spec);
    for (int i = 0; i < 4; ++i) {
      const std::string tried = group.request("a");
      EXPECT_TRUE(tried == "ab" || tried == "b" || tried == "c" || tried == "ac") << tried;
    }
  }
}

TEST(Errors, with_retry_0_who_is_alone_is_tried_again_by_the_same_request) {
  auto spec = group_spec("a b,D", "maxattempts=2");
  spec->members[0].retry = seconds(0);
  Group group(spec);
  EXPECT_EQ(group.request("a"), "aaa!");
}

TEST(Errors, with_retry_0_a_dead_member_makes_nobody_forget_the_errors_of_others) {
  auto spec = group_spec("a b");
  spec->members[0].retry = seconds(0);
  Group group(spec);
  EXPECT_EQ(group.request("b"), "a");
  EXPECT_EQ(group.request("b"), "ba");
  EXPECT_EQ(group.request("a"), "aa!");
  EXPECT_EQ(group.status("b"), "Init Err ");
}

TEST(Errors, a_stopped_member_is_never_retried) {
  Group group("a b,S");
  group.change("b", Flag::in_error);
  group.now += std::chrono::hours(100);
  group.picks(2);
  EXPECT_EQ(group.status("b"), "Init Stop Err ");
}

TEST(Errors, a_member_that_ignores_errors_loses_the_error_bit_at_once) {
  Group group("a b,I");
  group.change("b", Flag::in_error);
  EXPECT_EQ(group.picks(2), "ab");
}

TEST(Errors, a_retried_member_may_still_be_unusable) {
  Group group("a b,D");
  group.change("b", Flag::in_error);
  EXPECT_EQ(group.picks(1), "a");
  EXPECT_EQ(group.status("b"), "Init Dis ") << "no error time is on record, so it was due";
}

TEST(Errors, a_failed_health_check_is_not_retried) {
  Group group("a b,C");
  group.now += std::chrono::hours(100);
  EXPECT_EQ(group.picks(2), "aa");
  group.change("b", {}, Flag::health_failed);
  EXPECT_EQ(group.picks(2), "ab");
}

TEST(Errors, a_connect_resets_error_time_and_retries) {
  Group group("a b");
  group.request("a");
  EXPECT_EQ(group.view("a").error_time, group.now);
  group.now += seconds(61);
  std::vector<Decision> running;
  running.push_back(group.choose());
  running.push_back(group.choose());
  EXPECT_EQ(group.view("a").retries, 1U);
  for (const Decision& decision : running) EXPECT_TRUE(group.balancer.connected(decision.lease));
  EXPECT_EQ(group.view("a").retries, 0U);
  EXPECT_EQ(group.view("a").error_time, std::nullopt);
}

TEST(Errors, connecting_to_a_member_that_another_exchange_condemned_fails) {
  Group group("a");
  const Decision one = group.choose();
  const Decision other = group.choose();
  EXPECT_TRUE(group.balancer.connect_failed(one.lease, group.now));
  EXPECT_FALSE(group.balancer.connected(other.lease));
  EXPECT_FALSE(group.balancer.connect_failed(other.lease, group.now + seconds(9)));
  EXPECT_EQ(group.view("a").error_time, group.now) << "the first failure's time stands";
}

TEST(Errors, a_forced_error_moves_the_error_time) {
  Group group("a b");
  const Decision decision = group.choose();
  EXPECT_TRUE(group.balancer.force_error(decision.lease, group.now));
  EXPECT_TRUE(group.balancer.force_error(decision.lease, group.now + seconds(30)));
  group.now += seconds(61);
  EXPECT_EQ(group.picks(2), "bb");
  group.now += seconds(30);
  EXPECT_EQ(group.picks(2), "ba");
}

TEST(Answers, q16_a_backends_own_503_is_no_failure) {
  Group group("a b");
  EXPECT_EQ(group.answer(503), "a");
  EXPECT_EQ(group.picks(3), "bab");
}

TEST(Answers, q21_failonstatus_marks_for_the_next_request) {
  Group group("a b", "failonstatus=500,502");
  const Decision decision = group.choose();
  EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, 502, false),
            AnswerMark::in_error_by_status);
  EXPECT_EQ(group.picks(3), "bbb");
}

TEST(Answers, other_statuses_do_not_mark) {
  Group group("a b", "failonstatus=100,163,164,599");
  const Decision decision = group.choose();
  for (const int status : {101, 162, 165, 200, 598, 0, 99, 600, 999}) {
    EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, status, true),
              AnswerMark::none)
        << status;
  }
  for (const int status : {100, 163, 164, 599}) {
    EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, status, false),
              AnswerMark::in_error_by_status)
        << status;
  }
}

TEST(Answers, q23_failontimeout_marks) {
  Group group("a b", "failontimeout=On");
  const Decision decision = group.choose();
  EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, 502, false), AnswerMark::none);
  EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, 502, true),
            AnswerMark::in_error_by_timeout);
  EXPECT_EQ(group.picks(2), "bb");
}

TEST(Answers, a_member_that_ignores_errors_is_not_marked) {
  Group group("a,I", "failonstatus=500 failontimeout=On");
  const Decision decision = group.choose();
  EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, 500, true), AnswerMark::none);
  EXPECT_EQ(group.status("a"), "Init Ign Ok ");
}

TEST(Waiting, q82_needs_the_timeout_parameter) { EXPECT_FALSE(Group("a,D").balancer.begin_wait()); }

TEST(Waiting, one_exchange_at_a_time) {
  Group group("a,D", "timeout=2");
  auto turn = group.balancer.begin_wait();
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->step(), milliseconds(20));
  EXPECT_FALSE(group.balancer.begin_wait());
  turn.reset();
  EXPECT_TRUE(group.balancer.begin_wait());
}

TEST(Waiting, a_moved_turn_ends_once) {
  Group group("a,D", "timeout=2");
  auto turn = group.balancer.begin_wait();
  {
    const WaitTurn moved = std::move(*turn);
    turn.reset();
    EXPECT_FALSE(group.balancer.begin_wait());
  }
  EXPECT_TRUE(group.balancer.begin_wait());
}

TEST(Waiting, afterwards_only_the_policy_is_asked) {
  Group group("a=r1 b=r2", "stickysession=sid");
  Session session;
  session.found = true;
  session.tag = "r2";
  const Decision decision =
      group.balancer.choose({.session = session, .now = group.now, .attempt = Attempt::after_wait});
  EXPECT_EQ(Group::name_of(decision), "a");
  EXPECT_TRUE(decision.tag_changed);
}

TEST(Waiting, afterwards_errors_are_not_forced_away_but_retried_when_due) {
  Group group("a");
  group.request("a");
  const ChoiceRequest again{.session = {}, .now = group.now, .attempt = Attempt::after_wait};
  EXPECT_EQ(group.balancer.choose(again).outcome, Outcome::none_usable);
  const ChoiceRequest later{
      .session = {}, .now = group.now + seconds(61), .attempt = Attempt::after_wait};
  EXPECT_EQ(group.balancer.choose(later).outcome, Outcome::picked);
}

}  // namespace
}  // namespace steelyard::balance
