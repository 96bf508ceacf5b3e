#include "proxy/generation.hpp"

#include <algorithm>
#include <unordered_map>

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

// "Steelyard/1.2.3" up to so many of its numbers.
std::string banner_with(std::size_t numbers) {
  std::size_t end = program_banner.find('/');
  for (std::size_t i = 0; i < numbers; ++i) end = program_banner.find('.', end + 1);
  return std::string(program_banner.substr(0, end));
}

expr::StringExpression hash_key_of(const balance::BalancerSpec& spec) {
  auto key = expr::StringExpression::compile(spec.effective_hash_key());
  CHECK(key);  // it was compiled when the configuration was read
  return std::move(*key);
}

std::string banner_for(config::ServerTokens tokens) {
  switch (tokens) {
    case config::ServerTokens::product:
      return banner_with(0);
    case config::ServerTokens::major:
      return banner_with(1);
    case config::ServerTokens::minor:
      return banner_with(2);
    case config::ServerTokens::minimal:
      return std::string(program_banner);
    case config::ServerTokens::os:
    case config::ServerTokens::full:
      return std::string(program_banner) + " (Unix)";
  }
  return banner_with(0);
}

}  // namespace

Generation::Generation(std::uint64_t number, std::unique_ptr<const config::Config> config,
                       std::vector<ServerGroups> groups, Instant since,
                       std::shared_ptr<const tls::Hosts> tls)
    : number_(number),
      since_(since),
      config_(std::move(config)),
      hosts_(*config_),
      groups_(std::move(groups)),
      banner_(banner_for(config_->tokens)),
      tls_(std::move(tls)) {}

// What the main server has is shared by the virtual hosts that say nothing of their own about it.
// httpd does so too: `max` of an inherited direct backend counts for all hosts together (2.4.71,
// seen; also that a shared connection was made with the settings of the host that came first).
class StateRegistry::Binding {
 public:
  Binding(const States& known, const Tallies& tallies, Instant now, bool counts_sessions)
      : known_(known), tallies_(tallies), now_(now), counts_sessions_(counts_sessions) {}

  ServerGroups bind(const config::Server& server) {
    const bool is_main = server.index == 0;
    const std::string identity = unique_identity_of(server);
    ServerGroups bound;
    bound.tally = tally_of(identity);
    bound.balancers.reserve(server.balancers.size());
    bound.backends.reserve(server.backends.size());
    for (const auto& spec : server.balancers) {
      const Group* main = twin_of(*spec);
      const bool shared = main != nullptr && is_same(*main->spec, *spec);
      bound.balancers.push_back({.spec = spec,
                                 .state = shared ? main->state : state_of(identity, spec),
                                 .direct = false,
                                 .hash_key = hash_key_of(*spec)});
      if (is_main) main_balancers_.emplace(spec->name, bound.balancers.back());
    }
    for (const auto& backend : server.backends) {
      const auto inherited = main_backends_.find(backend.get());
      if (inherited != main_backends_.end()) {
        bound.backends.push_back(inherited->second);
        continue;
      }
      const auto spec = as_balancer(*backend);
      bound.backends.push_back({.spec = spec, .state = state_of(identity, spec), .direct = true});
      if (is_main) main_backends_.emplace(backend.get(), bound.backends.back());
    }
    return bound;
  }

  States take_states() { return std::move(kept_); }
  Tallies take_tallies() { return std::move(kept_tallies_); }

 private:
  // Two virtual hosts that say the same of themselves still have counters of their own.
  std::string unique_identity_of(const config::Server& server) {
    const std::string name = (server.index == 0 ? "main|" : "") + identity_of(server);
    return name + "#" + std::to_string(same_names_[name]++);
  }

  const Group* twin_of(const balance::BalancerSpec& spec) const {
    const auto twin = main_balancers_.find(spec.name);
    return twin == main_balancers_.end() ? nullptr : &twin->second;
  }

  // httpd: a balancer that the main server has is one and the same in all virtual hosts.
  static bool is_same(const balance::BalancerSpec& main, const balance::BalancerSpec& spec) {
    return &main == &spec ||
           (main.members == spec.members && main.effective_policy() == spec.effective_policy());
  }

  std::shared_ptr<balance::Balancer> state_of(
      const std::string& server, const std::shared_ptr<const balance::BalancerSpec>& spec) {
    const Key key{server, spec->name};
    if (const auto twin = kept_.find(key); twin != kept_.end()) return twin->second;
    const auto found = known_.find(key);
    std::shared_ptr<balance::Balancer> state;
    if (found == known_.end()) {
      state = std::make_shared<balance::Balancer>(spec, now_);
      state->count_sessions(counts_sessions_);
    } else {
      state = found->second;
      state->adopt(spec, now_);
    }
    kept_[key] = state;
    return state;
  }

  std::shared_ptr<ServerTally> tally_of(const std::string& server) {
    const auto found = tallies_.find(server);
    const auto tally = found == tallies_.end() ? std::make_shared<ServerTally>() : found->second;
    kept_tallies_[server] = tally;
    return tally;
  }

  const States& known_;
  const Tallies& tallies_;
  const Instant now_;
  const bool counts_sessions_;
  States kept_;
  Tallies kept_tallies_;
  std::map<std::string, int> same_names_;
  std::map<std::string, Group, std::less<>> main_balancers_;
  std::unordered_map<const balance::MemberSpec*, Group> main_backends_;
};

std::shared_ptr<const Generation> StateRegistry::bind(std::unique_ptr<config::Config> config,
                                                      Instant now,
                                                      std::shared_ptr<const tls::Hosts> tls) {
  Binding binding(known_, tallies_, now, counts_sessions_);
  std::vector<ServerGroups> groups;
  groups.reserve(config->servers.size());
  for (std::size_t i = 0; i < config->servers.size(); ++i) {
    config::Server& server = *config->servers[i];
    server.index = static_cast<std::uint32_t>(i);
    groups.push_back(binding.bind(server));
  }
  known_ = binding.take_states();
  tallies_ = binding.take_tallies();
  return std::make_shared<const Generation>(++generations_, std::move(config), std::move(groups),
                                            now, std::move(tls));
}

}  // namespace steelyard::proxy
