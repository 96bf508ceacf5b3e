// failcount=, ejectmax=, maxejected=: when members leave for failures, for how long, and when they
// stay all the same.
#include "balance/ejection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::HasSubstr;

constexpr Instant start = Instant{} + std::chrono::hours(1);

EjectionSpec rules_of(std::string_view parameters) { return group_spec("a", parameters)->ejection; }

HealthEvent last_event(Group& group, std::string_view name) {
  return group.view(name).member->health_log().events().back();
}

// The member fails once, whatever the policy would choose.
void fail(Group& group, std::string_view name) {
  for (int tries = 0; tries < 100; ++tries) {
    const Decision decision = group.choose();
    if (Group::name_of(decision) != name) continue;
    group.balancer.connect_failed(decision.lease, group.now);
    return;
  }
  ADD_FAILURE() << name << " is not chosen";
}

TEST(FailLimit, the_nth_failure_within_the_time_counts) {
  EjectionRecord record;
  const FailLimit limit{.failures = 3, .within = seconds(10)};
  EXPECT_FALSE(note_failure(record, limit, start));
  EXPECT_FALSE(note_failure(record, limit, start + seconds(9)));
  EXPECT_FALSE(note_failure(record, limit, start + seconds(10))) << "the first is too old";
  EXPECT_TRUE(note_failure(record, limit, start + seconds(18)));
}

TEST(FailLimit, agrees_with_counting_over_random_times) {
  std::mt19937 random(3);
  for (int life = 0; life < 300; ++life) {
    const FailLimit limit{.failures = 1 + int(random() % 6), .within = seconds(1 + random() % 20)};
    EjectionRecord record;
    std::vector<Instant> all;
    Instant now = start;
    for (int i = 0; i < 60; ++i) {
      now += milliseconds(random() % 6000);
      all.push_back(now);
      const auto recent =
          std::ranges::count_if(all, [&](Instant at) { return now - at < limit.within; });
      EXPECT_EQ(note_failure(record, limit, now), recent >= limit.failures);
      EXPECT_LE(record.failures.size(), static_cast<std::size_t>(limit.failures));
    }
  }
}

TEST(FailLimit, a_clock_that_is_a_little_behind_counts_as_the_last_one) {
  EjectionRecord record;
  const FailLimit limit{.failures = 2, .within = seconds(1)};
  EXPECT_FALSE(note_failure(record, limit, start));
  EXPECT_TRUE(note_failure(record, limit, start - milliseconds(3)));
  EXPECT_EQ(record.failures.back(), start);
}

TEST(EjectionTime, doubles_up_to_ejectmax) {
  EjectionRecord record;
  const EjectionSpec rules = rules_of("failcount=1/10 ejectmax=100");
  for (const int expected : {30, 60, 100, 100}) {
    record.lasts = begin_ejection(record, rules, seconds(30), start);
    EXPECT_EQ(record.lasts, seconds(expected));
    record.serve_from(start);
  }
}

TEST(EjectionTime, is_never_below_retry) {
  EjectionRecord record;
  EXPECT_EQ(begin_ejection(record, rules_of("failcount=1/10 ejectmax=5"), seconds(60), start),
            seconds(60));
}

TEST(EjectionTime, does_not_overflow) {
  EjectionRecord record;
  const EjectionSpec rules = rules_of("failcount=1/10 ejectmax=24h");
  for (int i = 0; i < 1000; ++i) record.lasts = begin_ejection(record, rules, seconds(1), start);
  EXPECT_EQ(record.lasts, std::chrono::hours(24));
}

TEST(EjectionTime, begins_anew_after_service_as_long_as_the_last_ejection) {
  const EjectionSpec rules = rules_of("failcount=1/10");
  for (const bool long_enough : {false, true}) {
    EjectionRecord record;
    for (int i = 0; i < 2; ++i) record.lasts = begin_ejection(record, rules, seconds(30), start);
    record.serve_from(start);
    const Instant again = start + seconds(long_enough ? 60 : 59);
    EXPECT_EQ(begin_ejection(record, rules, seconds(30), again), seconds(long_enough ? 30 : 120));
  }
}

// Else somebody who fails once in TIME would never be out for longer.
TEST(EjectionTime, begins_anew_only_after_the_time_of_failcount_and_two_windows_of_ejectslow) {
  for (const auto& [parameters, needed] :
       {std::pair{"failcount=9/100", 100}, std::pair{"ejectslow=3/80", 160}}) {
    EjectionRecord record;
    record.lasts = begin_ejection(record, rules_of(parameters), seconds(1), start);
    record.serve_from(start);
    EjectionRecord later = record;
    EXPECT_EQ(begin_ejection(record, rules_of(parameters), seconds(1), start + seconds(needed - 1)),
              seconds(2));
    EXPECT_EQ(begin_ejection(later, rules_of(parameters), seconds(1), start + seconds(needed)),
              seconds(1));
  }
}

TEST(Sparing, agrees_with_the_promise_for_every_small_balancer) {
  for (int members = 1; members <= 6; ++members) {
    for (int out = 0; out < members; ++out) {
      for (int active = 0; active <= members - out - 1; ++active) {
        for (const int percent : {0, 33, 34, 50, 100}) {
          for (const int needed : {0, 1, 2, 3}) {
            EjectionSpec rules;
            rules.percent_max = percent;
            if (needed != 0) rules.active_min = needed;
            const bool may =
                100.0 * (out + 1) / members <= percent && active >= std::max(1, needed);
            EXPECT_EQ(reason_to_spare(rules, {members, out, active}).empty(), may)
                << members << ' ' << out << ' ' << active << ' ' << percent << ' ' << needed;
          }
        }
      }
    }
  }
}

TEST(FailCount, a_member_is_in_error_with_its_nth_failure_only) {
  Group group("a b c", "failcount=3/10");
  for (int i = 0; i < 2; ++i) fail(group, "b");
  EXPECT_EQ(group.status("b"), "Init Ok ");
  fail(group, "b");
  EXPECT_EQ(group.status("b"), "Init Err ");
  EXPECT_EQ(last_event(group, "b").evidence.text, "3 failures within 10 s");
  EXPECT_EQ(last_event(group, "b").cause, HealthCause::connect_failed);
}

TEST(FailCount, failures_far_apart_do_not_add_up) {
  Group group("a b c", "failcount=3/10");
  for (int i = 0; i < 30; ++i, group.now += seconds(5)) fail(group, "b");
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

TEST(FailCount, an_attempt_counts_once_whatever_is_told_of_it) {
  Group group("a b c", "failcount=2/10 failonstatus=503 failontimeout=On");
  const Decision decision = group.choose();
  EXPECT_FALSE(group.balancer.connect_failed(decision.lease, group.now));
  EXPECT_FALSE(group.balancer.force_error(decision.lease, group.now));
  EXPECT_EQ(group.balancer.answer_status(decision.lease, group.now, 503, true), AnswerMark::none);
  EXPECT_EQ(group.status(Group::name_of(decision)), "Init Ok ");
}

TEST(FailCount, counts_answers_and_timeouts_that_count) {
  Group group("a b c", "failcount=2/10 failonstatus=500 failontimeout=On");
  std::vector<Decision> running;
  while (Group::name_of(running.emplace_back(group.choose())) != "b") {
  }
  while (Group::name_of(running.emplace_back(group.choose())) != "b") {
  }
  std::erase_if(running, [](const Decision& one) { return Group::name_of(one) != "b"; });
  ASSERT_EQ(running.size(), 2U);
  EXPECT_EQ(group.balancer.answer_status(running[0].lease, group.now, 500, false),
            AnswerMark::none);
  EXPECT_EQ(group.balancer.answer_status(running[1].lease, group.now, 502, true),
            AnswerMark::in_error_by_timeout);
  EXPECT_EQ(group.status("b"), "Init Err ");
}

TEST(FailCount, a_member_that_ignores_errors_is_not_counted) {
  Group group("a b,I c", "failcount=1/10");
  for (int i = 0; i < 5; ++i) fail(group, "b");
  EXPECT_EQ(group.status("b"), "Init Ign Ok ");
}

// A hundred requests that were under way when the member died are one ejection, not a hundred.
TEST(FailCount, who_fails_while_the_member_is_in_error_makes_it_no_longer) {
  Group group("a b", "failcount=1/10 maxejected=100 trial=Off");
  std::vector<Decision> running;
  running.reserve(40);
  for (int i = 0; i < 40; ++i) running.push_back(group.choose());
  for (Decision& decision : running) {
    if (Group::name_of(decision) == "a") group.balancer.force_error(decision.lease, group.now);
    group.now += milliseconds(1);
  }
  EXPECT_EQ(group.view("a").ejections, 1);
  EXPECT_EQ(group.view("a").error_ends, *group.view("a").error_time + seconds(60));
}

TEST(FailCount, a_member_is_out_for_longer_each_time) {
  Group group("a b", "failcount=1/10 trial=Off");
  for (const int expected : {60, 120, 240, 300}) {
    fail(group, "b");
    group.now += seconds(expected);
    EXPECT_EQ(group.picks(4), "aaaa");
    EXPECT_EQ(group.status("b"), "Init Err ");
    group.now += milliseconds(1);
    EXPECT_THAT(group.picks(2), HasSubstr("b"));
  }
}

TEST(FailCount, the_ceiling_keeps_members_and_their_log_says_so) {
  Group group("a b c d", "failcount=1/10 maxejected=50%");
  fail(group, "a");
  fail(group, "b");
  fail(group, "c");
  EXPECT_EQ(group.status("a") + group.status("b"), "Init Err Init Err ");
  EXPECT_EQ(group.status("c"), "Init Ok ");
  EXPECT_EQ(last_event(group, "c").cause, HealthCause::member_spared);
  EXPECT_THAT(last_event(group, "c").evidence.text, HasSubstr("2 of 4 members are out already"));
}

TEST(FailCount, one_member_is_always_left) {
  Group group("a b,D", "failcount=1/10 maxejected=100");
  fail(group, "a");
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_THAT(last_event(group, "a").evidence.text, HasSubstr("0 others are usable"));
}

TEST(FailCount, a_draining_member_is_not_the_one_that_is_left) {
  Group group("a b,N", "failcount=1/10 maxejected=100");
  fail(group, "a");
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

TEST(FailCount, as_many_as_minactive_are_left) {
  Group group("a b c d", "failcount=1/10 maxejected=100 minactive=3");
  fail(group, "a");
  fail(group, "b");
  EXPECT_EQ(group.status("a"), "Init Err ");
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

// Whoever may go only while others stay does not go with its first failure either.
TEST(EjectSlow, alone_keeps_members_that_fail_as_well) {
  Group group("a b c d", "ejectslow=3/10 maxejected=25");
  fail(group, "a");
  fail(group, "b");
  EXPECT_EQ(group.status("a"), "Init Err ");
  EXPECT_EQ(group.status("b"), "Init Ok ");
  EXPECT_EQ(last_event(group, "b").cause, HealthCause::member_spared);
  Group few("a b c", "ejectslow=3/10 maxejected=100 minactive=3");
  fail(few, "a");
  EXPECT_EQ(few.status("a"), "Init Ok ");
}

TEST(FailCount, never_leaves_fewer_than_promised_in_random_lives) {
  std::mt19937 random(11);
  for (int life = 0; life < 200; ++life) {
    const int percent = int(random() % 101);
    const int needed = 1 + int(random() % 3);
    Group group("a b c d e f", "failcount=" + std::to_string(1 + random() % 3) +
                                   "/20 maxejected=" + std::to_string(percent) +
                                   " minactive=" + std::to_string(needed));
    for (int step = 0; step < 100; ++step, group.now += milliseconds(random() % 8000)) {
      const Decision decision = group.choose();
      ASSERT_TRUE(decision.lease);
      if (random() % 3 != 0) {
        group.balancer.force_error(decision.lease, group.now);
      } else {
        group.balancer.answer_began(decision.lease, group.now, 200);
      }
      int out = 0;
      for (const MemberView& view : group.balancer.members()) out += view.status.usable() ? 0 : 1;
      ASSERT_LE(out * 100, percent * 6);
      ASSERT_GE(6 - out, needed);
    }
  }
}

// With its ways to come back: an operator, and a passed check.
TEST(FailCount, a_reload_keeps_failures_and_ejections) {
  Group group("a b c", "failcount=2/100 trial=Off");
  fail(group, "b");
  group.balancer.adopt(group_spec("b a c", "failcount=2/100 trial=Off"), group.now);
  fail(group, "b");
  EXPECT_EQ(group.status("b"), "Init Err ");
  group.now += seconds(61);
  group.picks(3);
  for (int i = 0; i < 2; ++i) fail(group, "b");
  group.balancer.adopt(group_spec("b a c", "failcount=2/100 trial=Off"), group.now);
  EXPECT_EQ(group.view("b").error_ends, group.now + seconds(120));
}

MemberRef picked(const Decision& decision) { return MemberRef(&decision.lease.member()); }

TEST(Avoiding, a_failed_attempt_moves_on_although_the_member_is_still_usable) {
  for (const PolicyTraits& policy : all_policies()) {
    if (!policy.by_plan) continue;
    Group group("a b c", "failcount=9/10 lbmethod=" + std::string(policy.name));
    for (int i = 0; i < 300; ++i) {
      std::vector<MemberRef> tried;
      const std::string key = std::to_string(i);
      std::string names;
      for (int attempts = 1; attempts <= 3; ++attempts) {
        Decision decision = group.balancer.choose({.session = {},
                                                   .now = group.now,
                                                   .random = group.random.next(),
                                                   .key = key,
                                                   .tried = tried});
        ASSERT_TRUE(decision.lease) << policy.name;
        EXPECT_FALSE(names.contains(Group::name_of(decision))) << policy.name << ' ' << names;
        names += Group::name_of(decision);
        EXPECT_EQ(group.balancer.may_try_another(decision.lease, attempts), attempts < 3);
        tried.push_back(picked(decision));
      }
      const Decision last = group.balancer.choose(
          {.session = {}, .now = group.now, .random = 1, .key = key, .tried = tried});
      EXPECT_EQ(last.outcome, Outcome::none_usable);
    }
    std::int64_t credit = 0;
    for (const std::int64_t one : group.credits()) credit += one;
    EXPECT_EQ(credit, 0) << policy.name;
  }
}

TEST(Avoiding, goes_on_to_a_standby_and_to_a_higher_lbset) {
  Group group("a h,H c@1", "failcount=9/10");
  std::vector<MemberRef> tried;
  for (const std::string_view expected : {"a", "h", "c"}) {
    Decision decision = group.balancer.choose({.session = {}, .now = group.now, .tried = tried});
    EXPECT_EQ(Group::name_of(decision), expected);
    tried.push_back(picked(decision));
  }
}

TEST(Avoiding, is_for_this_exchange_only) {
  Group group("a b", "failcount=9/10");
  std::vector<MemberRef> tried;
  tried.push_back(picked(group.choose()));
  EXPECT_EQ(
      Group::name_of(group.balancer.choose({.session = {}, .now = group.now, .tried = tried})),
      "b");
  EXPECT_THAT(group.picks(2), HasSubstr("a"));
}

TEST(Avoiding, without_failcount_httpds_rule_stays) {
  Group group("a");
  const Decision first = group.choose();
  const std::vector<MemberRef> tried{picked(first)};
  EXPECT_EQ(
      Group::name_of(group.balancer.choose({.session = {}, .now = group.now, .tried = tried})),
      "a");
  EXPECT_FALSE(group.balancer.may_try_another(first.lease, 1));
}

struct StickyCase {
  std::string_view members, parameters, expected;
};

TEST(Avoiding, a_session_goes_on_as_if_its_member_were_unusable) {
  const StickyCase cases[] = {
      {"a=r1 b=r2 c=r3", "", "b"},
      {"a=r1>r3 b=r2 c=r3", "", "c"},
      {"a=r1 b=r2 c=r1", "", "c"},
      {"a=r1 b=r2 c=r3", "nofailover=On", "-"},
  };
  for (const StickyCase& one : cases) {
    Group group(one.members, "stickysession=sid failcount=9/10 " + std::string(one.parameters));
    std::vector<MemberRef> tried;
    tried.push_back(picked(group.choose("r1")));
    Session session;
    session.found = true;
    session.tag = "r1";
    const Decision decision =
        group.balancer.choose({.session = session, .now = group.now, .tried = tried});
    EXPECT_EQ(Group::name_of(decision), one.expected) << one.members;
    EXPECT_EQ(decision.outcome == Outcome::session_member_unusable, one.expected == "-");
  }
}

TEST(MinActive, standbys_come_until_enough_take_part) {
  Group group("a b h,H i,H j,H", "minactive=3");
  EXPECT_EQ(group.picks(3), "abh");
  group.change("a", Flag::disabled);
  EXPECT_THAT(group.picks(6), testing::AllOf(HasSubstr("b"), HasSubstr("h"), HasSubstr("i"),
                                             testing::Not(HasSubstr("j"))));
  group.change("a", {}, Flag::disabled);
  EXPECT_EQ(group.picks(9).find('i'), std::string::npos);
}

TEST(MinActive, spares_count_and_come_first) {
  Group group("a,D b r,R h,H", "minactive=3");
  EXPECT_THAT(group.picks(6), testing::AllOf(HasSubstr("b"), HasSubstr("r"), HasSubstr("h")));
  EXPECT_EQ(Group("a,D b r,R h,H", "minactive=2").picks(6).find('h'), std::string::npos);
}

TEST(MinActive, other_sets_are_left_alone) {
  Group group("a h,H c@1 i,H@1", "minactive=4");
  EXPECT_EQ(group.picks(4), "ahah");
}

TEST(MinActive, without_it_standbys_come_all_or_none) {
  EXPECT_EQ(Group("a h,H i,H").picks(3), "aaa");
  EXPECT_EQ(Group("a,D h,H i,H").picks(4), "hihi");
  EXPECT_EQ(Group("a,D h,H i,H", "minactive=1").picks(4), "hhhh");
}

TEST(MinActive, agrees_with_the_rule_in_random_sets) {
  std::mt19937 random(5);
  for (int world = 0; world < 300; ++world) {
    std::string members;
    int regular = 0;
    int standbys = 0;
    for (int i = 0; i < 7; ++i) {
      const bool standby = random() % 2 == 0;
      const bool usable = random() % 3 != 0;
      members += std::string(1, static_cast<char>('a' + i)) + (standby ? ",H" : "");
      members += usable ? " " : (standby ? "D " : ",D ");
      if (usable) ++(standby ? standbys : regular);
    }
    const int needed = 1 + int(random() % 5);
    Group group(members, "minactive=" + std::to_string(needed));
    std::string seen;
    for (const char name : group.picks(60)) {
      if (name != '-' && !seen.contains(name)) seen += name;
    }
    const int expected = std::max(regular, std::min(regular + standbys, needed));
    EXPECT_EQ(static_cast<int>(seen.size()), expected) << members << needed;
  }
}

}  // namespace
}  // namespace steelyard::balance
