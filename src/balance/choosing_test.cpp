#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::ElementsAre;

TEST(ByRequests, q13_weights_1_1_2_give_the_documented_trace) {
  Group group("a b c*2");
  EXPECT_EQ(group.picks(1), "c");
  EXPECT_THAT(group.credits(), ElementsAre(100, 100, -200));
  EXPECT_EQ(group.picks(1), "a");
  EXPECT_THAT(group.credits(), ElementsAre(-200, 200, 0));
  EXPECT_EQ(group.picks(1), "b");
  EXPECT_THAT(group.credits(), ElementsAre(-100, -100, 200));
  EXPECT_EQ(group.picks(1), "c");
  EXPECT_THAT(group.credits(), ElementsAre(0, 0, 0));
  EXPECT_EQ(group.picks(8), "cabccabc");
}

TEST(ByRequests, q14_ties_go_to_the_first_in_configuration_order) {
  EXPECT_EQ(Group("a b c d").picks(8), "abcdabcd");
  EXPECT_EQ(Group("a b").picks(4), "abab");
}

TEST(ByRequests, a_double_weight_among_four) {
  Group group("a b c d*2");
  EXPECT_EQ(group.picks(10), "dabcddabcd");
  EXPECT_THAT(group.credits(), ElementsAre(0, 0, 0, 0));
}

TEST(ByRequests, fractions_of_a_weight_count) { EXPECT_EQ(Group("a*1.5 b").picks(5), "ababa"); }

TEST(ByRequests, q15_a_member_that_returns_gets_no_burst) {
  Group group("a b", "failonstatus=500");
  EXPECT_EQ(group.picks(1), "a");
  EXPECT_EQ(group.answer(500), "b");
  EXPECT_EQ(group.picks(3), "aaa");
  EXPECT_THAT(group.credits(), ElementsAre(0, 0));
  group.now += seconds(61);
  EXPECT_EQ(group.picks(5), "ababa");
}

TEST(ByRequests, a_member_that_failed_holding_credit_comes_back_with_it) {
  Group group("a b");
  EXPECT_EQ(group.picks(1), "a");
  EXPECT_THAT(group.credits(), ElementsAre(-100, 100));
  group.change("b", Flag::disabled);
  EXPECT_EQ(group.picks(3), "aaa");
  EXPECT_THAT(group.credits(), ElementsAre(-100, 100));
  group.change("b", {}, Flag::disabled);
  EXPECT_EQ(group.picks(3), "bab");
}

TEST(ByRequests, a_failed_attempt_costs_its_member_the_quota) {
  Group group("a b");
  EXPECT_EQ(group.request("a"), "ab");
  EXPECT_THAT(group.credits(), ElementsAre(-100, 100));
  group.now += seconds(61);
  EXPECT_EQ(group.picks(3), "bab");
}

TEST(ByRequests, credit_of_other_sets_is_left_alone) {
  Group group("a b@1");
  group.picks(5);
  EXPECT_THAT(group.credits(), ElementsAre(0, 0));
}

TEST(ByTraffic, the_documented_example) {
  Group group("a b", "lbmethod=bytraffic");
  std::string names;
  for (int i = 0; i < 4; ++i) {
    const Decision decision = group.choose();
    names += Group::name_of(decision);
    decision.lease.member().add_transferred(250);
    decision.lease.member().add_read(300);
  }
  EXPECT_EQ(names, "abab");
  EXPECT_THAT(group.credits(), ElementsAre(0, 0));
}

// Totals counted in hundreds of bytes, each direction cut for itself.
TEST(ByTraffic, q83_differences_below_a_hundred_bytes_are_invisible) {
  Group group("a b", "lbmethod=bytraffic");
  const auto exchange = [&group](std::int64_t out, std::int64_t in) {
    const Decision decision = group.choose();
    decision.lease.member().add_transferred(out);
    decision.lease.member().add_read(in);
    return Group::name_of(decision);
  };
  EXPECT_EQ(exchange(99, 99), "a");  // 198 bytes and still 0
  EXPECT_EQ(exchange(1, 0), "a");
  EXPECT_EQ(exchange(99, 99), "b");
  EXPECT_EQ(exchange(0, 1), "b");
  EXPECT_EQ(exchange(0, 0), "a");
}

TEST(ByTraffic, weights_divide_the_bytes) {
  Group group("a b*4", "lbmethod=bytraffic");
  std::string names;
  for (int i = 0; i < 10; ++i) {
    const Decision decision = group.choose();
    names += Group::name_of(decision);
    decision.lease.member().add_read(1000);
  }
  EXPECT_EQ(names, "abbbbabbbb");
}

TEST(ByBusyness, q34_the_weight_only_breaks_ties) {
  Group group("a b*9", "lbmethod=bybusyness");
  std::vector<Decision> running;
  std::string names;
  for (int i = 0; i < 4; ++i) {
    running.push_back(group.choose());
    names += Group::name_of(running.back());
  }
  EXPECT_EQ(names, "baba");
}

TEST(ByBusyness, without_concurrency_it_is_byrequests) {
  EXPECT_EQ(Group("a b c*2", "lbmethod=bybusyness").picks(8), "cabccabc");
}

TEST(ByBusyness, the_idle_member_catches_up) {
  Group group("a b", "lbmethod=bybusyness");
  std::vector<Decision> slow;
  for (int i = 0; i < 3; ++i) slow.push_back(group.choose());  // a b a
  slow.erase(slow.begin() + 1);                                // b ends
  slow.push_back(group.choose());
  EXPECT_EQ(Group::name_of(slow.back()), "b");
  slow.push_back(group.choose());
  EXPECT_EQ(Group::name_of(slow.back()), "b");
  EXPECT_EQ(group.view("a").busy, 2);
  EXPECT_EQ(group.view("b").busy, 2);
}

TEST(Candidates, q26_a_standby_serves_only_when_its_set_has_nobody_else) {
  Group group("a b,H", "failonstatus=500");
  EXPECT_EQ(group.picks(2), "aa");
  EXPECT_EQ(group.answer(500), "a");
  EXPECT_EQ(group.picks(2), "bb");
  group.now += seconds(61);
  EXPECT_EQ(group.picks(2), "aa");
}

TEST(Candidates, a_standby_of_a_low_set_comes_before_regular_members_of_the_next) {
  Group group("a b,H c@1");
  group.change("a", Flag::disabled);
  const Decision decision = group.choose();
  EXPECT_EQ(Group::name_of(decision), "b");
  EXPECT_EQ(decision.reason, Reason::standby);
}

TEST(Candidates, q28_one_spare_for_each_missing_member) {
  Group group("a b,D c,R d,R");
  EXPECT_EQ(group.picks(4), "acac");
  group.change("a", Flag::disabled);
  EXPECT_EQ(group.picks(4), "cdcd");
  group.change("a", {}, Flag::disabled);
  group.change("b", {}, Flag::disabled);
  EXPECT_EQ(group.picks(2), "ab");
}

TEST(Candidates, spares_behind_the_regular_members_lose_ties) {
  Group group("s,R a b,D");
  EXPECT_EQ(group.picks(4), "asas");
}

TEST(Candidates, a_spare_keeps_standbys_out) {
  Group group("a,D s,R h,H");
  const Decision decision = group.choose();
  EXPECT_EQ(Group::name_of(decision), "s");
  EXPECT_EQ(decision.reason, Reason::spare);
  group.change("s", Flag::disabled);
  EXPECT_EQ(group.picks(1), "h");
}

TEST(Candidates, a_spare_is_not_used_when_nobody_is_missing) {
  EXPECT_EQ(Group("s,R").picks(1), "-");
  EXPECT_EQ(Group("a s,R").picks(2), "aa");
}

TEST(Candidates, a_spare_that_is_standby_too_is_a_spare) {
  Group group("a,D b,RH");
  EXPECT_EQ(group.choose().reason, Reason::spare);
  EXPECT_EQ(Group("b,RH").picks(1), "-");
}

TEST(Candidates, a_draining_member_is_missed_unless_it_is_spare_or_standby) {
  EXPECT_EQ(Group("a,N s,R").picks(1), "s");
  EXPECT_EQ(Group("a,NH s,R").picks(1), "-");
  EXPECT_EQ(Group("a,NR s,R").picks(1), "-");
}

TEST(Candidates, q29_sets_are_tried_in_order_and_the_low_one_returns) {
  Group group("a b@1", "failonstatus=500");
  EXPECT_EQ(group.picks(2), "aa");
  EXPECT_EQ(group.answer(500), "a");
  EXPECT_EQ(group.picks(1), "b");
  group.now += seconds(60);
  EXPECT_EQ(group.picks(1), "b") << "the retry time must be exceeded";
  group.now += milliseconds(1);
  EXPECT_EQ(group.picks(1), "a");
}

TEST(Candidates, sets_need_not_be_consecutive_nor_ordered) {
  Group group("a@99 b@7 c@7");
  EXPECT_EQ(group.picks(2), "bc");
  group.change("b", Flag::stopped);
  group.change("c", Flag::health_failed);
  EXPECT_EQ(group.picks(1), "a");
}

TEST(Candidates, q31_disabled_and_stopped_members_get_nothing) {
  EXPECT_EQ(Group("a,D b c,S").picks(3), "bbb");
}

TEST(Outcomes, nobody_usable_and_nobody_at_all) {
  EXPECT_EQ(Group("a,D").choose().outcome, Outcome::none_usable);
  EXPECT_EQ(Group("").choose().outcome, Outcome::no_members);
  EXPECT_FALSE(Group("").choose().lease);
}

TEST(Events, a_usual_choice_reports_nothing_and_holds_no_memory_for_it) {
  const Decision decision = Group("a b").choose();
  EXPECT_EQ(decision.events.capacity(), 0U);
}

TEST(Counters, q125_a_failover_counts_on_every_member_tried) {
  Group group("a b");
  EXPECT_EQ(group.request("a"), "ab");
  EXPECT_EQ(group.view("a").elected, 1U);
  EXPECT_EQ(group.view("b").elected, 1U);
}

TEST(Counters, a_member_is_busy_until_its_lease_ends) {
  Group group("a b");
  {
    const Decision first = group.choose();
    Decision second = group.choose();
    EXPECT_EQ(group.view("a").busy, 1);
    EXPECT_EQ(group.view("b").busy, 1);
    second.lease.end();
    EXPECT_EQ(group.view("b").busy, 0);
    second.lease.end();
    EXPECT_EQ(group.view("b").busy, 0);
  }
  EXPECT_EQ(group.view("a").busy, 0);
}

TEST(Counters, q128_a_repeated_member_is_one_member) { EXPECT_EQ(Group("a a b").picks(4), "abab"); }

TEST(Explanation, tells_for_each_member_what_became_of_it) {
  Group group("a b*2 c,D d,H e@1 f,N g,R h,R");
  Explanation explanation;
  const Decision decision =
      group.balancer.choose({.session = {}, .now = group.now, .explanation = &explanation});
  EXPECT_EQ(Group::name_of(decision), "b");
  EXPECT_EQ(explanation.outcome, Outcome::picked);
  EXPECT_EQ(explanation.reason, Reason::by_policy);
  std::vector<Verdict> verdicts;
  for (const Candidate& candidate : explanation.candidates) verdicts.push_back(candidate.verdict);
  EXPECT_THAT(verdicts, ElementsAre(Verdict::eligible, Verdict::chosen, Verdict::unusable,
                                    Verdict::standby_not_needed, Verdict::not_reached,
                                    Verdict::draining, Verdict::eligible, Verdict::eligible));
  EXPECT_EQ(explanation.candidates[0].credit, 100);
  EXPECT_EQ(explanation.candidates[1].credit, 200);
  EXPECT_EQ(explanation.candidates[4].credit, 0);
}

TEST(Explanation, does_not_change_what_is_picked) {
  Group plain("a b*3 c*2", "lbmethod=bybusyness");
  Group explained("a b*3 c*2", "lbmethod=bybusyness");
  for (int i = 0; i < 20; ++i) {
    Explanation explanation;
    const Decision decision = explained.balancer.choose(
        {.session = {}, .now = explained.now, .explanation = &explanation});
    EXPECT_EQ(Group::name_of(decision), plain.picks(1));
  }
  EXPECT_EQ(plain.credits(), explained.credits());
}

TEST(Explanation, of_a_session) {
  Group group("a=r1 b=r2,D", "stickysession=sid");
  Explanation explanation;
  Session session;
  session.found = true;
  session.tag = "r1";
  group.balancer.choose({.session = session, .now = group.now, .explanation = &explanation});
  EXPECT_EQ(explanation.reason, Reason::by_session);
  EXPECT_EQ(explanation.candidates[0].verdict, Verdict::chosen);
  EXPECT_EQ(explanation.candidates[1].verdict, Verdict::not_asked);
}

TEST(Explanation, of_a_member_in_error) {
  Group group("a b");
  group.request("a");
  Explanation explanation;
  group.balancer.choose({.session = {}, .now = group.now, .explanation = &explanation});
  EXPECT_EQ(explanation.candidates[0].verdict, Verdict::awaiting_retry);
}

}  // namespace
}  // namespace steelyard::balance
