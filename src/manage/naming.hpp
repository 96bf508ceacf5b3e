// How an operator names balancers and members.
//
//   balancer   app, balancer://app                      the only one of that name
//              shop.example:443/balancer://app          the one of that virtual host
//              main/balancer://app                      the main server's, where others have one
//              too
//   member     http://10.0.0.1:8080, 10.0.0.1:8080 or its route
//
// What a virtual host only inherits is the main server's. A name that several have is a fault that
// lists them.
//
// Threads: any; everything is read from an immutable generation.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "balance/balancer.hpp"
#include "manage/control_request.hpp"
#include "proxy/generation.hpp"

namespace steelyard::manage {

struct NamedBalancer {
  std::string label;         // the shortest that is unique: a form from above with "balancer://"
  std::string scope;         // "main" or the virtual host
  std::uint32_t server = 0;  // the same: Server::index
  std::shared_ptr<balance::Balancer> state;
};

// Each state once, in the order of the configuration.
std::vector<NamedBalancer> name_balancers(const proxy::Generation& generation);
// The same for what ProxyPass leads to without a balancer: "direct", or "shop.example:443/direct"
// where several virtual hosts have one of that URL.
std::vector<NamedBalancer> name_direct_backends(const proxy::Generation& generation);
// "main" and the virtual hosts, by Server::index; all different.
std::vector<std::string> name_servers(const proxy::Generation& generation);

// Of servers with BalancerPersist On. What a virtual host only inherits is the main server's.
[[nodiscard]] std::set<const balance::Balancer*> persistent_balancers(
    const proxy::Generation& generation);

// Those of one virtual host, by its index, with what it has from the main server.
std::vector<NamedBalancer> name_balancers(const proxy::Generation& generation,
                                          std::uint32_t server);

std::expected<NamedBalancer, ControlFault> find_balancer(
    const std::vector<NamedBalancer>& balancers, std::string_view wanted);

std::expected<balance::MemberView, ControlFault> find_member(const NamedBalancer& balancer,
                                                             std::string_view wanted);

}  // namespace steelyard::manage
