#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"

// What names resolved to. Names may come from requests (a target with $1 in its host), so only the
// `names_max` used last are kept.
//
// Threads: one owner.

namespace steelyard::io {

class AddressCache {
 public:
  static constexpr std::size_t names_max = 1024;

  // `ttl`: how old an answer may be; nullopt: any age.
  const std::vector<IpAddress>* find(const std::string& name, Instant now,
                                     std::optional<Duration> ttl) {
    const auto found = known_.find(name);
    if (found == known_.end() || (ttl && now >= found->second.learned + *ttl)) return nullptr;
    found->second.used = ++uses_;
    return &found->second.addresses;
  }
  void keep(const std::string& name, std::vector<IpAddress> addresses, Instant now) {
    if (known_.size() >= names_max && !known_.contains(name)) drop_oldest();
    known_[name] = {std::move(addresses), now, ++uses_};
  }
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::vector<IpAddress> addresses;
    Instant learned;
    std::uint64_t used;
  };
  // A search through all of them; the lookup that made it necessary took longer.
  void drop_oldest() {
    auto oldest = known_.begin();
    for (auto at = known_.begin(); at != known_.end(); ++at)
      if (at->second.used < oldest->second.used) oldest = at;
    known_.erase(oldest);
  }

  std::unordered_map<std::string, Known> known_;
  std::uint64_t uses_ = 0;
};

}  // namespace steelyard::io
