// An etcd of a test: one store in memory that answers the questions of conversations.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cluster/base64.hpp"
#include "cluster/conversation.hpp"

namespace steelyard::cluster {

class TestStore {
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
  std::string token;  // that is asked for; empty: none

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

  struct Answer {
    int status = 200;
    std::string body;
  };
  Answer answer(const Question& question) {
    if (!token.empty() && question.kind != Question::Kind::login && question.token != token)
      return {401, R"({"error":"etcdserver: invalid auth token","code":16})"};
    const json body = json::parse(question.body);
    if (question.path == "/v3/auth/authenticate") return said({{"token", token}});
    if (question.path == "/v3/lease/grant") return grant(body);
    if (question.path == "/v3/lease/keepalive") return keep_alive(body);
    if (question.path == "/v3/kv/put") {
      put(bytes(body, "key"), bytes(body, "value"), number(body, "lease"));
      return said({});
    }
    if (question.path == "/v3/kv/range") return range(body);
    return transaction(body);
  }

  // What a watch that has told everything before `next` says now; and moves it on.
  std::optional<std::string> watch(std::int64_t& next) const {
    if (next <= compacted && compacted != 0 && next < compacted)
      return line({{"canceled", true}, {"compact_revision", std::to_string(compacted)}});
    json list = json::array();
    std::int64_t told = 0;
    for (const Event& event : events) {
      if (!event.key.starts_with(watched_folder) || event.revision < next || (told != 0 && event.revision != told)) continue;
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
  static std::int64_t first_of_watch(const Question& question) {
    return number(json::parse(question.body)["create_request"], "start_revision");
  }
  [[nodiscard]] std::string created() const { return line({{"created", true}}); }

 private:
  static std::string bytes(const json& object, const char* name) {
    return from_base64(object.value(name, "")).value();
  }
  static std::int64_t number(const json& object, const char* name) {
    return std::stoll(object.value(name, "0"));
  }
  [[nodiscard]] json header() const { return {{"revision", std::to_string(revision)}}; }
  [[nodiscard]] Answer said(json object) const {
    if (object.is_null()) object = json::object();
    object["header"] = header();
    return {200, object.dump()};
  }
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

  Answer grant(const json& body) {
    const std::int64_t id = ++last_lease_;
    leases_[id] = number(body, "TTL");
    return said({{"ID", std::to_string(id)}, {"TTL", std::to_string(leases_[id])}});
  }
  Answer keep_alive(const json& body) const {
    const std::int64_t id = number(body, "ID");
    json result{{"header", header()}, {"ID", std::to_string(id)}};
    if (leases_.contains(id)) result["TTL"] = std::to_string(leases_.at(id));
    return {200, json{{"result", std::move(result)}}.dump() + "\n"};
  }
  static json shown(const std::string& key, const Value& value) {
    return {{"key", base64(key)},
            {"value", base64(value.text)},
            {"mod_revision", std::to_string(value.revision)}};
  }
  // Always as of now: tests compact instead of asking for the past.
  [[nodiscard]] Answer range(const json& body) const {
    const std::int64_t wanted = number(body, "revision");
    if (wanted != 0 && wanted < compacted)
      return {400, R"({"error":"etcdserver: mvcc: required revision has been compacted","code":11})"};
    const auto most = static_cast<std::size_t>(number(body, "limit"));
    json keys = json::array();
    bool more = false;
    const Value* latest = nullptr;
    for (auto at = values.lower_bound(bytes(body, "key"));
         at != values.end() && at->first < bytes(body, "range_end"); ++at) {
      if (body.contains("sort_order")) {
        if (latest != nullptr && at->second.revision < latest->revision) continue;
        keys = json::array();
        latest = &at->second;
      } else if (keys.size() >= most) {
        more = true;
        break;
      }
      keys.push_back(shown(at->first, at->second));
    }
    return said({{"kvs", std::move(keys)}, {"more", more}});
  }
  Answer transaction(const json& body) {
    bool holds = true;
    for (const json& each : body["compare"]) {
      const auto found = values.find(bytes(each, "key"));
      holds = holds && (found == values.end() ? 0 : found->second.revision) ==
                           number(each, "mod_revision");
    }
    json responses = json::array();
    if (!holds) {
      for (const json& each : body["failure"]) {
        const auto found = values.find(bytes(each["request_range"], "key"));
        json range = json::object();
        if (found != values.end()) range["kvs"] = json::array({shown(found->first, found->second)});
        responses.push_back({{"response_range", std::move(range)}});
      }
      return said({{"responses", std::move(responses)}});
    }
    ++revision;
    for (const json& each : body["success"]) {
      if (each.contains("request_put")) {
        set(bytes(each["request_put"], "key"), bytes(each["request_put"], "value"), 0);
      } else if (const std::string key = bytes(each["request_delete_range"], "key");
                 values.contains(key)) {
        drop(key);
      }
    }
    return said({{"succeeded", true}, {"responses", std::move(responses)}});
  }

  std::int64_t last_lease_ = 0;
  std::map<std::int64_t, std::int64_t> leases_;
};

}  // namespace steelyard::cluster
