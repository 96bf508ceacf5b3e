#include "cluster/ledger.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "cluster/limits.hpp"

namespace steelyard::cluster {

namespace {

FieldKey balancer_of(const FieldKey& key) { return {key.scope, key.balancer, {}, {}}; }

bool is_of(const FieldKey& key, const FieldKey& balancer) {
  return key.scope == balancer.scope && key.balancer == balancer.balancer;
}

// Whoever said so, and when.
bool means_the_same(const FieldValue* a, const FieldValue* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->value == b->value && a->configured == b->configured;
}

const FieldValue* pointer_to(const std::optional<FieldValue>& value) {
  return value ? &*value : nullptr;
}

}  // namespace

std::size_t size_of(const Wish& wish) {
  const FieldKey& key = wish.key;
  std::size_t size =
      sizeof(Wish) + key.scope.size() + key.balancer.size() + key.member.size() + key.field.size();
  if (const auto& value = wish.value) {
    for (const std::string* text : {&value->value, &value->configured, &value->who, &value->from,
                                    &value->reason, &value->instance, &value->order})
      size += text->size();
  }
  return size;
}

void Ledger::remember(std::vector<Sight> sights) {
  for (Sight& sight : sights) {
    bytes_ += size_of(sight.field);
    highest_ = std::max(highest_, sight.revision);
    known_[sight.field.key] = {std::move(sight.field.value), sight.revision};
  }
}

void Ledger::restore(std::vector<Order> orders) {
  for (Order& order : orders) {
    order.in_touch = false;
    touch(order);
    unshared_.push_back(std::move(order));
  }
}

void Ledger::order(std::string id, std::vector<Wish> wishes) {
  Order order{.id = std::move(id), .in_touch = in_touch_};
  for (Wish& wish : wishes) {
    if (wish.value) wish.value->order = order.id;
    const std::int64_t over = stored(wish.key) != nullptr ? revision_of(wish.key) : 0;
    order.fields.push_back({std::move(wish), over});
  }
  // Over an earlier order of ours: what that one was made over.
  for (Order::Field& field : order.fields) {
    for (const Order& earlier : unshared_) {
      const auto same = std::ranges::find(earlier.fields, field.wish.key,
                                          [](const Order::Field& each) { return each.wish.key; });
      if (same != earlier.fields.end()) field.over = same->over;
    }
  }
  unshared_.push_back(std::move(order));
}

void Ledger::withdraw(const std::string& id) {
  const auto found = std::ranges::find(unshared_, id, &Order::id);
  if (found == unshared_.end()) return;
  touch(*found);
  unshared_.erase(found);
}

// A value that somebody gave later than we know of is no loss.
// A backup that is restored with a higher revision still has its fields' older ones.
bool Ledger::has_older(const std::map<FieldKey, Known>& fresh) const {
  return std::ranges::any_of(fresh, [this](const auto& each) {
    const auto known = known_.find(each.first);
    return known != known_.end() && each.second.revision < known->second.revision;
  });
}

std::vector<Wish> Ledger::forgotten_by(const std::map<FieldKey, Known>& fresh) const {
  std::vector<Wish> forgotten;
  for (const auto& [key, known] : known_) {
    if (!known.value) continue;
    const auto now = fresh.find(key);
    const FieldValue* const after = now != fresh.end() ? pointer_to(now->second.value) : nullptr;
    const bool is_older = after == nullptr || after->at_us < known.value->at_us;
    if (is_older && !means_the_same(&*known.value, after)) forgotten.push_back({key, known.value});
  }
  return forgotten;
}

void Ledger::share_anew(std::vector<Order> orders) {
  for (Order& order : std::views::reverse(orders)) {
    order.in_touch = in_touch_;
    order.is_anew = true;
    for (Order::Field& field : order.fields) {
      if (field.wish.value) field.wish.value->order = order.id;
      field.over = stored(field.wish.key) != nullptr ? revision_of(field.wish.key) : 0;
    }
    touch(order);
    unshared_.push_front(std::move(order));
  }
}

std::vector<Wish> Ledger::take_all(std::vector<Sight> sights, std::int64_t revision) {
  std::map<FieldKey, Known> fresh;
  bytes_ = 0;
  for (Sight& sight : sights) {
    bytes_ += size_of(sight.field);
    fresh[sight.field.key] = {std::move(sight.field.value), sight.revision};
  }
  for (const auto& [key, known] : known_) {
    const auto now = fresh.find(key);
    const FieldValue* const after = now != fresh.end() ? pointer_to(now->second.value) : nullptr;
    if (!means_the_same(pointer_to(known.value), after)) touched_.insert(balancer_of(key));
  }
  for (const auto& [key, known] : fresh) {
    if (!known_.contains(key)) touched_.insert(balancer_of(key));
  }
  const bool went_back = revision < highest_ || has_older(fresh);
  std::vector<Wish> forgotten;
  if (went_back) forgotten = forgotten_by(fresh);
  known_ = std::move(fresh);
  revision_ = highest_ = revision;
  in_touch_ = true;
  for (Order& order : unshared_) {
    const bool was_sent = std::exchange(order.is_sent, false);
    // What it was made over is gone, and nobody changed it.
    if (went_back) order.in_touch = true;
    if (was_sent && !went_back) order.in_touch = false;
  }
  settle();
  return forgotten;
}

void Ledger::take_changes(const std::vector<Sight>& sights, std::int64_t revision) {
  for (const Sight& sight : sights) see(sight);
  revision_ = std::max(revision_, revision);
  highest_ = std::max(highest_, revision);
  std::erase_if(known_, [this](const auto& each) {
    if (each.second.value || each.second.revision > revision_ || is_unshared(each.first))
      return false;
    bytes_ -= size_of({each.first, std::nullopt});
    return true;
  });
}

bool Ledger::is_unshared(const FieldKey& key) const {
  return std::ranges::any_of(unshared_, [&key](const Order& order) {
    return std::ranges::any_of(order.fields,
                               [&key](const Order::Field& field) { return field.wish.key == key; });
  });
}

void Ledger::sent() {
  if (!unshared_.empty()) unshared_.front().is_sent = true;
}

// What is known already may be told late.
void Ledger::see(const Sight& sight) {
  const FieldKey& key = sight.field.key;
  const auto [at, is_new] = known_.try_emplace(key);
  Known& known = at->second;
  highest_ = std::max(highest_, sight.revision);
  if (sight.revision <= known.revision) return;
  if (!means_the_same(pointer_to(known.value), pointer_to(sight.field.value)))
    touched_.insert(balancer_of(key));
  if (!is_new) bytes_ -= size_of({key, known.value});
  bytes_ += size_of(sight.field);
  known = {sight.field.value, sight.revision};
}

void Ledger::shared(const std::string& id, std::int64_t revision) {
  const auto found = std::ranges::find(unshared_, id, &Order::id);
  if (found == unshared_.end()) return;
  const Order order = std::move(*found);
  unshared_.erase(found);
  for (const Order::Field& field : order.fields) see({field.wish, revision});
  follow(order);
}

// Later orders of ours that were made over what this one was made over are over this one now.
void Ledger::follow(const Order& order) {
  for (const Order::Field& field : order.fields) {
    const FieldValue* const now = stored(field.wish.key);
    if (now != nullptr && now->order != order.id) continue;
    const std::int64_t over = now != nullptr ? revision_of(field.wish.key) : 0;
    for (Order& later : unshared_) {
      for (Order::Field& each : later.fields) {
        if (each.wish.key == field.wish.key && each.over == field.over) each.over = over;
      }
    }
  }
}

void Ledger::in_the_way(const std::string& id, const std::vector<Sight>& sights) {
  for (const Sight& sight : sights) see(sight);
  const auto order = std::ranges::find(unshared_, id, &Order::id);
  if (order == unshared_.end()) return;
  order->is_sent = false;
  // Nobody loses so many races: a key of it holds what cannot be read here.
  if (++order->times_refused > times_refused_max)
    return refused(
        id, "etcd refuses it again and again; is there a value that this version cannot read?");
  settle();
}

void Ledger::refused(const std::string& id, std::string why) {
  const auto found = std::ranges::find(unshared_, id, &Order::id);
  if (found == unshared_.end()) return;
  const Order order = std::move(*found);
  unshared_.erase(found);
  supersede(order, std::move(why));
}

void Ledger::cut_off() {
  in_touch_ = false;
  for (Order& order : unshared_) order.in_touch = order.is_sent = false;
}

// Against what is known now, the oldest first: an order that is there already was shared although
// nobody could tell us.
void Ledger::settle() {
  std::deque<Order> kept;
  while (!unshared_.empty()) {
    Order order = std::move(unshared_.front());
    unshared_.pop_front();
    if (order.is_anew) yield(order);
    if (order.fields.empty() || is_there(order)) {
      touch(order);
      follow(order);
    } else if (settles(order)) {
      kept.push_back(std::move(order));
    } else if (is_too_old(order)) {
      supersede(order, "it is too old to know whether somebody else changed it since");
    } else {
      supersede(order, "somebody else changed it while this instance was cut off");
    }
  }
  unshared_ = std::move(kept);
}

// Others share anew what the store forgot, too.
void Ledger::yield(Order& order) const {
  std::erase_if(order.fields, [this](const Order::Field& field) {
    const FieldValue* const now = stored(field.wish.key);
    const FieldValue* const ours = pointer_to(field.wish.value);
    return now != nullptr && (means_the_same(now, ours) || now->at_us >= ours->at_us);
  });
}

bool Ledger::is_too_old(const Order& order) const {
  if (order.in_touch || order.is_anew) return false;
  return std::ranges::any_of(order.fields, [this](const Order::Field& field) {
    const auto& ours = field.wish.value;
    return ours && ours->at_us < trusted_from_us_ && field.over == 0 &&
           stored(field.wish.key) == nullptr;
  });
}

std::vector<Order::Field> Ledger::taken_back_before(std::int64_t us, std::size_t most) const {
  std::vector<Order::Field> fields;
  for (const auto& [key, known] : known_) {
    if (fields.size() == most) break;
    const auto& value = known.value;
    const bool is_over = value && value->value == value->configured && value->at_us < us;
    if (is_over && !is_unshared(key)) fields.push_back({{key, std::nullopt}, known.revision});
  }
  return fields;
}

// True: it may go up, over what is known now.
bool Ledger::settles(Order& order) const {
  const bool is_free = std::ranges::all_of(order.fields, [&](const Order::Field& field) {
    const FieldValue* const now = stored(field.wish.key);
    const std::int64_t revision = now != nullptr ? revision_of(field.wish.key) : 0;
    return order.in_touch || order.is_anew || revision == field.over ||
           means_the_same(now, pointer_to(field.wish.value));
  });
  if (!is_free || is_too_old(order)) return false;
  for (Order::Field& field : order.fields)
    field.over = stored(field.wish.key) != nullptr ? revision_of(field.wish.key) : 0;
  return true;
}

// A value of it tells; and one that only takes away is there when all of it is gone.
bool Ledger::is_there(const Order& order) const {
  const bool any_value = std::ranges::any_of(
      order.fields, [](const Order::Field& field) { return field.wish.value.has_value(); });
  if (!any_value) {
    return std::ranges::all_of(order.fields, [this](const Order::Field& field) {
      return stored(field.wish.key) == nullptr;
    });
  }
  return std::ranges::any_of(order.fields, [&](const Order::Field& field) {
    const FieldValue* const now = stored(field.wish.key);
    return field.wish.value && now != nullptr && now->order == order.id;
  });
}

std::int64_t Ledger::revision_of(const FieldKey& key) const {
  const auto found = known_.find(key);
  return found != known_.end() ? found->second.revision : 0;
}

const FieldValue* Ledger::stored(const FieldKey& key) const {
  const auto found = known_.find(key);
  return found != known_.end() ? pointer_to(found->second.value) : nullptr;
}

void Ledger::touch(const Order& order) {
  for (const Order::Field& field : order.fields) touched_.insert(balancer_of(field.wish.key));
}

void Ledger::supersede(const Order& order, std::string why) {
  touch(order);
  Superseded lost{.order = order.id, .why = std::move(why)};
  for (const Order::Field& field : order.fields) {
    const FieldValue* const theirs = stored(field.wish.key);
    lost.fields.push_back({field.wish.key, field.wish.value,
                           theirs != nullptr ? std::optional(*theirs) : std::nullopt});
  }
  superseded_.push_back(std::move(lost));
}

const FieldValue* Ledger::value(const FieldKey& key) const {
  for (const Order& order : std::views::reverse(unshared_)) {
    for (const Order::Field& field : order.fields) {
      if (field.wish.key == key) return pointer_to(field.wish.value);
    }
  }
  return stored(key);
}

std::map<FieldKey, FieldValue> Ledger::values(const FieldKey& balancer) const {
  std::map<FieldKey, FieldValue> all;
  for (auto at = known_.lower_bound(balancer_of(balancer));
       at != known_.end() && is_of(at->first, balancer); ++at) {
    if (at->second.value) all.emplace(at->first, *at->second.value);
  }
  for (const Order& order : unshared_) {
    for (const Order::Field& field : order.fields) {
      const Wish& wish = field.wish;
      if (!is_of(wish.key, balancer)) continue;
      if (wish.value) all.insert_or_assign(wish.key, *wish.value);
      if (!wish.value) all.erase(wish.key);
    }
  }
  return all;
}

std::vector<Sight> Ledger::known() const {
  std::vector<Sight> all;
  for (const auto& [key, known] : known_) {
    if (known.value) all.push_back({{key, known.value}, known.revision});
  }
  return all;
}

std::size_t Ledger::changed() const {
  return static_cast<std::size_t>(std::ranges::count_if(known_, [](const auto& each) {
    const std::optional<FieldValue>& value = each.second.value;
    return value && value->value != value->configured;
  }));
}

std::set<FieldKey> Ledger::balancers() const {
  std::set<FieldKey> all;
  for (const auto& [key, known] : known_) {
    if (known.value) all.insert(balancer_of(key));
  }
  for (const Order& order : unshared_) {
    for (const Order::Field& field : order.fields) all.insert(balancer_of(field.wish.key));
  }
  return all;
}

std::set<FieldKey> Ledger::take_touched() { return std::exchange(touched_, {}); }
std::vector<Superseded> Ledger::take_superseded() { return std::exchange(superseded_, {}); }

}  // namespace steelyard::cluster
