#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"

// Which virtual host answers a request: first by the local address of the connection, then by the
// host that the request names (httpd: virtual host matching, config.md 5).
//
//   local address ──▶ group: ip:port > ip:* > *:port > *:* > main server      once a connection
//   host name     ──▶ the first server of the group that has the name          once a request
//
// Invariants
//   1. The most specific group that exists for an address hides all others, whatever their names.
//   2. Within a group the file's order decides; an earlier wildcard alias beats a later exact name.
// Threads: immutable; it points into the Config, which outlives it.

namespace steelyard::config {

// The servers that share one address, in file order.
class VirtualHostGroup {
 public:
  // What counts as long as no request named a host.
  const Server& first() const { return *servers_.front(); }
  bool tells_names_apart() const { return servers_.size() > 1; }
  // `host` without port, in any case, perhaps with a final dot. `path` is looked at only when the
  // request names no host and a server has a ServerPath.
  const Server& choose(std::string_view host, std::string_view path = {}) const;
  // The server that answers to the name, nullptr when none does (StrictHostCheck).
  const Server* find(std::string_view host) const;

 private:
  friend class VirtualHostIndex;
  struct WildName {
    std::uint32_t server;
    std::string_view pattern;
  };
  void add(const Server& server, std::string_view written_host);
  const Server* find_lower(std::string_view host) const;
  const Server* find_by_legacy_path(std::string_view path) const;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };
  // Lower-case name: the first server that has it.
  using Names = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;

  std::vector<const Server*> servers_;
  Names exact_names_;
  std::vector<WildName> wild_names_;  // in file order
  Names written_hosts_;               // <VirtualHost NAME>: counts when no ServerName does
  bool has_legacy_paths_ = false;
};

class VirtualHostIndex {
 public:
  explicit VirtualHostIndex(const Config& config);

  const VirtualHostGroup& group(const Endpoint& local) const;
  const Server& choose(const Endpoint& local, std::string_view host,
                       std::string_view path = {}) const {
    return group(local).choose(host, path);
  }

 private:
  VirtualHostGroup& group_of(const HostAddress& address);

  std::map<Endpoint, VirtualHostGroup> by_address_and_port_;
  std::map<IpAddress, VirtualHostGroup> by_address_;
  std::unordered_map<std::uint16_t, VirtualHostGroup> by_port_;
  std::unique_ptr<VirtualHostGroup> everywhere_;
  VirtualHostGroup main_;
};

}  // namespace steelyard::config
