#include "proxy/counters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// What exchanges and attempts leave in the counters, on the simulated network.

namespace steelyard::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::StartsWith;

constexpr std::string_view simple_get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view simple_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

class Counters : public ::testing::Test {
 protected:
  static void add_server(TestWorld& world, ServerCells& sum) {
    world.generation->groups()[0].tally->add_to(sum);
  }
  static void add_member(TestWorld& world, std::size_t at, MemberCells& sum) {
    const auto members = world.generation->groups()[0].balancers[0].state->members();
    world.group.tallies.add_to(sum, *members.at(at).member);
  }
  static std::uint64_t picks(const MemberCells& cells, balance::Reason reason) {
    return cells.picks[static_cast<std::size_t>(reason)].value();
  }
  static std::uint64_t resends(const MemberCells& cells, ResendProof proof) {
    return cells.resends[static_cast<std::size_t>(proof)].value();
  }
};

TEST_F(Counters, an_exchange_counts_for_its_host_its_member_and_its_shard) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.loop.advance(milliseconds(300));
  world.say(world.members[0].last(), simple_answer);
  const auto got = static_cast<std::uint64_t>(client->take_all().size());

  ServerCells server;
  add_server(world, server);
  EXPECT_EQ(server.responses[2].value(), 1);
  EXPECT_EQ(server.received_bytes.value(), simple_get.size());
  EXPECT_EQ(server.sent_bytes.value(), got);
  EXPECT_EQ(server.duration.sum(), milliseconds(300));

  MemberCells member;
  add_member(world, 0, member);
  EXPECT_EQ(picks(member, balance::Reason::by_policy), 1);
  EXPECT_EQ(member.responses[2].value(), 1);
  EXPECT_EQ(member.connect.count(0), 1);
  EXPECT_EQ(member.first_byte.sum(), milliseconds(300));
  EXPECT_EQ(member.total.sum(), milliseconds(300));
  EXPECT_EQ(member.open.value(), 1);
  EXPECT_EQ(member.idle.value(), 1);
  EXPECT_EQ(member.reuses.value(), 0);

  ShardCells shard;
  world.group.add_to(shard);
  EXPECT_EQ(shard.accepted.value(), 1);
  EXPECT_EQ(shard.exchanges.value(), 1);
  EXPECT_EQ(shard.body_sent_bytes.value(), 2);
  EXPECT_EQ(shard.exchange_nanoseconds.value(), 300'000'000);
}

TEST_F(Counters, a_second_request_reuses_the_connection) {
  TestWorld world;
  const auto client = world.connect();
  for (int i = 0; i < 2; ++i) {
    world.say(*client, simple_get);
    MemberCells busy;
    add_member(world, 0, busy);
    EXPECT_EQ(busy.open.value(), 1);
    EXPECT_EQ(busy.idle.value(), 0);
    world.say(world.members[0].last(), simple_answer);
  }
  MemberCells member;
  add_member(world, 0, member);
  EXPECT_EQ(member.reuses.value(), 1);
  EXPECT_EQ(member.open.value(), 1);
  world.members[0].connections.clear();
  world.loop.settle();
  MemberCells closed;
  add_member(world, 0, closed);
  EXPECT_EQ(closed.open.value(), 0);
  EXPECT_EQ(closed.idle.value(), 0);
}

TEST_F(Counters, a_member_that_refuses_is_blamed_and_the_next_is_told_why_it_is_asked) {
  TestWorld world(2);
  world.kill(1);
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[1].last(), simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));

  MemberCells first;
  add_member(world, 0, first);
  EXPECT_EQ(first.failures.of(Party::backend, Cause::connect), 1);
  EXPECT_EQ(first.responses[2].value(), 0);
  EXPECT_EQ(resends(first, ResendProof::not_sent), 0);
  MemberCells second;
  add_member(world, 1, second);
  EXPECT_EQ(resends(second, ResendProof::not_sent), 1);
  EXPECT_EQ(second.failures.of(Party::backend, Cause::connect), 0);
  ServerCells server;
  add_server(world, server);
  EXPECT_EQ(server.failures.of(Party::backend, Cause::connect), 0);
}

TEST_F(Counters, a_request_repeated_on_a_new_connection_counts_as_idempotent) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  world.say(*client, simple_get);
  // The connection breaks before anything came back.
  world.members[0].connections.erase(world.members[0].connections.begin());
  world.loop.settle();
  world.say(world.members[0].last(), simple_answer);
  MemberCells member;
  add_member(world, 0, member);
  EXPECT_EQ(resends(member, ResendProof::idempotent), 1);
  EXPECT_EQ(member.responses[2].value(), 2);
  EXPECT_EQ(picks(member, balance::Reason::by_policy), 2);
}

TEST_F(Counters, what_ended_an_exchange_counts_for_its_host_and_then_for_its_balancer) {
  TestWorld world(1, {}, {"forcerecovery=Off"});
  world.kill(1);
  for (int i = 0; i < 2; ++i) {
    const auto client = world.connect();
    world.say(*client, simple_get);
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 503 "));
  }
  ServerCells server;
  add_server(world, server);
  EXPECT_EQ(server.responses[5].value(), 2);
  EXPECT_EQ(server.failures.of(Party::backend, Cause::connect), 1);
  // The second found nobody to choose.
  balance::Balancer& balancer = *world.generation->groups()[0].balancers[0].state;
  EXPECT_EQ(balancer.refusals().of(balance::Outcome::none_usable), 1);
}

TEST_F(Counters, a_client_that_leaves_is_nobody_elses_fault) {
  TestWorld world;
  {
    const auto client = world.connect();
    world.say(*client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  }
  world.loop.settle();
  MemberCells member;
  add_member(world, 0, member);
  ServerCells server;
  add_server(world, server);
  for (std::size_t i = 0; i < cause_count; ++i)
    EXPECT_EQ(member.failures.of(Party::backend, static_cast<Cause>(i)), 0) << i;
  EXPECT_EQ(server.failures.of(Party::client, Cause::bad_body) +
                server.failures.of(Party::client, Cause::gone),
            1);
}

TEST_F(Counters, survive_reloads_with_the_host_and_the_member) {
  TestWorld world(2);
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  world.reload(1);
  ServerCells server;
  add_server(world, server);
  EXPECT_EQ(server.responses[2].value(), 1);
  MemberCells member;
  add_member(world, 0, member);
  EXPECT_EQ(member.responses[2].value(), 1);
  world.say(*client, simple_get);
  world.say(world.members[0].last(), simple_answer);
  ServerCells after;
  add_server(world, after);
  EXPECT_EQ(after.responses[2].value(), 2);
}

TEST_F(Counters, an_exchange_of_an_older_configuration_counts_for_the_same_host) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.reload(1);
  world.say(world.members[0].last(), simple_answer);
  ServerCells server;
  add_server(world, server);
  EXPECT_EQ(server.responses[2].value(), 1);
}

TEST_F(Counters, of_members_that_are_gone_are_gone) {
  TestWorld world(2);
  const auto client = world.connect();
  for (std::size_t i = 0; i < 2; ++i) {
    world.say(*client, simple_get);
    world.say(world.members[i].last(), simple_answer);
  }
  const balance::MemberRef second =
      world.generation->groups()[0].balancers[0].state->members().at(1).member;
  world.reload(1);
  MemberCells sum;
  world.group.tallies.add_to(sum, *second);
  EXPECT_EQ(sum.responses[2].value(), 0);
}

// Header's %i and %b: the request that asks is busy itself, and one that was answered is not.
TEST_F(Counters, a_header_tells_how_much_of_what_the_server_is_meant_to_carry_is_busy) {
  TestWorld world;
  const auto means_to_carry = [&world](std::uint32_t capacity) {
    auto config = TestWorld::make_config(1, {});
    config->heartbeat.capacity = capacity;
    const std::vector<std::string> words{"set", "X-Load", "%i %b"};
    config->servers[0]->defaults.response_normal.push_back(
        *expr::HeaderRule::parse_response(words));
    world.adopt(std::move(config));
  };
  means_to_carry(8);
  const auto slow = world.connect();
  const auto quick = world.connect();
  const auto kept_alive = world.connect();
  world.say(*slow, simple_get);
  world.say(*quick, simple_get);
  world.say(*world.members[0].connections[1], simple_answer);
  EXPECT_THAT(quick->take_all(), testing::HasSubstr("\r\nX-Load: i=75 b=25\r\n"));
  world.say(*world.members[0].connections[0], simple_answer);
  EXPECT_THAT(slow->take_all(), testing::HasSubstr("\r\nX-Load: i=87 b=12\r\n"));
  means_to_carry(1);
  world.say(*slow, simple_get);
  world.say(*quick, simple_get);
  world.say(*world.members[0].connections[1], simple_answer);
  EXPECT_THAT(slow->take_all() + quick->take_all(),
              testing::HasSubstr("\r\nX-Load: i=0 b=100\r\n"));
}

TEST_F(Counters, a_restarted_shard_goes_on_with_the_cells_it_had) {
  ServerTally tally;
  const int shard = 0;
  tally.of(&shard)->responses[2].add();
  tally.of(&shard)->responses[2].add();
  const int other = 0;
  tally.of(&other)->responses[2].add();
  ServerCells sum;
  tally.add_to(sum);
  EXPECT_EQ(tally.of(&shard)->responses[2].value(), 2);
  EXPECT_EQ(sum.responses[2].value(), 3);
}

TEST_F(Counters, status_classes_go_by_the_hundreds) {
  EXPECT_EQ(status_class(100), 1);
  EXPECT_EQ(status_class(599), 5);
  EXPECT_EQ(status_class(0), 0);
  EXPECT_EQ(status_class(999), 0);
}

TEST_F(Counters, the_words_of_causes_are_all_there) {
  for (std::size_t i = 0; i < cause_count; ++i)
    EXPECT_FALSE(to_text(static_cast<Cause>(i)).empty()) << i;
  EXPECT_EQ(to_text(Cause::cut_short), "cut_short");
  EXPECT_EQ(to_text(Party::none), "proxy");
  EXPECT_EQ(proof_of({Party::backend, Cause::continue_timed_out}), ResendProof::body_withheld);
  EXPECT_EQ(proof_of({Party::backend, Cause::connect}), ResendProof::not_sent);
  EXPECT_EQ(proof_of({Party::backend, Cause::closed}), ResendProof::idempotent);
}

}  // namespace
}  // namespace steelyard::proxy
