#include "proxy/generation.hpp"

#include <algorithm>

#include "balance/parameters.hpp"
#include "base/check.hpp"

namespace steelyard::proxy {

namespace {

// Virtual hosts are told apart by what an operator does not change lightly: addresses and name.
std::string identity_of(const config::Server& server) {
  std::string text = server.name;
  for (const config::HostAddress& address : server.addresses) {
    text += "|";
    text += address.ip ? address.ip->text() : "*";
    text += ":" + std::to_string(address.port.value_or(0));
  }
  return text;
}

// Regex routes make backends whose names hold `$N`. The address is known when the part before the
// path is plain.
void name_address(balance::MemberSpec& member) {
  if (!member.host.empty() || !member.unix_socket_path.empty()) return;
  const std::size_t authority = member.name.find("://");
  if (authority == std::string::npos) return;
  const std::size_t end = std::min(member.name.find('/', authority + 3), member.name.size());
  const std::string url = member.name.substr(0, end);
  if (url.find('$') != std::string::npos) return;
  balance::MemberSpec plain;
  if (!balance::parse_member_url(plain, url)) return;
  member.scheme = plain.scheme;
  member.host = plain.host;
  member.port = plain.port;
}

// A direct backend is a balancer of one member that never enters the error state (httpd: the
// flag I of workers outside balancers).
std::shared_ptr<const balance::BalancerSpec> as_balancer(const balance::MemberSpec& backend) {
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = backend.name;
  spec->maxattempts = 0;
  spec->members.push_back(backend);
  name_address(spec->members.back());
  spec->members.back().status = backend.status.with(balance::Flag::ignore_errors);
  return spec;
}

expr::StringExpression hash_key_of(const balance::BalancerSpec& spec) {
  if (!traits_of(spec.effective_policy()).by_key()) return {};
  auto key = expr::StringExpression::compile(spec.effective_hash_key());
  CHECK(key);  // it was compiled when the configuration was read
  return std::move(*key);
}

std::string banner_for(config::ServerTokens tokens) {
  switch (tokens) {
    case config::ServerTokens::product:
      return "Steelyard";
    case config::ServerTokens::major:
      return "Steelyard/0";
    case config::ServerTokens::minor:
      return "Steelyard/0.1";
    case config::ServerTokens::minimal:
      return "Steelyard/0.1.0";
    case config::ServerTokens::os:
    case config::ServerTokens::full:
      return "Steelyard/0.1.0 (Unix)";
  }
  return "Steelyard";
}

}  // namespace

Generation::Generation(std::uint64_t number, std::unique_ptr<const config::Config> config,
                       std::vector<ServerGroups> groups)
    : number_(number),
      config_(std::move(config)),
      hosts_(*config_),
      groups_(std::move(groups)),
      banner_(banner_for(config_->tokens)) {}

std::shared_ptr<const Generation> StateRegistry::bind(std::unique_ptr<config::Config> config) {
  std::map<Key, std::shared_ptr<balance::Balancer>> kept;
  const auto state_of = [&](const std::string& server,
                            const std::shared_ptr<const balance::BalancerSpec>& spec) {
    const Key key{server, spec->name};
    if (const auto twin = kept.find(key); twin != kept.end()) return twin->second;
    auto found = known_.find(key);
    std::shared_ptr<balance::Balancer> state;
    if (found == known_.end()) {
      state = std::make_shared<balance::Balancer>(spec);
    } else {
      state = found->second;
      state->adopt(spec);
    }
    kept[key] = state;
    return state;
  };
  std::vector<ServerGroups> groups;
  std::map<std::string, int> same_names;
  std::string main_identity;
  for (std::size_t i = 0; i < config->servers.size(); ++i) {
    config::Server& server = *config->servers[i];
    server.index = static_cast<std::uint32_t>(i);
    // Two virtual hosts that say the same of themselves still have counters of their own.
    const std::string name = (i == 0 ? "main|" : "") + identity_of(server);
    const std::string identity = name + "#" + std::to_string(same_names[name]++);
    if (i == 0) main_identity = identity;
    ServerGroups bound;
    for (const auto& spec : server.balancers) {
      // httpd: a balancer that the main server has is one and the same in all virtual hosts.
      const auto twin = std::ranges::find(config->servers[0]->balancers, spec->name,
                                          [](const auto& other) { return other->name; });
      const bool shared = i != 0 && twin != config->servers[0]->balancers.end() &&
                          (*twin)->members == spec->members &&
                          (*twin)->effective_policy() == spec->effective_policy();
      bound.balancers.push_back({.spec = spec,
                                 .state = state_of(shared ? main_identity : identity, spec),
                                 .direct = false,
                                 .hash_key = hash_key_of(*spec)});
    }
    for (const auto& backend : server.backends) {
      const auto spec = as_balancer(*backend);
      bound.backends.push_back({.spec = spec, .state = state_of(identity, spec), .direct = true});
    }
    groups.push_back(std::move(bound));
  }
  known_ = std::move(kept);
  return std::make_shared<const Generation>(++generations_, std::move(config), std::move(groups));
}

}  // namespace steelyard::proxy
