#include "config/virtual_host_index.hpp"

#include <array>
#include <string>

#include "base/check.hpp"
#include "base/text.hpp"
#include "config/alias_pattern.hpp"

namespace steelyard::config {

namespace {

constexpr std::size_t name_bytes_max = 253;  // RFC 1035: no longer name exists

// httpd forgives exactly one final dot.
std::string_view without_final_dot(std::string_view host) {
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

bool is_lower(std::string_view text) {
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') return false;
  }
  return true;
}

bool legacy_path_covers(std::string_view legacy, std::string_view path) {
  if (legacy.empty() || !path.starts_with(legacy)) return false;
  return legacy.back() == '/' || path.size() == legacy.size() || path[legacy.size()] == '/';
}

}  // namespace

void VirtualHostGroup::add(const Server& server, std::string_view written_host) {
  if (servers_.empty() || servers_.back() != &server) {
    const auto number = static_cast<std::uint32_t>(servers_.size());
    servers_.push_back(&server);
    if (!server.name.empty()) exact_names_.try_emplace(to_lower(server.name), number);
    for (const std::string& alias : server.aliases)
      exact_names_.try_emplace(to_lower(alias), number);
    for (const std::string& alias : server.wild_aliases) wild_names_.push_back({number, alias});
    has_legacy_paths_ = has_legacy_paths_ || !server.legacy_path.empty();
  }
  const auto number = static_cast<std::uint32_t>(servers_.size() - 1);
  if (!written_host.empty()) written_hosts_.try_emplace(to_lower(written_host), number);
}

const Server& VirtualHostGroup::choose(std::string_view host, std::string_view path) const {
  if (servers_.size() == 1) return first();
  if (host.empty()) {
    const Server* by_path = has_legacy_paths_ ? find_by_legacy_path(path) : nullptr;
    return by_path != nullptr ? *by_path : first();
  }
  const Server* named = find(host);
  return named != nullptr ? *named : first();
}

const Server* VirtualHostGroup::find(std::string_view host) const {
  host = without_final_dot(host);
  if (is_lower(host)) return find_lower(host);
  if (host.size() > name_bytes_max) return find_lower(to_lower(host));
  std::array<char, name_bytes_max> lower;
  for (std::size_t i = 0; i < host.size(); ++i) lower[i] = ascii_lower(host[i]);
  return find_lower({lower.data(), host.size()});
}

const Server* VirtualHostGroup::find_lower(std::string_view host) const {
  const auto exact = exact_names_.find(host);
  const std::size_t best = exact != exact_names_.end() ? exact->second : servers_.size();
  for (const WildName& wild : wild_names_) {
    if (wild.server >= best) break;
    if (matches_alias(wild.pattern, host)) return servers_[wild.server];
  }
  if (best < servers_.size()) return servers_[best];
  const auto written = written_hosts_.find(host);
  return written != written_hosts_.end() ? servers_[written->second] : nullptr;
}

const Server* VirtualHostGroup::find_by_legacy_path(std::string_view path) const {
  for (const Server* server : servers_) {
    if (legacy_path_covers(server->legacy_path, path)) return server;
  }
  return nullptr;
}

VirtualHostIndex::VirtualHostIndex(const Config& config) {
  CHECK(!config.servers.empty());
  main_.add(*config.servers.front(), {});
  for (std::size_t i = 1; i < config.servers.size(); ++i) {
    const Server& server = *config.servers[i];
    for (const HostAddress& address : server.addresses) {
      group_of(address).add(server, address.host);
    }
  }
}

// 0.0.0.0 and [::] are another way to write `*` (httpd).
VirtualHostGroup& VirtualHostIndex::group_of(const HostAddress& address) {
  const bool is_one = address.ip && !address.ip->is_any();
  if (is_one && address.port) return by_address_and_port_[{*address.ip, *address.port}];
  if (is_one) return by_address_[*address.ip];
  if (address.port) return by_port_[*address.port];
  if (!everywhere_) everywhere_ = std::make_unique<VirtualHostGroup>();
  return *everywhere_;
}

const VirtualHostGroup& VirtualHostIndex::group(const Endpoint& local) const {
  if (const auto it = by_address_and_port_.find(local); it != by_address_and_port_.end()) {
    return it->second;
  }
  if (const auto it = by_address_.find(local.ip); it != by_address_.end()) return it->second;
  if (const auto it = by_port_.find(local.port); it != by_port_.end()) return it->second;
  return everywhere_ ? *everywhere_ : main_;
}

}  // namespace steelyard::config
