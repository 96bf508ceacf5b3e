#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// What is given up in the middle: the body of a request whose member has answered already, and the
// answer to a client that has left.

namespace steelyard::proxy {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::StartsWith;

std::string record(char type, std::string_view content) {
  std::string text{1, type, 0, 1, '\0', static_cast<char>(content.size()), 0, 0};
  return text.append(content);
}
std::string packet(const std::string& payload) {
  return "AB\0"s + static_cast<char>(payload.size()) + payload;
}

struct Protocol {
  std::string scheme;
  std::string answer;  // "hi", whole
};
const Protocol protocols[] = {
    {"http", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"},
    {"ajp", packet("\x04\0\xc8\0\2OK\0\0\0"s) + packet("\x03\0\2hi\0"s) + packet("\x05\x01")},
    {"fcgi", record(6, "Content-Type: text/plain\r\n\r\nhi") + record(6, "") +
                 record(3, std::string(8, '\0'))},
};

class GivenUpBody : public testing::TestWithParam<Protocol> {
 protected:
  // A member that takes so much of a request, and a client.
  struct Scene {
    explicit Scene(std::size_t window_bytes = 256 * 1024) {
      auto config = TestWorld::make_config(1, {});
      auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
      spec->members[0].scheme = GetParam().scheme;
      config->servers[0]->balancers[0] = spec;
      world.adopt(std::move(config));
      world.revive(1, {.window_bytes = window_bytes});
      client = world.connect();
    }
    io::SimStream& member() { return world.members[0].last(); }

    TestWorld world;
    std::unique_ptr<io::SimStream> client;
  };

  static std::string body_of(std::size_t bytes) {
    std::string body;
    while (body.size() < bytes) body += "GET /poison HTTP/1.1\r\nHost: x\r\n\r\n";
    return body;
  }
  static std::string head_for(const std::string& body) {
    return "POST /own HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n";
  }
  // One request came, whatever its body looks like. A kept connection shows it by the next one.
  static void expect_one_answer(Scene& scene, char kept) {
    const std::string got = scene.client->take_all();
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(got.find("HTTP/1.1", 1), got.npos) << got;
    EXPECT_EQ(scene.world.busy(), 0);
    EXPECT_THAT(scene.world.log_.access_lines,
                ElementsAre("POST /own HTTP/1.1|200|http://m1|"s + kept));
    scene.world.loop.advance(3s);  // lingering is over
    EXPECT_EQ(scene.client->ended(), kept == '-');
    EXPECT_EQ(scene.world.members[0].connections.size(), 1U);
  }
};

TEST_P(GivenUpBody, that_comes_later_is_no_request) {
  Scene scene;
  const std::string body = body_of(60'000);
  scene.world.say(*scene.client, head_for(body) + body.substr(0, 20'000));
  scene.world.say(scene.member(), GetParam().answer);
  scene.world.say(*scene.client, body.substr(20'000));
  expect_one_answer(scene, '-');
}

// However much of it the member took: its last bytes are in the program's hands, or in the socket.
TEST_P(GivenUpBody, that_is_here_is_no_request) {
  const std::string body = body_of(60'000);
  for (std::size_t window = 1000; window < body.size(); window += 1000) {
    Scene scene(window);
    scene.world.say(*scene.client, head_for(body) + body);
    scene.world.say(scene.member(), GetParam().answer);
    expect_one_answer(scene, '-');
    if (HasFailure()) FAIL() << window;
  }
}

// It was read in front of the member, so nothing of it is left in the connection.
TEST_P(GivenUpBody, that_was_received_whole_leaves_the_connection_as_it_is) {
  Scene scene(2000);
  const std::string body = body_of(4000);
  scene.world.say(*scene.client, head_for(body) + body);
  scene.world.say(scene.member(), GetParam().answer);
  expect_one_answer(scene, '+');
}

INSTANTIATE_TEST_SUITE_P(, GivenUpBody, testing::ValuesIn(protocols),
                         [](const auto& one) { return one.param.scheme; });

class GivenUpAnswer : public testing::TestWithParam<bool> {
 protected:
  GivenUpAnswer() {
    world_.splicer.joins = GetParam();
    world_.say(*client_, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  void expect_it_is_over() {
    EXPECT_EQ(world_.busy(), 0);
    EXPECT_TRUE(world_.members[0].last().has_hung_up());
    EXPECT_THAT(world_.log_.access_lines, ElementsAre("GET /a HTTP/1.1|200|http://m1|X"));
    ServerCells server;
    world_.generation->groups()[0].tally->add_to(server);
    EXPECT_EQ(server.responses[0].value(), 1U) << "no whole answer";
    EXPECT_EQ(server.failures.of(Party::client, Cause::gone), 1U);
    MemberCells member;
    world_.group.tallies.add_to(
        member, *world_.generation->groups()[0].balancers[0].state->members()[0].member);
    EXPECT_EQ(member.responses[2].value(), 1U);
    EXPECT_EQ(member.open.value(), 0U);
    // Nobody but the client is to blame.
    EXPECT_EQ(member.failures.of(Party::backend, Cause::cut_short), 0U);
    // The next request is served on another connection.
    const auto next = world_.connect();
    world_.say(*next, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(world_.members[0].connections.size(), 2U);
    world_.say(world_.members[0].last(), protocols[0].answer);
    EXPECT_THAT(next->take_all(), EndsWith("\r\n\r\nhi"));
  }

  TestWorld world_;
  std::unique_ptr<io::SimStream> client_ = world_.connect({.window_bytes = 50'000});
};

TEST_P(GivenUpAnswer, ends_when_the_member_goes_on) {
  io::SimStream& member = world_.members[0].last();
  world_.say(member,
             "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(20'000, 'x'));
  client_.reset();
  world_.loop.settle();
  world_.say(member, std::string(20'000, 'x'));
  expect_it_is_over();
}

TEST_P(GivenUpAnswer, ends_while_the_client_is_waited_for) {
  io::SimStream& member = world_.members[0].last();
  world_.say(member,
             "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(200'000, 'x'));
  client_.reset();
  world_.loop.settle();
  expect_it_is_over();
}

// A client that reads nothing has the time that Timeout gives it.
TEST_P(GivenUpAnswer, ends_when_the_client_takes_nothing) {
  io::SimStream& member = world_.members[0].last();
  world_.say(member,
             "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + std::string(200'000, 'x'));
  world_.loop.advance(61s);
  expect_it_is_over();
}

INSTANTIATE_TEST_SUITE_P(, GivenUpAnswer, testing::Bool(),
                         [](const auto& one) { return one.param ? "spliced" : "copied"; });

}  // namespace
}  // namespace steelyard::proxy
