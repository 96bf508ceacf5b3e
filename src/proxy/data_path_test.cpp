#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "proxy/limits.hpp"
#include "proxy/test_world.hpp"

// The whole data path on a simulated network: what members hear and clients get.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view simple_get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view simple_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

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

TEST(DataPath, a_refused_connection_moves_to_another_member) {
  TestWorld world(2);
  world.kill(1);
  const auto client = world.connect();
  world.say(*client, simple_get);
  ASSERT_EQ(world.members[1].connections.size(), 1u);
  EXPECT_EQ(world.busy(), 2);  // a member that was tried counts until the exchange ends
  world.say(world.members[1].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(world.busy(), 0);
}

TEST(DataPath, nobody_left_is_a_503_and_the_connection_closes) {
  TestWorld world(2);
  world.kill(1);
  world.kill(2);
  const auto client = world.connect();
  world.say(*client, simple_get);
  const std::string got = client->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(got, HasSubstr("Connection: close\r\n"));
}

TEST(DataPath, a_stale_pooled_connection_is_replaced_without_the_client_noticing) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  world.members[0].last().refuse_from_now_on();
  client->take_all();
  world.say(*client, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(world.members[0].last().take_all(), StartsWith("GET /b "));
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

// A reset discards the confirmation of what the member had read before it: nothing proves that a
// request was not acted on.
TEST(DataPath, a_post_is_never_sent_twice) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  client->take_all();
  world.members[0].last().refuse_from_now_on();
  world.say(*client, "POST /once HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(world.dialer.dials(), 1u);
}

TEST(DataPath, a_post_is_not_risked_on_a_connection_that_was_idle_for_long) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  client->take_all();
  world.loop.advance(std::chrono::milliseconds(1100));
  world.say(*client, "POST /once HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(world.dialer.dials(), 2u);
  EXPECT_THAT(world.members[0].last().take_all(), StartsWith("POST /once"));
}

TEST(DataPath, a_post_after_a_pause_costs_the_pool_its_oldest_connection_only) {
  TestWorld world;
  const auto first = world.connect(), second = world.connect();
  world.say(*first, simple_get);
  world.say(*second, simple_get);
  auto& connections = world.members[0].connections;
  ASSERT_EQ(connections.size(), 2u);
  for (auto& connection : connections) {
    connection->take_all();
    world.say(*connection, simple_answer);
  }
  world.loop.advance(std::chrono::milliseconds(1100));
  world.say(*first, "POST /once HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(world.dialer.dials(), 3u);
  EXPECT_TRUE(connections[0]->ended());
  EXPECT_FALSE(connections[1]->ended());
  world.say(*second, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(world.dialer.dials(), 3u);
  EXPECT_THAT(connections[1]->take_all(), StartsWith("GET /again"));
}

TEST(DataPath, a_pooled_connection_is_closed_when_the_member_closes_it) {
  TestWorld world(1, {"max=1"});
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  const auto& config = world.generation->groups()[0].balancers[0];
  const auto gate = world.group.gates.gate_of(*config.state->members()[0].member, 1);
  EXPECT_FALSE(gate->try_enter());
  world.members[0].last().end_writing();
  world.loop.settle();
  EXPECT_TRUE(gate->try_enter());
}

TEST(DataPath, who_waits_for_a_connection_gets_it_over_a_reload) {
  TestWorld world(1, {"max=1"});
  const auto first = world.connect(), second = world.connect(), third = world.connect();
  for (const auto* client : {&first, &second, &third}) world.say(**client, simple_get);
  world.reload(1, {"max=1"});
  for (const auto* client : {&first, &second, &third}) {
    EXPECT_EQ((*client)->take_all(), "");
    world.say(world.members[0].last(), simple_answer);
    EXPECT_THAT((*client)->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST(DataPath, an_exchange_outlives_its_member_in_the_configuration) {
  TestWorld world(2);
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  world.say(*client, simple_get);
  client->take_all();
  world.reload(1);
  world.say(world.members[1].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(world.members[1].last().ended());
}

TEST(DataPath, the_members_time_does_not_run_while_the_client_is_waited_for) {
  TestWorld world(1, {"timeout=1"});
  const auto client = world.connect();
  world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" +
                         std::string(19000, 'x'));
  world.loop.advance(std::chrono::milliseconds(2500));
  world.say(*client, std::string(1000, 'y'));
  world.loop.advance(std::chrono::milliseconds(900));
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(DataPath, a_member_that_says_something_is_not_silent) {
  TestWorld world(1, {"timeout=2"});
  const auto client = world.connect();
  world.say(*client, simple_get);
  for (int i = 0; i < 3; ++i) {
    world.loop.advance(std::chrono::milliseconds(1500));
    world.say(world.members[0].last(), "HTTP/1.1 102 Processing\r\n\r\n");
  }
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(client->take_all(), HasSubstr("HTTP/1.1 200 OK\r\n"));
}

TEST(DataPath, a_malformed_field_does_not_put_its_member_in_error) {
  TestWorld world(1);
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nX y: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 500 "));
  const auto again = world.connect();
  world.say(*again, simple_get);
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(again->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(DataPath, a_member_in_error_is_not_dialled_by_those_who_chose_it_before) {
  TestWorld world(1, {"max=1"});
  const auto first = world.connect(), second = world.connect();
  world.say(*first, simple_get);
  world.say(*second, simple_get);
  const auto& group = world.generation->groups()[0].balancers[0];
  balance::Decision decision = group.state->choose({});
  group.state->force_error(decision.lease, world.loop.now());
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(second->take_all(), StartsWith("HTTP/1.1 503 "));
}

TEST(DataPath, what_traffic_did_to_a_member_is_kept_with_its_evidence) {
  TestWorld world(2);
  world.kill(1);
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[1].last(), simple_answer);
  const auto members = world.generation->groups()[0].balancers[0].state->members();
  const auto events = members[0].member->health_log().events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].cause, balance::HealthCause::connect_failed);
  EXPECT_EQ(events[0].evidence.text, "refused");
  EXPECT_EQ(events[0].last, world.loop.now());
}

TEST(DataPath, a_silent_member_is_a_502_after_the_timeout) {
  TestWorld world(1, {"timeout=2"});
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.loop.advance(std::chrono::milliseconds(1900));
  EXPECT_EQ(client->take_all(), "");
  world.loop.advance(std::chrono::milliseconds(200));
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 502 "));
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

TEST(DataPath, a_client_that_leaves_frees_the_member) {
  TestWorld world;
  auto client = world.connect();
  world.say(*client, simple_get);
  EXPECT_EQ(world.busy(), 1);
  client.reset();
  world.loop.settle();
  world.say(world.members[0].last(), simple_answer);
  EXPECT_EQ(world.busy(), 0);
  EXPECT_EQ(world.shard->connection_count(), 0u);
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

TEST(DataPath, the_limit_on_connections_holds_and_acquire_ends_the_wait) {
  TestWorld world(1, {"max=1", "acquire=200ms"});
  const auto first = world.connect();
  const auto second = world.connect();
  world.say(*first, simple_get);
  world.say(*second, simple_get);
  EXPECT_EQ(world.members[0].connections.size(), 1u);
  world.loop.advance(std::chrono::milliseconds(250));
  EXPECT_THAT(second->take_all(), StartsWith("HTTP/1.1 503 "));
}

TEST(DataPath, a_connection_that_was_idle_for_its_ttl_is_not_used_again) {
  TestWorld world(1, {"ttl=2"});
  const auto client = world.connect();
  const auto exchange_after = [&](std::chrono::milliseconds idle) {
    world.loop.advance(idle);
    world.say(*client, simple_get);
    world.say(world.members[0].last(), simple_answer);
    return world.members[0].connections.size();
  };
  EXPECT_EQ(exchange_after(std::chrono::milliseconds(0)), 1u);
  EXPECT_EQ(exchange_after(std::chrono::milliseconds(1999)), 1u);
  EXPECT_EQ(exchange_after(std::chrono::milliseconds(2000)), 2u);
}

TEST(DataPath, who_waits_for_a_connection_gets_the_next_free_slot) {
  TestWorld world(1, {"max=1", "acquire=2000ms"});
  const auto first = world.connect();
  const auto second = world.connect();
  world.say(*first, simple_get);
  world.say(*second, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
  world.say(world.members[0].last(), simple_answer);
  world.loop.settle();
  EXPECT_THAT(world.members[0].last().take_all(), StartsWith("GET /second "));
  world.say(world.members[0].last(), simple_answer);
  EXPECT_THAT(second->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(DataPath, upgraded_connections_become_tunnels) {
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

TEST(DataPath, tunnelled_bytes_count_for_the_member) {
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

TEST(DataPath, a_tunnel_between_fast_peers_lets_others_have_their_turn) {
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

TEST(DataPath, an_endless_answer_lets_others_have_their_turn) {
  TestWorld world;
  expect_that_an_endless_answer_gives_way(world);
}

TEST(DataPath, an_endless_spliced_answer_lets_others_have_their_turn) {
  TestWorld world;
  world.splicer.joins = true;
  expect_that_an_endless_answer_gives_way(world);
  EXPECT_GE(world.splicer.borrowed, 1);
}

TEST(DataPath, an_endless_request_body_lets_others_have_their_turn) {
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
TEST(DataPath, an_endless_body_that_is_kept_whole_lets_others_have_their_turn) {
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

namespace steelyard::proxy {
namespace {

TEST(ConnectionGate, who_finds_a_slot_does_not_queue) {
  ConnectionGate gate(1);
  EXPECT_FALSE(gate.enter_or_queue([] {}));
  EXPECT_TRUE(gate.enter_or_queue([] {}));
}

TEST(ConnectionGate, a_higher_limit_lets_those_in_who_wait) {
  ConnectionGate gate(1);
  int granted = 0;
  EXPECT_TRUE(gate.try_enter());
  for (int i = 0; i < 3; ++i) gate.enter_or_queue([&] { ++granted; });
  gate.set_slots(3);
  EXPECT_EQ(granted, 2);
  gate.leave();
  EXPECT_EQ(granted, 3);
}

}  // namespace
}  // namespace steelyard::proxy
