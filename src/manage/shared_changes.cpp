#include "manage/shared_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "balance/drains.hpp"
#include "base/text.hpp"
#include "cluster/limits.hpp"
#include "manage/control_answers.hpp"

namespace steelyard::manage {

namespace {

using balance::Change;
using cluster::FieldKey;
using cluster::FieldValue;
using cluster::News;
using cluster::Order;
using cluster::Wish;
using config::LogLevel;

// What changed in the store alone is written that late: it only tells whether somebody else changed
// something in a run that never heard of the store.
constexpr Duration keep_delay = std::chrono::seconds(1);
constexpr Duration keep_again_delay = std::chrono::seconds(5);

journal::BalancerKey key_of(const NamedBalancer& balancer) {
  return {.scope = balancer.scope, .name = balancer.state->name()};
}

std::int64_t unix_us(WallTime when) {
  return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
}

std::string text_of(const std::optional<FieldValue>& value) {
  return value ? steelyard::quoted(value->value) : "what the configuration says";
}

std::string name_of(const FieldKey& key) {
  return key.balancer + (key.member.empty() ? "" : " " + key.member) + ": " + key.field;
}

// Who changed it elsewhere. What is as configured again has lost who said so.
journal::Author author_elsewhere(const FieldValue* value) {
  if (value == nullptr) return {.who = {}, .from = "the cluster", .reason = {}};
  return {.who = value->who,
          .from = value->instance + (value->from.empty() ? "" : ", " + value->from),
          .reason = value->reason};
}

// Whether the change makes what the cluster says. Else that is left out here: the configurations
// differ, and what was changed before is no longer the cluster's.
bool counts_here(const FieldValue& value, const Change& change) {
  return value.value == change.after || change.field == "member" || change.field == "status";
}

journal::Author counted_no_more(const FieldValue& value) {
  return {.who = "the server",
          .from = {},
          .reason = fmt::format(
              "{} says {} in the cluster now, over a configuration with {}; here it says otherwise",
              value.instance, steelyard::quoted(value.value), steelyard::quoted(value.configured))};
}

}  // namespace

void SharedChanges::begin(std::optional<cluster::Kept> kept,
                          const std::vector<NamedBalancer>& balancers,
                          const std::set<const balance::Balancer*>& persistent,
                          const Moment& moment) {
  balancers_ = balancers;
  std::set<FieldKey> brought_back;
  for (const NamedBalancer& each : balancers) {
    if (persistent.contains(each.state.get())) brought_back.insert(shared_key(key_of(each)));
  }
  std::vector<Order> orders;
  if (kept && cluster::is_same_store(kept->store, parts_.store)) {
    ledger_.remember(std::move(kept->known));
    for (Order& order : kept->unshared) {
      const FieldKey& first = order.fields.front().wish.key;
      if (brought_back.contains({first.scope, first.balancer, {}, {}}))
        orders.push_back(std::move(order));
    }
  } else {
    for (const NamedBalancer& each : balancers) {
      if (!persistent.contains(each.state.get())) continue;
      const auto overlay = balance::Edits(*each.state).overlay();
      for (std::vector<Wish>& wishes : wishes_of(key_of(each), overlay)) {
        const journal::Author before{
            .who = {}, .from = {}, .reason = "changed before it joined the cluster"};
        stamp(wishes, before, moment.wall);
        Order order{.id = next_id()};
        for (Wish& wish : wishes) order.fields.push_back({std::move(wish), 0});
        orders.push_back(std::move(order));
      }
    }
  }
  if (!orders.empty()) {
    parts_.log(LogLevel::notice,
               fmt::format("cluster: {} orders of earlier are to be shared", orders.size()));
  }
  ledger_.restore(std::move(orders));
  (void)ledger_.take_touched();
  if (kept && cluster::is_same_store(kept->store, parts_.store))
    remember_stops(persistent, moment.now);
}

// The journal brought back N and S of a member, and the cluster knows of N alone: a drain that
// ended here stopped it, and nobody shall take that back because this program was restarted.
void SharedChanges::remember_stops(const std::set<const balance::Balancer*>& persistent,
                                   Instant now) {
  using balance::Flag;
  for (const NamedBalancer& each : balancers_) {
    if (!persistent.contains(each.state.get())) continue;
    for (const balance::MemberView& view : each.state->members()) {
      FieldKey key = shared_key(key_of(each));
      key.member = view.spec->name;
      key.field = "status";
      const FieldValue* const shared = ledger_.value(key);
      if (shared == nullptr || !orders_drain_alone(shared->value)) continue;
      balance::Drains(*each.state)
          .remember_stop(view.member, balance::DrainOrder::Pace::sessions_stay, now);
    }
  }
}

void SharedChanges::adopt(const std::vector<NamedBalancer>& balancers) {
  balancers_ = balancers;
  std::erase_if(left_out_, [&](const auto& each) {
    return std::ranges::none_of(balancers, [&](const NamedBalancer& balancer) {
      return shared_key(key_of(balancer)) == each.first;
    });
  });
  if (has_heard_) follow_all();
}

namespace {

// Without half a character (UTF-8) at the end.
std::string cut(const std::string& text) {
  std::size_t end = std::min(text.size(), cluster::author_bytes_max);
  const auto is_inside = [&] {
    return end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80;
  };
  while (end > 0 && is_inside()) --end;
  return text.substr(0, end);
}

}  // namespace

std::string SharedChanges::next_id() { return fmt::format("{}-{}", parts_.self.id, ++orders_); }

void SharedChanges::stamp(std::vector<Wish>& wishes, const journal::Author& author,
                          WallTime now) const {
  for (Wish& wish : wishes) {
    if (!wish.value) continue;
    wish.value->who = cut(author.who);
    wish.value->from = cut(author.from);
    wish.value->reason = cut(author.reason);
    wish.value->at_us = unix_us(now);
    wish.value->instance = parts_.self.name;
  }
}

void SharedChanges::leave() {
  keep_now();
  has_left_ = true;
}

std::expected<std::string, std::string> SharedChanges::propose(const journal::BalancerKey& balancer,
                                                               const std::vector<Change>& changes,
                                                               const balance::Overlay& after,
                                                               const journal::Author& author,
                                                               WallTime now) {
  if (has_left_) return std::unexpected("the server stops");
  auto wishes = wishes_of(balancer, changes, after, ledger_.values(shared_key(balancer)));
  if (wishes.empty()) return std::string();
  if (wishes.size() > cluster::order_fields_max)
    return std::unexpected(
        fmt::format("one order may change {} fields in a cluster", cluster::order_fields_max));
  const bool is_long = std::ranges::any_of(wishes, [](const Wish& wish) {
    const FieldKey& key = wish.key;
    return std::max({key.scope.size(), key.balancer.size(), key.member.size()}) >
               cluster::name_bytes_max ||
           (wish.value && std::max(wish.value->value.size(), wish.value->configured.size()) >
                              cluster::text_bytes_max);
  });
  if (is_long) return std::unexpected("a name or value is too long for a cluster");
  if (ledger_.unshared().size() >= cluster::unshared_max)
    return std::unexpected(
        fmt::format("{} changes are not shared with the cluster yet", cluster::unshared_max));
  stamp(wishes, author, now);
  std::string id = next_id();
  ledger_.order(id, std::move(wishes));
  if (auto kept = try_to_keep(); !kept) {
    ledger_.withdraw(id);
    (void)ledger_.take_touched();
    arm(parts_.loop.timers(), parts_.loop.now() + keep_again_delay);
    return std::unexpected(std::move(kept.error()));
  }
  return id;
}

void SharedChanges::decide(const std::string& proposal, Proposal is) {
  if (proposal.empty()) return;
  if (is == Proposal::made) return send_next();
  ledger_.withdraw(proposal);
  (void)ledger_.take_touched();
  is_dirty_ = true;
  keep_now();
}

void SharedChanges::send_next() {
  const Order* const next = ledger_.next();
  if (next == nullptr) return sweep();
  if (std::exchange(is_sent_, true)) return;
  ledger_.sent();
  parts_.send(*next, epoch_);
}

// What was taken back long ago is removed from the store. Not an order of the ledger's: where one
// of the fields is something else by now, nothing of it is done, and nobody has to know.
void SharedChanges::sweep() {
  const Instant now = parts_.loop.now();
  if (!ledger_.in_touch() || is_sent_ || has_left_ || now < next_sweep_) return;
  const std::int64_t before = unix_us(parts_.loop.wall_now() - cluster::taken_back_lifetime);
  Order order{.id = next_id(),
              .fields = ledger_.taken_back_before(before, cluster::order_fields_max)};
  // Whatever becomes of it: etcd is not to be asked in a loop.
  const bool is_all = order.fields.size() < cluster::order_fields_max;
  next_sweep_ = now + (is_all ? Duration(cluster::sweep_interval) : cluster::keep_alive_interval);
  if (order.fields.empty()) return;
  is_sent_ = true;
  parts_.send(order, epoch_);
}

void SharedChanges::hear(std::vector<News::Any> news) {
  for (News::Any& each : news) std::visit([this](auto& one) { take(one); }, each);
  tell_superseded();
  follow_touched();
  send_next();
}

void SharedChanges::take(News::Everything& news) {
  const bool was_cut_off = !ledger_.in_touch();
  is_sent_ = false;
  epoch_ = news.epoch;
  address_ = news.address;
  latest_ = news.revision;
  instances_.clear();
  for (cluster::Instance& each : news.instances) instances_[each.id] = std::move(each);
  const std::int64_t before = ledger_.highest();
  ledger_.distrust_before(unix_us(parts_.loop.wall_now() - cluster::order_lifetime));
  auto forgotten = ledger_.take_all(std::move(news.fields), news.revision);
  if (news.revision < before) share_anew(std::move(forgotten), before);
  keep_soon();
  if (!std::exchange(has_heard_, true)) follow_all();
  if (!was_cut_off) return;
  since_ = parts_.loop.wall_now();
  told_cut_off_ = false;
  why_.clear();
  parts_.log(LogLevel::notice,
             fmt::format("cluster: connected to etcd at {}: revision {}, {} instances, {} fields "
                         "are changed, {} orders to be shared",
                         parts_.addresses.at(address_), ledger_.revision(), instances_.size(),
                         ledger_.changed(), ledger_.unshared().size()));
}

// One order a member, as they were ordered, with who said so.
void SharedChanges::share_anew(std::vector<cluster::Wish> forgotten, std::int64_t before) {
  const std::size_t fields = forgotten.size();
  std::vector<Order> orders;
  for (Wish& wish : forgotten) {
    const FieldKey* const last = orders.empty() ? nullptr : &orders.back().fields.back().wish.key;
    const bool goes_along =
        last != nullptr && last->scope == wish.key.scope && last->balancer == wish.key.balancer &&
        last->member == wish.key.member && orders.back().fields.size() < cluster::order_fields_max;
    if (!goes_along) orders.push_back({.id = next_id()});
    orders.back().fields.push_back({std::move(wish), 0});
  }
  ledger_.share_anew(std::move(orders));
  went_back_ = fmt::format(
      "etcd went back from revision {} to {}: it lost what it had, or was restored from a backup. "
      "What is known here counts on, and {} fields are shared anew",
      before, ledger_.revision(), fields);
  went_back_at_ = parts_.loop.wall_now();
  parts_.log(LogLevel::warn, "cluster: " + went_back_);
}

bool SharedChanges::has_room_for(const News::Changes& news) const {
  std::size_t bytes = ledger_.bytes();
  for (const cluster::Sight& sight : news.fields) bytes += cluster::size_of(sight.field);
  return ledger_.size() + news.fields.size() <= cluster::fields_max &&
         bytes <= cluster::fields_bytes_max;
}

void SharedChanges::take(News::Changes& news) {
  for (cluster::Instance& each : news.came) {
    if (instances_.size() < cluster::instances_max) instances_[each.id] = std::move(each);
  }
  for (const std::string& each : news.gone) instances_.erase(each);
  if (!has_room_for(news)) {
    std::erase_if(news.fields, [this](const cluster::Sight& sight) {
      return sight.field.value && ledger_.value(sight.field.key) == nullptr;
    });
    parts_.log(LogLevel::error, fmt::format("cluster: there are more than {} fields or {} MiB of "
                                            "them; further ones are left out",
                                            cluster::fields_max, cluster::fields_bytes_max >> 20));
  }
  ledger_.take_changes(news.fields, news.revision);
  keep_soon();
}

void SharedChanges::take(News::Shared& news) {
  is_sent_ = false;
  ledger_.shared(news.order, news.revision);
  keep_soon();
}

void SharedChanges::take(News::InTheWay& news) {
  is_sent_ = false;
  ledger_.in_the_way(news.order, news.fields);
  keep_soon();
}

void SharedChanges::take(News::Refused& news) {
  is_sent_ = false;
  ledger_.refused(news.order, news.why);
  keep_soon();
}

std::string SharedChanges::as_user() const {
  return parts_.user.empty() ? "" : " as user " + steelyard::quoted(parts_.user);
}

// One line a change of state, and not one a try.
void SharedChanges::take(News::Lost& news) {
  is_sent_ = false;
  if (ledger_.in_touch() || !since_) since_ = parts_.loop.wall_now();
  ledger_.cut_off();
  why_ = parts_.addresses.at(news.address) + as_user() + ": " + news.why;
  if (std::exchange(told_cut_off_, true)) return;
  parts_.log(LogLevel::warn, fmt::format("cluster: cut off from etcd ({}); serving on with what is "
                                         "known, and trying again",
                                         why_));
}

void SharedChanges::take(News::Behind& news) { latest_ = news.latest; }

void SharedChanges::take(News::Senseless& news) {
  if (news.why.empty()) {
    senseless_.erase(news.key);
    return;
  }
  if (senseless_.size() >= cluster::reports_max) return;
  const auto [at, is_new] = senseless_.insert_or_assign(news.key, news.why);
  if (is_new)
    parts_.log(LogLevel::warn,
               fmt::format("cluster: {} is left out: {}", steelyard::quoted(news.key), news.why));
}

void SharedChanges::follow_all() {
  (void)ledger_.take_touched();
  for (const NamedBalancer& each : balancers_) follow(each);
}

void SharedChanges::follow_touched() {
  const auto touched = ledger_.take_touched();
  if (!has_heard_) return;
  for (const NamedBalancer& each : balancers_) {
    if (touched.contains(shared_key(key_of(each)))) follow(each);
  }
}

void SharedChanges::follow(const NamedBalancer& balancer) {
  const FieldKey whole = shared_key(key_of(balancer));
  auto wanted = instructions_of(ledger_.values(whole), balancer, [&](std::string_view name) {
    return parts_.knows_condition(balancer.scope, name);
  });
  const auto author = [&](const Change& change) {
    FieldKey key = whole;
    key.member = change.member;
    key.field = change.field;
    const FieldValue* const value = ledger_.value(key);
    if (value != nullptr && !counts_here(*value, change)) return counted_no_more(*value);
    return author_elsewhere(value);
  };
  const auto became = parts_.book.follow(balancer, wanted.overlay, author, moment());
  for (const Change& change : became.changes) {
    const journal::Author who = author(change);
    const bool has_both = !who.who.empty() && !who.from.empty();
    parts_.log(LogLevel::notice,
               change_text(balancer.label, change,
                           with_reason(who.who + (has_both ? ", " : "") + who.from, who.reason)));
  }
  for (const balance::Superseded& each : became.left_out) {
    FieldKey key = whole;
    key.member = each.member;
    key.field = each.edit.field;
    const std::string why = each.now == "gone"
                                ? "this configuration has no such member"
                                : "this configuration says " + steelyard::quoted(each.now) +
                                      ", and not " + steelyard::quoted(each.edit.configured) +
                                      " as where it was changed";
    wanted.left_out.push_back({std::move(key), why});
  }
  tell_left_out(balancer, std::move(wanted.left_out));
  const bool concerns_others = std::ranges::any_of(became.changes, [](const Change& change) {
    return change.field == "member" || change.field.starts_with("hc");
  });
  if (concerns_others) parts_.members_changed();
}

void SharedChanges::tell_left_out(const NamedBalancer& balancer, std::vector<LeftOut> left_out) {
  std::vector<LeftOut>& before = left_out_[shared_key(key_of(balancer))];
  std::size_t told = 0;
  for (const LeftOut& each : left_out) {
    if (std::ranges::find(before, each) != before.end() || ++told > cluster::reports_max) continue;
    parts_.log(LogLevel::warn,
               fmt::format("cluster: {} is left out here: {}", name_of(each.key), each.why));
  }
  before = std::move(left_out);
}

void SharedChanges::tell_superseded() {
  for (cluster::Superseded& lost : ledger_.take_superseded()) {
    ++superseded_count_;
    for (const cluster::Superseded::Field& field : lost.fields) {
      parts_.log(LogLevel::warn, fmt::format("cluster: {} was changed here to {}; {}: {} counts",
                                             name_of(field.key), text_of(field.ours), lost.why,
                                             text_of(field.theirs)));
      parts_.book.note_superseded({field.key.scope, field.key.balancer},
                                  {.member = field.key.member,
                                   .field = field.key.field,
                                   .before = field.ours ? field.ours->value : std::string(),
                                   .after = field.theirs ? field.theirs->value : std::string()},
                                  lost.why, moment());
    }
    superseded_.push_front({parts_.loop.wall_now(), std::move(lost)});
    if (superseded_.size() > cluster::reports_max) superseded_.pop_back();
  }
}

void SharedChanges::keep_soon() {
  if (parts_.keep == nullptr || std::exchange(is_dirty_, true)) return;
  arm(parts_.loop.timers(), parts_.loop.now() + keep_delay);
}

// Until it works: an order that was taken back must not be in the file for ever, or it would be
// shared after a restart.
void SharedChanges::keep_now() {
  if (!is_dirty_) return;
  const auto kept = try_to_keep();
  if (!kept && !std::exchange(told_not_kept_, true)) parts_.log(LogLevel::error, kept.error());
  if (!kept) arm(parts_.loop.timers(), parts_.loop.now() + keep_again_delay);
}

// What could not be kept is still to be kept.
std::expected<void, std::string> SharedChanges::try_to_keep() {
  is_dirty_ = false;
  if (parts_.keep == nullptr || has_left_) return {};
  const auto& unshared = ledger_.unshared();
  const std::string text = cluster::kept_text({.store = parts_.store,
                                               .known = ledger_.known(),
                                               .unshared = {unshared.begin(), unshared.end()}});
  auto kept = parts_.keep(text);
  is_dirty_ = !kept;
  if (!kept) return std::unexpected("what is shared could not be kept: " + kept.error());
  told_not_kept_ = false;
  return {};
}

ClusterView SharedChanges::view() const {
  const auto& unshared = ledger_.unshared();
  ClusterView view{.store = parts_.store,
                   .name = parts_.self.name,
                   .id = parts_.self.id,
                   .is_connected = ledger_.in_touch(),
                   .since = since_,
                   .why = since_ ? why_ : "nothing was heard of it yet" + as_user(),
                   .address = parts_.addresses.at(address_),
                   .revision = ledger_.revision(),
                   .latest = latest_,
                   .fields = ledger_.changed(),
                   .unshared = {unshared.begin(), unshared.end()},
                   .superseded = {superseded_.begin(), superseded_.end()},
                   .superseded_count = superseded_count_};
  if (!went_back_.empty()) view.went_back = Moment::text_of(went_back_at_) + ": " + went_back_;
  for (const auto& [id, instance] : instances_) view.instances.push_back(instance);
  for (const auto& [balancer, list] : left_out_)
    view.left_out.insert(view.left_out.end(), list.begin(), list.end());
  for (const FieldKey& key : ledger_.balancers()) {
    const bool is_here = std::ranges::any_of(
        balancers_, [&key](const NamedBalancer& each) { return shared_key(key_of(each)) == key; });
    if (!is_here) view.left_out.push_back({key, "this configuration has no such balancer"});
  }
  for (const auto& [key, why] : senseless_) view.senseless.push_back({key, why});
  return view;
}

}  // namespace steelyard::manage
