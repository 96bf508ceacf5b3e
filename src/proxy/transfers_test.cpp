#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "proxy/limits.hpp"
#include "proxy/test_messages.hpp"
#include "proxy/test_world.hpp"

// Much that is on its way: tunnels, and bodies without an end, which give way to others.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Transfers, upgraded_connections_become_tunnels) {
  TestWorld world(1, {"upgrade=websocket"});
  const auto client = world.connect();
  world.say(
      *client,
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
  EXPECT_THAT(world.members[0].heard(), HasSubstr("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  world.say(world.members[0].last(),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\nhello");
  EXPECT_THAT(client->take_all(), EndsWith("\r\n\r\nhello"));
  EXPECT_EQ(world.members[0].heard(), "early");
  world.say(*client, "ping");
  EXPECT_EQ(world.members[0].heard(), "ping");
  world.say(world.members[0].last(), "pong");
  EXPECT_EQ(client->take_all(), "pong");
}

std::unique_ptr<io::SimStream> open_tunnel(TestWorld& world, const io::SimLink& link = {}) {
  auto client = world.connect(link);
  world.say(*client,
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  world.say(
      world.members[0].last(),
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  client->take_all();
  world.members[0].heard();
  return client;
}

TEST(Transfers, tunnelled_bytes_count_for_the_member) {
  TestWorld world(1, {"upgrade=websocket"});
  const auto client = open_tunnel(world);
  const auto member = [&] {
    return world.generation->groups()[0].balancers[0].state->members()[0];
  };
  const auto before = member();
  world.say(*client, "12345");
  world.say(world.members[0].last(), "1234567");
  EXPECT_EQ(member().transferred_bytes - before.transferred_bytes, 5);
  EXPECT_EQ(member().read_bytes - before.read_bytes, 7);
}

TEST(Transfers, a_tunnel_between_fast_peers_lets_others_have_their_turn) {
  constexpr std::size_t much = 8 * tunnel_bytes_a_turn;
  TestWorld world(1, {"upgrade=websocket"});
  world.revive(1, {.window_bytes = much});
  const auto client = open_tunnel(world, {.window_bytes = much});
  const auto other = world.connect();
  std::size_t moved_before_the_other = 0;
  world.dialer.listen("m1:80", [&](std::unique_ptr<io::SimStream> peer) {
    moved_before_the_other = client->take_all().size();
    world.members[0].connections.push_back(std::move(peer));
  });
  world.members[0].last().say(std::string(much, 'x'));
  other->say(simple_get);
  world.loop.settle();
  EXPECT_LE(moved_before_the_other, 2 * tunnel_bytes_a_turn);
  EXPECT_EQ(moved_before_the_other + client->take_all().size(), much);
}

// How much of an endless transfer, as `so_far` measures it, passes before another is dialled for.
std::size_t moved_before_another(TestWorld& world, const std::function<std::size_t()>& so_far) {
  const auto other = world.connect();
  // The listener stays when this function is over.
  const auto moved = std::make_shared<std::size_t>(SIZE_MAX);
  world.dialer.listen("m1:80", [&world, moved, so_far](std::unique_ptr<io::SimStream> peer) {
    *moved = std::min(*moved, so_far());
    world.members[0].connections.push_back(std::move(peer));
  });
  other->say(simple_get);
  world.loop.settle();
  return *moved;
}

constexpr std::size_t endless = 8 * relay_bytes_a_turn;

void expect_that_an_endless_answer_gives_way(TestWorld& world) {
  world.revive(1, {.window_bytes = 2 * endless});
  const auto client = world.connect({.window_bytes = 2 * endless});
  world.say(*client, simple_get);
  auto& member = world.members[0].last();
  member.say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(endless) + "\r\n\r\n" +
             std::string(endless, 'y'));
  const std::size_t moved = moved_before_another(world, [&] { return client->take_all().size(); });
  EXPECT_LE(moved, 3 * relay_bytes_a_turn);
  EXPECT_GE(moved + client->take_all().size(), endless);
}

TEST(Transfers, an_endless_answer_lets_others_have_their_turn) {
  TestWorld world;
  expect_that_an_endless_answer_gives_way(world);
}

TEST(Transfers, an_endless_spliced_answer_lets_others_have_their_turn) {
  TestWorld world;
  world.splicer.joins = true;
  expect_that_an_endless_answer_gives_way(world);
  EXPECT_GE(world.splicer.borrowed, 1);
}

TEST(Transfers, an_endless_request_body_lets_others_have_their_turn) {
  TestWorld world;
  world.revive(1, {.window_bytes = 2 * endless});
  const auto client = world.connect({.window_bytes = 2 * endless});
  world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                         std::to_string(endless + prefetch_bytes) + "\r\n\r\n" +
                         std::string(prefetch_bytes, 'x'));
  auto& member = world.members[0].last();
  member.take_all();
  client->say(std::string(endless, 'x'));
  const std::size_t moved = moved_before_another(world, [&] { return member.take_all().size(); });
  EXPECT_LE(moved, 3 * relay_bytes_a_turn);
  EXPECT_EQ(moved + member.take_all().size(), endless);
}

// A member that wants a length gets one, so all of the chunks are read before it is asked.
TEST(Transfers, an_endless_body_that_is_kept_whole_lets_others_have_their_turn) {
  auto config = TestWorld::make_config(1, {});
  config->servers[0]->defaults.env = {{"proxy-sendcl", "1"}};
  config->body_spool_memory_bytes = 2 * endless;
  TestWorld world;
  world.adopt(std::move(config));
  const auto client = world.connect({.window_bytes = 2 * endless});
  world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client->say("800000\r\n" + std::string(endless, 'x') + "\r\n0\r\n\r\n");
  static_assert(endless == 0x800000);
  const auto other = world.connect();
  other->say(simple_get);
  world.loop.settle();
  ASSERT_EQ(world.members[0].connections.size(), 2U);
  EXPECT_THAT(world.members[0].connections[0]->take_all(), StartsWith("GET /a "));
  EXPECT_THAT(world.members[0].connections[1]->take_all(),
              HasSubstr("Content-Length: 8388608\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
