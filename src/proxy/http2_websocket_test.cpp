#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/websocket_key.hpp"
#include "proxy/http2_test_client.hpp"

// WebSockets over HTTP/2 (RFC 8441) on the simulated network: what the member hears of an extended
// CONNECT, what the client hears of its answer, and how the tunnel between them ends.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Client = Http2TestClient;

std::unique_ptr<config::Config> websocket_config(const TestWorld::Words& parameters, bool takes) {
  auto config = TestWorld::make_config(1, parameters);
  config->servers[0]->client.protocols.add(config::ClientProtocol::h2c);
  config->servers[0]->client.http2.takes_websockets = takes;
  config->servers[0]->client.timeout = std::chrono::seconds(10);
  config->servers[0]->proxy.timeout = std::chrono::seconds(10);
  return config;
}

struct World : TestWorld {
  explicit World(const Words& parameters = {"upgrade=websocket"}, bool takes = true)
      : TestWorld(1) {
    adopt(websocket_config(parameters, takes));
  }
  io::SimStream& member() { return members[0].last(); }
  void answer(std::string_view text) { say(member(), text); }
};

Client::Fields opening(const std::string& protocol = "websocket") {
  return Client::get("/ws", {{":protocol", protocol}, {"sec-websocket-version", "13"}}, "CONNECT");
}

Client::Fields opening_without(const std::string& name) {
  Client::Fields fields = opening();
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

std::string agreement(std::string_view accept, std::string_view first_words = {}) {
  std::string text =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Content-Length: 0\r\nX-Mine: Y\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: ";
  return text.append(accept).append("\r\n\r\n").append(first_words);
}

// The world's chance is always the same.
std::string proof() { return http::make_websocket_key(1, 1).accepted; }

struct Tunnel {
  World world;
  Client client{world};
  std::int32_t id = client.ask(opening(), true);
  explicit Tunnel(std::string_view first_words = {}) {
    head = world.members[0].heard();
    world.answer(agreement(proof(), first_words));
    client.talk();
  }
  Http2TestAnswers::Answer& answer() { return client[id]; }
  std::string head;
};

TEST(Http2Websocket, opens_as_HTTP_1_would_open_it) {
  Tunnel one("hello");
  EXPECT_THAT(one.head, StartsWith("GET /ws HTTP/1.1\r\nHost: m1\r\n"));
  EXPECT_THAT(one.head, HasSubstr("\r\nSec-Websocket-Version: 13\r\n"));
  EXPECT_THAT(one.head, HasSubstr("\r\nSec-WebSocket-Key: AQAAAAAAAAABAAAAAAAAAA==\r\n"));
  EXPECT_THAT(one.head, EndsWith("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  EXPECT_THAT(one.head, Not(HasSubstr("rotocol")));
  ASSERT_EQ(one.answer().heads.size(), 1u);
  EXPECT_EQ(
      one.answer().heads[0],
      (Client::Fields{{":status", "200"}, {"x-mine", "Y"}, {"sec-websocket-protocol", "chat"}}));
  EXPECT_EQ(one.answer().body, "hello");
  EXPECT_FALSE(one.answer().ended);
  EXPECT_EQ(one.world.busy(), 1);
}

TEST(Http2Websocket, bytes_pass_both_ways_until_both_ended) {
  Tunnel one;
  one.client.say(one.id, "ping", false);
  EXPECT_EQ(one.world.members[0].heard(), "ping");
  one.world.answer("pong");
  one.client.talk();
  EXPECT_EQ(one.answer().body, "pong");
  one.client.say(one.id, "last", true);
  EXPECT_EQ(one.world.members[0].heard(), "last");
  EXPECT_TRUE(one.world.member().ended());
  EXPECT_FALSE(one.answer().ended);
  one.world.answer("words");
  one.world.members[0].connections.clear();
  one.client.talk();
  EXPECT_EQ(one.answer().body, "pongwords");
  EXPECT_TRUE(one.answer().ended);
  EXPECT_FALSE(one.answer().reset.has_value());
  EXPECT_EQ(one.world.busy(), 0);
  EXPECT_EQ(one.world.log_.access_lines.at(0), "GET /ws HTTP/2.0|101|http://m1|-");
}

TEST(Http2Websocket, what_the_client_says_before_the_answer_waits_for_it) {
  World world;
  Client client(world);
  const auto id = client.ask(opening(), true);
  client.say(id, "early", false);
  EXPECT_THAT(world.members[0].heard(), EndsWith("\r\n\r\n"));
  world.answer(agreement(proof()));
  EXPECT_EQ(world.members[0].heard(), "early");
}

TEST(Http2Websocket, and_is_no_more_than_the_window) {
  World world;
  Client client(world);
  const auto id = client.ask(opening(), true);
  for (int i = 0; i < 5; ++i) client.say(id, std::string(16384, 'x'), false);
  EXPECT_EQ(client[id].reset, NGHTTP2_FLOW_CONTROL_ERROR);
  EXPECT_EQ(world.busy(), 0);
}

TEST(Http2Websocket, may_be_asked_for_by_a_client_that_has_nothing_to_say) {
  World world;
  Client client(world);
  const auto id = client.ask(opening());
  world.answer(agreement(proof(), "all"));
  world.members[0].connections.clear();
  client.talk();
  EXPECT_EQ(client[id].body, "all");
  EXPECT_TRUE(client[id].ended);
}

TEST(Http2Websocket, any_other_answer_is_passed_on_unless_it_is_a_success) {
  World world;
  Client client(world);
  auto id = client.ask(opening(), true);
  world.answer("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "403");
  EXPECT_EQ(client[id].body, "no");
  EXPECT_TRUE(client[id].ended);
  EXPECT_EQ(client[id].reset, NGHTTP2_NO_ERROR);
  id = client.ask(opening(), true);
  world.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "502");
  EXPECT_THAT(client[id].body, Not(HasSubstr("hi")));
  EXPECT_EQ(world.busy(), 0);
}

TEST(Http2Websocket, a_member_has_to_prove_that_it_understood) {
  for (const std::string& accept : {std::string(), std::string("x"), proof() + "="}) {
    World world;
    Client client(world);
    const auto id = client.ask(opening(), true);
    world.answer(agreement(accept, "hello"));
    client.talk();
    EXPECT_EQ(client[id].value(":status"), "502");
    EXPECT_THAT(client[id].body, Not(HasSubstr("hello")));
  }
}

TEST(Http2Websocket, of_a_member_that_takes_none_it_is_a_plain_request) {
  World world({});
  Client client(world);
  const auto id = client.ask(opening(), true);
  EXPECT_THAT(world.members[0].heard(), Not(HasSubstr("Upgrade")));
  world.answer("HTTP/1.1 204 No Content\r\n\r\n");
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "502");
}

TEST(Http2Websocket, a_broken_connection_is_told_as_a_reset) {
  Tunnel one;
  one.world.member().reset();
  one.world.members[0].connections.clear();
  one.world.loop.settle();
  one.client.talk();
  EXPECT_EQ(one.answer().reset, NGHTTP2_CANCEL);
  EXPECT_FALSE(one.answer().ended);
  EXPECT_EQ(one.world.busy(), 0);
}

TEST(Http2Websocket, a_reset_closes_the_connection_to_the_member) {
  Tunnel one;
  one.client.reset(one.id);
  EXPECT_EQ(one.world.busy(), 0);
  EXPECT_TRUE(one.world.member().ended());
  EXPECT_EQ(one.world.log_.access_lines.at(0), "GET /ws HTTP/2.0|101|http://m1|X");
}

TEST(Http2Websocket, one_that_is_idle_for_too_long_ends) {
  Tunnel one;
  one.world.loop.advance(std::chrono::seconds(9));
  one.client.say(one.id, "x", false);
  one.world.loop.advance(std::chrono::seconds(9));
  one.client.talk();
  EXPECT_FALSE(one.answer().ended);
  one.world.loop.advance(std::chrono::seconds(2));
  one.client.talk();
  EXPECT_TRUE(one.answer().ended);
  EXPECT_EQ(one.answer().reset, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(one.world.member().ended());
  EXPECT_EQ(one.world.busy(), 0);
  EXPECT_FALSE(one.client.goaway().has_value());
}

TEST(Http2Websocket, a_client_that_takes_nothing_holds_the_member_back) {
  World world;
  Client client(world, 1000);
  const auto id = client.ask(opening(), true);
  world.answer(agreement(proof()));
  client.talk();
  const std::string words(10'000, 'w');
  std::size_t said = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string_view pieces[] = {words};
    said += world.member().write(pieces).bytes;
    client.talk();
  }
  EXPECT_LT(said, 600'000u);
  EXPECT_LE(client[id].body.size(), 1000u);
}

TEST(Http2Websocket, a_member_that_takes_nothing_holds_the_client_back) {
  World world;
  world.revive(1, {.window_bytes = 10'000});
  Client client(world);
  const auto id = client.ask(opening(), true);
  world.answer(agreement(proof()));
  client.talk();
  for (int i = 0; i < 6; ++i) client.say(id, std::string(10'000, 'x'), false);
  EXPECT_LT(nghttp2_session_get_stream_remote_window_size(client.session(), id), 65536);
  std::size_t heard = 0;
  for (int i = 0; i < 60 && heard < 60'000; ++i) {
    heard += world.members[0].heard().size();
    client.talk();
  }
  EXPECT_GE(heard, 60'000u);
  EXPECT_GT(nghttp2_session_get_stream_remote_window_size(client.session(), id), 65536);
}

TEST(Http2Websocket, goes_on_through_a_reload_and_beside_other_streams) {
  Tunnel one;
  one.world.adopt(websocket_config({"upgrade=websocket"}, false));
  const auto id = one.client.ask(Client::get("/a"));
  one.world.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  one.client.talk();
  EXPECT_EQ(one.client[id].body, "hi");
  one.world.members[0].heard();
  one.client.say(one.id, "still", false);
  EXPECT_EQ(one.world.members[0].heard(), "still");
}

TEST(Http2Websocket, without_H2WebSockets_asking_for_one_is_a_mistake) {
  World world({"upgrade=websocket"}, false);
  Client client(world);
  EXPECT_EQ(nghttp2_session_get_remote_settings(client.session(),
                                                NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL),
            0u);
  const auto id = client.ask(opening(), true);
  EXPECT_EQ(client[id].reset, NGHTTP2_PROTOCOL_ERROR);
  EXPECT_TRUE(world.members[0].connections.empty());
}

TEST(Http2Websocket, with_it_clients_are_told) {
  World world;
  Client client(world);
  client.talk();
  EXPECT_EQ(nghttp2_session_get_remote_settings(client.session(),
                                                NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL),
            1u);
}

TEST(Http2Websocket, what_is_no_extended_CONNECT_is_a_mistake) {
  const std::vector<Client::Fields> cases{
      opening_without(":scheme"),
      opening_without(":path"),
      opening_without(":authority"),
      opening(""),
      Client::get("/ws", {{":protocol", "websocket"}}),
      Client::get("/ws", {{":protocol", "websocket"}, {":protocol", "websocket"}}, "CONNECT")};
  for (const Client::Fields& fields : cases) {
    World world;
    Client client(world);
    const auto id = client.ask(fields, true);
    EXPECT_EQ(client[id].reset, NGHTTP2_PROTOCOL_ERROR) << fields.size();
    EXPECT_TRUE(world.members[0].connections.empty());
  }
}

TEST(Http2Websocket, other_protocols_and_lengths_are_refused) {
  World world;
  Client client(world);
  for (const std::string& protocol : {"connect-udp", "WebSocket"}) {
    const auto id = client.ask(opening(protocol), true);
    EXPECT_EQ(client[id].value(":status"), "501");
    EXPECT_EQ(client[id].reset, NGHTTP2_NO_ERROR);
  }
  Client::Fields fields = opening();
  fields.emplace_back("content-length", "5");
  const auto id = client.ask(fields, true);
  EXPECT_EQ(client[id].value(":status"), "400");
  EXPECT_TRUE(world.members[0].connections.empty());
  EXPECT_EQ(world.log_.access_lines.at(0), "CONNECT /ws HTTP/2.0|501|-|-");
}

}  // namespace
}  // namespace steelyard::proxy
