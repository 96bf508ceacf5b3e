#include "cluster/etcd_words.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace steelyard::cluster {

namespace {

using json = nlohmann::ordered_json;

std::string dumped(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_of(std::int64_t number) { return std::to_string(number); }

json put_request(std::string_view key, std::string_view value) {
  return {{"key", base64(key)}, {"value", base64(value)}};
}

}  // namespace

namespace ask {

std::string login(std::string_view user, std::string_view password) {
  return dumped({{"name", user}, {"password", password}});
}

std::string grant(std::int64_t lifetime_seconds) {
  return dumped({{"TTL", text_of(lifetime_seconds)}});
}

std::string keep_alive(std::int64_t lease) { return dumped({{"ID", text_of(lease)}}); }
std::string revoke(std::int64_t lease) { return dumped({{"ID", text_of(lease)}}); }

std::string put(std::string_view key, std::string_view value, std::int64_t lease) {
  json request = put_request(key, value);
  request["lease"] = text_of(lease);
  return dumped(request);
}

std::string range(const Page& page) {
  json request{{"key", base64(page.from)},
               {"range_end", base64(page.end)},
               {"limit", std::to_string(page.keys_max)}};
  if (page.revision != 0) request["revision"] = text_of(page.revision);
  return dumped(request);
}

std::string latest(std::string_view from, std::string_view end) {
  return dumped({{"key", base64(from)},
                 {"range_end", base64(end)},
                 {"limit", "1"},
                 {"sort_order", "DESCEND"},
                 {"sort_target", "MOD"},
                 {"keys_only", true}});
}

std::string watch(std::string_view from, std::string_view end, std::int64_t first_revision) {
  return dumped({{"create_request",
                  {{"key", base64(from)},
                   {"range_end", base64(end)},
                   {"start_revision", text_of(first_revision)}}}});
}

std::string transaction(std::string_view prefix, const Order& order) {
  json compare = json::array();
  json success = json::array();
  json failure = json::array();
  for (const Order::Field& field : order.fields) {
    const std::string key = key_text(prefix, field.wish.key);
    compare.push_back({{"target", "MOD"},
                       {"result", "EQUAL"},
                       {"key", base64(key)},
                       {"mod_revision", text_of(field.over)}});
    if (field.wish.value) {
      success.push_back({{"request_put", put_request(key, value_text(*field.wish.value))}});
    } else {
      success.push_back({{"request_delete_range", {{"key", base64(key)}}}});
    }
    failure.push_back({{"request_range", {{"key", base64(key)}}}});
  }
  return dumped({{"compare", std::move(compare)},
                 {"success", std::move(success)},
                 {"failure", std::move(failure)}});
}

}  // namespace ask

}  // namespace steelyard::cluster
