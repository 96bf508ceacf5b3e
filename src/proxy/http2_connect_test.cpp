#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/http2_connect_test_world.hpp"

// CONNECT over HTTP/2 (RFC 9113 8.5): whom it leads to and whom never.

namespace steelyard::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Client = Http2TestClient;
using World = ConnectWorld;

TEST(Http2Connect, leads_to_allowed_ports_and_places_alone) {
  World world;
  Client client(world);
  for (const std::string place : {"far.test:80", "far.test:444", "blocked.test:443"}) {
    const auto id = client.ask(connect_to(place), true);
    EXPECT_EQ(client[id].value(":status"), "403") << place;
    EXPECT_THAT(client[id].body, HasSubstr("Connect to remote machine blocked"));
    EXPECT_TRUE(client[id].ended);
    // It would wait for its tunnel's end.
    EXPECT_EQ(client[id].reset, NGHTTP2_NO_ERROR);
  }
  EXPECT_EQ(world.dialer.dials(), 0u);
  EXPECT_THAT(world.line(), StartsWith("CONNECT far.test:80 HTTP/2.0|403|"));
}

TEST(Http2Connect, what_the_client_says_to_a_place_it_does_not_get_goes_nowhere) {
  World world;
  Client client(world);
  const auto id = client.ask(connect_to("far.test:444"), true);
  client.say(id, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true);
  EXPECT_EQ(client[id].value(":status"), "403");
  EXPECT_EQ(world.dialer.dials(), 0u);
  EXPECT_TRUE(world.members[0].connections.empty());
}

TEST(Http2Connect, without_ProxyRequests_it_is_a_method_that_nobody_has) {
  World world;
  world.forward.takes_requests.reset();
  world.renew();
  Client client(world);
  for (const std::string place : {"far.test:443", "lb.test:443", "m1:80", "lb.test:80"}) {
    const auto id = client.ask(connect_to(place), true);
    EXPECT_EQ(client[id].value(":status"), "405") << place;
    EXPECT_TRUE(client[id].ended);
  }
  EXPECT_EQ(world.dialer.dials(), 0u);
}

TEST(Http2Connect, without_its_module_it_is_an_error) {
  World world;
  world.modules.clear();
  world.renew();
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(client[id].value(":status"), "500");
  EXPECT_EQ(world.dialer.dials(), 0u);
}

TEST(Http2Connect, what_only_looks_like_a_place_is_refused) {
  World world;
  Client client(world);
  for (const std::string place : {"far.test", "far.test:0", "far.test:65979", "a@far.test:443",
                                  "far.test:443@x.test:1", ":443", "[::1:443", "*"}) {
    const auto id = client.ask(connect_to(place), true);
    EXPECT_EQ(client[id].value(":status"), "400") << place;
    EXPECT_TRUE(client[id].ended) << place;
  }
  EXPECT_EQ(world.dialer.dials(), 0u);
}

TEST(Http2Connect, a_path_makes_it_malformed) {
  for (const Client::Fields& more :
       {Client::Fields{{":path", "/"}}, Client::Fields{{":scheme", "http"}},
        Client::Fields{{":scheme", "http"}, {":path", "/"}}}) {
    World world;
    Client client(world);
    Client::Fields fields = connect_to("far.test:443");
    fields.insert(fields.end(), more.begin(), more.end());
    const auto id = client.ask(fields, true);
    EXPECT_EQ(client[id].reset, NGHTTP2_PROTOCOL_ERROR) << more.size();
    EXPECT_EQ(world.dialer.dials(), 0u);
  }
}

TEST(Http2Connect, does_not_lead_back_to_this_server) {
  World world;
  world.forward.connect_ports = {{1, 65535}};
  world.renew();
  world.dialer.listen("127.0.0.1:9000", [](std::unique_ptr<io::SimStream>) {});
  Client client(world);
  const auto id = client.ask(connect_to("127.0.0.1:9000"), true);
  EXPECT_EQ(client[id].value(":status"), "403");
}

TEST(Http2Connect, to_nobody_is_told) {
  World world;
  world.dialer.refuse("far.test:443");
  Client client(world);
  const auto id = client.ask(connect_to("far.test:443"), true);
  EXPECT_EQ(client[id].value(":status"), "503");
  EXPECT_TRUE(client[id].ended);
}

// Whose stream is no tunnel must not be told of success, whatever page it gets.
TEST(Http2Connect, no_page_of_ours_is_a_tunnel) {
  World world;
  Client client(world);
  auto config = TestWorld::make_config(1, {});
  config::Server& server = *config->servers[0];
  server.client.protocols.add(config::ClientProtocol::h2c);
  server.proxy.forward = std::make_shared<const config::ForwardProxy>(world.forward);
  config->modules = world.modules;
  server.defaults.error_documents[403] = {config::ErrorDocument::Kind::local_path, "/why"};
  world.adopt(std::move(config));
  const auto id = client.ask(connect_to("far.test:444"), true);
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /why HTTP/1.1\r\n"));
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  client.talk();
  EXPECT_EQ(client[id].value(":status"), "403");
  EXPECT_THAT(client[id].body, Not(HasSubstr("hi\n")));
  EXPECT_TRUE(client[id].ended);
}

// Upgrade: h2c would make a stream of it that has ended its half; RFC 9110 9.3.6: what follows the
// head is the tunnel's.
TEST(Http2Connect, over_HTTP_1_asks_for_no_other_protocol) {
  World world;
  const auto client = world.connect();
  world.say(*client,
            "CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nhello");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.0 200 Connection Established\r\n"));
  EXPECT_EQ(world.at("far.test:443").take_all(), "hello");
}

}  // namespace
}  // namespace steelyard::proxy
