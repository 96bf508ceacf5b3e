#pragma once

#include <memory>
#include <string>

#include "proxy/test_world.hpp"

// For tests only.

namespace steelyard::proxy {

// TestWorld's configuration with members that speak HTTP/2.
inline std::unique_ptr<config::Config> http2_config(int members,
                                                    const TestWorld::Words& parameters = {}) {
  auto config = TestWorld::make_config(members, parameters);
  config::Server& server = *config->servers[0];
  auto spec = std::make_shared<balance::BalancerSpec>(*server.balancers[0]);
  for (balance::MemberSpec& member : spec->members) {
    const std::string host = member.host;
    CHECK(balance::parse_member_url(member, "h2c://" + host));
  }
  server.balancers[0] = spec;
  config::resolve_targets(server);
  return config;
}

}  // namespace steelyard::proxy
