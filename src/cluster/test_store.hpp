// An etcd of a test: one store in memory that answers the questions of conversations.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/base64.hpp"
#include "cluster/news.hpp"
#include "cluster/test_values.hpp"

namespace steelyard::cluster {

class TestStore : public TestValues {
 public:
  std::string token;  // that is asked for; empty: none

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

  static std::int64_t first_of_watch(const Question& question) {
    return number(json::parse(question.body)["create_request"], "start_revision");
  }

 private:
  static std::string bytes(const json& object, const char* name) {
    return from_base64(object.value(name, "")).value();
  }
  static std::int64_t number(const json& object, const char* name) {
    return std::stoll(object.value(name, "0"));
  }
  [[nodiscard]] Answer said(json object) const {
    if (object.is_null()) object = json::object();
    object["header"] = header();
    return {200, object.dump()};
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
      return {400,
              R"({"error":"etcdserver: mvcc: required revision has been compacted","code":11})"};
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
      holds = holds &&
              (found == values.end() ? 0 : found->second.revision) == number(each, "mod_revision");
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
};

}  // namespace steelyard::cluster
