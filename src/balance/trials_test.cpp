// trial=: one request at a time shows whether a member in error serves again.
#include "balance/trials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

enum class Kind : std::uint8_t { replayable, once };

Decision ask(Group& group, Kind kind = Kind::replayable, std::string_view tag = "") {
  ChoiceRequest request{.session = {}, .now = group.now, .random = group.random.next()};
  request.replayable = kind == Kind::replayable;
  if (!tag.empty()) {
    request.session.found = true;
    request.session.tag = tag;
  }
  return group.balancer.choose(request);
}

std::string asked(Group& group, Kind kind = Kind::replayable, std::string_view tag = "") {
  return Group::name_of(ask(group, kind, tag));
}

// The member is in error and its time is over.
void bring_to_trial(Group& group, std::string_view name) {
  while (true) {
    const Decision decision = group.choose();
    if (Group::name_of(decision) != name) continue;
    group.balancer.force_error(decision.lease, group.now);
    break;
  }
  group.now += seconds(60) + milliseconds(1);
}

HealthCause last_cause(Group& group, std::string_view name) {
  return group.view(name).member->health_log().events().back().cause;
}

TEST(Trial, is_one_request_at_a_time) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  EXPECT_EQ(Group::name_of(trial), "b");
  EXPECT_EQ(trial.reason, Reason::trial);
  ASSERT_EQ(trial.events.size(), 1U);
  EXPECT_EQ(trial.events[0].kind, EventKind::trial);
  EXPECT_EQ(group.status("b"), "Init Err ");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(asked(group), "a");
}

TEST(Trial, does_not_come_before_the_time_is_over) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  group.now -= milliseconds(1);
  EXPECT_EQ(asked(group), "a");
}

// It would wait at the member for those that hang there.
TEST(Trial, needs_room_at_the_member) {
  auto spec = group_spec("a=r1 b=r2", "trial=On stickysession=sid");
  spec->members[1].pool.connections_max = 1;
  Group group(spec);
  std::vector<Decision> held;
  while (held.empty()) {
    Decision decision = group.choose();
    if (Group::name_of(decision) == "b") held.push_back(std::move(decision));
  }
  group.balancer.force_error(held[0].lease, group.now);
  group.now += seconds(61);
  EXPECT_EQ(asked(group), "a");
  EXPECT_EQ(asked(group, Kind::replayable, "r2"), "a");
  held.clear();
  EXPECT_EQ(asked(group), "b");
  EXPECT_EQ(asked(group, Kind::replayable, "r2"), "b");
}

TEST(Trial, is_passed_with_the_head_of_an_answer) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  EXPECT_TRUE(group.balancer.connected(trial.lease));
  EXPECT_EQ(group.status("b"), "Init Err ") << "a connection is no answer";
  group.balancer.answer_began(trial.lease, group.now, 404);
  EXPECT_EQ(group.status("b"), "Init Ok ");
  EXPECT_EQ(last_cause(group, "b"), HealthCause::trial_passed);
  EXPECT_EQ(group.view("b").retries, 0U);
  EXPECT_EQ(group.view("b").error_time, std::nullopt);
  EXPECT_THAT(group.picks(4), HasSubstr("b"));
}

TEST(Trial, fails_for_a_longer_time) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  for (const int lasts : {120, 240, 300, 300}) {
    {
      const Decision trial = ask(group);
      ASSERT_EQ(Group::name_of(trial), "b");
      EXPECT_TRUE(group.balancer.connect_failed(trial.lease, group.now));
      EXPECT_FALSE(group.balancer.force_error(trial.lease, group.now)) << "the same failure";
      EXPECT_TRUE(group.balancer.may_try_another(trial.lease, 1));
    }
    EXPECT_EQ(last_cause(group, "b"), HealthCause::trial_failed);
    EXPECT_EQ(group.balancer.error_length(*group.view("b").member), seconds(lasts));
    group.now += seconds(lasts);
    EXPECT_EQ(asked(group), "a");
    group.now += milliseconds(1);
  }
}

TEST(Trial, fails_by_a_status_of_failonstatus) {
  Group group("a b", "trial=On failonstatus=500");
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  group.balancer.answer_began(trial.lease, group.now, 500);
  EXPECT_EQ(group.status("b"), "Init Err ");
  EXPECT_EQ(group.balancer.answer_status(trial.lease, group.now, 500, false),
            AnswerMark::in_error_by_status);
  EXPECT_EQ(group.view("b").ejections, 2);
}

TEST(Trial, without_a_verdict_the_next_request_may_be_it) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  EXPECT_EQ(asked(group), "b") << "and the client is gone";
  EXPECT_EQ(asked(group), "b");
  Decision one = ask(group);
  Lease moved = std::move(one.lease);
  EXPECT_EQ(asked(group), "a") << "moving a lease does not end it";
  moved.end();
  EXPECT_EQ(asked(group), "b");
}

// Its lease ends after the verdict, when the next trial is under way already.
TEST(Trial, the_end_of_a_judged_one_does_not_end_the_next) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  Decision first = ask(group);
  group.balancer.connect_failed(first.lease, group.now);
  group.now += seconds(121);
  const Decision second = ask(group);
  ASSERT_EQ(Group::name_of(second), "b");
  first.lease.end();
  EXPECT_EQ(asked(group), "a");
  group.balancer.answer_began(second.lease, group.now, 200);
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

TEST(Trial, is_none_of_a_request_that_cannot_be_repeated_while_others_are_there) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  EXPECT_EQ(asked(group, Kind::once), "a");
  group.change("a", Flag::disabled);
  EXPECT_EQ(asked(group, Kind::once), "b");
}

// Else a service that gets only such requests would never have the member back.
TEST(Trial, may_be_one_that_cannot_be_repeated_once_it_is_long_due) {
  Group group("a=r1 b=r2", "trial=On stickysession=sid");
  bring_to_trial(group, "b");
  group.now += seconds(60) - milliseconds(1);
  EXPECT_EQ(asked(group, Kind::once), "a");
  EXPECT_EQ(asked(group, Kind::once, "r2"), "a");
  group.now += milliseconds(1);
  EXPECT_EQ(asked(group, Kind::once), "b");
  EXPECT_EQ(asked(group, Kind::once, "r2"), "b");
  ChoiceRequest request{.session = {}, .now = group.now, .whole = false};
  EXPECT_EQ(Group::name_of(group.balancer.choose(request)), "a");
  {
    const Decision trial = ask(group, Kind::once);
    group.balancer.connect_failed(trial.lease, group.now);
  }
  group.now += seconds(240);
  EXPECT_EQ(asked(group, Kind::once), "a") << "the error lasted 120 seconds this time";
  group.now += milliseconds(1);
  EXPECT_EQ(asked(group, Kind::once), "b");
}

TEST(Trial, is_none_of_a_request_whose_client_has_yet_to_send_the_rest_of_it) {
  Group group("a=r1 b=r2", "trial=On stickysession=sid");
  bring_to_trial(group, "b");
  ChoiceRequest request{.session = {}, .now = group.now, .replayable = true, .whole = false};
  EXPECT_EQ(Group::name_of(group.balancer.choose(request)), "a");
  request.session.found = true;
  request.session.tag = "r2";
  EXPECT_EQ(Group::name_of(group.balancer.choose(request)), "a");
  group.change("a", Flag::disabled);
  EXPECT_EQ(Group::name_of(group.balancer.choose(request)), "b");
}

TEST(Trial, is_none_of_a_request_that_failed_elsewhere_already) {
  Group group("a b c", "trial=On");
  bring_to_trial(group, "b");
  std::vector<MemberRef> tried;
  while (tried.empty()) {
    const Decision decision = ask(group, Kind::once);
    if (Group::name_of(decision) == "a") tried.emplace_back(&decision.lease.member());
  }
  ChoiceRequest request{.session = {}, .now = group.now, .tried = tried};
  request.replayable = true;
  EXPECT_EQ(Group::name_of(group.balancer.choose(request)), "c");
}

TEST(Trial, who_connects_to_a_member_in_error_without_being_its_trial_is_turned_away) {
  Group group("a b", "trial=On");
  std::vector<Decision> running;
  running.reserve(2);
  for (int i = 0; i < 2; ++i) running.push_back(group.choose());
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  EXPECT_FALSE(group.balancer.connected(running[1].lease));
  EXPECT_FALSE(group.balancer.force_error(running[1].lease, group.now)) << "it tells nothing new";
  EXPECT_EQ(group.view("b").ejections, 1);
  EXPECT_TRUE(group.balancer.connected(trial.lease));
}

TEST(Trial, an_operator_who_stops_the_member_ends_it) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  group.change("b", Flag::stopped);
  EXPECT_FALSE(group.balancer.connected(trial.lease));
}

TEST(Trial, a_check_that_passes_meanwhile_leaves_nothing_to_judge) {
  Group group("a b", "trial=On failcount=5/10");
  group.change("b", Flag::in_error);
  const Decision trial = ask(group);
  ASSERT_EQ(Group::name_of(trial), "b");
  group.change("b", {}, Flag::in_error);
  EXPECT_FALSE(group.balancer.connect_failed(trial.lease, group.now)) << "one of five failures";
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

// What breaks off after the head was no trial any more.
TEST(Trial, a_failure_after_it_was_passed_is_an_ordinary_one) {
  Group group("a b", "failcount=5/10");
  group.change("b", Flag::in_error);
  const Decision trial = ask(group);
  group.balancer.answer_began(trial.lease, group.now, 200);
  EXPECT_FALSE(trial.lease.is_trial());
  EXPECT_FALSE(group.balancer.force_error(trial.lease, group.now));
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

TEST(Trial, sessions_of_the_member_may_be_it) {
  for (const Kind kind : {Kind::replayable, Kind::once}) {
    Group group("a=r1 b=r2", "trial=On stickysession=sid");
    bring_to_trial(group, "b");
    const Decision decision = ask(group, kind, "r2");
    EXPECT_EQ(Group::name_of(decision), kind == Kind::replayable ? "b" : "a");
    if (kind == Kind::once) continue;
    EXPECT_EQ(decision.reason, Reason::by_session);
    EXPECT_EQ(asked(group, kind, "r2"), "a") << "one at a time";
  }
}

TEST(Trial, sessions_that_must_not_fail_over_are_it_in_any_case) {
  Group group("a=r1 b=r2", "trial=On stickysession=sid nofailover=On");
  bring_to_trial(group, "b");
  const Decision trial = ask(group, Kind::once, "r2");
  EXPECT_EQ(Group::name_of(trial), "b");
  EXPECT_EQ(ask(group, Kind::once, "r2").outcome, Outcome::session_member_unusable);
}

TEST(Trial, forced_recovery_opens_each_member_for_one) {
  Group group("a b", "trial=On");
  group.change("a", Flag::in_error);
  group.change("b", Flag::in_error);
  for (int i = 0; i < 2; ++i) {
    const Decision trial = ask(group, Kind::once);
    EXPECT_EQ(Group::name_of(trial), "a");
    group.balancer.connect_failed(trial.lease, group.now);
  }
  const Decision first = ask(group, Kind::once);
  const Decision second = ask(group, Kind::once);
  EXPECT_EQ(Group::name_of(first) + Group::name_of(second), "ab");
  EXPECT_EQ(group.status("a") + group.status("b"), "Init Err Init Err ");
  EXPECT_EQ(asked(group), "-");
  group.balancer.answer_began(second.lease, group.now, 200);
  EXPECT_EQ(asked(group), "b");
}

TEST(Trial, forced_ones_that_fail_make_the_error_no_longer) {
  Group group("a b", "trial=On");
  const auto fail_trials = [&group](std::string_view expected) {
    std::string names;
    for (int i = 0; i < 2; ++i) {
      const Decision trial = ask(group, Kind::once);
      names += Group::name_of(trial);
      group.balancer.connect_failed(trial.lease, group.now);
    }
    EXPECT_EQ(names, expected);
  };
  const auto lengths = [&group] {
    return std::pair(group.balancer.error_length(*group.view("a").member),
                     group.balancer.error_length(*group.view("b").member));
  };
  fail_trials("ab");
  for (int i = 0; i < 5; ++i, group.now += seconds(1)) fail_trials("aa");
  EXPECT_EQ(lengths(), std::pair(Duration(seconds(60)), Duration(seconds(60))));
  EXPECT_EQ(group.view("a").ejections, 1);
  // In time, it is one.
  group.change("b", Flag::disabled);
  group.now += seconds(61);
  const Decision trial = ask(group, Kind::once);
  EXPECT_EQ(Group::name_of(trial), "a");
  group.balancer.connect_failed(trial.lease, group.now);
  EXPECT_EQ(lengths().first, seconds(120));
}

TEST(Trial, without_forced_recovery_the_time_counts) {
  Group group("a", "trial=On forcerecovery=Off");
  {
    const Decision decision = ask(group);
    group.balancer.connect_failed(decision.lease, group.now);
  }
  EXPECT_EQ(asked(group), "-");
  group.now += seconds(61);
  EXPECT_EQ(asked(group), "a");
}

struct RoleCase {
  std::string_view members, expected;  // x is in error and its time is over
};

TEST(Trial, spares_standbys_and_higher_sets_have_one_only_when_they_would_be_asked) {
  const RoleCase cases[] = {
      {"a x", "x"},         {"a x,N", "a"}, {"a x,H", "a"},     {"a,D h,H x,H", "x"},
      {"a,D x,H", "x"},     {"a x,R", "a"}, {"a b,D x,R", "x"}, {"a b,D r,R x,R", "a"},
      {"a x@1", "a"},       {"a@1 x", "x"}, {"a@1 x,H", "x"},   {"a@1 x,R", "a"},
      {"a@1 b,D x,R", "x"}, {"a x,D", "a"}, {"a x,S", "a"},     {"a x,C", "a"},
  };
  for (const RoleCase& one : cases) {
    Group group(one.members, "trial=On");
    group.change("x", Flag::in_error);
    if (one.expected == "x") {
      EXPECT_EQ(asked(group), "x") << one.members;
    } else {
      for (int i = 0; i < 4; ++i) EXPECT_NE(asked(group), "x") << one.members;
    }
  }
}

TEST(Trial, a_standby_that_minactive_calls_for_has_one) {
  Group group("a x,H", "trial=On minactive=2");
  group.change("x", Flag::in_error);
  EXPECT_EQ(asked(group), "x");
}

TEST(Trial, is_free_of_credit) {
  Group group("a b*3 c", "trial=On");
  group.change("b", Flag::in_error);
  for (int i = 0; i < 20; ++i) {
    ask(group);
    group.picks(3);
    std::int64_t sum = 0;
    for (const std::int64_t credit : group.credits()) sum += credit;
    EXPECT_EQ(sum, 0);
  }
}

TEST(Trial, slowstart_begins_when_it_is_passed) {
  Group group("a b", "trial=On slowstart=1000");
  bring_to_trial(group, "b");
  {
    const Decision trial = ask(group);
    group.balancer.answer_began(trial.lease, group.now, 200);
  }
  // A thirty-second part of the turns, the first of them after half as many.
  EXPECT_THAT(group.picks(15), Not(HasSubstr("b")));
  EXPECT_THAT(group.picks(20), HasSubstr("b"));
}

TEST(Trial, comes_by_itself_with_failcount_unless_it_is_off) {
  EXPECT_FALSE(group_spec("a")->gives_trials());
  EXPECT_TRUE(group_spec("a", "failcount=2/9")->gives_trials());
  EXPECT_TRUE(group_spec("a", "ejectslow=2/9")->gives_trials());
  EXPECT_FALSE(group_spec("a", "failcount=2/9 trial=Off")->gives_trials());
  EXPECT_FALSE(group_spec("a", "trial=On lbmethod=heartbeat")->gives_trials());
}

// It knows neither sets nor roles: as if the parameter were not there.
TEST(Trial, with_lbmethod_heartbeat_errors_are_httpds) {
  Group group("a b", "trial=On lbmethod=byrequests");
  const Decision held = group.choose();
  EXPECT_TRUE(group.balancer.ejects());
  group.balancer.adopt(group_spec("a b", "trial=On lbmethod=heartbeat"), group.now);
  EXPECT_FALSE(group.balancer.ejects());
  EXPECT_FALSE(group.balancer.may_try_another(held.lease, 1)) << "its member is usable";
  for (int i = 0; i < 2; ++i) group.balancer.force_error(held.lease, group.now);
  EXPECT_EQ(group.view("a").ejections, 0);
  EXPECT_EQ(group.view("a").error_ends, group.now + seconds(60));
}

TEST(Trial, a_reload_in_the_middle_leaves_one_trial) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  group.balancer.adopt(group_spec("b a", "trial=On"), group.now);
  EXPECT_EQ(asked(group), "a");
  group.balancer.answer_began(trial.lease, group.now, 200);
  EXPECT_EQ(group.status("b"), "Init Ok ");
}

TEST(Trial, of_a_member_that_a_reload_removes_ends_quietly) {
  Group group("a b", "trial=On");
  bring_to_trial(group, "b");
  const Decision trial = ask(group);
  group.balancer.adopt(group_spec("a", "trial=On"), group.now);
  group.balancer.answer_began(trial.lease, group.now, 200);
  EXPECT_EQ(asked(group), "a");
}

// Whatever happens: at most one trial of a member at a time, and only of members in error.
TEST(Trial, never_two_of_one_member_in_random_lives) {
  std::mt19937 random(17);
  for (int life = 0; life < 100; ++life) {
    Group group("a b c d,H e,R f@1", "failcount=1/10 maxejected=100 ejectmax=60");
    std::vector<Lease> running;
    for (int step = 0; step < 300; ++step, group.now += milliseconds(random() % 9000)) {
      Decision decision = ask(group, random() % 2 == 0 ? Kind::replayable : Kind::once);
      if (decision.lease) {
        EXPECT_EQ(decision.lease.is_trial(), !decision.lease.member().usable());
        if (decision.lease.is_trial()) {
          for (const Lease& lease : running) {
            EXPECT_FALSE(lease.is_trial() && &lease.member() == &decision.lease.member());
          }
        }
        running.push_back(std::move(decision.lease));
      }
      if (running.size() < 3) continue;
      const std::size_t which = random() % running.size();
      Lease& lease = running[which];
      if (random() % 4 == 0) group.balancer.force_error(lease, group.now);
      if (random() % 2 == 0) group.balancer.answer_began(lease, group.now, 200);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
    }
    running.clear();
    for (const MemberView& view : group.balancer.members()) {
      EXPECT_FALSE(view.on_trial);
      EXPECT_EQ(view.busy, 0);
    }
  }
}

}  // namespace
}  // namespace steelyard::balance
