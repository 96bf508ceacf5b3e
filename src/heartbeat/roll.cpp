#include "heartbeat/roll.hpp"

namespace steelyard::heartbeat {

bool Roll::note(const IpAddress& ip, const Message& message, Instant now) {
  const auto known = entries_.find(ip);
  if (known != entries_.end()) {
    known->second = {message, now};
    return true;
  }
  if (entries_.size() >= servers_max_ && now >= next_sweep_) {
    next_sweep_ = now + sweep_period;
    drop_silent(now);
  }
  if (entries_.size() >= servers_max_) return false;
  entries_.emplace(ip, Entry{message, now});
  return true;
}

bool Roll::drop_silent(Instant now) {
  return std::erase_if(entries_, [now](const auto& entry) {
           return now - entry.second.seen_at > silence_max;
         }) != 0;
}

std::vector<Server> Roll::servers() const {
  std::vector<Server> servers;
  servers.reserve(entries_.size());
  for (const auto& [ip, entry] : entries_) {
    servers.push_back({.ip = ip.text(), .message = entry.message, .seen_at = entry.seen_at});
  }
  return servers;
}

}  // namespace steelyard::heartbeat
