#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// ProxyPassInterpolateEnv: what variables of a request do to its way there and back.

namespace steelyard::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Interpolation, a_variable_with_a_line_end_does_not_get_into_mapped_fields) {
  auto config = TestWorld::make_config(1, {});
  config::PathSettings& settings = config->servers[0]->defaults;
  settings.interpolate_env = true;
  settings.env = {{"PLACE", "/out\r\nX-Poison: 1"}};
  const auto map = [](std::string internal) {
    return config::ReverseMap{
        .internal = std::move(internal), .external = "${PLACE}/", .interpolate = true};
  };
  settings.reverse_urls = {map("http://m1/")};
  settings.reverse_cookie_paths = {map("/in/")};
  TestWorld world;
  world.adopt(std::move(config));
  const auto client = world.connect();
  world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  world.say(world.members[0].last(),
            "HTTP/1.1 302 There\r\nLocation: http://m1/b\r\nSet-Cookie: c=d; Path=/in/\r\n"
            "Content-Length: 0\r\n\r\n");
  const std::string got = client->take_all();
  EXPECT_THAT(got, HasSubstr("\r\nLocation: http://m1/b\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nSet-Cookie: c=d; Path=/in/\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("X-Poison")));
}

// httpd asks <If> before it maps the path, too; with mapping=encoded that is the normalised path.
TEST(Interpolation, a_condition_before_the_mapping_sees_the_normalised_path) {
  auto config = TestWorld::make_config(1, {});
  config::Server& server = *config->servers[0];
  const std::string words[] = {"Host", ".", "WHERE=inner"};
  server.env_rules.push_back(*expr::EnvRule::parse(expr::EnvDirective::set_env_if, words));
  auto conditional = std::make_shared<config::Conditional>();
  conditional->condition = *expr::Condition::compile("%{REQUEST_URI} == '/b/c'");
  conditional->settings.interpolate_env = true;
  server.defaults.conditionals.push_back(std::move(conditional));
  config::Route route;
  route.path = "/b";
  route.target = "balancer://app/${WHERE}";
  route.interpolate = true;
  route.mapping = config::PathMapping::encoded;
  server.routes = {route};
  server.has_encoded_routes = true;
  TestWorld world;
  world.adopt(std::move(config));
  const auto client = world.connect();
  world.say(*client, "GET /a/../b/./c HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_FALSE(world.members[0].connections.empty());
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /inner/c HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
