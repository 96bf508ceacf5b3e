#include "config/forward_proxy.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/alias_pattern.hpp"
#include "config/config.hpp"

namespace steelyard::config {

namespace {

bool covers(const DirectHost& direct, std::string_view host) {
  switch (direct.kind) {
    case DirectHost::Kind::domain:
      return host.size() > direct.text.size() && host.ends_with(direct.text);
    case DirectHost::Kind::host:
      return host == direct.text;
    case DirectHost::Kind::network: {
      const auto address = IpAddress::parse(host);
      return address && direct.network->contains(*address);
    }
    case DirectHost::Kind::word:
      return host.find(direct.text) != std::string_view::npos;
  }
  return false;
}

bool covers(const RemoteProxy& remote, std::string_view url) {
  if (remote.regex) return remote.regex->search(url);
  if (remote.match == "*") return true;
  if (remote.match.find(':') != std::string::npos)
    return starts_with_ignoring_case(url, remote.match);
  return equals_ignoring_case(url.substr(0, url.find(':')), remote.match);
}

}  // namespace

bool may_connect_to(const ForwardProxy& forward, std::uint16_t port) {
  return std::ranges::any_of(forward.connect_ports, [port](PortRange range) {
    return range.first <= port && port <= range.last;
  });
}

bool is_direct(const ForwardProxy& forward, std::string_view host) {
  return std::ranges::any_of(forward.direct_hosts,
                             [host](const DirectHost& direct) { return covers(direct, host); });
}

std::size_t find_remote(std::span<const RemoteProxy> remotes, std::string_view url) {
  const auto found = std::ranges::find_if(
      remotes, [url](const RemoteProxy& remote) { return covers(remote, url); });
  return static_cast<std::size_t>(found - remotes.begin());
}

// A name alone never is: httpd wants the port, and knows the one that ServerName says.
bool is_own_place(const Server& server, std::string_view host, std::uint16_t port) {
  const bool is_address = std::ranges::any_of(server.addresses, [&](const HostAddress& address) {
    return (!address.port || *address.port == port) && equals_ignoring_case(address.host, host);
  });
  if (is_address) return true;
  if (!server.name_port || *server.name_port != port) return false;
  return equals_ignoring_case(server.name, host) ||
         std::ranges::find(server.aliases, host) != server.aliases.end() ||
         std::ranges::any_of(server.wild_aliases, [host](const std::string& pattern) {
           return matches_alias(pattern, host);
         });
}

}  // namespace steelyard::config
