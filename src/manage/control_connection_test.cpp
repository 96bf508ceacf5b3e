#include "manage/control_connection.hpp"

#include <gmock/gmock.h>

#include <random>

#include "base/text.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view drain_for_ever =
    R"({"command":"drain","balancer":"app","member":"r1","deadline":"100h"})";

class Conversation : public DeskWorld {
 protected:
  Conversation() { connect({}); }

  void connect(const io::SimLink& link) {
    io::SimPair pair = io::connect_pair(loop, link);
    peer = std::move(pair.peer);
    over = false;
    connection.emplace(loop, desk, std::move(pair.program), "a test", [this] { over = true; });
    connection->start();
    loop.settle();
  }
  std::string say(std::string_view text) {
    peer->say(text);
    loop.settle();
    return peer->take_all();
  }
  std::string wait_for(seconds time) {
    loop.advance(time);
    return peer->take_all();
  }

  std::unique_ptr<io::SimStream> peer;
  bool over = false;
  std::optional<ControlConnection> connection;
};

TEST_F(Conversation, each_line_is_answered_by_a_line) {
  EXPECT_THAT(say("{\"command\":\"members\"}\n"), StartsWith(R"({"ok":true,"members":[)"));
  EXPECT_THAT(say("{\"command\":\"nothing\"}\n"), HasSubstr("no command \\\"nothing\\\""));
  EXPECT_FALSE(over);
}

TEST_F(Conversation, lines_may_come_in_pieces_and_together) {
  connect({.read_max = 1});
  EXPECT_EQ(say("{\"command\":"), "");
  const std::string answers = say("\"x\"}\n{\"command\":\"y\"}\n\n");
  EXPECT_EQ(split(answers, '\n').size(), 4U);  // the last is behind the last line end
  EXPECT_THAT(answers, HasSubstr("no command \\\"y\\\""));
}

TEST_F(Conversation, who_never_stops_sending_leaves_others_their_turn) {
  io::SimPair pair = io::connect_pair(loop, {});
  bool other_is_over = false;
  ControlConnection other(loop, desk, std::move(pair.program), "another",
                          [&] { other_is_over = true; });
  other.start();
  loop.settle();
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{\"command\":\"x\"}\n";
  peer->say(lines);
  pair.peer->say("{\"command\":\"y\"}\n");
  std::string answers;
  std::string answer;
  for (int turns = 0; turns < 20 && answer.empty(); ++turns) {
    loop.turn();
    answers += peer->take_all();
    answer += pair.peer->take_all();
  }
  EXPECT_THAT(answer, HasSubstr("no command"));
  EXPECT_LT(std::ranges::count(answers, '\n'), 20);
  EXPECT_FALSE(other_is_over);
}

TEST_F(Conversation, the_last_line_is_answered_though_nothing_follows) {
  peer->say("{\"command\":\"x\"}\n");
  peer->end_writing();
  loop.settle();
  EXPECT_THAT(peer->take_all(), HasSubstr("no command"));
  EXPECT_TRUE(over);
}

TEST_F(Conversation, a_line_that_is_too_long_ends_it) {
  EXPECT_THAT(say(std::string(control_line_bytes_max, 'x') + '\n'), HasSubstr("JSON object"));
  EXPECT_FALSE(over);
  EXPECT_THAT(say(std::string(control_line_bytes_max + 1, 'x')), HasSubstr("at most 4096 bytes"));
  EXPECT_TRUE(over);
}

TEST_F(Conversation, who_says_nothing_is_left) {
  loop.advance(control_idle_max - seconds(1));
  EXPECT_FALSE(over);
  say("{\"command\":");
  loop.advance(seconds(2));
  EXPECT_TRUE(over);
}

TEST_F(Conversation, who_does_not_read_is_left_and_keeps_nobody) {
  connect({.window_bytes = 10});
  peer->say("{\"command\":\"members\"}\n");
  loop.settle();
  EXPECT_FALSE(over);
  loop.advance(control_write_max + seconds(1));
  EXPECT_TRUE(over);
}

TEST_F(Conversation, who_reads_slowly_gets_it_all) {
  connect({.window_bytes = 10});
  peer->say("{\"command\":\"members\"}\n");
  loop.settle();
  std::string answer;
  for (int i = 0; i < 1000 && !answer.ends_with('\n'); ++i) {
    answer += peer->take_all();
    loop.settle();
  }
  EXPECT_THAT(answer, HasSubstr("http://m2:8080"));
  EXPECT_FALSE(over);
}

TEST_F(Conversation, waiting_is_answered_when_the_drain_is_over) {
  {
    const auto exchange = visit("x.r1");
  }
  say(R"({"command":"drain","balancer":"app","member":"r1","sessions":0,"window":"60s"})"
      "\n");
  EXPECT_EQ(say(R"({"command":"wait","balancer":"app","member":"r1"})"
                "\n"),
            "");
  EXPECT_EQ(wait_for(seconds(59)), "");
  EXPECT_EQ(wait_for(seconds(2)),
            "{\"ok\":true,\"state\":\"drained\",\"outcome\":\"no session for 1 min\"}\n");
  EXPECT_FALSE(over);
}

TEST_F(Conversation, waiting_tells_a_deadline_that_passed) {
  const auto exchange = visit("x.r1");
  say(R"({"command":"drain","balancer":"app","member":"r1","deadline":2})"
      "\n");
  say(R"({"command":"wait","balancer":"app","member":"r1"})"
      "\n");
  EXPECT_THAT(wait_for(seconds(3)), HasSubstr(R"("state":"deadline_passed")"));
}

TEST_F(Conversation, waiting_has_a_time_of_its_own) {
  const auto exchange = visit("x.r1");
  say(std::string(drain_for_ever) + '\n');
  say(R"({"command":"wait","balancer":"app","member":"r1","timeout":"90s"})"
      "\n");
  EXPECT_EQ(wait_for(seconds(89)), "");
  EXPECT_THAT(wait_for(seconds(2)), HasSubstr(R"("state":"timed_out")"));
  EXPECT_EQ(status(), "Init Drn Ok");
}

TEST_F(Conversation, waiting_hears_of_a_cancelled_drain_whoever_did_it) {
  const auto exchange = visit("x.r1");
  for (const int way : {0, 1, 2}) {
    say(std::string(drain_for_ever) + '\n');
    say(R"({"command":"wait","balancer":"app","member":"r1"})"
        "\n");
    if (way == 0) ask(R"({"command":"undrain","balancer":"app","member":"r1"})");
    if (way == 1) balancer().change_status(view().member, balance::Flag::disabled, {}, loop.now());
    if (way == 2) ask(R"({"command":"drain","balancer":"app","member":"r1","deadline":"7h"})");
    EXPECT_THAT(wait_for(seconds(1)), HasSubstr(R"("state":"cancelled")")) << way;
  }
}

TEST_F(Conversation, waiting_hears_of_a_member_that_a_reload_took) {
  const auto exchange = visit("x.r1");
  say(std::string(drain_for_ever) + '\n');
  say(R"({"command":"wait","balancer":"app","member":"r1"})"
      "\n");
  auto spec = std::make_shared<balance::BalancerSpec>(*sticky_spec("app", 2));
  spec->members.erase(spec->members.begin());
  auto config = one_balancer();
  config->servers[0]->balancers[0] = spec;
  adopt(std::move(config));
  EXPECT_THAT(wait_for(seconds(1)), HasSubstr("the member is gone"));
}

TEST_F(Conversation, waiting_hears_of_a_balancer_that_a_reload_took) {
  const auto exchange = visit("x.r1");
  say(std::string(drain_for_ever) + '\n');
  say(R"({"command":"wait","balancer":"app","member":"r1"})"
      "\n");
  auto config = one_balancer();
  config->servers[0]->balancers[0] = sticky_spec("other", 1);
  adopt(std::move(config));
  EXPECT_THAT(wait_for(seconds(1)), HasSubstr("the balancer is gone"));
}

TEST_F(Conversation, waiting_for_what_cannot_end_is_refused) {
  const std::string wait = R"({"command":"wait","balancer":"app","member":"r1"})"
                           "\n";
  EXPECT_THAT(say(wait), HasSubstr("no drain of http://m1:8080 was ordered"));
  say(R"({"command":"drain","balancer":"app","member":"r1"})"
      "\n");
  EXPECT_THAT(say(wait), HasSubstr("has no end"));
}

TEST_F(Conversation, who_waits_and_goes_is_noticed) {
  const auto exchange = visit("x.r1");
  say(std::string(drain_for_ever) + '\n');
  say(R"({"command":"wait","balancer":"app","member":"r1"})"
      "\n");
  peer.reset();
  loop.settle();
  EXPECT_TRUE(over);
}

// As `socat` does with what it was piped.
TEST_F(Conversation, who_says_nothing_more_still_hears_how_it_ended) {
  const auto exchange = visit("x.r1");
  say(R"({"command":"drain","balancer":"app","member":"r1","deadline":2})"
      "\n");
  peer->say(R"({"command":"wait","balancer":"app","member":"r1"})"
            "\n");
  peer->end_writing();
  loop.settle();
  EXPECT_FALSE(over);
  EXPECT_THAT(wait_for(seconds(3)), HasSubstr("deadline_passed"));
  EXPECT_TRUE(over);
}

TEST_F(Conversation, what_is_said_while_waiting_is_answered_later) {
  const auto exchange = visit("x.r1");
  say(R"({"command":"drain","balancer":"app","member":"r1","deadline":2})"
      "\n");
  EXPECT_EQ(say(R"({"command":"wait","balancer":"app","member":"r1"})"
                "\n{\"command\":\"x\"}\n" +
                std::string(2 * control_line_bytes_max, '\n')),
            "");
  const std::string answers = wait_for(seconds(3));
  EXPECT_THAT(answers, HasSubstr("deadline_passed"));
  EXPECT_THAT(answers, HasSubstr("no command \\\"x\\\""));
}

// Whatever comes, each line gets one line, and the connection goes on or ends in order.
TEST_F(Conversation, nonsense_is_answered) {
  std::mt19937 random(20'261'129);
  const std::string_view pieces[] = {"{",
                                     "}",
                                     "\"command\"",
                                     ":",
                                     ",",
                                     "\"drain\"",
                                     "[[[[",
                                     "\\",
                                     "\xff",
                                     "1e999",
                                     "-",
                                     " ",
                                     "null",
                                     "\"member\"",
                                     "\"balancer\":\"app\"",
                                     "\"sessions\":-1",
                                     "\"\\u0000\""};
  for (int round = 0; round < 2000; ++round) {
    std::string line;
    const auto count = random() % 12;
    for (unsigned i = 0; i < count; ++i) line += pieces[random() % std::size(pieces)];
    const std::string answer = say(line + '\n');
    ASSERT_THAT(answer, StartsWith("{\"ok\":false")) << line;
    ASSERT_EQ(answer.find('\n'), answer.size() - 1) << line;
  }
  EXPECT_FALSE(over);
}

}  // namespace
}  // namespace steelyard::manage
