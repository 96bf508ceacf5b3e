#include "config/target.hpp"

#include <gtest/gtest.h>

#include "balance/parameters.hpp"

namespace steelyard::config {
namespace {

class Targets : public testing::Test {
 protected:
  void add_balancer(std::string name) {
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = std::move(name);
    server_.balancers.push_back(std::move(spec));
  }
  void add_backend(std::string_view url) {
    auto spec = std::make_shared<balance::MemberSpec>();
    ASSERT_TRUE(balance::parse_member_url(*spec, url)) << url;
    server_.backends.push_back(std::move(spec));
  }
  Target split(std::string_view url) const {
    RouteMatch match;
    match.url = url;
    const std::optional<Target> target = split_target(server_, match);
    EXPECT_TRUE(target.has_value()) << url;
    return target.value_or(Target{});
  }
  Route& add_route(std::string path, std::string target) {
    server_.routes.push_back({});
    Route& route = server_.routes.own(server_.routes.size() - 1);
    route.path = std::move(path);
    route.target = std::move(target);
    return route;
  }

  Server server_;
};

TEST_F(Targets, a_balancer_is_found_by_its_name_in_any_case) {
  add_balancer("balancer://one");
  add_balancer("balancer://app");
  const Target target = split("balancer://App/x/y");
  EXPECT_EQ(target.balancer, 1);
  EXPECT_FALSE(target.backend);
  EXPECT_EQ(target.path, "/x/y");
}

// Seen on httpd 2.4.71: member http://h/app, ProxyPass /c balancer://c, request /c: GET /app/
TEST_F(Targets, a_url_without_a_path_leads_to_the_root) {
  add_balancer("balancer://c");
  EXPECT_EQ(split("balancer://c").path, "/");
  EXPECT_EQ(split("http://h").path, "/");
}

TEST_F(Targets, an_unknown_balancer_is_no_balancer) {
  const Target target = split("balancer://nobody/x");
  EXPECT_FALSE(target.balancer);
  EXPECT_EQ(target.scheme, "balancer");
}

TEST_F(Targets, the_longest_covering_backend_serves) {
  add_backend("http://h:81/a");
  add_backend("http://h:81");
  add_backend("http://h:81/a/b");
  EXPECT_EQ(split("http://h:81/a/b/c").backend, 2);
  EXPECT_EQ(split("http://h:81/ab").backend, 0);
  EXPECT_EQ(split("http://H:81/x").backend, 1);
  EXPECT_FALSE(split("http://h:8100/a").backend);
  EXPECT_FALSE(split("http://h/a").backend);
}

TEST_F(Targets, the_default_port_is_no_difference) {
  add_backend("http://h:80/a");
  EXPECT_EQ(split("http://h/a/x").backend, 0);
  EXPECT_EQ(split("http://h:80/a/x").backend, 0);
  EXPECT_FALSE(split("http://h:8080/a").backend);
}

TEST_F(Targets, every_scheme_has_its_own_default_port) {
  add_backend("https://h:443/a");
  EXPECT_EQ(split("HTTPS://h:443/a/x").backend, 0);
  EXPECT_EQ(split("https://h/a/x").backend, 0);
  EXPECT_FALSE(split("https://h:80/a/x").backend);
}

TEST_F(Targets, a_name_glued_to_the_host_is_another_host) {
  add_backend("http://h");
  EXPECT_FALSE(split("http://hfoo").backend);
  EXPECT_EQ(split("http://hfoo").host, "hfoo");
}

TEST_F(Targets, references_in_a_name_stand_for_any_text) {
  add_backend("http://h:81/$1/x");
  EXPECT_EQ(split("http://h:81/some/deep/x/y").backend, 0);
  EXPECT_FALSE(split("http://h:81/y").backend);
}

TEST_F(Targets, many_references_cost_one_pass) {
  add_backend("http://h/$1/$2/$3/$4/$5/x");
  const std::string url = "http://h" + std::string(8000, '/');
  EXPECT_FALSE(split(url).backend);
  EXPECT_EQ(split("http://h/aa//bb///cc/x/y/x").backend, 0);
}

TEST_F(Targets, a_backend_is_found_by_what_will_be_asked) {
  add_backend("http://h/");
  add_backend("http://h/$1");
  RouteMatch match;
  match.url = "http://h/a";
  EXPECT_EQ(split_target(server_, match)->backend, 0) << "shorter than the name with the reference";
  EXPECT_EQ(split_target(server_, match, "http://h/a?b")->backend, 1);
}

TEST_F(Targets, a_backend_without_a_host_lends_its_parameters_only) {
  auto spec = std::make_shared<balance::MemberSpec>();
  spec->name = "http://h:$1/";
  server_.backends.push_back(std::move(spec));
  const Target target = split("http://h:81/x");
  EXPECT_FALSE(target.backend);
  EXPECT_EQ(target.pattern, 0);
  EXPECT_EQ(target.port, 81);
}

TEST_F(Targets, where_nothing_was_configured_the_url_says_where_to) {
  const Target target = split("http://user@[2001:db8::1]:81/p");
  EXPECT_EQ(target.scheme, "http");
  EXPECT_EQ(target.host, "[2001:db8::1]");
  EXPECT_EQ(target.port, 81);
  EXPECT_EQ(target.path, "/p");
  EXPECT_EQ(split("http://h").port, 80);
}

TEST_F(Targets, a_url_without_scheme_is_none) {
  RouteMatch match;
  match.url = "/x";
  EXPECT_FALSE(split_target(server_, match));
}

TEST_F(Targets, fixed_targets_are_resolved_once) {
  add_balancer("balancer://app");
  add_backend("http://h");
  add_route("/a", "balancer://app");
  add_route("/b", "http://h");
  add_route("/c/", "http://h");  // glued to the host
  add_route("/d/", "http://h/");
  add_route("/e", "http://h$1/");
  resolve_targets(server_);
  EXPECT_EQ(server_.routes[0].balancer, 0);
  EXPECT_EQ(server_.routes[1].backend, 0);
  EXPECT_FALSE(server_.routes[2].backend);
  EXPECT_EQ(server_.routes[3].backend, 0);
  EXPECT_FALSE(server_.routes[4].backend);
}

TEST_F(Targets, several_backends_of_one_host_are_told_apart_at_run_time) {
  add_backend("http://h/");
  add_backend("http://h/deep");
  add_route("/a", "http://h/");
  resolve_targets(server_);
  EXPECT_FALSE(server_.routes[0].backend);
  RouteMatch match;
  match.route = &server_.routes[0];
  match.url = "http://h/deep/x";
  EXPECT_EQ(split_target(server_, match)->backend, 1);
}

TEST_F(Targets, routes_of_sections_get_the_numbers_of_their_own_server) {
  add_balancer("balancer://other");
  add_balancer("balancer://app");
  auto shared = std::make_shared<Route>();
  shared->location = "/a";
  shared->target = "balancer://app/";
  shared->mapping = PathMapping::servlet;
  server_.locations.push_back({});
  server_.locations.own(0).settings.route = shared;
  resolve_targets(server_);
  EXPECT_EQ(server_.locations[0].settings.route->balancer, 1);
  EXPECT_FALSE(shared->balancer);
  EXPECT_TRUE(server_.has_encoded_routes);
}

TEST_F(Targets, an_inherited_route_is_shared_until_it_leads_elsewhere) {
  add_balancer("balancer://app");
  add_route("/a", "balancer://app/");
  resolve_targets(server_);
  Server same;
  same.balancers = server_.balancers;
  same.routes.prepend(server_.routes);
  resolve_targets(same);
  EXPECT_EQ(&same.routes[0], &server_.routes[0]);

  Server other;
  other.balancers = {std::make_shared<const balance::BalancerSpec>(), server_.balancers[0]};
  other.routes.prepend(server_.routes);
  resolve_targets(other);
  EXPECT_EQ(other.routes[0].balancer, 1);
  EXPECT_EQ(server_.routes[0].balancer, 0);
}

}  // namespace
}  // namespace steelyard::config
