// What the etcd of a test has, and what its watches tell of it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/base64.hpp"

namespace steelyard::cluster {

class TestValues {
 public:
  using json = nlohmann::json;
  struct Value {
    std::string text;
    std::int64_t revision = 0;
    std::int64_t lease = 0;
  };
  struct Event {
    std::string key, text;
    std::int64_t revision = 0;
    bool is_gone = false;
  };

  std::int64_t revision = 1;
  std::int64_t compacted = 0;
  std::map<std::string, Value> values;
  std::vector<Event> events;
  std::string watched_folder = "/test/v1/";

  void put(const std::string& key, const std::string& text, std::int64_t lease = 0) {
    ++revision;
    set(key, text, lease);
  }
  void erase(const std::string& key) {
    if (!values.contains(key)) return;
    ++revision;
    drop(key);
  }
  void end_lease(std::int64_t lease) {
    leases_.erase(lease);
    std::vector<std::string> keys;
    for (const auto& [key, value] : values) {
      if (value.lease == lease) keys.push_back(key);
    }
    if (!keys.empty()) ++revision;
    for (const std::string& key : keys) drop(key);
  }
  void end_all_leases() {
    const auto all = leases_;
    for (const auto& [lease, lifetime] : all) end_lease(lease);
  }
  void compact() {
    compacted = revision;
    std::erase_if(events, [this](const Event& each) { return each.revision < compacted; });
  }

  // What a watch that has told everything before `next` says now; and moves it on.
  std::optional<std::string> watch(std::int64_t& next) const {
    if (next <= compacted && compacted != 0 && next < compacted)
      return line({{"canceled", true}, {"compact_revision", std::to_string(compacted)}});
    json list = json::array();
    std::int64_t told = 0;
    for (const Event& event : events) {
      if (!event.key.starts_with(watched_folder) || event.revision < next ||
          (told != 0 && event.revision != told))
        continue;
      told = event.revision;
      json kv{{"key", base64(event.key)}, {"mod_revision", std::to_string(event.revision)}};
      json one;
      if (event.is_gone) one["type"] = "DELETE";
      if (!event.is_gone) kv["value"] = base64(event.text);
      one["kv"] = std::move(kv);
      list.push_back(std::move(one));
    }
    if (told == 0) return std::nullopt;
    next = told + 1;
    return line({{"events", std::move(list)}});
  }
  [[nodiscard]] std::string created() const { return line({{"created", true}}); }

 protected:
  [[nodiscard]] json header() const { return {{"revision", std::to_string(revision)}}; }
  [[nodiscard]] std::string line(json result) const {
    result["header"] = header();
    return json{{"result", std::move(result)}}.dump();
  }
  void set(const std::string& key, const std::string& text, std::int64_t lease) {
    values[key] = {text, revision, lease};
    events.push_back({key, text, revision, false});
  }
  void drop(const std::string& key) {
    values.erase(key);
    events.push_back({key, "", revision, true});
  }

  std::int64_t last_lease_ = 0;
  std::map<std::int64_t, std::int64_t> leases_;
};

}  // namespace steelyard::cluster
