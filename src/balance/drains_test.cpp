#include "balance/drains.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using std::chrono::minutes;

// A sticky group of two whose member a is drained.
class Draining : public ::testing::Test {
 protected:
  Decision visit(std::string_view value) {
    Session session;
    session.found = true;
    session.name = "sid";
    session.value = value;
    session.tag = value.substr(value.find('.') + 1);
    return group.balancer.choose({.session = session, .now = group.now});
  }
  std::string serves(std::string_view value) { return Group::name_of(visit(value)); }

  void order(const DrainOrder& wanted) {
    EXPECT_TRUE(Drains(group.balancer).order(a(), wanted, group.now));
  }
  MemberRef a() { return group.view("a").member; }
  Drains::News watch() { return Drains(group.balancer).watch(group.now); }
  Drain drain() { return Drains(group.balancer).of(a()).value_or(Drain{}); }
  HealthEvent last_event() { return a()->health_log().events().back(); }
  std::string outcome() { return drain().outcome; }

  Group group{"a=r1 b=r2", "stickysession=sid"};
};

TEST_F(Draining, sessions_stay_and_newcomers_go_elsewhere) {
  order({.sessions_max = 0});
  EXPECT_EQ(group.status("a"), "Init Drn Ok ");
  EXPECT_EQ(serves("x.r1"), "a");
  EXPECT_EQ(group.picks(4), "bbbb");
  EXPECT_TRUE(watch().any_under_way);
}

TEST_F(Draining, ends_when_no_session_came_for_the_window) {
  serves("x.r1");
  order({.sessions_max = 0, .window = minutes(5)});
  group.now += minutes(5);
  EXPECT_TRUE(watch().ended.empty());
  group.now += seconds(1);
  const Drains::News news = watch();
  ASSERT_EQ(news.ended.size(), 1U);
  EXPECT_FALSE(news.any_under_way);
  EXPECT_EQ(news.ended[0].drain.state, DrainState::drained);
  EXPECT_EQ(group.status("a"), "Init Drn Stop ");
  EXPECT_EQ(last_event().cause, HealthCause::drained);
  EXPECT_EQ(last_event().evidence.text, "no session for 5 min");
  EXPECT_EQ(serves("x.r1"), "b");
  EXPECT_TRUE(watch().ended.empty());
}

TEST_F(Draining, so_many_sessions_may_be_left) {
  serves("x.r1");
  serves("y.r1");
  serves("z.r1");
  order({.sessions_max = 2, .window = minutes(1)});
  EXPECT_TRUE(watch().any_under_way);
  group.now += seconds(40);
  serves("x.r1");
  group.now += seconds(30);
  EXPECT_EQ(watch().ended.size(), 1U);
  EXPECT_EQ(outcome(), "1 session within 1 min");
}

TEST_F(Draining, waits_for_exchanges_under_way) {
  std::optional<Decision> running = visit("x.r1");
  order({.sessions_max = 1, .window = seconds(1)});
  EXPECT_TRUE(watch().any_under_way);
  running.reset();
  EXPECT_EQ(watch().ended.size(), 1U);
}

TEST_F(Draining, a_deadline_ends_it_with_what_is_left_told) {
  const Decision running = visit("x.r1");
  serves("y.r1");
  order({.deadline = group.now + minutes(3), .sessions_max = 0});
  group.now += minutes(3) - milliseconds(1);
  EXPECT_TRUE(watch().any_under_way);
  group.now += milliseconds(1);
  EXPECT_EQ(watch().ended.size(), 1U);
  EXPECT_EQ(drain().state, DrainState::deadline_passed);
  EXPECT_EQ(outcome(), "2 sessions and 1 exchange under way left at the deadline");
  EXPECT_EQ(group.status("a"), "Init Drn Stop ");
  EXPECT_EQ(a()->busy(), 1);
  EXPECT_EQ(serves("x.r1"), "b");
}

TEST_F(Draining, a_deadline_with_nothing_left_is_a_drain_that_is_done) {
  order({.deadline = group.now + minutes(3)});
  group.now += minutes(3);
  watch();
  EXPECT_EQ(drain().state, DrainState::drained);
  EXPECT_EQ(outcome(), "nothing left at the deadline: no session for 5 min");
}

// Sessions from before may come back: nothing is claimed of them.
TEST(DrainVerdict, a_deadline_claims_nothing_of_the_time_before_the_count_began) {
  const Instant now = Instant{} + std::chrono::hours(1);
  const DrainOrder order{.deadline = now, .window = minutes(5)};
  EXPECT_EQ(judge(order, {.sessions = {.whole = false}}, now).outcome,
            "nothing left at the deadline: no session since they are counted, which is less than "
            "5 min");
  EXPECT_EQ(judge(order, {}, now).outcome, "nothing left at the deadline: no session for 5 min");
}

TEST_F(Draining, without_an_end_it_is_httpds_drain) {
  order({});
  group.now += std::chrono::hours(100);
  EXPECT_FALSE(watch().any_under_way);
  EXPECT_EQ(drain().state, DrainState::under_way);
  EXPECT_EQ(group.status("a"), "Init Drn Ok ");
}

TEST_F(Draining, sessions_can_be_sent_elsewhere_at_once) {
  std::optional<Decision> running = visit("x.r1");
  order({.pace = DrainOrder::Pace::sessions_leave});
  EXPECT_EQ(group.status("a"), "Init Drn Stop ");
  EXPECT_EQ(serves("x.r1"), "b");
  EXPECT_TRUE(watch().any_under_way);
  running.reset();
  EXPECT_EQ(watch().ended.size(), 1U);
  EXPECT_EQ(outcome(), "no exchange under way");
}

TEST_F(Draining, what_was_before_the_census_began_may_come_back) {
  group.balancer.adopt(group_spec("a=r1 b=r2", "stickysession=other"), group.now);
  order({.sessions_max = 0, .window = minutes(5)});
  group.now += minutes(4);
  EXPECT_TRUE(watch().any_under_way);
  group.now += minutes(1);
  EXPECT_EQ(watch().ended.size(), 1U);
}

TEST_F(Draining, a_member_of_a_reload_is_known_from_then_on) {
  group.balancer.adopt(group_spec("a=r1 b=r2 c=r3", "stickysession=sid"), group.now);
  group.now += minutes(2);
  const auto of_c = Drains(group.balancer).sessions(group.view("c").member, group.now);
  EXPECT_TRUE(of_c[0].whole);
  EXPECT_FALSE(of_c[1].whole);
  EXPECT_TRUE(Drains(group.balancer).sessions(a(), group.now)[3].whole);
}

TEST_F(Draining, undrain_takes_back_what_the_drain_set) {
  order({.sessions_max = 0});
  EXPECT_TRUE(Drains(group.balancer).undrain(a(), group.now));
  EXPECT_EQ(drain().state, DrainState::cancelled);
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_FALSE(watch().any_under_way);
  order({.sessions_max = 0});
  EXPECT_EQ(watch().ended.size(), 1U);
  EXPECT_TRUE(Drains(group.balancer).undrain(a(), group.now));
  EXPECT_EQ(group.status("a"), "Init Ok ");
  EXPECT_EQ(drain().state, DrainState::cancelled);
  EXPECT_FALSE(Drains(group.balancer).undrain(a(), group.now));
}

TEST_F(Draining, undrain_leaves_what_an_operator_had_stopped) {
  group.change("a", Flag::stopped);
  order({.pace = DrainOrder::Pace::sessions_leave});
  watch();
  EXPECT_EQ(drain().state, DrainState::drained);
  EXPECT_TRUE(Drains(group.balancer).undrain(a(), group.now));
  EXPECT_EQ(group.status("a"), "Init Stop ");
}

TEST_F(Draining, an_order_given_twice_ends_twice_and_is_taken_back_once) {
  serves("x.r1");
  order({.pace = DrainOrder::Pace::sessions_leave});
  watch();
  order({.sessions_max = 0});
  EXPECT_EQ(group.status("a"), "Init Drn Stop ");
  EXPECT_EQ(watch().ended.size(), 1U);
  EXPECT_EQ(drain().number, 2U);
  EXPECT_TRUE(Drains(group.balancer).undrain(a(), group.now));
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

TEST_F(Draining, another_change_by_an_operator_ends_the_order_and_nothing_else) {
  order({.sessions_max = 0});
  group.change("a", Flag::disabled);
  EXPECT_EQ(drain().state, DrainState::cancelled);
  EXPECT_EQ(group.status("a"), "Init Drn Dis ");
  EXPECT_TRUE(watch().ended.empty());
}

TEST_F(Draining, who_touches_s_by_hand_has_it) {
  order({.pace = DrainOrder::Pace::sessions_leave});
  watch();
  group.change("a", Flag::stopped);
  Drains(group.balancer).undrain(a(), group.now);
  EXPECT_EQ(group.status("a"), "Init Stop ");
}

TEST_F(Draining, a_reload_keeps_the_order_and_the_census) {
  serves("x.r1");
  order({.sessions_max = 0, .window = minutes(5)});
  group.now += minutes(1);
  group.balancer.adopt(group_spec("c=r3 a=r1*3", "stickysession=sid"), group.now);
  EXPECT_EQ(group.status("a"), "Init Drn Ok ");
  EXPECT_EQ(Drains(group.balancer).sessions(a(), group.now)[1].sessions, 1U);
  EXPECT_TRUE(watch().any_under_way);
  group.now += minutes(5);
  EXPECT_EQ(watch().ended.size(), 1U);
}

TEST_F(Draining, a_reload_that_takes_the_flag_away_ends_the_order) {
  group.balancer.adopt(group_spec("a=r1,N b=r2", "stickysession=sid"), group.now);
  order({.sessions_max = 0});
  group.balancer.adopt(group_spec("a=r1 b=r2", "stickysession=sid"), group.now);
  const Drains::News news = watch();
  ASSERT_EQ(news.ended.size(), 1U);
  EXPECT_EQ(news.ended[0].drain.state, DrainState::cancelled);
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

TEST_F(Draining, a_member_that_goes_takes_its_order_and_census_along) {
  serves("x.r1");
  order({.sessions_max = 0});
  const MemberRef gone = a();
  group.balancer.adopt(group_spec("b=r2", "stickysession=sid"), group.now);
  EXPECT_FALSE(watch().any_under_way);
  EXPECT_EQ(Drains(group.balancer).of(gone)->state, DrainState::cancelled);
  EXPECT_FALSE(Drains(group.balancer).order(gone, {}, group.now));
  EXPECT_FALSE(Drains(group.balancer).undrain(gone, group.now));
  group.balancer.adopt(group_spec("a=r1 b=r2", "stickysession=sid"), group.now);
  EXPECT_EQ(Drains(group.balancer).sessions(a(), group.now)[3].sessions, 0U);
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

TEST_F(Draining, more_sessions_than_the_census_takes_are_no_end) {
  for (std::uint32_t i = 0; i <= Census::tokens_max; ++i) visit(std::to_string(i) + ".r1");
  order({.sessions_max = Census::tokens_max, .window = minutes(5)});
  EXPECT_TRUE(watch().any_under_way);
}

TEST(DrainText, durations_are_told_in_their_largest_whole_unit) {
  EXPECT_EQ(duration_text(std::chrono::hours(2)), "2 h");
  EXPECT_EQ(duration_text(minutes(5)), "5 min");
  EXPECT_EQ(duration_text(seconds(90)), "90 s");
  EXPECT_EQ(duration_text(milliseconds(1500)), "1500 ms");
  EXPECT_EQ(duration_text(seconds(0)), "0 s");
}

// For ThreadSanitizer: orders, the watch and reloads among running exchanges.
TEST(DrainThreads, orders_come_and_end_while_sessions_run) {
  Group group("a=r1 b=r2", "stickysession=sid");
  std::atomic<int> running = 3;
  {
    std::vector<std::jthread> threads;
    threads.reserve(3);
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 3000; ++i) {
          const std::string value = std::to_string(i % 500 + thread) + ".r1";
          Session session;
          session.found = true;
          session.value = value;
          session.tag = std::string_view(value).substr(value.find('.') + 1);
          const Decision decision =
              group.balancer.choose({.session = session, .now = group.now + milliseconds(i)});
          EXPECT_TRUE(decision.lease);
        }
        --running;
      });
    }
    for (int i = 0; running > 0; ++i) {
      Drains drains(group.balancer);
      const MemberRef member = group.balancer.members()[0].member;
      const auto pace =
          i % 2 == 0 ? DrainOrder::Pace::sessions_stay : DrainOrder::Pace::sessions_leave;
      drains.order(member, {.sessions_max = 0, .pace = pace}, group.now);
      (void)drains.watch(group.now + milliseconds(i));
      (void)drains.sessions(member, group.now);
      drains.undrain(member, group.now);
      group.balancer.adopt(group_spec(i % 3 == 0 ? "b=r2 a=r1" : "a=r1 b=r2", "stickysession=sid"),
                           group.now);
    }
  }
  for (const MemberView& view : group.balancer.members()) EXPECT_EQ(view.busy, 0);
}

}  // namespace
}  // namespace steelyard::balance
