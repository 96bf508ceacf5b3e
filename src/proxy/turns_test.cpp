#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/backend/limits.hpp"
#include "proxy/test_world.hpp"

// Members that talk on and on and say nothing that a client could get: others have their turn
// meanwhile, and they do not go on for ever.

namespace steelyard::proxy {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t flood_bytes = 8 * unwanted_bytes_a_turn;

std::string repeated(const std::string& piece, std::size_t bytes = flood_bytes) {
  std::string all;
  while (all.size() < bytes) all += piece;
  return all;
}

// FastCGI.
std::string record(char type, std::string_view content) {
  std::string text{
      1, type, 0, 1, static_cast<char>(content.size() >> 8), static_cast<char>(content.size()),
      0, 0};
  return text.append(content);
}
const std::string script_head = record(6, "Content-Type: text/plain\r\n\r\n");
const std::string script_end = record(6, "hi") + record(6, "") + record(3, std::string(8, '\0'));
const std::string complaint = record(7, "it hurts\n");

// AJP.
std::string packet(const std::string& payload) {
  return "AB"s + static_cast<char>(payload.size() >> 8) + static_cast<char>(payload.size() & 0xff) +
         payload;
}
const std::string headers = packet("\x04\0\xc8\0\2OK\0\0\0"s);
const std::string nothing = packet("\x03\0\0\0"s);
const std::string ajp_end = packet("\x03\0\2hi\0"s) + packet("\x05\x01"s);

struct Flood {
  std::string name, scheme, before, piece, behind;
  std::string method = "GET";
};
void PrintTo(const Flood& flood, std::ostream* out) { *out << flood.name; }

const Flood floods[] = {
    {"fcgi_errors_before_the_head", "fcgi", "", complaint, script_head + script_end},
    {"fcgi_errors_behind_the_head", "fcgi", script_head, complaint, script_end},
    {"ajp_empty_chunks_before_the_headers", "ajp", "", nothing, headers + ajp_end},
    {"ajp_empty_chunks_behind_the_headers", "ajp", headers, nothing, ajp_end},
    {"ajp_empty_chunks_of_a_HEAD", "ajp", headers, nothing, packet("\x05\x01"s), "HEAD"},
};

class Turns : public testing::TestWithParam<Flood> {
 protected:
  Turns() {
    auto config = TestWorld::make_config(1, {});
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    spec->members[0].scheme = GetParam().scheme;
    config->servers[0]->balancers[0] = spec;
    world_.adopt(std::move(config));
    client_ = world_.connect();
    world_.say(*client_, GetParam().method + " / HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  TestWorld world_;
  std::unique_ptr<io::SimStream> client_;
};

TEST_P(Turns, another_client_is_served_before_a_flood_is_over) {
  const Flood& flood = GetParam();
  world_.members[0].last().say(flood.before + repeated(flood.piece) + flood.behind);
  const auto other = world_.connect();
  std::string got_before_the_other;
  world_.dialer.listen("m1:80", [&](std::unique_ptr<io::SimStream> peer) {
    got_before_the_other = "before " + client_->take_all();
    world_.members[0].connections.push_back(std::move(peer));
  });
  world_.say(*other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(got_before_the_other, StartsWith("before "));
  EXPECT_THAT(got_before_the_other, testing::Not(HasSubstr("hi")));
  if (flood.method == "HEAD" || flood.before.empty()) EXPECT_EQ(got_before_the_other, "before ");
  // It costs its client nothing but time.
  const std::string got = got_before_the_other.substr(7) + client_->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
  if (flood.method == "GET") EXPECT_THAT(got, testing::EndsWith("2\r\nhi\r\n0\r\n\r\n"));
}

TEST_P(Turns, an_endless_flood_ends) {
  const Flood& flood = GetParam();
  io::SimStream& member = world_.members[0].last();
  member.say(flood.before);
  const std::string second = repeated(flood.piece, preamble_bytes_max / 70);
  for (int seconds = 0; seconds < 90 && world_.busy() != 0; ++seconds) {
    member.say(second);
    world_.loop.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(world_.busy(), 0);
}

INSTANTIATE_TEST_SUITE_P(, Turns, testing::ValuesIn(floods),
                         [](const auto& one) { return one.param.name; });

// Nobody waits for the end of what is not passed on.
TEST(Turn, what_a_script_sends_for_a_HEAD_is_not_read_to_its_end) {
  TestWorld world;
  auto config = TestWorld::make_config(1, {"enablereuse=on"});
  auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
  spec->members[0].scheme = "fcgi";
  config->servers[0]->balancers[0] = spec;
  world.adopt(std::move(config));
  const auto client = world.connect();
  world.say(*client, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  io::SimStream& member = world.members[0].last();
  member.say(script_head + repeated(record(6, std::string(1000, 'x'))) + script_end);
  world.loop.settle();
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(world.busy(), 0);
  EXPECT_TRUE(member.has_hung_up()) << "read to its end, and kept";
}

}  // namespace
}  // namespace steelyard::proxy
