#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/regex.hpp"
#include "config/place.hpp"

// Requests to places that the client names (ProxyRequests, AllowCONNECT, ProxyDomain), and other
// proxies on the way to anywhere (ProxyRemote, NoProxy). httpd: mod_proxy, mod_proxy_connect.
//
// Threads: values.

namespace steelyard::config {

struct Server;

struct PortRange {
  std::uint16_t first = 0, last = 0;
};

// ProxyRemote, ProxyRemoteMatch.
struct RemoteProxy {
  std::string match;           // "*", a scheme, or what the URL begins with
  std::optional<Regex> regex;  // instead of `match`
  std::string host;            // lower case; IPv6 without brackets
  std::uint16_t port = 0;
  std::string authorization;  // what Proxy-Authorization says; empty: nothing of ours
  Place place;
};

// One word of NoProxy.
struct DirectHost {
  enum class Kind : std::uint8_t {
    domain,   // ".x.test": hosts that end with it
    host,     // that name
    network,  // an address, or a name for one that was written as such
    word      // anything else: hosts that hold it
  } kind = Kind::word;
  std::string text;  // lower case
  std::optional<IpNetwork> network;
};

struct ForwardProxy {
  std::optional<Place> takes_requests;  // ProxyRequests On, and where it says so
  std::vector<PortRange> connect_ports{{443, 443}, {563, 563}};
  std::string domain;  // ProxyDomain, with its dot
  std::vector<RemoteProxy> remotes;
  std::vector<DirectHost> direct_hosts;
};

[[nodiscard]] bool may_connect_to(const ForwardProxy& forward, std::uint16_t port);
[[nodiscard]] bool is_direct(const ForwardProxy& forward, std::string_view host);
// The first of `remotes` that this URL goes through; remotes.size(): none does. httpd compares a
// CONNECT's "host:port" in the same way.
[[nodiscard]] std::size_t find_remote(std::span<const RemoteProxy> remotes, std::string_view url);

// Whether an absolute target is one of `server` itself (httpd: ap_matches_request_vhost). `port`:
// as written, or the usual one of the scheme. Names in lower case, IPv6 without brackets.
[[nodiscard]] bool is_own_place(const Server& server, std::string_view host, std::uint16_t port);

}  // namespace steelyard::config
