#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/seldom.hpp"
#include "proxy/limits.hpp"
#include "proxy/test_world.hpp"

// Requests in a balancer's line (queue=), on the simulated network: what members hear, when, and
// what clients get who wait in vain.

namespace steelyard::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

using Stream = std::unique_ptr<io::SimStream>;

constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view unavailable = "HTTP/1.1 503 Service Unavailable\r\n";

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

class Line : public ::testing::Test {
 protected:
  void build(int members, const TestWorld::Words& of_members, const TestWorld::Words& of_balancer) {
    world_ = std::make_unique<TestWorld>(members, of_members, of_balancer);
  }
  // A client of its own that asks.
  Stream ask(std::string_view path, std::string_view fields = "") {
    Stream client = world_->connect();
    world_->say(*client, get(path, fields));
    return client;
  }
  // The paths that a member heard since the last time, in order.
  std::vector<std::string> heard(int member) {
    std::vector<std::string> paths;
    const std::string text = world_->members[static_cast<std::size_t>(member - 1)].heard();
    for (std::size_t at = 0; (at = text.find(" HTTP/1.1\r\n", at)) != std::string::npos; ++at) {
      const std::size_t begin = text.rfind(' ', at - 1) + 1;
      paths.push_back(text.substr(begin, at - begin));
    }
    return paths;
  }
  void answer_last(int member) {
    world_->say(world_->members[static_cast<std::size_t>(member - 1)].last(), answer);
  }
  balance::LineCounters counters() const {
    return world_->generation->groups()[0].balancers[0].state->line().counters();
  }
  std::string last_error() const {
    return world_->log_.error_lines.empty() ? "" : world_->log_.error_lines.back();
  }
  void advance(Duration time) { world_->loop.advance(time); }

  std::unique_ptr<TestWorld> world_;
};

TEST_F(Line, full_members_are_waited_for_in_order_and_who_is_beyond_the_bound_gets_503) {
  build(1, {"max=1"}, {"queue=2/10"});
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c"), d = ask("/d");
  EXPECT_THAT(heard(1), ElementsAre("/a"));
  const std::string refused = d->take_all();
  EXPECT_THAT(refused, StartsWith(unavailable));
  EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_EQ(last_error(),
            "balancer://app: line full: 2 waiting; "
            "http://m1 (all 1 connections in use (max=))");
  answer_last(1);
  EXPECT_THAT(a->take_all(), StartsWith(fine));
  EXPECT_THAT(heard(1), ElementsAre("/b"));
  // Somebody who comes now stands behind.
  const Stream e = ask("/e");
  answer_last(1);
  EXPECT_THAT(heard(1), ElementsAre("/c"));
  answer_last(1);
  EXPECT_THAT(heard(1), ElementsAre("/e"));
  answer_last(1);
  EXPECT_THAT(e->take_all(), StartsWith(fine));
  EXPECT_EQ(world_->members[0].connections.size(), 1U);
  EXPECT_EQ(world_->busy(), 0);
  EXPECT_EQ(counters().served, 3U);
  EXPECT_EQ(counters().longest, 2U);
  EXPECT_EQ(counters().turned_away, 1U);
  EXPECT_EQ(counters().waiting, 0U);
}

// Who is turned away costs a line in ten seconds, whatever comes.
TEST_F(Line, that_it_is_full_is_told_seldom) {
  build(1, {"max=1"}, {"queue=1/60"});
  const Stream a = ask("/a"), b = ask("/b");
  for (int i = 0; i < 100; ++i) EXPECT_THAT(ask("/x")->take_all(), StartsWith(unavailable));
  EXPECT_EQ(world_->log_.error_lines.size(), 1U);
  advance(Seldom::period);
  ask("/x");
  ASSERT_EQ(world_->log_.error_lines.size(), 2U);
  EXPECT_THAT(last_error(), HasSubstr("line full: 1 waiting; http://m1 (all 1 connections"));
  EXPECT_THAT(last_error(), testing::EndsWith(" (99 more like it were not told)"));
}

TEST_F(Line, a_full_member_is_passed_over_while_another_has_room) {
  build(2, {"max=1"}, {"queue=2/10"});
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c");
  EXPECT_THAT(heard(1), ElementsAre("/a"));
  EXPECT_THAT(heard(2), ElementsAre("/b"));
  answer_last(2);
  EXPECT_THAT(heard(2), ElementsAre("/c"));
}

TEST_F(Line, who_finds_all_members_down_waits_until_one_is_back) {
  build(2, {"retry=2"}, {"queue=9/30"});
  world_->kill(1);
  world_->kill(2);
  const Stream a = ask("/a"), b = ask("/b");
  EXPECT_EQ(a->take_all() + b->take_all(), "");
  EXPECT_EQ(world_->dialer.dials(), 2U);  // the first has tried both, the second stands behind
  advance(milliseconds(1990));
  EXPECT_EQ(world_->dialer.dials(), 2U);  // nothing is polled
  world_->revive(2);
  advance(milliseconds(30));
  EXPECT_THAT(heard(2), ElementsAre("/a", "/b"));
  for (const auto& connection : world_->members[1].connections) world_->say(*connection, answer);
  EXPECT_THAT(a->take_all(), StartsWith(fine));
  EXPECT_THAT(b->take_all(), StartsWith(fine));
}

// Each time that an error is over one of those who wait finds out for all.
TEST_F(Line, one_tries_a_member_that_has_yet_to_show_that_it_lives) {
  build(1, {"retry=2"}, {"queue=9/30"});
  world_->kill(1);
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c");
  EXPECT_EQ(world_->dialer.dials(), 1U);
  for (std::size_t dials = 2; dials < 5; ++dials) {
    advance(milliseconds(2010));
    EXPECT_EQ(world_->dialer.dials(), dials);
  }
  world_->revive(1);
  advance(milliseconds(2010));
  // The order is the old one though the first has failed four times.
  EXPECT_THAT(heard(1), ElementsAre("/a", "/b", "/c"));
  EXPECT_EQ(counters().served, 3U);
}

// trial=: the first of the line is the trial, and its answer lets the others go on. Errors last
// twice as long each time.
TEST_F(Line, its_first_is_the_trial_of_a_member_and_the_others_follow_its_answer) {
  build(1, {"retry=2"}, {"queue=9/30", "trial=On"});
  world_->kill(1);
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c");
  EXPECT_EQ(world_->dialer.dials(), 1U);
  advance(milliseconds(2010));
  EXPECT_EQ(world_->dialer.dials(), 2U);
  advance(milliseconds(3980));
  EXPECT_EQ(world_->dialer.dials(), 2U);
  world_->revive(1);
  advance(milliseconds(30));
  EXPECT_THAT(heard(1), ElementsAre("/a"));
  answer_last(1);
  EXPECT_THAT(a->take_all(), StartsWith(fine));
  EXPECT_THAT(heard(1), ElementsAre("/b", "/c"));
  EXPECT_EQ(counters().waiting, 0U);
}

// The time of the other member's error is over while the first one's trial hangs.
TEST_F(Line, a_trial_that_hangs_keeps_nobody_from_the_trial_of_another_member) {
  build(2, {"retry=2"}, {"queue=9/30", "trial=On", "forcerecovery=Off"});
  world_->kill(1);
  const Stream first = ask("/first");
  answer_last(2);
  advance(seconds(1));
  world_->members[1].connections.clear();
  world_->kill(2);
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c");
  EXPECT_EQ(counters().waiting, 3U);
  world_->dialer.be_silent("m1:80");
  world_->revive(2);
  advance(milliseconds(1010));
  EXPECT_EQ(counters().waiting, 2U);
  EXPECT_THAT(heard(2), ElementsAre());
  advance(seconds(1));
  ASSERT_THAT(heard(2), ElementsAre("/b"));
  answer_last(2);
  EXPECT_THAT(heard(2), ElementsAre("/c"));
}

// Its body is too large to be kept in memory, so the member waits for the rest of it.
TEST_F(Line, a_trial_whose_client_leaves_is_followed_by_another) {
  build(1, {"retry=2"}, {"queue=9/30", "trial=On"});
  world_->kill(1);
  ask("/gone");  // finds the member down and leaves
  world_->loop.settle();
  world_->revive(1);
  // forcerecovery: the first that comes is the trial at once.
  Stream a = world_->connect();
  world_->say(*a, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" +
                      std::string(100'000, 'x'));
  const Stream b = ask("/b"), c = ask("/c");
  EXPECT_EQ(counters().waiting, 2U);
  EXPECT_THAT(heard(1), ElementsAre("/a"));
  a.reset();
  world_->loop.settle();
  EXPECT_THAT(heard(1), ElementsAre("/b"));
  answer_last(1);
  EXPECT_THAT(b->take_all(), StartsWith(fine));
  EXPECT_THAT(heard(1), ElementsAre("/c"));
}

// A stranger's half a request would keep a member that is back out of service for long.
TEST_F(Line, a_request_whose_body_is_not_here_holds_no_trial) {
  for (const bool expects : {false, true}) {
    build(1, {"retry=2"}, {"trial=On"});
    world_->kill(1);
    ask("/gone");
    world_->loop.settle();
    world_->revive(1);
    Stream a = world_->connect();
    const std::string head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n";
    world_->say(*a, head + (expects ? "Expect: 100-continue\r\n\r\n" : "\r\nabc"));
    if (expects) EXPECT_EQ(a->take_all(), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_THAT(heard(1), ElementsAre());
    const Stream b = ask("/b");
    ASSERT_THAT(heard(1), ElementsAre("/b"));
    answer_last(1);
    world_->say(*a, expects ? "abcdef" : "def");
    EXPECT_THAT(world_->members[0].heard(), testing::EndsWith("\r\n\r\nabcdef"));
    answer_last(1);
    EXPECT_THAT(a->take_all(), StartsWith(fine));
  }
}

TEST_F(Line, a_body_that_comes_late_may_be_the_trial_itself) {
  build(1, {"retry=2"}, {"trial=On"});
  world_->kill(1);
  ask("/gone");
  world_->loop.settle();
  world_->revive(1);
  const Stream a = world_->connect();
  world_->say(*a, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  world_->say(*a, "def");
  EXPECT_THAT(world_->members[0].heard(), testing::EndsWith("\r\n\r\nabcdef"));
  answer_last(1);
  EXPECT_THAT(a->take_all(), StartsWith(fine));
}

// failcount=: a member that failed is passed over by the request that saw it, though others may
// still go there.
TEST_F(Line, a_request_goes_on_to_a_member_that_it_has_not_tried) {
  build(2, {}, {"queue=9/30", "failcount=3/30"});
  world_->kill(1);
  for (int i = 0; i < 6; ++i) {
    const Stream client = ask("/x");
    answer_last(2);
    EXPECT_THAT(client->take_all(), StartsWith(fine));
  }
  EXPECT_EQ(world_->dialer.dials(), 4U);  // three that failed, one that is kept
  EXPECT_EQ(counters().longest, 0U);
}

// Whichever is the last in the order of the key.
TEST_F(Line, a_request_goes_to_no_member_twice) {
  for (const int alive : {1, 2, 3}) {
    build(3, {}, {"queue=9/30", "failcount=9/30", "lbmethod=hash"});
    for (const int member : {1, 2, 3}) {
      if (member != alive) world_->kill(member);
    }
    const Stream client = ask("/x");
    ASSERT_THAT(heard(alive), ElementsAre("/x"));
    EXPECT_LE(world_->dialer.dials(), 3U);
    answer_last(alive);
    EXPECT_THAT(client->take_all(), StartsWith(fine));
  }
}

TEST_F(Line, who_has_tried_all_members_waits_for_one_of_them) {
  build(2, {"retry=2"}, {"queue=9/30", "failcount=2/30"});
  world_->kill(1);
  world_->kill(2);
  const Stream a = ask("/a");
  EXPECT_EQ(a->take_all(), "");
  world_->revive(2);
  advance(seconds(3));
  EXPECT_THAT(heard(2), ElementsAre("/a"));
  answer_last(2);
  EXPECT_THAT(a->take_all(), StartsWith(fine));
}

TEST_F(Line, with_retry_0_a_dead_member_is_not_tried_without_end) {
  build(1, {"retry=0"}, {"queue=9/2"});
  world_->kill(1);
  const Stream a = ask("/a");
  advance(seconds(1));
  EXPECT_LE(world_->dialer.dials(), 12U);
  EXPECT_GE(world_->dialer.dials(), 8U);
  world_->revive(1);
  advance(line_pause + milliseconds(5));
  EXPECT_THAT(heard(1), ElementsAre("/a"));
}

TEST_F(Line, its_time_over_a_request_gets_503_with_the_reasons_in_the_log) {
  build(2, {"retry=20"}, {"queue=9/3", "forcerecovery=Off"});
  world_->kill(1);
  world_->kill(2);
  const Stream a = ask("/a");
  advance(milliseconds(2990));
  EXPECT_EQ(a->take_all(), "");
  advance(milliseconds(20));
  const std::string got = a->take_all();
  EXPECT_THAT(got, StartsWith(unavailable));
  EXPECT_THAT(got, HasSubstr("\r\nRetry-After: 17\r\n"));
  EXPECT_THAT(last_error(), MatchesRegex("balancer://app: waited 3.00. s for a member; "
                                         "http://m1 .in error for 17 s more: refused.; "
                                         "http://m2 .in error for 17 s more: refused."));
  EXPECT_THAT(world_->log_.access_lines.back(),
              MatchesRegex("GET /a HTTP/1.1.503.http://m2.-.300."));
  EXPECT_EQ(counters().timed_out, 1U);
  EXPECT_EQ(counters().waiting, 0U);
  EXPECT_EQ(world_->busy(), 0);
}

TEST_F(Line, with_forcerecovery_all_members_are_tried_once_more_before_that) {
  build(1, {"retry=600"}, {"queue=9/3"});
  world_->kill(1);
  const Stream a = ask("/a"), b = ask("/b");
  world_->revive(1);
  advance(milliseconds(2990));
  EXPECT_EQ(world_->dialer.dials(), 1U);
  advance(milliseconds(20));
  EXPECT_THAT(heard(1), ElementsAre("/a", "/b"));
  EXPECT_EQ(counters().timed_out, 0U);
  // And when nobody is there: 503.
  for (const auto& connection : world_->members[0].connections) world_->say(*connection, answer);
  world_->members[0].connections.clear();
  world_->kill(1);
  const Stream c = ask("/c");
  const std::size_t dials = world_->dialer.dials();
  advance(milliseconds(3010));
  EXPECT_EQ(world_->dialer.dials(), dials + 1);
  EXPECT_EQ(counters().timed_out, 1U);
  EXPECT_THAT(last_error(), StartsWith("balancer://app: waited 3.0"));
  EXPECT_THAT(c->take_all(), HasSubstr("\r\nRetry-After: 300\r\n"));
}

// One after the other: a member that is back is found by the first, for all.
TEST_F(Line, those_whose_time_is_over_at_once_are_ended_in_order) {
  build(1, {"retry=600"}, {"queue=9/3", "forcerecovery=On"});
  world_->kill(1);
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c");
  advance(milliseconds(3010));
  EXPECT_EQ(world_->dialer.dials(), 4U);
  ASSERT_EQ(world_->log_.access_lines.size(), 3U);
  EXPECT_THAT(world_->log_.access_lines[0], StartsWith("GET /a "));
  EXPECT_THAT(world_->log_.access_lines[2], StartsWith("GET /c "));
  EXPECT_EQ(counters().timed_out, 3U);
}

TEST_F(Line, who_is_behind_one_that_waits_longer_still_has_its_time_only) {
  build(1, {"max=1"}, {"queue=9/3600"});
  const Stream a = ask("/a"), b = ask("/b");
  world_->reload(1, {"max=1"}, {"queue=9/1"});
  const Stream c = ask("/c");
  advance(milliseconds(1000) + line_pause + milliseconds(10));
  EXPECT_THAT(c->take_all(), StartsWith(unavailable));
  EXPECT_EQ(b->take_all(), "");
}

TEST_F(Line, the_time_spent_there_is_a_variable_of_the_log) {
  build(1, {"max=1"}, {"queue=2/10"});
  const Stream a = ask("/a"), b = ask("/b");
  advance(milliseconds(400));
  answer_last(1);
  answer_last(1);
  EXPECT_THAT(world_->log_.access_lines, ElementsAre("GET /a HTTP/1.1|200|http://m1|+|-",
                                                     "GET /b HTTP/1.1|200|http://m1|+|400"));
}

TEST_F(Line, a_client_that_leaves_leaves_the_line) {
  build(1, {"max=1"}, {"queue=2/10"});
  const Stream a = ask("/a");
  Stream b = ask("/b");
  const Stream c = ask("/c");
  b.reset();
  world_->loop.settle();
  EXPECT_EQ(counters().waiting, 1U);
  const Stream d = ask("/d");
  EXPECT_EQ(d->take_all(), "");
  answer_last(1);
  EXPECT_THAT(heard(1), ElementsAre("/a", "/c"));
}

TEST_F(Line, nobody_else_tries_a_member_that_does_not_answer_and_a_stop_leaves_nobody) {
  build(1, {"retry=1"}, {"queue=5/10"});
  world_->kill(1);
  const Stream a = ask("/a");
  const Stream b = ask("/b");
  world_->dialer.be_silent("m1:80");
  advance(milliseconds(1010));
  const std::size_t dials = world_->dialer.dials();
  EXPECT_EQ(dials, 2U);
  world_->shard->stop();
  EXPECT_EQ(counters().waiting, 0U);
  EXPECT_EQ(world_->busy(), 0);
}

TEST_F(Line, what_a_client_sends_ahead_is_its_next_request) {
  build(1, {"max=1"}, {"queue=2/10"});
  const Stream a = ask("/a");
  const Stream b = ask("/b");
  world_->say(*b, get("/b2"));
  world_->say(*b, get("/b3"));
  answer_last(1);
  for (int i = 0; i < 3; ++i) answer_last(1);
  EXPECT_THAT(heard(1), ElementsAre("/a", "/b", "/b2", "/b3"));
}

TEST_F(Line, a_body_arrives_whole_after_the_wait) {
  build(1, {"retry=1"}, {"queue=5/10"});
  world_->kill(1);
  const Stream client = world_->connect();
  world_->say(*client, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
  advance(milliseconds(100));
  world_->say(*client, "def");
  world_->revive(1);
  advance(milliseconds(1010));
  EXPECT_THAT(world_->members[0].heard(), testing::EndsWith("\r\n\r\nabcdef"));
}

TEST_F(Line, a_session_waits_at_its_member_and_not_in_the_line) {
  build(2, {"max=1", "route=r#"}, {"queue=1/10", "stickysession=sid"});
  const std::string_view of_first = "Cookie: sid=x.r1\r\n";
  const Stream a = ask("/a", of_first), b = ask("/b"), c = ask("/c");
  EXPECT_EQ(counters().waiting, 1U);
  const Stream session = ask("/session", of_first);
  EXPECT_EQ(session->take_all(), "");
  EXPECT_EQ(counters().waiting, 1U);
  answer_last(1);
  EXPECT_THAT(heard(1), ElementsAre("/a", "/session"));
  answer_last(2);
  EXPECT_THAT(heard(2), ElementsAre("/b", "/c"));
}

// It counts as a failure of the member (httpd), so another one is tried.
TEST_F(Line, a_session_that_waited_acquire_at_its_member_goes_on_to_another_and_joins_no_line) {
  build(2, {"max=1", "route=r#", "acquire=50"}, {"queue=1/10", "stickysession=sid"});
  const std::string_view of_first = "Cookie: sid=x.r1\r\n";
  const Stream a = ask("/a", of_first), session = ask("/session", of_first);
  EXPECT_THAT(heard(2), ElementsAre());
  advance(milliseconds(60));
  EXPECT_THAT(heard(2), ElementsAre("/session"));
  EXPECT_EQ(counters().longest, 0U);
}

// It would wait for itself, with max=1.
TEST_F(Line, who_waits_has_no_claim_on_the_members_it_tried) {
  build(1, {"max=1", "retry=1"}, {"queue=5/10"});
  world_->kill(1);
  const Stream a = ask("/a");
  EXPECT_EQ(world_->busy(), 0);
  world_->revive(1);
  advance(milliseconds(1010));
  EXPECT_THAT(heard(1), ElementsAre("/a"));
}

TEST_F(Line, the_log_names_a_member_that_a_reload_took_away_meanwhile) {
  build(1, {"retry=60"}, {"queue=5/10"});
  world_->kill(1);
  const Stream a = ask("/a");
  world_->reload(0, {}, {"queue=5/10"});
  EXPECT_THAT(a->take_all(), StartsWith(unavailable));
  EXPECT_THAT(world_->log_.access_lines, ElementsAre("GET /a HTTP/1.1|503|http://m1|-|0"));
}

TEST_F(Line, a_reload_brings_those_who_wait_to_its_members) {
  build(1, {"retry=600"}, {"queue=5/60"});
  world_->kill(1);
  const Stream a = ask("/a"), b = ask("/b");
  advance(seconds(5));
  world_->members.resize(2);
  world_->revive(2);
  world_->reload(2, {"retry=600"}, {"queue=5/60"});
  EXPECT_THAT(heard(2), ElementsAre("/a", "/b"));
}

TEST_F(Line, a_reload_that_raises_max_lets_more_go_on) {
  build(1, {"max=1"}, {"queue=5/60"});
  const Stream a = ask("/a"), b = ask("/b"), c = ask("/c"), d = ask("/d");
  world_->reload(1, {"max=3"}, {"queue=5/60"});
  EXPECT_THAT(heard(1), ElementsAre("/a", "/b", "/c"));
  EXPECT_EQ(counters().waiting, 1U);
}

TEST_F(Line, a_reload_that_brings_max_makes_newcomers_wait_for_older_requests) {
  build(1, {}, {"queue=5/60"});
  const Stream a = ask("/a");
  world_->reload(1, {"max=1"}, {"queue=5/60"});
  const Stream b = ask("/b"), c = ask("/c");
  EXPECT_THAT(heard(1), ElementsAre("/a"));
  answer_last(1);
  advance(milliseconds(110));
  EXPECT_THAT(heard(1), ElementsAre("/b"));
  answer_last(1);  // this one tells
  EXPECT_THAT(heard(1), ElementsAre("/c"));
}

TEST_F(Line, a_reload_that_ends_the_line_ends_the_wait) {
  build(1, {"retry=600"}, {"queue=5/60"});
  world_->kill(1);
  const Stream a = ask("/a"), b = ask("/b");
  EXPECT_EQ(counters().waiting, 2U);
  world_->reload(1, {"retry=600"});
  EXPECT_THAT(a->take_all(), StartsWith(unavailable));
  EXPECT_THAT(b->take_all(), StartsWith(unavailable));
  EXPECT_EQ(counters().waiting, 0U);
}

TEST_F(Line, a_graceful_stop_ends_the_wait) {
  build(1, {"max=1"}, {"queue=5/3600"});
  const Stream a = ask("/a");
  Stream b = ask("/b");
  bool drained = false;
  world_->shard->drain([&] { drained = true; });
  world_->loop.settle();
  EXPECT_THAT(b->take_all(), StartsWith(unavailable));
  EXPECT_THAT(last_error(),
              StartsWith("balancer://app: waited 0.000 s for a member, the server stops; "));
  b.reset();
  world_->loop.settle();
  EXPECT_FALSE(drained);
  answer_last(1);
  advance(linger_time + milliseconds(10));
  EXPECT_TRUE(drained);
}

TEST_F(Line, without_it_nothing_waits_and_nothing_is_advised) {
  build(2, {}, {});
  world_->kill(1);
  world_->kill(2);
  const Stream a = ask("/a");
  const std::string got = a->take_all();
  EXPECT_THAT(got, StartsWith(unavailable));
  EXPECT_THAT(got, Not(HasSubstr("Retry-After")));
}

}  // namespace
}  // namespace steelyard::proxy
