#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/backend/http2_carrier.hpp"
#include "proxy/backend/limits.hpp"
#include "proxy/http2_test_config.hpp"
#include "proxy/http2_test_member.hpp"

// Exchanges that share connections to HTTP/2 members: who gets a lane, who waits, and for how long.

namespace steelyard::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Client = std::unique_ptr<io::SimStream>;

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

// A shard of its own thread, as far as it goes on one: with a loop and a way to the member.
struct OtherShard {
  explicit OtherShard(TestWorld& world, std::uint32_t streams_max)
      : member(loop, dialer, "m1:80", streams_max) {
    ProcessFacts process;
    process.files = &world.no_files;
    shard = std::make_unique<Shard>(
        ShardParts{world.group, loop, dialer, splicer, log, process, [] { return 1; }, {}},
        world.generation);
  }
  Client connect() {
    io::SimPair pair = io::connect_pair(loop);
    shard->accept(std::move(pair.program), {IpAddress::v4(0x7f000001), 40000});
    return std::move(pair.peer);
  }
  io::SimLoop loop;
  io::SimDialer dialer{loop};
  io::SimSplicer splicer;
  KeptLog log;
  Http2TestMember member;
  std::unique_ptr<Shard> shard;
};

class Lanes : public testing::Test {
 protected:
  // A shard that ends with lanes in use would leave words for its member behind.
  void TearDown() override {
    if (other) answer_all();
  }
  void answer_all() {
    for (Http2TestMember* const each : {&member, &other->member}) {
      while (!each->waiting().empty()) {
        const auto oldest = each->waiting().front();
        each->answer(oldest);
        settle();
      }
    }
  }
  void begin(const TestWorld::Words& parameters, std::uint32_t streams_max = 100, int members = 1) {
    world.adopt(http2_config(members, parameters));
    member.streams_max = streams_max;
    other.emplace(world, streams_max);
  }
  // Until nothing moves in either shard.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      member.talk_until_quiet();
      other->member.talk_until_quiet();
    }
  }
  void advance(Duration time) {
    world.loop.advance(time);
    other->loop.advance(time);
    settle();
  }
  Client ask(const std::string& path) {
    Client client = world.connect();
    client->say(get(path));
    settle();
    return client;
  }
  Client ask_other(const std::string& path) {
    Client client = other->connect();
    client->say(get(path));
    settle();
    return client;
  }
  // The oldest request is answered and another one comes in its place: the connection never rests.
  void go_on_asking() {
    ASSERT_THAT(member.waiting(), testing::Not(IsEmpty()));
    const auto oldest = member.waiting().front();
    clients.push_back(ask("/more"));
    member.answer(oldest);
    settle();
  }
  void answer_one_and_go_away() {
    const Client client = ask("/first");
    member.answer(member.waiting().front());
    settle();
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 "));
    member.go_away(0);
    settle();
  }

  TestWorld world;
  Http2TestMember member{world.loop, world.dialer, "m1:80"};
  std::optional<OtherShard> other;
  std::vector<Client> clients;
};

TEST_F(Lanes, another_shard_gets_its_turn_under_a_load_that_never_ends) {
  begin({"max=1"}, 3);
  for (int i = 0; i < 3; ++i) clients.push_back(ask("/first"));
  ASSERT_EQ(member.waiting().size(), 3u);
  const Client late = ask_other("/late");
  EXPECT_THAT(other->member.waiting(), IsEmpty());
  for (int i = 0; i < 3; ++i) go_on_asking();  // as many again
  EXPECT_EQ(member.waiting().size(), 3u);
  for (int i = 0; i < 3; ++i) go_on_asking();
  EXPECT_TRUE(member.is_closed(0));
  ASSERT_THAT(other->member.waiting_paths(), ElementsAre("/late"));

  // And the first one again, when the other has had its turn.
  for (int i = 0; i < 3; ++i) {
    clients.push_back(ask_other("/other"));
    if (i < 2) other->member.answer(other->member.waiting().front());
    settle();
  }
  while (!other->member.waiting().empty()) {
    other->member.answer(other->member.waiting().front());
    settle();
  }
  EXPECT_EQ(member.connections(), 2u);
  EXPECT_EQ(member.waiting().size(), 3u);
  EXPECT_THAT(late->take_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Lanes, of_one_shard_alone_nobody_makes_way) {
  begin({"max=1"}, 2);
  for (int i = 0; i < 6; ++i) clients.push_back(ask("/first"));
  for (int i = 0; i < 50; ++i) go_on_asking();
  EXPECT_EQ(member.connections(), 1u);
}

// Each waits for a lane on its own: that is no reason to end the other's.
TEST_F(Lanes, shards_that_have_a_connection_each_do_not_make_way_for_each_other) {
  begin({"max=2"}, 2);
  for (int i = 0; i < 2; ++i) {
    clients.push_back(ask("/here"));
    clients.push_back(ask_other("/there"));
  }
  clients.push_back(ask("/waits"));
  clients.push_back(ask_other("/waits"));
  for (int i = 0; i < 8; ++i) go_on_asking();
  EXPECT_EQ(member.waiting().size(), 2u);
  EXPECT_FALSE(member.is_closed(0));
}

TEST_F(Lanes, lanes_that_last_are_no_help_to_who_waits_for_one) {
  begin({"max=2"}, 2);
  for (int i = 0; i < 2; ++i) clients.push_back(ask_other("/endless"));
  for (int i = 0; i < 2; ++i) clients.push_back(ask("/here"));
  clients.push_back(ask_other("/waits"));
  EXPECT_EQ(other->member.waiting().size(), 2u);
  advance(lasting_lane - std::chrono::seconds(1));
  for (int i = 0; i < 4; ++i) go_on_asking();
  EXPECT_FALSE(member.is_closed(0));
  advance(std::chrono::seconds(2));
  for (int i = 0; i < 4; ++i) go_on_asking();
  EXPECT_TRUE(member.is_closed(0));
  EXPECT_THAT(other->member.waiting_paths(), testing::Contains("/waits"));
}

TEST_F(Lanes, who_waited_long_ago_counts_no_more) {
  begin({"max=1", "acquire=100ms"}, 3);
  for (int i = 0; i < 2; ++i) clients.push_back(ask("/first"));
  const Client impatient = ask_other("/gone");
  go_on_asking();
  go_on_asking();
  advance(std::chrono::milliseconds(200));
  EXPECT_THAT(impatient->take_all(), StartsWith("HTTP/1.1 503 "));
  for (int i = 0; i < 6; ++i) go_on_asking();
  clients.push_back(ask("/third"));
  EXPECT_EQ(member.waiting().size(), 3u);
  EXPECT_FALSE(member.is_closed(0));
}

TEST_F(Lanes, a_lane_that_lasts_holds_up_the_others_for_a_while_only) {
  begin({"max=1"}, 2);
  const Client endless = ask("/endless");
  clients.push_back(ask("/first"));
  const Client late = ask_other("/late");
  for (int i = 0; i < 5 && member.waiting().size() > 1; ++i) {
    clients.push_back(ask("/more"));
    member.answer(member.waiting().back());
    settle();
  }
  EXPECT_THAT(member.waiting_paths(), ElementsAre("/endless"));
  advance(lasting_lane);
  EXPECT_THAT(member.waiting_paths(), ElementsAre("/endless", "/more"));
  for (int i = 0; i < 5; ++i) {
    member.answer(member.waiting().back());
    settle();
    clients.push_back(ask("/again"));
    EXPECT_THAT(member.waiting_paths(), ElementsAre("/endless", "/again"));
  }
  // Once it has ended the other shard has its turn.
  member.answer(member.waiting().front());
  settle();
  for (int i = 0; i < 4 && other->member.waiting().empty(); ++i) go_on_asking();
  EXPECT_THAT(other->member.waiting_paths(), ElementsAre("/late"));
}

// Whatever the settings say: the member looks at one at a time on each connection.
TEST_F(Lanes, a_burst_that_is_refused_learns_from_the_first_refusals) {
  constexpr std::size_t burst = 40;
  begin({});
  for (std::size_t i = 0; i < burst; ++i) {
    clients.push_back(world.connect());
    clients.back()->say(get("/burst"));
  }
  settle();
  std::size_t refusals = 0;
  for (auto crowd = member.waiting_beyond(1); !crowd.empty(); crowd = member.waiting_beyond(1)) {
    for (const auto& one : crowd) member.reset(one, NGHTTP2_REFUSED_STREAM);
    refusals += crowd.size();
    settle();
  }
  EXPECT_EQ(member.waiting().size(), burst);
  EXPECT_LE(refusals, 2 * burst);
}

TEST_F(Lanes, the_wait_for_settings_is_part_of_acquire) {
  begin({"max=1", "acquire=200ms"});
  member.silent_connections = 1;
  clients.push_back(ask("/first"));
  const Client second = ask("/second");
  advance(std::chrono::milliseconds(150));
  EXPECT_EQ(second->take_all(), "");
  advance(std::chrono::milliseconds(100));
  EXPECT_THAT(second->take_all(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Lanes, settings_are_waited_for_once_however_often_a_request_is_refused) {
  begin({});
  member.silent_connections = 1;
  clients.push_back(ask("/first"));
  const Client second = ask("/second");
  EXPECT_EQ(member.connections(), 1u);
  advance(settling_patience);
  ASSERT_EQ(member.connections(), 2u);
  member.go_away(1);  // it looked at nothing
  settle();
  EXPECT_EQ(member.connections(), 3u);
  EXPECT_THAT(member.waiting_paths(), ElementsAre("/first", "/second"));
}

TEST_F(Lanes, a_connection_that_broke_as_it_began_teaches_nothing) {
  begin({});
  member.broken_connections = 1;
  member.silent_connections = 3;
  clients.push_back(ask("/first"));
  EXPECT_EQ(member.connections(), 2u);
  clients.push_back(ask("/second"));
  EXPECT_EQ(member.connections(), 2u);  // it waits for what the member will say
}

// As if it had been so at first: of a member that stays usable no other one is asked instead.
TEST_F(Lanes, a_refusal_says_nothing_of_a_later_connection_that_does_not_come_about) {
  begin({"status=+I"}, 100, 2);
  Http2TestMember second(world.loop, world.dialer, "m2:80");
  const Client client = ask("/");
  ASSERT_THAT(member.waiting_paths(), ElementsAre("/"));
  world.kill(1);
  member.go_away(0);
  settle();
  EXPECT_EQ(second.connections(), 0u);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(Lanes, a_new_connection_begins_with_what_the_member_allowed_last) {
  begin({}, 3);
  answer_one_and_go_away();
  member.silent_connections = 3;
  for (int i = 0; i < 5; ++i) clients.push_back(ask("/more"));
  EXPECT_EQ(member.connections(), 3u);
  EXPECT_EQ(member.waiting().size(), 5u);
}

TEST_F(Lanes, who_is_too_many_for_a_member_that_allows_less_now_goes_elsewhere) {
  begin({}, 10);
  answer_one_and_go_away();
  member.streams_max = 1;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(world.connect());
    clients.back()->say(get("/more"));
  }
  settle();
  EXPECT_EQ(member.waiting().size(), 8u);
  EXPECT_THAT(member.waiting_beyond(1), IsEmpty());
}

}  // namespace
}  // namespace steelyard::proxy
