#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"

// What names resolved to. Names may come from requests (a target with $1 in its host), so only the
// `names_max` used last are kept. An answer whose time is over is kept too: it counts again when
// nobody gives a better one.
//
// Threads: one owner.

namespace steelyard::io {

class AddressCache {
 public:
  static constexpr std::size_t names_max = 1024;
  // An answer that says nothing about its life counts for so long, and no answer for less or more.
  static constexpr Duration ttl_unsaid = std::chrono::seconds(5);
  static constexpr Duration ttl_min = std::chrono::seconds(1);
  static constexpr Duration ttl_max = std::chrono::hours(1);
  // A name that was looked up because its addresses failed, or for nothing, is not looked up for
  // that reason again for so long: requests must not wait for a name server each.
  static constexpr Duration look_again_after = std::chrono::seconds(10);

  using Addresses = std::shared_ptr<const std::vector<IpAddress>>;

  static constexpr Duration bounded(std::optional<Duration> ttl) {
    const Duration said = ttl && ttl->count() > 0 ? *ttl : ttl_unsaid;
    return said < ttl_min ? ttl_min : said > ttl_max ? ttl_max : said;
  }

  // What counts now: younger than `ttl`, or than its own; negative: of any age.
  Addresses find(const std::string& name, Instant now, std::optional<Duration> ttl) {
    const auto found = known_.find(name);
    if (found == known_.end()) return nullptr;
    found->second.used = ++uses_;
    const Duration life = ttl.value_or(found->second.ttl);
    if (life.count() >= 0 && now - found->second.learned >= life) return nullptr;
    return found->second.addresses;
  }
  // Whatever it led to last, if anything.
  Addresses find_last(const std::string& name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : found->second.addresses;
  }
  // `ttl` as the answer said it.
  void keep(const std::string& name, std::vector<IpAddress> addresses, Instant now,
            std::optional<Duration> ttl) {
    Known& known = entry(name);
    known.addresses = std::make_shared<const std::vector<IpAddress>>(std::move(addresses));
    known.learned = now;
    known.ttl = bounded(ttl);
  }
  // Takes the right to look `name` up again although something is known, or was not found.
  bool may_look_again(const std::string& name, Instant now) {
    Known& known = entry(name);
    if (now < known.look_again) return false;
    known.look_again = now + look_again_after;
    return true;
  }
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    Addresses addresses;
    Instant learned{};
    Duration ttl{};
    Instant look_again = Instant::min();
    std::uint64_t used = 0;
  };
  Known& entry(const std::string& name) {
    if (known_.size() >= names_max && !known_.contains(name)) drop_oldest();
    Known& known = known_[name];
    known.used = ++uses_;
    return known;
  }
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
