#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/http2_connect_test_world.hpp"

// CONNECT over HTTP/2 where another proxy is asked (ProxyRemote): the tunnel is that one's to
// grant.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Client = Http2TestClient;
using World = ConnectWorld;

TEST(Http2ConnectRemote, through_another_proxy_it_is_that_ones_to_grant) {
  for (const bool byte_by_byte : {false, true}) {
    World world;
    world.ask_remote("Basic eDp5");
    Client client(world);
    const auto id = client.ask(connect_to("far.test:443", {{"x-a", "1"}}), true);
    client.say(id, "hello", false);
    EXPECT_THAT(world.at("proxy.test:3128").take_all(),
                AllOf(StartsWith("CONNECT far.test:443 HTTP/1.0\r\n"
                                 "Proxy-Authorization: Basic eDp5\r\nProxy-agent: "),
                      EndsWith("\r\n\r\n"), Not(HasSubstr("X-A"))));
    EXPECT_TRUE(client[id].heads.empty());
    world.say(
        world.at("proxy.test:3128"),
        "HTTP/1.1 200 Yes\r\nX-B: 2\r\nContent-Length: 5\r\nConnection: x-c\r\nX-C: 3\r\n\r\nfirst",
        byte_by_byte);
    client.talk();
    ASSERT_EQ(client[id].heads.size(), 1u);
    EXPECT_EQ(client[id].heads[0], (Client::Fields{{":status", "200"}, {"x-b", "2"}}));
    EXPECT_EQ(client[id].body, "first");
    EXPECT_FALSE(client[id].ended);
    EXPECT_EQ(world.at("proxy.test:3128").take_all(), "hello");
    EXPECT_FALSE(world.was_asked("far.test:443"));
  }
}

TEST(Http2ConnectRemote, what_another_proxy_refuses_stays_refused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", "403"},
      {"HTTP/1.0 503 No\r\n\r\n", "503"},
      // It is ProxyRemote that lets us in there, and not the client.
      {"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n", "502"},
      {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n", "502"},
      {"HTTP/1.1 301 There\r\nLocation: x\r\n\r\n", "502"},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "502"},
      {"HTTP/1.1 100 Continue\r\n\r\n", "502"},
      {"SSH-2.0-x\r\n", "502"},
      {"HTTP/1.1 200 Yes\r\nX: " + std::string(20'000, 'x'), "502"},
  };
  for (const auto& [said, status] : cases) {
    World world;
    world.ask_remote();
    Client client(world);
    const auto id = client.ask(connect_to("far.test:443"), true);
    client.say(id, "hello", false);
    EXPECT_THAT(world.at("proxy.test:3128").take_all(), EndsWith("\r\n\r\n"));
    world.say(world.at("proxy.test:3128"), said);
    client.talk();
    EXPECT_EQ(client[id].value(":status"), status) << said;
    EXPECT_EQ(client[id].value("proxy-authenticate"), "");
    EXPECT_TRUE(client[id].ended) << said;
    EXPECT_TRUE(world.at("proxy.test:3128").ended()) << said;
    EXPECT_EQ(world.at("proxy.test:3128").take_all(), "") << said;
    EXPECT_FALSE(world.was_asked("far.test:443")) << said;
    EXPECT_THAT(world.line(), HasSubstr("|" + status + "|")) << said;
  }
}

TEST(Http2ConnectRemote, another_proxy_that_does_not_answer_is_waited_for_no_longer_than_a_member) {
  World world;
  world.ask_remote();
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  world.loop.advance(std::chrono::seconds(9));
  client.talk();
  EXPECT_TRUE(client[id].heads.empty());
  world.loop.advance(std::chrono::seconds(2));
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "502");
  EXPECT_FALSE(world.was_asked("far.test:443"));
}

TEST(Http2ConnectRemote, goes_directly_when_the_other_proxy_is_not_there) {
  World world;
  world.ask_remote();
  world.dialer.refuse("proxy.test:3128");
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(client[id].value(":status"), "200");
  EXPECT_TRUE(world.was_asked("far.test:443"));
}

}  // namespace
}  // namespace steelyard::proxy
