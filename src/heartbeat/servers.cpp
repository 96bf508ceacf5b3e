#include "heartbeat/servers.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace steelyard::heartbeat {

std::int64_t Server::age_seconds(Instant now) const {
  if (written_age) return *written_age;
  return std::chrono::duration_cast<std::chrono::seconds>(now - seen_at).count();
}

Servers::Servers(std::vector<Server> servers) {
  std::map<std::string, Server> by_address;
  for (Server& server : servers) by_address[server.ip] = std::move(server);
  servers_.reserve(by_address.size());
  for (auto& [ip, server] : by_address) servers_.push_back(std::move(server));
}

Servers Servers::unreadable(std::string trouble) {
  Servers servers;
  servers.trouble_ = std::move(trouble);
  return servers;
}

const Server* Servers::find(std::string_view ip) const {
  const auto found = std::ranges::lower_bound(
      servers_, ip, {}, [](const Server& server) { return std::string_view(server.ip); });
  return found != servers_.end() && found->ip == ip ? &*found : nullptr;
}

}  // namespace steelyard::heartbeat
