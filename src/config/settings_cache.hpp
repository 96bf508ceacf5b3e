#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/conditional.hpp"
#include "config/config.hpp"

// The settings that hold for one request: the server's defaults, then the <Proxy> sections that
// cover the proxied URL, then the <Location> sections that cover the path, then the <If> sections
// whose conditions hold, each over what came before. Merging is done once for each set of sections
// that was ever met together.
//
// A cache belongs to one generation and to one caller (a shard). Results outlive the cache's own
// entries, so it may forget; they point to no Config that is gone, as exchanges pin theirs.
//
// Threads: one.

namespace steelyard::config {

using SettingsRef = std::shared_ptr<const PathSettings>;

class SettingsCache {
 public:
  explicit SettingsCache(std::size_t entries_max = 1024) : entries_max_(entries_max) {}

  // Before routing: the sections of the path only.
  SettingsRef for_path(const Server& server, std::string_view path) {
    return find(server, path, {});
  }
  // After routing. `url` is RouteMatch::url.
  SettingsRef for_url(const Server& server, std::string_view path, std::string_view url) {
    return find(server, path, url);
  }

  // `settings` of one of the above with the <If> sections that hold over them. `remarks`: what
  // conditions asked for or could not do.
  SettingsRef decide(const Server& server, SettingsRef settings, const expr::Facts& facts,
                     Arena& arena, expr::Remarks& remarks);

  std::size_t size() const { return entries_.size() + decided_.size(); }

 private:
  struct Key {
    const Server* server;
    std::vector<std::uint32_t> sections;  // proxies, then locations counted on from their end
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const;
  };
  struct KeyEqual {
    bool operator()(const Key& a, const Key& b) const {
      return a.server == b.server && a.sections == b.sections;
    }
  };
  struct Decision {
    const PathSettings* settings;
    std::vector<const Conditional*> held;
  };
  struct DecisionHash {
    std::size_t operator()(const Decision& decision) const;
  };
  struct DecisionEqual {
    bool operator()(const Decision& a, const Decision& b) const {
      return a.settings == b.settings && a.held == b.held;
    }
  };
  struct Decided {
    SettingsRef settings;  // those of the key: as long as they live here no others have its address
    SettingsRef merged;
  };
  SettingsRef find(const Server& server, std::string_view path, std::string_view url);
  void note_proxies(const Server& server, std::string_view url);
  void note_locations(const Server& server, std::string_view path);
  SettingsRef compose(const Key& key) const;

  std::size_t entries_max_;
  // Scratch: these keep their capacity between calls.
  Key wanted_{nullptr, {}};
  std::string merged_path_;
  std::unordered_map<Key, SettingsRef, KeyHash, KeyEqual> entries_;
  ConditionalWalk walk_;
  Decision wanted_decision_{nullptr, {}};
  std::unordered_map<Decision, Decided, DecisionHash, DecisionEqual> decided_;
};

}  // namespace steelyard::config
