#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// repeaton=: what is asked of another member although the first may have acted on it, on the
// simulated network.

namespace steelyard::proxy {
namespace {

using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
constexpr std::string_view busy_answer =
    "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy";
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\n";

class Repeat : public ::testing::Test {
 protected:
  void build(int members, const TestWorld::Words& of_balancer,
             const TestWorld::Words& more_of_members = {}) {
    TestWorld::Words of_members{"timeout=5", "route=r#"};
    of_members.insert(of_members.end(), more_of_members.begin(), more_of_members.end());
    world_ = std::make_unique<TestWorld>(members, of_members, of_balancer);
    client_ = world_->connect();
  }
  void ask(std::string_view method, std::string_view body = "") {
    const std::string length =
        body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    world_->say(*client_, std::string(method) + " /a HTTP/1.1\r\nHost: x\r\n" + length + "\r\n" +
                              std::string(body));
  }
  std::string heard(int member) {
    return world_->members[static_cast<std::size_t>(member - 1)].heard();
  }
  bool was_asked(int member) {
    return !world_->members[static_cast<std::size_t>(member - 1)].connections.empty();
  }
  io::SimStream& member(int number) {
    return world_->members[static_cast<std::size_t>(number - 1)].last();
  }
  void say(int number, std::string_view text) { world_->say(member(number), text); }
  void break_off(int number) {
    world_->members[static_cast<std::size_t>(number - 1)].connections.clear();
    world_->loop.settle();
  }
  std::string got() { return client_->take_all(); }

  std::unique_ptr<TestWorld> world_;
  std::unique_ptr<io::SimStream> client_;
};

TEST_F(Repeat, a_fresh_connection_that_breaks_is_an_end_without_it) {
  build(2, {});
  ask("GET");
  break_off(1);
  EXPECT_THAT(got(), StartsWith("HTTP/1.1 502 "));
  EXPECT_FALSE(was_asked(2));
}

TEST_F(Repeat, after_an_error_the_next_member_gets_all_of_it) {
  build(2, {"repeaton=error"});
  ask("PUT", "all of it");
  EXPECT_THAT(heard(1), EndsWith("\r\n\r\nall of it"));
  break_off(1);
  EXPECT_THAT(heard(2), EndsWith("\r\n\r\nall of it"));
  say(2, answer);
  EXPECT_THAT(got(), StartsWith(fine));
  EXPECT_EQ(world_->busy(), 0);
}

TEST_F(Repeat, what_may_not_be_done_twice_is_not) {
  build(2, {"repeaton=error,timeout,503"});
  ask("POST", "once");
  break_off(1);
  EXPECT_THAT(got(), StartsWith("HTTP/1.1 502 "));
  EXPECT_FALSE(was_asked(2));
}

TEST_F(Repeat, only_after_what_is_listed) {
  build(2, {"repeaton=timeout,500"});
  ask("GET");
  say(1, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_THAT(got(), StartsWith("HTTP/1.1 502 "));
  EXPECT_FALSE(was_asked(2));
}

TEST_F(Repeat, silence_ends_with_the_timeout) {
  build(2, {"repeaton=timeout"});
  ask("GET");
  world_->loop.advance(seconds(5));
  say(2, answer);
  EXPECT_THAT(got(), StartsWith(fine));
  // What the first says now is heard by nobody.
  EXPECT_TRUE(member(1).has_hung_up());
}

// Silence alone does not put it in error, so that the session would lead there again.
TEST_F(Repeat, a_session_leaves_the_member_that_was_asked) {
  build(2, {"repeaton=timeout", "stickysession=sid"});
  world_->say(*client_, "GET /a;sid=x.r2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(heard(2), StartsWith("GET "));
  world_->loop.advance(seconds(5));
  say(1, answer);
  EXPECT_THAT(got(), StartsWith(fine));
}

// nofailover=On: better an error than a member that does not know the session.
TEST_F(Repeat, a_bound_session_does_not) {
  build(2, {"repeaton=timeout,503", "stickysession=sid", "nofailover=On"});
  world_->say(*client_, "GET /a;sid=x.r2 HTTP/1.1\r\nHost: x\r\n\r\n");
  say(2, busy_answer);
  EXPECT_THAT(got(), EndsWith("busy"));
  EXPECT_FALSE(was_asked(1));
}

TEST_F(Repeat, each_member_is_asked_once_and_the_last_failure_counts) {
  build(3, {"repeaton=error,timeout"});
  ask("GET");
  for (int number = 1; number <= 3; ++number) break_off(number);
  EXPECT_THAT(got(), StartsWith("HTTP/1.1 502 "));
  for (int number = 1; number <= 3; ++number) EXPECT_FALSE(was_asked(number)) << "again";
  EXPECT_EQ(world_->busy(), 0);
}

TEST_F(Repeat, not_more_often_than_maxattempts) {
  build(3, {"repeaton=error", "maxattempts=1"});
  ask("GET");
  break_off(1);
  break_off(2);
  EXPECT_THAT(got(), StartsWith("HTTP/1.1 502 "));
  EXPECT_FALSE(was_asked(3));
}

TEST_F(Repeat, an_unwanted_answer_is_nobodys) {
  build(2, {"repeaton=503"});
  ask("GET");
  say(1, busy_answer);
  say(2, answer);
  EXPECT_THAT(got(), StartsWith(fine));
  ASSERT_EQ(world_->log_.error_lines.size(), 1U);
  EXPECT_THAT(world_->log_.error_lines[0], HasSubstr("answered 503, another member is asked"));
  // It is a member's answer, not its end: the next request may go there.
  ask("GET");
  EXPECT_THAT(heard(1), StartsWith("GET /a "));
}

TEST_F(Repeat, the_last_members_answer_is_passed_on_as_it_is) {
  build(2, {"repeaton=503"});
  ask("GET");
  say(1, busy_answer);
  say(2, busy_answer);
  const std::string last = got();
  EXPECT_THAT(last, StartsWith("HTTP/1.1 503 Busy\r\n"));
  EXPECT_THAT(last, HasSubstr("Retry-After: 7\r\n"));
  EXPECT_THAT(last, EndsWith("busy"));
}

// The line is for requests that nobody has acted on.
TEST_F(Repeat, nobody_is_asked_again_out_of_the_line) {
  build(2, {"repeaton=503", "queue=10/5", "maxattempts=9"});
  ask("GET");
  say(1, busy_answer);
  say(2, busy_answer);
  EXPECT_THAT(got(), EndsWith("busy"));
  world_->loop.advance(seconds(10));
  EXPECT_EQ(heard(1).find("GET", 1), std::string::npos);
  EXPECT_EQ(heard(2).find("GET", 1), std::string::npos);
}

// Both others are at their max=: their connections are somebody else's.
TEST_F(Repeat, an_answer_is_kept_when_the_others_are_full) {
  build(2, {"repeaton=503", "queue=10/5"}, {"max=1"});
  const auto other = world_->connect();
  ask("GET");
  world_->say(*other, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  say(1, busy_answer);
  EXPECT_THAT(got(), EndsWith("busy"));
  say(2, answer);
  EXPECT_THAT(other->take_all(), StartsWith(fine));
}

// Whom it was asked of is free for others while the next one answers.
TEST_F(Repeat, who_was_asked_before_serves_others_meanwhile) {
  build(2, {"repeaton=503", "queue=10/10"}, {"max=1"});
  ask("GET");
  say(1, busy_answer);
  EXPECT_EQ(world_->busy(), 1);
  const auto other = world_->connect();
  world_->say(*other, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  say(1, answer);
  EXPECT_THAT(other->take_all(), StartsWith(fine));
  say(2, answer);
  EXPECT_THAT(got(), StartsWith(fine));
}

// A trial waits for its client's body, and by then the answer would be gone.
TEST_F(Repeat, no_trial_takes_a_request_that_is_not_whole) {
  build(2, {"repeaton=503", "trial=On"}, {"retry=1"});
  world_->kill(2);
  ask("GET");
  say(1, answer);
  got();
  ask("GET");
  say(1, answer);
  got();
  world_->revive(2);
  world_->loop.advance(seconds(2));
  const std::string part(20'000, 'p');
  world_->say(*client_, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + part);
  say(1, busy_answer);
  EXPECT_THAT(got(), EndsWith("busy"));
  EXPECT_FALSE(was_asked(2));
}

// A member that ignores errors stays usable, whatever becomes of the attempt.
TEST_F(Repeat, what_was_not_even_sent_goes_on_in_any_case) {
  build(2, {"repeaton=500"}, {"status=+I"});
  world_->kill(1);
  ask("GET");
  say(2, answer);
  EXPECT_THAT(got(), StartsWith(fine));
}

TEST_F(Repeat, a_client_that_has_left_asks_nobody_else) {
  build(2, {"repeaton=timeout"});
  ask("PUT", "once");
  client_.reset();
  world_->loop.advance(seconds(5));
  EXPECT_FALSE(was_asked(2));
  EXPECT_EQ(world_->busy(), 0);
}

// A head that came together with the end: nothing of it went on.
TEST_F(Repeat, an_answer_that_ends_with_its_head_is_asked_for_again_body_and_all) {
  build(2, {"repeaton=error"});
  ask("PUT", "all of it");
  member(1).say("HTTP/1.1 200 OK\r\nX-One: 1\r\nContent-Length: 9\r\n\r\n");
  break_off(1);
  EXPECT_THAT(heard(2), EndsWith("\r\n\r\nall of it"));
  say(2, answer);
  const std::string all = got();
  EXPECT_THAT(all, StartsWith(fine));
  EXPECT_THAT(all, Not(HasSubstr("X-One")));
}

TEST_F(Repeat, an_answer_that_has_begun_is_the_last) {
  build(2, {"repeaton=error"});
  ask("GET");
  say(1, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  break_off(1);
  EXPECT_THAT(got(), EndsWith("half"));
  EXPECT_TRUE(client_->ended());
  EXPECT_FALSE(was_asked(2));
}

TEST_F(Repeat, what_the_client_still_sends_goes_to_the_second_member) {
  build(2, {"repeaton=503"});
  const std::string first(20'000, 'f'), rest(20'000, 'r');
  world_->say(*client_, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + first);
  say(1, busy_answer);
  world_->say(*client_, rest);
  EXPECT_THAT(heard(2), EndsWith("\r\n\r\n" + first + rest));
  say(2, answer);
  EXPECT_THAT(got(), StartsWith(fine));
}

}  // namespace
}  // namespace steelyard::proxy
