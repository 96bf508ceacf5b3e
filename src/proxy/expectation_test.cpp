#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_messages.hpp"
#include "proxy/test_world.hpp"

// Bodies whose member is asked for leave first: what of them is here before it is asked, and who
// tells the client that it may send.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view chunked_head =
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n";
constexpr std::string_view leave = "HTTP/1.1 100 Continue\r\n\r\n";

std::string head(std::string_view more = {}) {
  return std::string(chunked_head) + std::string(more) + "\r\n";
}

struct LengthWorld : TestWorld {
  explicit LengthWorld(const Words& member_parameters = {}) {
    auto config = make_config(1, member_parameters);
    config->servers[0]->defaults.env = {{"proxy-sendcl", "1"}};
    adopt(std::move(config));
  }
};

TEST(Expectations, a_chunked_body_that_came_with_its_head_has_a_length) {
  TestWorld world(1, {"ping=5"});
  const auto client = world.connect();
  world.say(*client, head() + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(),
              AllOf(HasSubstr("Expect: 100-Continue\r\n"), HasSubstr("Content-Length: 5\r\n"),
                    Not(HasSubstr("Transfer-Encoding"))));
  world.say(world.members[0].last(), leave);
  EXPECT_EQ(world.members[0].heard(), "abcde");
  EXPECT_EQ(client->take_all(), "");
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(Expectations, the_rest_of_a_body_is_not_waited_for) {
  TestWorld world(1, {"ping=5"});
  const auto client = world.connect();
  world.say(*client, head() + "3\r\nabc\r\n");
  EXPECT_THAT(world.members[0].heard(), HasSubstr("Transfer-Encoding: chunked\r\n"));
  world.say(world.members[0].last(), leave);
  EXPECT_EQ(world.members[0].heard(), "3\r\nabc\r\n");
  world.say(*client, "0\r\n\r\n");
  EXPECT_EQ(world.members[0].heard(), "0\r\n\r\n");
}

TEST(Expectations, a_member_s_leave_reaches_who_waits_though_all_is_here) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, head("Expect: 100-continue\r\n") + "3\r\nabc\r\n0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(),
              AllOf(HasSubstr("Expect: 100-continue\r\n"), HasSubstr("Content-Length: 3\r\n")));
  world.say(world.members[0].last(), leave);
  EXPECT_EQ(client->take_all(), leave);
  EXPECT_EQ(world.members[0].heard(), "abc");
}

// The member is told the length, so it cannot give leave before the body is here.
TEST(Expectations, a_client_has_our_leave_where_the_member_wants_a_length) {
  LengthWorld world;
  const auto client = world.connect();
  world.say(*client, head("Expect: 100-continue\r\n"));
  EXPECT_EQ(client->take_all(), leave);
  EXPECT_TRUE(world.members[0].connections.empty());
  world.say(*client, "3\r\nabc\r\n");
  EXPECT_TRUE(world.members[0].connections.empty());
  world.say(*client, "0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(),
              AllOf(HasSubstr("Expect: 100-continue\r\n"), HasSubstr("Content-Length: 3\r\n")));
  world.say(world.members[0].last(), leave);
  EXPECT_EQ(client->take_all(), "") << "it had leave already";
  EXPECT_EQ(world.members[0].heard(), "abc");
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(Expectations, a_client_that_sends_already_needs_no_leave) {
  LengthWorld world;
  const auto client = world.connect();
  world.say(*client, head("Expect: 100-continue\r\n") + "3\r\nabc\r\n");
  EXPECT_EQ(client->take_all(), "");
  EXPECT_TRUE(world.members[0].connections.empty());
  world.say(*client, "0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(), HasSubstr("Content-Length: 3\r\n"));
  world.say(world.members[0].last(), leave);
  EXPECT_EQ(client->take_all(), "");
  EXPECT_EQ(world.members[0].heard(), "abc");
}

TEST(Expectations, a_pinged_member_that_wants_a_length_gets_one) {
  LengthWorld world({"ping=5"});
  const auto client = world.connect();
  world.say(*client, head());
  world.say(*client, "3\r\nabc\r\n");
  EXPECT_TRUE(world.members[0].connections.empty());
  world.say(*client, "3\r\ndef\r\n0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(),
              AllOf(HasSubstr("Expect: 100-Continue\r\n"), HasSubstr("Content-Length: 6\r\n")));
  world.say(world.members[0].last(), leave);
  EXPECT_EQ(client->take_all(), "");
  EXPECT_EQ(world.members[0].heard(), "abcdef");
}

TEST(Expectations, a_body_that_is_none_is_found_before_the_member_is_asked) {
  TestWorld world(1, {"ping=5"});
  const auto client = world.connect();
  world.say(*client, head() + "xyz\r\n");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(world.members[0].connections.empty());
}

}  // namespace
}  // namespace steelyard::proxy
