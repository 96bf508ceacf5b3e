#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "proxy/http2_test_client.hpp"
#include "proxy/limits.hpp"

// HTTP/2 with clients on the simulated network: what members hear, clients get, and logs say.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Client = Http2TestClient;

constexpr std::string_view simple_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

// A world whose server speaks HTTP/2 in the clear.
std::unique_ptr<config::Config> http2_config(int members = 1) {
  auto config = TestWorld::make_config(members, {});
  config->servers[0]->client.protocols.add(config::ClientProtocol::h2c);
  return config;
}

struct World : TestWorld {
  explicit World(int count = 1) : TestWorld(count) { adopt(http2_config(count)); }
  void answer(std::string_view text) { say(members[0].last(), text); }
};

TEST(Http2, a_request_reaches_a_member_and_its_answer_the_client) {
  World world;
  Client client(world);
  const auto id = client.ask(Client::get("/a?b", {{"x-some-field", "1"}}));
  ASSERT_EQ(world.members[0].connections.size(), 1u);
  const std::string heard = world.members[0].heard();
  EXPECT_THAT(heard, StartsWith("GET /a?b HTTP/1.1\r\nHost: m1\r\n"));
  EXPECT_THAT(heard, HasSubstr("\r\nX-Some-Field: 1\r\n"));
  EXPECT_THAT(heard, HasSubstr("X-Forwarded-Host: x\r\n"));
  EXPECT_THAT(heard, Not(HasSubstr("Transfer-Encoding")));
  world.answer("HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-Mine: Y\r\nKeep-Alive: x\r\n\r\nhi");
  client.talk();
  EXPECT_EQ(client[id].heads.size(), 1u);
  EXPECT_EQ(client[id].value(":status"), "200");
  EXPECT_EQ(client[id].value("x-mine"), "Y");
  EXPECT_EQ(client[id].value("content-length"), "2");
  EXPECT_EQ(client[id].value("keep-alive"), "");
  EXPECT_EQ(client[id].body, "hi");
  EXPECT_TRUE(client[id].ended);
  EXPECT_EQ(world.busy(), 0);
  EXPECT_EQ(world.log_.access_lines.at(0), "GET /a?b HTTP/2.0|200|http://m1|-");
}

TEST(Http2, the_preface_may_come_byte_by_byte) {
  World world;
  const auto client = world.connect();
  world.say(*client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true);
  EXPECT_THAT(client->take_all(), Not(HasSubstr("HTTP/1.1")));
  world.say(*client, std::string("\0\0\0\4\0\0\0\0\0", 9), true);  // empty SETTINGS
  const std::string got = client->take_all();
  EXPECT_THAT(got, HasSubstr(std::string("\0\0\0\4\1\0\0\0\0", 9)));  // heard
}

TEST(Http2, where_it_is_not_listed_its_preface_is_a_malformed_request) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 400 "));
}

TEST(Http2, http_1_goes_on_beside_it) {
  World world;
  const auto client = world.connect();
  world.say(*client, "P");
  world.say(*client, "UT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(), StartsWith("PUT /a HTTP/1.1\r\n"));
  world.answer(simple_answer);
  EXPECT_THAT(client->take_all(), EndsWith("\r\n\r\nhi"));
}

TEST(Http2, streams_are_served_side_by_side) {
  World world(2);
  Client client(world);
  const auto first = client.ask(Client::get("/1"));
  const auto second = client.ask(Client::get("/2"));
  EXPECT_EQ(world.busy(), 2);
  world.say(world.members[1].last(), simple_answer);
  client.talk();
  EXPECT_TRUE(client[second].ended);
  EXPECT_FALSE(client[first].ended);
  world.say(world.members[0].last(), "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  client.talk();
  EXPECT_EQ(client[first].value(":status"), "404");
  EXPECT_TRUE(client[first].ended);
}

TEST(Http2, a_body_of_known_length_keeps_it_and_one_without_goes_in_chunks) {
  World world;
  Client client(world);
  auto id = client.ask(Client::post("/p", {{"content-length", "5"}}), true);
  client.say(id, "hello", true);
  EXPECT_THAT(world.members[0].heard(),
              EndsWith("Content-Length: 5\r\nConnection: Keep-Alive\r\n\r\nhello"));
  world.answer(simple_answer);
  client.talk();
  id = client.ask(Client::post("/p"), true);
  for (int i = 0; i < 2; ++i) client.say(id, std::string(10000, 'x'), false);
  EXPECT_THAT(world.members[0].heard(), HasSubstr("Transfer-Encoding: chunked\r\n"));
  client.say(id, "end", true);
  EXPECT_THAT(world.members[0].heard(), EndsWith("3\r\nend\r\n0\r\n\r\n"));
}

TEST(Http2, an_answer_of_unknown_length_ends_with_its_stream) {
  World world;
  Client client(world);
  const auto id = client.ask(Client::get("/a"));
  world.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  client.talk();
  EXPECT_EQ(client[id].body, "hello");
  EXPECT_EQ(client[id].value("transfer-encoding"), "");
  EXPECT_FALSE(client[id].ended);
  world.answer("0\r\nX-Sum: 7\r\n\r\n");
  client.talk();
  EXPECT_TRUE(client[id].ended);
  ASSERT_EQ(client[id].heads.size(), 2u);
  EXPECT_EQ(client[id].heads[1], (Client::Fields{{"x-sum", "7"}}));
}

TEST(Http2, an_answer_that_breaks_off_resets_its_stream_alone) {
  World world;
  Client client(world);
  const auto id = client.ask(Client::get("/a"));
  world.answer("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf");
  world.members[0].connections.clear();
  client.talk();
  EXPECT_EQ(client[id].reset, NGHTTP2_INTERNAL_ERROR);
  EXPECT_FALSE(client.goaway().has_value());
  const auto next = client.ask(Client::get("/b"));
  world.answer(simple_answer);
  client.talk();
  EXPECT_EQ(client[next].body, "hi");
}

TEST(Http2, what_a_slow_client_does_not_take_stays_with_the_member) {
  World world;
  Client client(world, 1000);
  const auto id = client.ask(Client::get("/a"));
  const std::string body(1000000, 'b');
  world.answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
  std::size_t said = 0;
  for (int i = 0; i < 100 && said < body.size(); ++i) {
    const std::string_view pieces[] = {std::string_view(body).substr(said, 10000)};
    said += world.members[0].last().write(pieces).bytes;
    client.talk();
  }
  EXPECT_LT(said, 600000u);  // what the stream keeps, and the simulated socket
  EXPECT_LE(client[id].body.size(), 1000u);
}

TEST(Http2, the_window_grows_when_the_member_has_taken_the_body) {
  World world;
  world.revive(1, {.window_bytes = 10000});
  Client client(world);
  const auto id = client.ask(Client::post("/p"), true);
  for (int i = 0; i < 6; ++i) client.say(id, std::string(10000, 'x'), false);
  EXPECT_LT(nghttp2_session_get_stream_remote_window_size(client.session(), id), 65536);
  std::size_t heard = 0;
  for (int i = 0; i < 60 && heard < 60000; ++i) {
    heard += world.members[0].heard().size();
    client.talk();
  }
  EXPECT_GE(heard, 60000u);
  EXPECT_GT(nghttp2_session_get_stream_remote_window_size(client.session(), id), 65536);
}

TEST(Http2, a_client_that_resets_a_stream_frees_the_member) {
  World world;
  Client client(world);
  const auto id = client.ask(Client::get("/a"));
  EXPECT_EQ(world.busy(), 1);
  client.reset(id);
  EXPECT_EQ(world.busy(), 0);
  EXPECT_EQ(world.log_.access_lines.at(0), "GET /a HTTP/2.0|400|http://m1|X");
}

TEST(Http2, a_client_that_leaves_frees_all_members) {
  World world(2);
  {
    Client client(world);
    client.ask(Client::get("/a"));
    client.ask(Client::get("/b"));
    EXPECT_EQ(world.busy(), 2);
  }
  world.loop.settle();
  EXPECT_EQ(world.busy(), 0);
  world.loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(world.shard->connection_count(), 0u);
}

TEST(Http2, cookies_come_together_and_authority_counts_more_than_host) {
  World world;
  Client client(world);
  client.ask(Client::get("/a", {{"cookie", "a=1"}, {"host", "y"}, {"cookie", "b=2"}}));
  const std::string heard = world.members[0].heard();
  EXPECT_THAT(heard, HasSubstr("Cookie: a=1; b=2\r\n"));
  EXPECT_THAT(heard, HasSubstr("X-Forwarded-Host: x\r\n"));
  EXPECT_THAT(heard, Not(HasSubstr("Host: y")));
}

TEST(Http2, an_idle_connection_is_sent_away_after_KeepAliveTimeout) {
  World world;
  Client client(world);
  client.ask(Client::get("/a"));
  world.answer(simple_answer);
  client.talk();
  world.loop.advance(std::chrono::seconds(4));
  client.talk();
  EXPECT_FALSE(client.goaway().has_value());
  world.loop.advance(std::chrono::seconds(2));
  client.talk();
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(client.closed());
}

TEST(Http2, a_server_that_stops_lets_streams_end_and_takes_those_on_their_way) {
  World world;
  Client client(world);
  const auto id = client.ask(Client::get("/a"));
  bool drained = false;
  world.shard->drain([&] { drained = true; });
  world.loop.settle();
  client.talk();
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_FALSE(drained);
  world.answer(simple_answer);
  client.talk();
  EXPECT_TRUE(client[id].ended);
  world.loop.advance(std::chrono::seconds(3));
  EXPECT_TRUE(drained);
}

TEST(Http2, streams_after_a_reload_get_the_new_generation) {
  World world;
  Client client(world);
  client.ask(Client::get("/a"));
  world.answer(simple_answer);
  client.talk();
  auto config = http2_config();
  config->servers[0]->name = "renamed.test";
  world.adopt(std::move(config));
  client.ask(Client::get("/b"));
  EXPECT_THAT(world.members[0].heard(), HasSubstr("X-Forwarded-Server: renamed.test\r\n"));
}

TEST(Http2, an_http_1_request_may_ask_for_it) {
  World world;
  const auto client = world.connect();
  world.say(
      *client,
      "GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, X-Hop\r\nX-Hop: 1\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  const std::string heard = world.members[0].heard();
  EXPECT_THAT(heard, StartsWith("GET /up HTTP/1.1\r\n"));
  EXPECT_THAT(heard, Not(HasSubstr("h2c")));
  EXPECT_THAT(heard, Not(HasSubstr("HTTP2-Settings")));
  EXPECT_THAT(heard, Not(HasSubstr("X-Hop")));
  world.say(*client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9));
  world.answer(simple_answer);
  EXPECT_THAT(client->take_all(), EndsWith("hi"));
  EXPECT_EQ(world.log_.access_lines.at(0), "GET /up HTTP/2.0|200|http://m1|-");
}

TEST(Http2, an_upgrade_brings_no_more_than_thirty_two_settings) {
  std::string one("\0\3\0\0\0\x64", 6);
  for (const int count : {32, 33}) {
    World world;
    const auto client = world.connect();
    std::string payload;
    for (int i = 0; i < count; ++i) payload += one;
    std::string text = base64(payload);
    text.erase(text.find_last_not_of('=') + 1);
    world.say(*client,
              "GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
              "Upgrade: h2c\r\nHTTP2-Settings: " +
                  text + "\r\n\r\n");
    world.answer(simple_answer);
    EXPECT_THAT(client->take_all(), StartsWith(count == 32 ? "HTTP/1.1 101 " : "HTTP/1.1 200 "));
  }
}

TEST(Http2, a_body_is_given_up_when_the_answer_is_there) {
  World world;
  Client client(world);
  const auto id = client.ask(Client::post("/p"), true);
  for (int piece = 0; piece < 2; ++piece) client.say(id, std::string(10'000, 'x'), false);
  world.answer(simple_answer);
  client.talk();
  EXPECT_EQ(client[id].body, "hi");
  EXPECT_TRUE(client[id].ended);
  EXPECT_EQ(client[id].reset, NGHTTP2_NO_ERROR);
  EXPECT_EQ(world.busy(), 0);
}

TEST(Http2, what_nobody_reads_of_a_body_takes_no_room_from_others) {
  World world;
  auto config = http2_config();
  config->servers[0]->client.http2.streams_max = 1;  // the connection's window is one stream's
  world.adopt(std::move(config));
  Client client(world, 1);  // takes half of the answer, so the stream stays
  auto id = client.ask(Client::post("/p"), true);
  for (int piece = 0; piece < 2; ++piece) client.say(id, std::string(10'000, 'x'), false);
  world.answer(simple_answer);
  client.talk();
  for (int piece = 0; piece < 4; ++piece) client.say(id, std::string(10'000, 'y'), false);
  client.reset(id);
  id = client.ask(Client::post("/p"), true);
  for (int piece = 0; piece < 6; ++piece) client.say(id, std::string(10'000, 'z'), false);
  EXPECT_FALSE(client.goaway().has_value());
  EXPECT_FALSE(client[id].reset.has_value());
}

TEST(Http2, an_upgrade_with_a_body_or_without_settings_stays_http_1) {
  for (const std::string head :
       {"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nHTTP2-Settings: AAMAAABk\r\n",
        "GET /up HTTP/1.1\r\nHost: x\r\n",
        "GET /up HTTP/1.1\r\nHost: x\r\nHTTP2-Settings: !\r\n"}) {
    World world;
    const auto client = world.connect();
    world.say(*client, head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n" +
                           (head.starts_with("POST") ? "x" : ""));
    EXPECT_THAT(world.members[0].heard(), Not(HasSubstr("h2c")));
    world.answer(simple_answer);
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

}  // namespace
}  // namespace steelyard::proxy
