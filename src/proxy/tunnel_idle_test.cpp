#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// How long both sides of a tunnel may be silent: as long as the longer of the client's and the
// member's timeout (httpd), or tunneltimeout=.

namespace steelyard::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::StartsWith;

constexpr std::string_view switched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

struct Silence {
  std::string name;
  TestWorld::Words of_member;
  seconds lasts;
};

class TunnelIdle : public testing::TestWithParam<Silence> {};

TEST_P(TunnelIdle, ends_when_it_has_lasted_long_enough) {
  TestWorld::Words words{"upgrade=websocket"};
  words.insert(words.end(), GetParam().of_member.begin(), GetParam().of_member.end());
  TestWorld world(1, words);
  const auto client = world.connect();
  world.say(*client,
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  world.say(world.members[0].last(), switched);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 101 "));
  // A word from either side begins the time anew.
  world.loop.advance(GetParam().lasts - seconds(1));
  world.say(*client, "here");
  world.loop.advance(GetParam().lasts - seconds(1));
  world.say(world.members[0].last(), "there");
  world.loop.advance(GetParam().lasts - milliseconds(1));
  EXPECT_FALSE(client->ended());
  EXPECT_EQ(world.busy(), 1);
  world.loop.advance(milliseconds(1));
  EXPECT_TRUE(client->ended());
  EXPECT_TRUE(world.members[0].last().has_hung_up());
  EXPECT_EQ(world.busy(), 0);
}

// Timeout is 60 here.
const Silence silences[] = {
    {"the_clients_timeout_if_it_is_longer", {"timeout=5"}, seconds(60)},
    {"the_members_timeout_if_it_is_longer", {"timeout=90"}, seconds(90)},
    {"its_own_if_there_is_one", {"timeout=5", "tunneltimeout=20"}, seconds(20)},
    {"its_own_that_is_longer", {"tunneltimeout=2h"}, seconds(7200)},
};
INSTANTIATE_TEST_SUITE_P(, TunnelIdle, testing::ValuesIn(silences),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace steelyard::proxy
