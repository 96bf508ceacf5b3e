#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/backend/limits.hpp"
#include "proxy/test_world.hpp"

// How long an FTP member may talk before its answer, and that one that lists without an end does
// not hold up others.

namespace steelyard::proxy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FtpConversation : public testing::Test {
 protected:
  FtpConversation() {
    auto config = TestWorld::make_config(1, {});
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    CHECK(balance::parse_member_url(spec->members[0], "ftp://127.0.0.1"));
    config->servers[0]->balancers[0] = spec;
    world_.adopt(std::move(config));
    world_.dialer.listen("127.0.0.1:21", [&](std::unique_ptr<io::SimStream> peer) {
      world_.members[0].connections.push_back(std::move(peer));
    });
    client_ = world_.connect();
  }
  static std::string path_of(int directories) {
    std::string path = "/";
    for (int i = 1; i <= directories; ++i) path += "d" + std::to_string(i) + "/";
    return path;
  }
  void ask(int directories) {
    world_.say(*client_, "GET " + path_of(directories) + "f HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  // Answers what the member hears, each after a while, until it hears nothing any more. What it
  // heard.
  std::string talk(Duration pause, const std::string& directory_reply = "250 changed\r\n") {
    std::string all;
    std::string said = "220 ready\r\n";
    io::SimStream& member = world_.members[0].last();
    while (!said.empty()) {
      world_.loop.advance(pause);
      world_.say(member, said);
      const std::string command = member.take_all();
      all += command;
      said = command.starts_with("USER")   ? "230 in\r\n"
             : command.starts_with("CWD ") ? directory_reply
                                           : "";
    }
    return all;
  }
  static std::string lines(int count) {
    std::string reply;
    for (int i = 1; i < count; ++i) reply += "250-moved\r\n";
    return reply + "250 done\r\n";
  }

  TestWorld world_;
  std::unique_ptr<io::SimStream> client_;
};

TEST_F(FtpConversation, walks_through_a_hundred_directories) {
  ask(100);
  const std::string heard = talk(0s);
  std::string walk;
  for (int i = 1; i <= 100; ++i) walk += "CWD d" + std::to_string(i) + "\r\n";
  EXPECT_THAT(heard, HasSubstr("\r\n" + walk + "EPSV\r\n"));
}

TEST_F(FtpConversation, does_not_begin_for_more) {
  ask(101);
  EXPECT_TRUE(world_.members[0].connections.empty());
  EXPECT_THAT(client_->take_all(), StartsWith("HTTP/1.1 400 "));
}

// Each reply is in time, all of them are not.
TEST_F(FtpConversation, is_over_when_all_replies_together_take_too_long) {
  ask(100);
  const std::string heard = talk(50s);
  EXPECT_THAT(heard, HasSubstr("CWD d3\r\n"));
  EXPECT_THAT(heard, Not(HasSubstr("CWD d5\r\n"))) << "Timeout is 60 s";
  EXPECT_THAT(client_->take_all(), StartsWith("HTTP/1.1 502 "));
  EXPECT_EQ(world_.busy(), 0);
}

TEST_F(FtpConversation, is_over_after_too_many_lines) {
  ask(100);
  EXPECT_THAT(talk(0s, lines(90)), HasSubstr("CWD d100\r\nEPSV\r\n"));
  client_ = world_.connect();
  ask(100);
  const std::string heard = talk(0s, lines(150));
  EXPECT_THAT(heard, HasSubstr("CWD d66\r\n"));
  EXPECT_THAT(heard, Not(HasSubstr("CWD d68\r\n")));
  EXPECT_THAT(client_->take_all(), StartsWith("HTTP/1.1 502 "));
}

// A line each 59 seconds: one reply has the time of one.
TEST_F(FtpConversation, is_over_when_one_reply_takes_too_long) {
  ask(1);
  io::SimStream& member = world_.members[0].last();
  world_.say(member, "220-ready\r\n");
  world_.loop.advance(59s);
  world_.say(member, " or nearly so\r\n");
  EXPECT_EQ(client_->take_all(), "");
  world_.loop.advance(2s);
  EXPECT_THAT(client_->take_all(), StartsWith("HTTP/1.1 502 "));
}

TEST_F(FtpConversation, that_breaks_off_is_told_of_with_the_reason) {
  ask(1);
  world_.say(world_.members[0].last(), "220 ready\r\n");
  world_.members[0].last().reset();
  world_.members[0].connections.clear();
  world_.loop.settle();
  const std::string got = client_->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(got, HasSubstr("Error reading from remote server"));
  EXPECT_THAT(world_.log_.error_lines,
              testing::ElementsAre("error with backend ftp://127.0.0.1: (104)Connection reset by "
                                   "peer: Error reading from remote server returned by /d1/f"));
}

// A line without an end makes no entry of the page, and all of it is read.
TEST_F(FtpConversation, lets_others_have_their_turn_while_a_list_has_no_lines) {
  std::unique_ptr<io::SimStream> data;
  world_.dialer.listen("127.0.0.1:5000",
                       [&](std::unique_ptr<io::SimStream> peer) { data = std::move(peer); });
  world_.say(*client_, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  io::SimStream& member = world_.members[0].last();
  for (const char* reply : {"220 a", "230 in", "229 e (|||5000|)", "257 \"/\"", "200 t", "150 l"})
    world_.say(member, std::string(reply) + "\r\n");
  EXPECT_THAT(member.take_all(), testing::EndsWith("LIST -lag\r\n"));
  ASSERT_NE(data, nullptr);
  data->say("-r 1 x\r\n-r 1 " + std::string(8 * unwanted_bytes_a_turn, 'y') + "\r\n-r 1 z\r\n");
  const auto other = world_.connect();
  std::string before_the_other;
  world_.dialer.listen("127.0.0.1:21", [&](std::unique_ptr<io::SimStream> peer) {
    before_the_other = client_->take_all();
    world_.members[0].connections.push_back(std::move(peer));
  });
  world_.say(*other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(before_the_other, HasSubstr(">x</a>"));
  EXPECT_THAT(before_the_other, Not(HasSubstr(">z</a>")));
  data.reset();
  world_.say(*world_.members[0].connections.front(), "226 done\r\n");
  const std::string rest = client_->take_all();
  EXPECT_THAT(rest, HasSubstr(">z</a>"));
  EXPECT_THAT(rest, testing::EndsWith("\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
