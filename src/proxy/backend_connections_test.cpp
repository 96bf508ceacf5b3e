#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_messages.hpp"
#include "proxy/test_world.hpp"

// Connections to members: which one a request goes out on, who waits for one, what a broken or
// silent one means for the request and its member.

namespace steelyard::proxy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(BackendConnections, a_refused_connection_moves_to_another_member) {
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

TEST(BackendConnections, nobody_left_is_a_503_and_the_connection_closes) {
  TestWorld world(2);
  world.kill(1);
  world.kill(2);
  const auto client = world.connect();
  world.say(*client, simple_get);
  const std::string got = client->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(got, HasSubstr("Connection: close\r\n"));
}

TEST(BackendConnections, a_stale_pooled_connection_is_replaced_without_the_client_noticing) {
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
TEST(BackendConnections, a_post_is_never_sent_twice) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  client->take_all();
  world.members[0].last().refuse_from_now_on();
  world.say(*client, "POST /once HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(world.dialer.dials(), 1u);
}

TEST(BackendConnections, a_post_is_not_risked_on_a_connection_that_was_idle_for_long) {
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

TEST(BackendConnections, a_post_after_a_pause_costs_the_pool_its_oldest_connection_only) {
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

TEST(BackendConnections, a_pooled_connection_is_closed_when_the_member_closes_it) {
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

TEST(BackendConnections, a_connection_that_was_idle_for_its_ttl_is_not_used_again) {
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

TEST(BackendConnections, the_limit_on_connections_holds_and_acquire_ends_the_wait) {
  TestWorld world(1, {"max=1", "acquire=200ms"});
  const auto first = world.connect();
  const auto second = world.connect();
  world.say(*first, simple_get);
  world.say(*second, simple_get);
  EXPECT_EQ(world.members[0].connections.size(), 1u);
  world.loop.advance(std::chrono::milliseconds(250));
  EXPECT_THAT(second->take_all(), StartsWith("HTTP/1.1 503 "));
}

TEST(BackendConnections, who_waits_for_a_connection_gets_the_next_free_slot) {
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

TEST(BackendConnections, who_waits_for_a_connection_gets_it_over_a_reload) {
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

TEST(BackendConnections, an_exchange_outlives_its_member_in_the_configuration) {
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

TEST(BackendConnections, a_client_that_leaves_frees_the_member) {
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

TEST(BackendConnections, the_members_time_does_not_run_while_the_client_is_waited_for) {
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

TEST(BackendConnections, a_member_that_says_something_is_not_silent) {
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

TEST(BackendConnections, a_silent_member_is_a_502_after_the_timeout) {
  TestWorld world(1, {"timeout=2"});
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.loop.advance(std::chrono::milliseconds(1900));
  EXPECT_EQ(client->take_all(), "");
  world.loop.advance(std::chrono::milliseconds(200));
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 502 "));
}

TEST(BackendConnections, a_malformed_field_does_not_put_its_member_in_error) {
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

TEST(BackendConnections, a_member_in_error_is_not_dialled_by_those_who_chose_it_before) {
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

TEST(BackendConnections, what_traffic_did_to_a_member_is_kept_with_its_evidence) {
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
