// Checks of members that speak no HTTP/1 of their own: FTP servers, and tunnels to WebSockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "health/test_members.hpp"

namespace steelyard::health {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using Then = PlayedMember::Then;

struct Row {
  std::string greeting;
  Then then;
  std::string told;
};

TEST(FtpChecks, are_passed_by_the_greeting_of_a_server_that_is_ready) {
  const Row rows[] = {
      {"220 ready\r\n", Then::stay_open, "status 220"},
      {"220-welcome,\r\n dear\r\n220 guest\n", Then::stay_open, "status 220"},
      {"120 in some minutes\r\n", Then::stay_open, "it greets with 120"},
      {"421 too many\r\n", Then::close, "it greets with 421"},
      {"530 not you\r\n", Then::close, "it greets with 530"},
      {"230 come in\r\n", Then::close, "it greets with 230"},
      {"SSH-2.0-x\r\n", Then::stay_open, "not a greeting of an FTP server"},
      {"", Then::close, "the connection ended without an answer"},
      {"220-half", Then::close, "the answer ended in its head"},
      {"220-half\r\n", Then::stay_open, "no answer within 3000 ms"},
      {"220-" + std::string(300'000, 'x'), Then::stay_open, "the greeting has no end"},
  };
  for (const Row& row : rows) {
    CheckedWorld world(1, {"hcmethod=OPTIONS", "hcinterval=1"}, "ftp");
    world.member(1).answer = row.greeting;
    world.member(1).then = row.then;
    world.pass(seconds(5));
    EXPECT_EQ(world.last_text(1), row.told) << row.greeting.substr(0, 40);
    EXPECT_EQ(world.status(1), row.told == "status 220" ? "Init Ok " : "Init HcFl ");
  }
}

TEST(FtpChecks, take_their_leave) {
  CheckedWorld world(1, {"hcmethod=OPTIONS", "hcinterval=1"}, "ftp");
  world.member(1).answer = "220 ready\r\n";
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  ASSERT_EQ(world.member(1).open.size(), 1U);
  EXPECT_EQ(world.member(1).heard, "");
  EXPECT_EQ(world.member(1).open[0]->take_all(), "QUIT\r\n");
  EXPECT_TRUE(world.member(1).open[0]->ended());
}

TEST(FtpChecks, let_conditions_see_the_greeting) {
  CheckedWorld world(0, {"hcmethod=OPTIONS", "hcinterval=1", "hcexpr=e"}, "ftp");
  auto condition =
      expr::Condition::compile("%{REQUEST_STATUS} == 220 && hc('body') =~ /the right/");
  ASSERT_TRUE(condition);
  world.conditions.set("e", std::move(*condition));
  world.revive(1);
  world.member(1).answer = "220 the right one\r\n";
  world.reload(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 220, condition e is true");
  world.member(1).answer = "220 another\r\n";
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 220, condition e is false");
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(WebSocketMembers, are_checked_in_http) {
  CheckedWorld world(1, {"hcmethod=GET11", "hcuri=/up", "hcinterval=1"}, "ws");
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.member(1).heard, "GET /up HTTP/1.1\r\nHost: m1:80\r\n\r\n");
  EXPECT_EQ(world.last_text(1), "status 200");
  world.member(1).answer = "HTTP/1.1 503 X\r\n\r\n";
  world.pass(milliseconds(1200));
  EXPECT_THAT(world.last_text(1), HasSubstr("status 503"));
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

// Without SSLProxyEngine nobody is asked, in plain text least of all.
TEST(WebSocketMembers, of_wss_are_asked_over_tls_alone) {
  CheckedWorld world(1, {"hcmethod=GET", "hcuri=/up", "hcinterval=1"}, "wss");
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "SSLProxyEngine is not On");
  EXPECT_EQ(world.member(1).heard, "");
}

}  // namespace
}  // namespace steelyard::health
