#include "config/remote_ip.hpp"

#include <algorithm>

namespace steelyard::config {

bool ProxyProtocolSettings::expects_header(const Endpoint& local, const IpAddress& peer) const {
  const auto covers = [&](const Address& address) { return address.covers(local); };
  return std::ranges::any_of(on, covers) && std::ranges::none_of(off, covers) &&
         std::ranges::none_of(exceptions,
                              [&](const IpNetwork& network) { return network.contains(peer); });
}

}  // namespace steelyard::config
