#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_messages.hpp"
#include "proxy/test_world.hpp"

// The whole data path on a simulated network: what members hear and clients get.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(DataPath, a_request_reaches_a_member_and_its_answer_the_client) {
  for (const bool slowly : {false, true}) {
    TestWorld world;
    const auto client = world.connect();
    world.say(*client, simple_get, slowly);
    ASSERT_EQ(world.members[0].connections.size(), 1u);
    EXPECT_EQ(world.busy(), 1);
    const std::string heard = world.members[0].heard();
    EXPECT_THAT(heard, StartsWith("GET /a HTTP/1.1\r\nHost: m1\r\n"));
    EXPECT_THAT(heard, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
    EXPECT_THAT(heard, HasSubstr("X-Forwarded-Host: x\r\n"));
    EXPECT_THAT(heard, HasSubstr("X-Forwarded-Server: lb.test\r\n"));
    world.say(world.members[0].last(), simple_answer, slowly);
    const std::string got = client->take_all();
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(got, EndsWith("\r\n\r\nhi"));
    EXPECT_EQ(world.busy(), 0);
    EXPECT_EQ(world.log_.access_lines.at(0), "GET /a HTTP/1.1|200|http://m1|+");
  }
}

TEST(DataPath, pipelined_requests_are_answered_in_order_over_one_backend_connection) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(), Not(HasSubstr("/2")));
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /2 "));
  world.say(world.members[0].last(), "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(world.members[0].connections.size(), 1u);
  const std::string got = client->take_all();
  EXPECT_LT(got.find("200 OK"), got.find("404 No"));
}

TEST(DataPath, a_small_chunked_body_goes_out_with_its_length) {
  for (const bool slowly : {false, true}) {
    TestWorld world;
    const auto client = world.connect();
    world.say(*client,
              "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nT: 1\r\n\r\n",
              slowly);
    const std::string heard = world.members[0].heard();
    EXPECT_THAT(heard, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(heard, EndsWith("\r\n\r\nabcde"));
  }
}

TEST(DataPath, a_large_chunked_body_stays_chunked_and_whole) {
  TestWorld world;
  const auto client = world.connect();
  const std::string piece(30000, 'x');
  world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  world.say(*client, "7530\r\n" + piece + "\r\n0\r\n\r\n");
  const std::string heard = world.members[0].heard();
  EXPECT_THAT(heard, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(heard, EndsWith("0\r\n\r\n"));
  EXPECT_EQ(std::count(heard.begin(), heard.end(), 'x'), 30000 + 1);  // and the x of "Host"
}

TEST(DataPath, an_answer_of_unknown_length_becomes_chunked) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\n\r\nabc");
  world.members[0].connections.clear();
  world.loop.settle();
  const std::string got = client->take_all();
  EXPECT_THAT(got, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(got, EndsWith("3\r\nabc\r\n0\r\n\r\n"));
}

TEST(DataPath, a_slow_reader_holds_only_its_window) {
  TestWorld world;
  io::SimLink narrow;
  narrow.window_bytes = 1000;
  const auto client = world.connect(narrow);
  world.revive(1, {SIZE_MAX, 50000});
  world.say(*client, simple_get);
  const std::string body(40000, 'y');
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + body);
  std::string got;
  for (int i = 0; i < 100; ++i) {
    const std::string part = client->take_all();
    EXPECT_LE(part.size(), 1000u);
    got += part;
    world.loop.settle();
  }
  EXPECT_EQ(got.size() - got.find("\r\n\r\n") - 4, body.size());
}

TEST(DataPath, a_cut_answer_never_looks_complete) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  world.members[0].connections.clear();
  world.loop.settle();
  EXPECT_THAT(client->take_all(), EndsWith("\r\n\r\nabc"));
  EXPECT_TRUE(client->ended());
  EXPECT_EQ(world.busy(), 0);
}

TEST(DataPath, a_malformed_request_is_answered_and_nothing_behind_it_is_read) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, "GET /a HTTP/1.1\r\nHost : x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string got = client->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(world.members[0].connections.size(), 0u);
  EXPECT_TRUE(client->ended());
}

TEST(DataPath, an_answer_before_the_request_body_ended_is_passed_on) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" +
                         std::string(20000, 'z'));
  world.members[0].heard();
  world.say(world.members[0].last(), "HTTP/1.1 413 Too Big\r\nContent-Length: 2\r\n\r\nno");
  const std::string got = client->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 413 Too Big\r\n"));
  EXPECT_THAT(got, EndsWith("\r\n\r\nno"));
  EXPECT_EQ(world.busy(), 0);
}

TEST(DataPath, the_client_waits_for_the_members_100) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client,
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(), HasSubstr("Expect: 100-continue\r\n"));
  EXPECT_EQ(client->take_all(), "");
  world.say(world.members[0].last(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client->take_all(), "HTTP/1.1 100 Continue\r\n\r\n");
  world.say(*client, "abc");
  EXPECT_EQ(world.members[0].heard(), "abc");
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(DataPath, an_idle_connection_closes_after_the_keep_alive_timeout) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  world.loop.advance(std::chrono::milliseconds(4900));
  EXPECT_FALSE(client->ended());
  world.loop.advance(std::chrono::milliseconds(200));
  EXPECT_TRUE(client->ended());
}

TEST(DataPath, the_rest_of_a_body_that_a_member_did_not_want_is_no_request) {
  TestWorld world;
  // Room for what is kept for another attempt and some of what is not.
  world.revive(1, {.window_bytes = 50'000});
  const auto client = world.connect({.window_bytes = 100'000});
  const std::string tail = "GET /smuggled HTTP/1.1\r\nHost: lb.test\r\n\r\n";
  const std::string filler(60'000 - tail.size(), 'x');
  world.say(*client, "POST /large HTTP/1.1\r\nHost: lb.test\r\nContent-Length: 60000\r\n\r\n" +
                         filler + tail);
  world.say(world.members[0].last(), "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(client->take_all().starts_with("HTTP/1.1 401 "));
  ASSERT_EQ(world.log_.access_lines.size(), 1u);
  EXPECT_TRUE(world.log_.access_lines[0].starts_with("POST /large "));
}

TEST(DataPath, drained_shards_close_idle_connections_and_finish_the_others) {
  TestWorld world;
  const auto idle = world.connect();
  const auto active = world.connect();
  world.loop.settle();
  world.say(*idle, simple_get);
  world.say(world.members[0].last(), simple_answer);
  world.say(*active, simple_get);
  bool drained = false;
  world.shard->drain([&] { drained = true; });
  world.loop.settle();
  EXPECT_TRUE(idle->ended());
  EXPECT_FALSE(drained);
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(active->take_all(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(active->ended());
  EXPECT_FALSE(drained);  // until the client has noticed, or has had its time to
  world.loop.advance(std::chrono::milliseconds(2100));
  EXPECT_TRUE(drained);
}

TEST(DataPath, a_connection_that_has_not_asked_yet_is_answered_while_the_shard_drains) {
  TestWorld world;
  const auto early = world.connect();
  const auto never = world.connect();
  world.loop.settle();
  bool drained = false;
  world.shard->drain([&] { drained = true; });
  world.loop.settle();
  EXPECT_FALSE(early->ended());
  world.say(*early, simple_get);
  world.say(world.members[0].last(), simple_answer);
  const std::string got = early->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(got, HasSubstr("Connection: close\r\n"));
  // RequestReadTimeout's first 20 s.
  world.loop.advance(std::chrono::seconds(19));
  EXPECT_FALSE(never->ended());
  world.loop.advance(std::chrono::milliseconds(1100));
  EXPECT_TRUE(never->ended());
  EXPECT_TRUE(drained);
}

TEST(DataPath, a_head_that_ends_with_the_connection_is_a_400) {
  for (const std::string_view begun : {"GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r"}) {
    TestWorld world;
    const auto client = world.connect();
    world.say(*client, begun);
    client->end_writing();
    world.loop.settle();
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_EQ(world.log_.access_lines.at(0), "GET / HTTP/1.1|400|-|-");
  }
}

TEST(DataPath, without_a_request_line_there_is_nobody_to_answer) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, "GET / HTTP/1.1\r");
  client->end_writing();
  world.loop.settle();
  EXPECT_EQ(client->take_all(), "");
  EXPECT_TRUE(client->ended());
  EXPECT_TRUE(world.log_.access_lines.empty());
}

}  // namespace
}  // namespace steelyard::proxy
