#include "cluster/kept.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace steelyard::cluster {

namespace {

using json = nlohmann::ordered_json;

// The store's own forms of keys and values, which are read with care anyway.
json wish_object(const Wish& wish) {
  json object{{"key", key_text({}, wish.key)}};
  if (wish.value) object["value"] = base64(value_text(*wish.value));
  return object;
}

std::optional<Wish> read_wish(const json& object) {
  if (!object.is_object() || !object.contains("key") || !object["key"].is_string())
    return std::nullopt;
  const std::string text = object["key"].get<std::string>();
  const std::string folder = changes_folder({});
  if (!text.starts_with(folder)) return std::nullopt;
  auto key = read_key(std::string_view(text).substr(folder.size()));
  if (!key) return std::nullopt;
  Wish wish{.key = std::move(*key), .value = {}};
  if (!object.contains("value")) return wish;
  if (!object["value"].is_string()) return std::nullopt;
  const auto bytes = from_base64(object["value"].get_ref<const std::string&>());
  if (!bytes) return std::nullopt;
  auto value = read_value(*bytes);
  if (!value) return std::nullopt;
  wish.value = std::move(*value);
  return wish;
}

std::optional<std::int64_t> number(const json& object, const char* name) {
  if (!object.contains(name) || !object[name].is_number_integer()) return std::nullopt;
  return object[name].get<std::int64_t>();
}

std::optional<Order> read_order(const json& object) {
  if (!object.is_object() || !object.contains("id") || !object["id"].is_string() ||
      !object.contains("fields") || !object["fields"].is_array())
    return std::nullopt;
  Order order{.id = object["id"].get<std::string>()};
  for (const json& each : object["fields"]) {
    auto wish = read_wish(each);
    const auto over = wish ? number(each, "over") : std::nullopt;
    if (!over) return std::nullopt;
    order.fields.push_back({std::move(*wish), *over});
  }
  if (order.fields.empty()) return std::nullopt;
  if (object.contains("anew")) {
    if (!object["anew"].is_boolean()) return std::nullopt;
    order.is_anew = object["anew"].get<bool>();
  }
  return order;
}

}  // namespace

namespace {

struct Store {
  std::string prefix;
  std::set<std::string> addresses;
};

// "etcd://a:2379,b/prefix"
Store read_store(std::string_view text) {
  constexpr std::string_view between = "://";
  const std::size_t scheme = text.find(between);
  if (scheme != text.npos) text.remove_prefix(scheme + between.size());
  const std::size_t slash = std::min(text.find('/'), text.size());
  Store store{.prefix = std::string(text.substr(slash)), .addresses = {}};
  std::string_view left = text.substr(0, slash);
  while (!left.empty()) {
    const std::string_view address = left.substr(0, left.find(','));
    left.remove_prefix(std::min(address.size() + 1, left.size()));
    const std::size_t colon = address.rfind(':');
    const bool has_port = colon != address.npos && address.find(']', colon) == address.npos;
    store.addresses.insert(to_lower(address) + (has_port ? "" : ":2379"));
  }
  while (store.prefix.ends_with('/')) store.prefix.pop_back();
  return store;
}

}  // namespace

bool is_same_store(std::string_view a, std::string_view b) {
  const Store one = read_store(a), other = read_store(b);
  return one.prefix == other.prefix &&
         std::ranges::any_of(one.addresses, [&other](const std::string& address) {
           return other.addresses.contains(address);
         });
}

std::string kept_text(const Kept& kept) {
  json known = json::array();
  for (const Sight& sight : kept.known) {
    json object = wish_object(sight.field);
    object["revision"] = sight.revision;
    known.push_back(std::move(object));
  }
  json unshared = json::array();
  for (const Order& order : kept.unshared) {
    json fields = json::array();
    for (const Order::Field& field : order.fields) {
      json object = wish_object(field.wish);
      object["over"] = field.over;
      fields.push_back(std::move(object));
    }
    json object{{"id", order.id}, {"fields", std::move(fields)}};
    if (order.is_anew) object["anew"] = true;
    unshared.push_back(std::move(object));
  }
  const json object{
      {"store", kept.store}, {"known", std::move(known)}, {"unshared", std::move(unshared)}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::expected<Kept, std::string> read_kept(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  const bool has_parts = object.is_object() && object.contains("store") &&
                         object["store"].is_string() && object.contains("known") &&
                         object["known"].is_array() && object.contains("unshared") &&
                         object["unshared"].is_array();
  if (!has_parts) return std::unexpected("it is no object with store, known and unshared");
  Kept kept{.store = object["store"].get<std::string>()};
  for (const json& each : object["known"]) {
    auto wish = read_wish(each);
    const auto revision = wish ? number(each, "revision") : std::nullopt;
    if (!revision) return std::unexpected("one of known is no field");
    kept.known.push_back({std::move(*wish), *revision});
  }
  for (const json& each : object["unshared"]) {
    auto order = read_order(each);
    if (!order) return std::unexpected("one of unshared is no order");
    kept.unshared.push_back(std::move(*order));
  }
  return kept;
}

}  // namespace steelyard::cluster
