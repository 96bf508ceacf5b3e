#include "manage/cluster_answer.hpp"

#include <algorithm>

#include "manage/control_answers.hpp"

namespace steelyard::manage {

namespace {

using json = nlohmann::ordered_json;

WallTime time_of(std::int64_t unix_us) {
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::microseconds(unix_us)));
}

// Of a clock that may be anybody's: what no year of four digits has is not shown.
std::string time_text(std::int64_t unix_us) {
  constexpr std::int64_t year_9999_us = 253'370'764'800'000'000;
  if (unix_us <= 0 || unix_us >= year_9999_us) return {};
  return Moment::text_of(time_of(unix_us));
}

json key_object(const cluster::FieldKey& key) {
  return {{"scope", key.scope},
          {"balancer", key.balancer},
          {"member", key.member},
          {"field", key.field}};
}

// null: as the configuration has it.
json value_object(const std::optional<cluster::FieldValue>& value) {
  return value ? json(value->value) : json();
}

json unshared_object(const cluster::Order& order) {
  json fields = json::array();
  json object{{"order", order.id}};
  for (const cluster::Order::Field& field : order.fields) {
    json one = key_object(field.wish.key);
    one["value"] = value_object(field.wish.value);
    fields.push_back(std::move(one));
    if (!field.wish.value) continue;
    object["at"] = time_text(field.wish.value->at_us);
    object["who"] = field.wish.value->who;
  }
  object["fields"] = std::move(fields);
  return object;
}

json lost_object(const ClusterView::Lost& lost) {
  json fields = json::array();
  for (const cluster::Superseded::Field& field : lost.what.fields) {
    json one = key_object(field.key);
    one["ours"] = value_object(field.ours);
    one["counts"] = value_object(field.theirs);
    if (field.theirs) one["who"] = field.theirs->who;
    if (field.theirs) one["instance"] = field.theirs->instance;
    fields.push_back(std::move(one));
  }
  return {{"at", Moment::text_of(lost.when)},
          {"order", lost.what.order},
          {"why", lost.what.why},
          {"fields", std::move(fields)}};
}

}  // namespace

json cluster_object(const ClusterView& view) {
  json object{{"store", view.store}, {"name", view.name}, {"id", view.id}};
  object["connected"] = view.is_connected;
  object["since"] = view.since ? Moment::text_of(*view.since) : std::string();
  if (view.is_connected) object["address"] = view.address;
  if (!view.is_connected) object["why"] = view.why;
  object["revision"] = view.revision;
  object["behind"] = std::max<std::int64_t>(view.latest - view.revision, 0);
  object["fields"] = view.fields;
  if (!view.went_back.empty()) object["wentback"] = view.went_back;
  json instances = json::array();
  for (const cluster::Instance& each : view.instances) {
    instances.push_back({{"name", each.name},
                         {"id", each.id},
                         {"version", each.version},
                         {"since", time_text(each.since_us)},
                         {"self", each.id == view.id}});
  }
  object["instances"] = std::move(instances);
  json unshared = json::array();
  for (const cluster::Order& each : view.unshared) unshared.push_back(unshared_object(each));
  object["unshared"] = std::move(unshared);
  json superseded = json::array();
  for (const ClusterView::Lost& each : view.superseded) superseded.push_back(lost_object(each));
  object["superseded"] = std::move(superseded);
  json ignored = json::array();
  for (const LeftOut& each : view.left_out) {
    json one = key_object(each.key);
    one["why"] = each.why;
    ignored.push_back(std::move(one));
  }
  for (const ClusterView::Key& each : view.senseless)
    ignored.push_back({{"key", each.key}, {"why", each.why}});
  object["ignored"] = std::move(ignored);
  return object;
}

std::string cluster_answer(const ClusterView& view) {
  const json object{{"ok", true}, {"cluster", cluster_object(view)}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace steelyard::manage
