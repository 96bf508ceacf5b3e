#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/seldom.hpp"
#include "proxy/test_world.hpp"

// Troubles that a client can bring about with every request are told, and not every time.

namespace steelyard::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view unreadable = "%{file:/nowhere/at/all}";

TEST(SeldomTold, an_error_document_that_cannot_be_evaluated) {
  auto config = TestWorld::make_config(1, {});
  config::Server& server = *config->servers[0];
  server.routes = {};
  server.defaults.error_documents[404] = {.kind = config::ErrorDocument::Kind::text,
                                          .text = std::make_shared<const expr::StringExpression>(
                                              *expr::StringExpression::compile(unreadable))};
  TestWorld world;
  world.adopt(std::move(config));
  const auto client = world.connect();
  for (int i = 0; i < 3; ++i) world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto line = HasSubstr("Failed to evaluate the expression of an ErrorDocument: ");
  EXPECT_THAT(world.log_.error_lines, ElementsAre(line));
  world.loop.advance(Seldom::period);
  world.say(*world.connect(), "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(world.log_.error_lines,
              ElementsAre(line, HasSubstr("(2 more like it were not told)")));
}

TEST(SeldomTold, a_hashkey_that_cannot_be_evaluated) {
  auto config = TestWorld::make_config(2, {});
  config::Server& server = *config->servers[0];
  auto spec = std::make_shared<balance::BalancerSpec>(*server.balancers[0]);
  spec->policy = balance::Policy::hash;
  spec->hash_key = unreadable;
  server.balancers[0] = spec;
  TestWorld world(2);
  world.adopt(std::move(config));
  for (int i = 0; i < 3; ++i) {
    const auto client = world.connect();
    world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_THAT(
      world.log_.error_lines,
      ElementsAre(HasSubstr("Failed to evaluate the expression of a balancer's hashkey: ")));
}

TEST(SeldomTold, a_heartbeat_that_is_malformed_doubtful_or_one_too_many) {
  auto config = TestWorld::make_config(1, {});
  config->servers[0]->defaults.responder = config::Responder::heartbeat;
  config->heartbeat.listen = Endpoint{IpAddress::v4(0x7f000001), 1};
  TestWorld world;
  world.adopt(std::move(config));
  for (const std::string_view body : {"ready=5", "ready=5", "busy=x&ready=5", "busy=x&ready=5"}) {
    const auto client = world.connect();
    world.say(*client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  EXPECT_THAT(world.log_.error_lines,
              ElementsAre(HasSubstr("it has no busy="), HasSubstr("Invalid busy value: x"),
                          HasSubstr("a heartbeat was dropped")));
}

}  // namespace
}  // namespace steelyard::proxy
