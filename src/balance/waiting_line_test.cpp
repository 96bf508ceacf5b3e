#include "balance/waiting_line.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "balance/test_group.hpp"

// Who stands where, who is called when, and that no call is missed.

namespace steelyard::balance {
namespace {

using Next = WaitingLine::Next;
using Standing = WaitingLine::Standing;

constexpr std::size_t plenty = 100;

// A line of places with names that notes who was called, in order.
class Row {
 public:
  using Place = std::unique_ptr<WaitingLine::Place>;

  Place place(char name) {
    return std::make_unique<WaitingLine::Place>(line, [this, name] { called += name; });
  }
  Place waiting(char name, std::size_t most = plenty) {
    Place one = place(name);
    EXPECT_TRUE(one->step_in(most));
    one->look();
    return one;
  }
  std::string take_called() { return std::exchange(called, {}); }

  WaitingLine line;
  std::string called;
};

TEST(WaitingLine, only_the_front_is_called_and_calls_the_next_by_going) {
  Row row;
  const auto a = row.waiting('a'), b = row.waiting('b'), c = row.waiting('c');
  EXPECT_EQ(a->look(), Standing::front);
  EXPECT_EQ(b->look(), Standing::behind);
  row.line.stir();
  EXPECT_EQ(row.take_called(), "a");
  a->step_out(Next::called);
  EXPECT_EQ(row.take_called(), "b");
  EXPECT_EQ(b->look(), Standing::front);
  b->step_out(Next::called);
  EXPECT_EQ(row.take_called(), "c");
}

TEST(WaitingLine, is_called_once_until_it_has_looked) {
  Row row;
  const auto a = row.waiting('a');
  row.line.stir();
  row.line.stir();
  EXPECT_EQ(row.take_called(), "a");
  a->look();
  row.line.stir();
  EXPECT_EQ(row.take_called(), "a");
}

TEST(WaitingLine, nobody_is_called_when_nobody_waits) {
  Row row;
  row.line.stir();
  row.waiting('a').reset();
  row.line.stir();
  EXPECT_EQ(row.take_called(), "");
  EXPECT_FALSE(row.line.anyone_waits());
}

TEST(WaitingLine, the_next_comes_to_the_front_when_the_front_leaves) {
  Row row;
  auto a = row.waiting('a');
  auto b = row.waiting('b');
  const auto c = row.waiting('c');
  b.reset();  // from the middle: nothing changes for anybody
  EXPECT_EQ(row.take_called(), "");
  a.reset();
  EXPECT_EQ(row.take_called(), "c");
  EXPECT_EQ(c->look(), Standing::front);
}

TEST(WaitingLine, the_time_of_the_front_ends_and_the_next_is_called) {
  Row row;
  const auto a = row.waiting('a'), b = row.waiting('b');
  a->give_up();
  EXPECT_EQ(row.take_called(), "b");
  EXPECT_EQ(row.line.counters().timed_out, 1U);
}

TEST(WaitingLine, who_tries_an_unproven_member_lets_the_next_wait_for_the_outcome) {
  Row row;
  auto a = row.waiting('a');
  const auto b = row.waiting('b');
  a->step_out(Next::waits_for_outcome);
  EXPECT_EQ(row.take_called(), "");
  // Something else happens: the next need not wait for that attempt.
  row.line.stir();
  EXPECT_EQ(row.take_called(), "b");
  b->look();
  a.reset();
  EXPECT_EQ(row.take_called(), "b");
}

TEST(WaitingLine, who_gives_up_after_its_last_attempt_calls_the_front) {
  Row row;
  const auto a = row.waiting('a'), b = row.waiting('b');
  a->step_out(Next::waits_for_outcome);
  a->give_up();
  EXPECT_EQ(row.take_called(), "b");
  EXPECT_EQ(row.line.counters().timed_out, 1U);
}

TEST(WaitingLine, who_comes_back_stands_where_it_stood) {
  Row row;
  const auto a = row.waiting('a'), b = row.waiting('b'), c = row.waiting('c');
  a->step_out(Next::waits_for_outcome);
  b->step_out(Next::waits_for_outcome);
  row.take_called();
  ASSERT_TRUE(b->step_in(plenty));
  EXPECT_EQ(b->look(), Standing::front);
  ASSERT_TRUE(a->step_in(plenty));
  EXPECT_EQ(a->look(), Standing::front);
  EXPECT_EQ(b->look(), Standing::behind);
  a->step_out(Next::called);
  EXPECT_EQ(row.take_called(), "b");
  b->step_out(Next::called);
  EXPECT_EQ(row.take_called(), "c");
}

TEST(WaitingLine, turns_away_who_comes_when_it_is_full) {
  Row row;
  const auto a = row.waiting('a', 2), b = row.waiting('b', 2), c = row.place('c');
  EXPECT_FALSE(c->step_in(2));
  EXPECT_EQ(row.line.counters().turned_away, 1U);
  a->step_out(Next::called);
  const auto d = row.place('d');
  EXPECT_TRUE(d->step_in(2));
  EXPECT_EQ(row.line.counters().waiting, 2U);
}

TEST(WaitingLine, who_comes_back_to_a_full_line_pushes_the_last_one_out) {
  Row row;
  const auto a = row.waiting('a', 2), b = row.waiting('b', 2);
  a->step_out(Next::waits_for_outcome);
  const auto c = row.waiting('c', 2);
  ASSERT_TRUE(a->step_in(2));
  EXPECT_EQ(row.take_called(), "c");
  EXPECT_EQ(c->look(), Standing::pushed_out);
  EXPECT_EQ(a->look(), Standing::front);
  EXPECT_EQ(b->look(), Standing::behind);
  const LineCounters counters = row.line.counters();
  EXPECT_EQ(counters.waiting, 2U);
  EXPECT_EQ(counters.turned_away, 1U);
}

TEST(WaitingLine, counts_what_became_of_those_who_waited) {
  Row row;
  auto a = row.waiting('a'), b = row.waiting('b'), c = row.waiting('c');
  EXPECT_EQ(row.line.counters().waiting, 3U);
  a->step_out(Next::waits_for_outcome);
  ASSERT_TRUE(a->step_in(plenty));
  a->step_out(Next::called);
  b->give_up();
  c.reset();
  const LineCounters counters = row.line.counters();
  EXPECT_EQ(counters.waiting, 0U);
  EXPECT_EQ(counters.longest, 3U);
  EXPECT_EQ(counters.served, 1U);
  EXPECT_EQ(counters.timed_out, 1U);
  EXPECT_EQ(counters.turned_away, 0U);
}

// --- with a balancer -----------------------------------------------------------------------------

// Members of one connection each unless said otherwise.
std::shared_ptr<BalancerSpec> limited_spec(std::string_view members,
                                           std::string_view parameters = "queue=10/10",
                                           int connections_max = 1) {
  auto spec = group_spec(members, parameters);
  for (MemberSpec& member : spec->members) member.pool.connections_max = connections_max;
  return spec;
}

Decision ask(Group& group, Attempt attempt, std::string_view tag = "") {
  Session session;
  session.found = !tag.empty();
  session.name = "sid";
  session.tag = tag;
  return group.balancer.choose({.session = session,
                                .now = group.now,
                                .attempt = attempt,
                                .random = group.random.next(),
                                .key = "k"});
}

TEST(Queue, every_policy_passes_over_a_full_member_while_another_has_room) {
  for (const PolicyTraits& policy : all_policies()) {
    if (!policy.by_plan) continue;
    Group group(limited_spec("a*9 b c", "queue=10/10 lbmethod=" + std::string(policy.name)));
    std::vector<Decision> held;
    std::string names;
    for (int i = 0; i < 3; ++i) {
      held.push_back(group.choose_for("k"));
      names += Group::name_of(held.back());
    }
    std::ranges::sort(names);
    EXPECT_EQ(names, "abc") << policy.name;
    const Decision none = group.choose_for("k");
    EXPECT_EQ(none.outcome, Outcome::all_full) << policy.name;
    EXPECT_TRUE(none.lines_up);
    held.erase(held.begin() + 1);
    EXPECT_TRUE(group.choose_for("k").lease) << policy.name;
  }
}

TEST(Queue, without_it_a_full_member_is_picked_as_in_httpd) {
  Group group(limited_spec("a b", "lbmethod=byrequests"));
  const Decision one = group.choose(), two = group.choose(), three = group.choose();
  EXPECT_EQ(Group::name_of(three), "a");
  EXPECT_FALSE(three.lines_up);
}

TEST(Queue, a_full_member_calls_for_no_spare_no_standby_and_no_higher_set) {
  Group group(limited_spec("a b,R c,H d@1"));
  const Decision one = group.choose();
  EXPECT_EQ(Group::name_of(one), "a");
  EXPECT_EQ(group.choose().outcome, Outcome::all_full);
}

TEST(Queue, credits_sum_to_nothing_when_some_members_are_full) {
  Group group(limited_spec("a*3 b c*2"));
  std::vector<Decision> held;
  for (int i = 0; i < 40; ++i) {
    Decision decision = group.choose();
    if (!decision.lease || held.size() == 2) held.erase(held.begin());
    if (decision.lease) held.push_back(std::move(decision));
  }
  std::int64_t sum = 0;
  for (const std::int64_t credit : group.credits()) sum += credit;
  EXPECT_EQ(sum, 0);
}

TEST(Queue, the_end_of_a_lease_calls_the_front) {
  Group group(limited_spec("a b"));
  Decision one = group.choose(), two = group.choose();
  std::string called;
  WaitingLine::Place place(group.balancer.line(), [&] { called += 'x'; });
  ASSERT_TRUE(place.step_in(10));
  place.look();
  EXPECT_EQ(ask(group, Attempt::in_line).outcome, Outcome::all_full);
  one.lease.end();
  EXPECT_EQ(called, "x");
  EXPECT_TRUE(ask(group, Attempt::in_line).lease);
}

// A lease settles at its begin whether it tells; older ones do not know of the limit.
TEST(Queue, leases_from_before_a_reload_that_brings_max_or_the_line_are_waited_for_as_well) {
  for (const bool had_line : {true, false}) {
    Group group(had_line ? group_spec("a", "queue=10/10") : limited_spec("a", ""));
    Decision held = group.choose();
    group.balancer.adopt(limited_spec("a"));
    std::string called;
    WaitingLine::Place place(group.balancer.line(), [&] { called += 'x'; });
    ASSERT_TRUE(place.step_in(10));
    place.look();
    const Decision full = ask(group, Attempt::in_line);
    EXPECT_EQ(full.outcome, Outcome::all_full);
    EXPECT_EQ(full.next_retry, group.now + milliseconds(100));
    group.balancer.adopt(limited_spec("a b,D"));  // changes nothing about that
    EXPECT_EQ(ask(group, Attempt::in_line).next_retry, group.now + milliseconds(100));
    held.lease.end();
    Decision next = ask(group, Attempt::in_line);
    ASSERT_TRUE(next.lease);
    // From now on all leases tell.
    EXPECT_EQ(ask(group, Attempt::in_line).next_retry, never);
    place.look();
    called.clear();
    next.lease.end();
    EXPECT_EQ(called, "x");
  }
}

TEST(Queue, every_change_of_a_status_calls_the_front) {
  Group group("a", "queue=10/10");
  std::string called;
  WaitingLine::Place place(group.balancer.line(), [&] { called += 'x'; });
  ASSERT_TRUE(place.step_in(10));
  const auto calls = [&] {
    place.look();
    return std::exchange(called, {}).size();
  };
  calls();
  group.change("a", Flag::disabled);
  EXPECT_EQ(calls(), 1U);
  group.change("a", {}, Flag::disabled);
  EXPECT_EQ(calls(), 1U);
  group.change("a", {}, Flag::disabled);
  EXPECT_EQ(calls(), 0U);
  group.change("a", Flag::draining);
  group.change("a", {}, Flag::draining);
  EXPECT_EQ(calls(), 1U);
  const Decision tried = ask(group, Attempt::in_line);
  group.balancer.connect_failed(tried.lease, group.now);
  EXPECT_EQ(calls(), 1U);
  group.now += seconds(61);
  const Decision retried = ask(group, Attempt::in_line);
  EXPECT_EQ(calls(), 1U);
  EXPECT_TRUE(group.balancer.connected(retried.lease));  // what it showed is forgotten
  EXPECT_EQ(calls(), 1U);
  EXPECT_TRUE(group.balancer.connected(retried.lease));
  EXPECT_EQ(calls(), 0U);
  group.balancer.adopt(group_spec("a b", "queue=10/10"));
  EXPECT_EQ(calls(), 1U);
}

TEST(Queue, a_member_that_leaves_lets_the_front_go_on_to_its_replacement) {
  for (const std::string_view members : {"a b,H", "a b,R", "a b@1"}) {
    Group group(limited_spec(members));
    const Decision held = group.choose();
    ASSERT_EQ(Group::name_of(held), "a");
    std::string called;
    WaitingLine::Place place(group.balancer.line(), [&] { called += 'x'; });
    ASSERT_TRUE(place.step_in(10));
    place.look();
    ASSERT_EQ(ask(group, Attempt::in_line).outcome, Outcome::all_full);
    group.change("a", Flag::disabled);
    EXPECT_EQ(called, "x") << members;
    EXPECT_EQ(Group::name_of(ask(group, Attempt::in_line)), "b") << members;
  }
}

TEST(Queue, who_comes_later_waits_behind_unless_its_sessions_member_is_there) {
  Group group("a=r1 b=r2", "queue=10/10 stickysession=sid");
  WaitingLine::Place place(group.balancer.line(), [] {});
  ASSERT_TRUE(place.step_in(10));
  EXPECT_EQ(ask(group, Attempt::request).outcome, Outcome::others_wait);
  EXPECT_EQ(Group::name_of(ask(group, Attempt::request, "r2")), "b");
  EXPECT_TRUE(ask(group, Attempt::in_line).lease);
  EXPECT_TRUE(ask(group, Attempt::last_chance).lease);
  group.change("b", Flag::disabled);
  EXPECT_EQ(ask(group, Attempt::request, "r2").outcome, Outcome::others_wait);
}

TEST(Queue, nofailover_ends_a_session_whose_member_is_down_as_in_httpd) {
  Group group("a=r1 b=r2", "queue=10/10 stickysession=sid nofailover=On");
  group.change("b", Flag::disabled);
  for (const Attempt attempt : {Attempt::request, Attempt::in_line, Attempt::last_chance}) {
    EXPECT_EQ(ask(group, attempt, "r2").outcome, Outcome::session_member_unusable);
  }
}

TEST(Queue, errors_are_forgotten_for_who_comes_first_and_whose_time_is_over) {
  Group group("a b", "queue=10/10");
  for (const Attempt attempt : {Attempt::request, Attempt::last_chance}) {
    EXPECT_EQ(group.request("ab"), "ab!");
    EXPECT_TRUE(group.balancer.may_line_up());
    const Decision waits = ask(group, Attempt::in_line);
    EXPECT_EQ(waits.outcome, Outcome::none_usable);
    // Behind the end of the error, which still counts at that very moment.
    EXPECT_EQ(waits.next_retry, group.now + seconds(60) + Duration(1));
    EXPECT_TRUE(ask(group, attempt).lease);
  }
}

TEST(Queue, attempts_that_are_used_up_lead_to_the_line_unless_maxattempts_forbids_another) {
  EXPECT_FALSE(Group("a b").balancer.may_line_up());
  EXPECT_TRUE(Group("a b", "queue=1/1").balancer.may_line_up());
  Group group("a b", "queue=1/1 maxattempts=0");
  EXPECT_EQ(group.request("a"), "a!");
  EXPECT_FALSE(group.balancer.may_line_up());  // the other one is sound
  EXPECT_EQ(group.request("ab"), "b!");
  EXPECT_TRUE(group.balancer.may_line_up());
  // Another request forgets the errors, which shows nothing yet.
  const Decision probe = group.choose();
  ASSERT_TRUE(probe.lease);
  EXPECT_TRUE(group.balancer.may_line_up());
  group.balancer.connected(probe.lease);
  EXPECT_FALSE(group.balancer.may_line_up());
}

TEST(Queue, an_error_that_is_over_lets_go_on_at_that_moment) {
  Group group("a b,D", "queue=10/10");
  EXPECT_EQ(group.request("a"), "a-");
  const Instant ends = ask(group, Attempt::in_line).next_retry;
  group.now = ends - Duration(1);
  EXPECT_FALSE(ask(group, Attempt::in_line).lease);
  group.now = ends;
  const Decision probe = ask(group, Attempt::in_line);
  EXPECT_TRUE(probe.lease);
  EXPECT_TRUE(probe.lease.member().blemished());
}

TEST(Queue, a_session_is_told_when_the_error_of_its_draining_member_is_over) {
  for (const std::string_view trial : {"Off", "On"}) {
    Group group("a=r1,N b=r2,D",
                "queue=10/10 stickysession=sid forcerecovery=Off trial=" + std::string(trial));
    const Decision tried = ask(group, Attempt::request, "r1");
    ASSERT_EQ(Group::name_of(tried), "a");
    group.balancer.connect_failed(tried.lease, group.now);
    EXPECT_EQ(ask(group, Attempt::in_line, "r2").next_retry, never) << "newcomers have nobody";
    EXPECT_EQ(ask(group, Attempt::in_line, "r1").next_retry, group.now + seconds(60) + Duration(1));
  }
}

TEST(Queue, nobody_waits_where_the_policy_or_Off_says_so) {
  EXPECT_FALSE(Group("a,D", "queue=off").choose().lines_up);
  EXPECT_FALSE(Group("a,D", "queue=5/5 lbmethod=heartbeat").choose().lines_up);
  EXPECT_TRUE(Group("a,D", "queue=5/5").choose().lines_up);
}

TEST(Queue, the_explanation_names_full_members) {
  Group group(limited_spec("a b"));
  const Decision held = group.choose();
  Explanation explanation;
  const Decision other =
      group.balancer.choose({.session = {}, .now = group.now, .explanation = &explanation});
  EXPECT_EQ(explanation.candidates[0].verdict, Verdict::full);
  EXPECT_EQ(explanation.candidates[1].verdict, Verdict::chosen);
}

}  // namespace
}  // namespace steelyard::balance
