#include "proxy/generation.hpp"

#include <gtest/gtest.h>

#include "balance/drains.hpp"
#include "balance/parameters.hpp"
#include "base/check.hpp"

namespace steelyard::proxy {
namespace {

using Backends = std::vector<std::shared_ptr<const balance::MemberSpec>>;

Backends make_backends(int count) {
  Backends backends;
  for (int i = 0; i < count; ++i) {
    auto spec = std::make_shared<balance::MemberSpec>();
    CHECK(balance::parse_member_url(*spec, "http://b" + std::to_string(i)));
    backends.push_back(std::move(spec));
  }
  return backends;
}

// A main server and virtual hosts that inherit all it has.
std::unique_ptr<config::Config> make_config(int hosts, const Backends& backends) {
  auto config = std::make_unique<config::Config>();
  for (int i = 0; i <= hosts; ++i) {
    auto server = std::make_unique<config::Server>();
    server->name = "host" + std::to_string(i);
    server->backends = backends;
    config->servers.push_back(std::move(server));
  }
  return config;
}

TEST(StateRegistry, a_thousand_hosts_that_inherit_make_no_states_of_their_own) {
  StateRegistry registry;
  const auto generation = registry.bind(make_config(1000, make_backends(500)));
  EXPECT_EQ(registry.state_count(), 500u);
  const auto& groups = generation->groups();
  EXPECT_EQ(groups[1000].backends.at(499).state, groups[0].backends.at(499).state);
  EXPECT_EQ(groups[1000].backends.at(499).spec, groups[0].backends.at(499).spec);
}

// It is a hash and a look into a large table for each request of a session.
TEST(StateRegistry, sessions_are_counted_unless_nobody_can_ask_for_them) {
  for (const bool wanted : {true, false}) {
    auto config = make_config(0, {});
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://app";
    spec->sticky = {.cookie_name = "sid", .url_name = "sid"};
    spec->members.emplace_back();
    spec->members[0].name = "http://m1";
    spec->members[0].tag = "r1";
    config->servers[0]->balancers.push_back(std::move(spec));
    StateRegistry registry;
    registry.count_sessions(wanted);
    const auto generation = registry.bind(std::move(config));
    balance::Balancer& state = *generation->groups()[0].balancers[0].state;
    const Instant now = Instant{} + std::chrono::hours(1);
    balance::Session session;
    session.found = true;
    session.value = "x.r1";
    session.tag = "r1";
    const auto decision = state.choose({.session = session, .now = now});
    ASSERT_TRUE(decision.lease);
    const auto counts = balance::Drains(state).sessions(state.members()[0].member, now);
    EXPECT_EQ(counts[0].sessions, wanted ? 1U : 0U);
  }
}

TEST(StateRegistry, a_host_that_names_a_backend_itself_has_its_own_state) {
  auto config = make_config(1, make_backends(1));
  config->servers[1]->backends = make_backends(1);
  StateRegistry registry;
  const auto generation = registry.bind(std::move(config));
  EXPECT_NE(generation->groups()[1].backends[0].state, generation->groups()[0].backends[0].state);
}

TEST(StateRegistry, the_limit_of_an_inherited_backend_counts_for_all_hosts) {
  auto backend = std::make_shared<balance::MemberSpec>(*make_backends(1)[0]);
  backend->pool.connections_max = 1;
  StateRegistry registry;
  registry.bind(make_config(2, {backend}));
  EXPECT_EQ(registry.state_count(), 1u);
}

TEST(StateRegistry, shared_state_survives_a_reload) {
  StateRegistry registry;
  const auto before = registry.bind(make_config(2, make_backends(3)));
  const auto after = registry.bind(make_config(2, make_backends(3)));
  for (std::size_t host = 0; host <= 2; ++host)
    EXPECT_EQ(after->groups()[host].backends[2].state, before->groups()[0].backends[2].state);
}

TEST(StateRegistry, hosts_share_a_balancer_that_the_main_server_has) {
  auto config = make_config(2, {});
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = "balancer://app";
  for (auto& server : config->servers) server->balancers.push_back(spec);
  auto own = std::make_shared<balance::BalancerSpec>(*spec);
  own->members.push_back(*make_backends(1)[0]);
  config->servers[2]->balancers[0] = own;
  StateRegistry registry;
  const auto generation = registry.bind(std::move(config));
  const auto& groups = generation->groups();
  EXPECT_EQ(groups[1].balancers[0].state, groups[0].balancers[0].state);
  EXPECT_NE(groups[2].balancers[0].state, groups[0].balancers[0].state);
}

}  // namespace
}  // namespace steelyard::proxy
