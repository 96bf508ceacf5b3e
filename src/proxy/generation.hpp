#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/balancer.hpp"
#include "config/config.hpp"
#include "config/virtual_host_index.hpp"
#include "expr/string_expression.hpp"
#include "proxy/counters.hpp"
#include "tls/hosts.hpp"

// One accepted configuration, bound to the state that outlives it.
//
//   Config (a value) + StateRegistry (members with their counters) --> Generation
//
// Invariants: 1. a Generation never changes; what changes is reached through it (Balancer).
//             2. state belongs to (server, balancer, member URL) and survives from one generation
//                to the next; what no generation names any more is dropped with its last user.
//             3. what a virtual host only inherits has the main server's state: the number of
//                states follows what the file says, not hosts times routes.
// Threads: a Generation is shared by all; the registry belongs to the thread that reloads.

namespace steelyard::proxy {

// How the program names itself in Via.
inline constexpr std::string_view program_banner = "Steelyard/" STEELYARD_VERSION;

// A balancer, or a direct backend (a balancer of one member that is never in error).
struct Group {
  std::shared_ptr<const balance::BalancerSpec> spec;
  std::shared_ptr<balance::Balancer> state;
  bool direct = false;
  expr::StringExpression hash_key{};  // of a balancer

  // As the configuration has it, and what operators changed of the balancer since. `held` keeps it.
  const balance::BalancerSpec& current(std::shared_ptr<const balance::BalancerSpec>& held) const {
    if (!state->is_altered()) return *spec;
    held = state->spec();
    return *held;
  }
};

struct ServerGroups {
  std::vector<Group> balancers;  // by index into Server::balancers
  std::vector<Group> backends;   // by index into Server::backends
  std::shared_ptr<ServerTally> tally;
};

class Generation;

// Keeps balancer state from one generation to the next.
class StateRegistry {
 public:
  // Binds `config` to the state of known balancers and makes state for new ones.
  // `now` dates what that changes about members; Instant::min(): unknown. `tls` is what was loaded
  // for the configuration; null: nobody speaks TLS.
  std::shared_ptr<const Generation> bind(std::unique_ptr<config::Config> config,
                                         Instant now = Instant::min(),
                                         std::shared_ptr<const tls::Hosts> tls = nullptr);
  // Whether new balancers count their sessions (balance/census.hpp); it costs each request of a
  // session a little, so only where somebody can ask for it. At first they do.
  void count_sessions(bool wanted) { counts_sessions_ = wanted; }
  // Balancers and direct backends that the last configuration bound.
  std::size_t state_count() const { return known_.size(); }

 private:
  using Key = std::pair<std::string, std::string>;  // server identity, balancer or backend name
  using States = std::map<Key, std::shared_ptr<balance::Balancer>>;
  using Tallies = std::map<std::string, std::shared_ptr<ServerTally>>;  // by server identity
  class Binding;

  States known_;
  Tallies tallies_;
  std::uint64_t generations_ = 0;
  bool counts_sessions_ = true;
};

class Generation {
 public:
  Generation(std::uint64_t number, std::unique_ptr<const config::Config> config,
             std::vector<ServerGroups> groups, Instant since = Instant::min(),
             std::shared_ptr<const tls::Hosts> tls = nullptr);

  std::uint64_t number() const { return number_; }
  Instant since() const { return since_; }  // when it was accepted; Instant::min(): unknown
  const config::Config& config() const { return *config_; }
  const config::VirtualHostIndex& hosts() const { return hosts_; }
  const ServerGroups& groups_of(const config::Server& server) const {
    return groups_[server.index];
  }
  const std::vector<ServerGroups>& groups() const { return groups_; }
  // "Apache/2.4.71 (Debian)"-like banner by ServerTokens, of this program.
  const std::string& banner() const { return banner_; }
  const tls::Hosts* tls() const { return tls_.get(); }  // null: nobody speaks TLS

 private:
  std::uint64_t number_;
  Instant since_;
  std::unique_ptr<const config::Config> config_;
  config::VirtualHostIndex hosts_;
  std::vector<ServerGroups> groups_;
  std::string banner_;
  std::shared_ptr<const tls::Hosts> tls_;
};

}  // namespace steelyard::proxy
