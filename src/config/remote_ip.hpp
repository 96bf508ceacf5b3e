#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"

// Whose word counts about where a request comes from (httpd: mod_remoteip). Threads: values.

namespace steelyard::config {

// RemoteIPHeader: a request field in which proxies in front of this server name the client.
struct RemoteIpSettings {
  struct Proxy {
    IpNetwork network;
    bool is_internal = false;  // may name private addresses, and is not told of itself
  };
  std::string header;          // empty: no field counts
  std::string proxies_header;  // RemoteIPProxiesHeader
  std::vector<Proxy> proxies;  // the first that holds counts; none at all: everybody is trusted
};

// RemoteIPProxyProtocol: which connections begin with a header of the PROXY protocol. A
// process-wide matter, as it is read before anything is known of the request.
struct ProxyProtocolSettings {
  struct Address {
    std::optional<IpAddress> ip;        // nullopt: every one
    std::optional<std::uint16_t> port;  // the same

    bool operator==(const Address&) const = default;
    bool covers(const Endpoint& local) const {
      return (!ip || *ip == local.ip) && (!port || *port == local.port);
    }
  };
  std::vector<Address> on, off;       // off beats on, as in httpd
  std::vector<IpNetwork> exceptions;  // clients that do not speak it

  bool expects_header(const Endpoint& local, const IpAddress& peer) const;
};

}  // namespace steelyard::config
