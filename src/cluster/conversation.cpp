#include "cluster/conversation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace steelyard::cluster {

using Kind = Question::Kind;

Conversation::Conversation(Options options) : options_(std::move(options)), random_(options_.seed) {
  CHECK(options_.addresses >= 1);
  address_ = random_() % options_.addresses;
}

void Conversation::start(Instant /*now*/) { begin(); }

void Conversation::ask(Kind kind, std::string path, std::string body) {
  out_.insert(kind);
  questions_.push_back({.kind = kind,
                        .address = address_,
                        .path = std::move(path),
                        .body = std::move(body),
                        .token = token_});
}

void Conversation::begin() {
  due_ = never;
  token_.clear();
  if (!options_.login) return get_lease();
  state_ = State::logging_in;
  ask(Kind::login, "/v3/auth/authenticate",
      ask::login(options_.login->user, options_.login->password));
}

void Conversation::get_lease() {
  state_ = State::granting;
  ask(Kind::grant, "/v3/lease/grant", ask::grant(lease_lifetime.count()));
}

void Conversation::read_anew() {
  state_ = State::reading;
  due_ = never;
  read_ = {};
  read_bytes_ = 0;
  for (const std::string& key : std::exchange(senseless_, {}))
    news_.emplace_back(News::Senseless{key, {}});
  next_key_ = root_of(options_.prefix);
  ask_page();
}

void Conversation::ask_page() {
  ask(Kind::read, "/v3/kv/range",
      ask::range({.from = next_key_,
                  .end = end_of(root_of(options_.prefix)),
                  .keys_max = page_keys_,
                  .revision = read_.revision}));
}

void Conversation::share(Order order, std::uint64_t epoch) {
  if (state_ != State::in_touch || epoch != epoch_) return;
  CHECK(!order_);
  order_ = std::move(order);
  ask(Kind::share, "/v3/kv/txn", ask::transaction(options_.prefix, *order_));
}

// Whatever was asked: its answers are of an earlier epoch now.
void Conversation::drop_all() {
  hang_up_ = true;
  out_.clear();
  questions_.clear();
  order_.reset();
  ++epoch_;
}

void Conversation::lose(const std::string& why, Instant now) {
  drop_all();
  lease_ = 0;
  state_ = State::waiting;
  const std::size_t where = std::exchange(address_, (address_ + 1) % options_.addresses);
  const Duration most = std::exchange(backoff_, std::min(backoff_ * 2, backoff_most));
  const auto half = static_cast<std::uint64_t>((most / 2).count());
  due_ = now + Duration(static_cast<Duration::rep>(half + random_() % (half + 1)));
  news_.emplace_back(News::Lost{.why = why, .address = where});
}

// A token may be over at any time: then there is a new one, without further ado.
void Conversation::fault(const EtcdFault& fault, Instant now) {
  if (!options_.login || !fault.asks_for_login() || login_is_fresh_) return lose(fault.text, now);
  drop_all();
  begin();
}

void Conversation::tick(Instant now) {
  if (now < due_) return;
  if (state_ == State::waiting) return begin();
  if (state_ == State::begins_watching) return lose("the watch does not begin", now);
  if (state_ != State::in_touch) return;
  due_ = now + keep_alive_interval;
  if (!out_.contains(Kind::keep_alive))
    ask(Kind::keep_alive, "/v3/lease/keepalive", ask::keep_alive(lease_));
}

void Conversation::answered(Kind kind, int status, std::string_view body, Instant now) {
  if (out_.erase(kind) == 0) return;
  switch (kind) {
    case Kind::login:
      return took_login(answer::login(status, body), now);
    case Kind::grant:
      return took_lease(answer::grant(status, body), now);
    case Kind::present:
      return took_presence(answer::put(status, body), now);
    case Kind::read:
      return took_page(answer::range(status, body), now);
    case Kind::keep_alive:
      return took_life(answer::keep_alive(status, body), now);
    case Kind::latest:
      return took_latest(answer::range(status, body), now);
    case Kind::share:
      return took_order(answer::transaction(status, body), now);
    case Kind::watch:
      return fault(answer::fault(status, body), now);
  }
}

void Conversation::failed(Kind kind, const std::string& why, Instant now) {
  if (out_.erase(kind) != 0) lose(why, now);
}

void Conversation::overflowed(Kind kind, Instant now) {
  if (out_.erase(kind) == 0) return;
  if (kind != Kind::read || page_keys_ == 1)
    return lose(fmt::format("an answer is longer than {} bytes", answer_bytes_max), now);
  page_keys_ = std::max<std::size_t>(page_keys_ / 8, 1);
  ask_page();
}

void Conversation::took_login(EtcdAnswer<std::string> answer, Instant now) {
  if (!answer) return lose("login: " + answer.error().text, now);
  token_ = std::move(*answer);
  login_is_fresh_ = true;
  get_lease();
}

void Conversation::took_lease(EtcdAnswer<Lease> answer, Instant now) {
  if (!answer) return fault(answer.error(), now);
  lease_ = answer->id;
  state_ = State::presenting;
  const Instance& self = options_.instance;
  ask(Kind::present, "/v3/kv/put",
      ask::put(instance_key(options_.prefix, self.id), instance_text(self), lease_));
}

void Conversation::took_presence(const EtcdAnswer<void>& answer, Instant now) {
  if (!answer) return fault(answer.error(), now);
  read_anew();
}

void Conversation::took_page(EtcdAnswer<Range> answer, Instant now) {
  if (!answer) {
    // So many pages that their revision was compacted meanwhile: from the start.
    if (answer.error().code == EtcdFault::out_of_range && read_.revision != 0) return read_anew();
    return fault(answer.error(), now);
  }
  if (read_.revision == 0) read_.revision = answer->revision;
  const bool has_more = answer->has_more && !answer->keys.empty();
  if (has_more) next_key_ = answer->keys.back().key + '\0';
  take_keys(std::move(answer->keys));
  const bool has_room = read_.fields.size() < fields_max && read_bytes_ < fields_bytes_max;
  if (has_more && has_room) return ask_page();
  if (has_more) {
    news_.emplace_back(News::Senseless{
        next_key_, fmt::format("there are more than {} fields or {} MiB of them; the rest is left "
                               "out",
                               fields_max, fields_bytes_max >> 20)});
  }
  state_ = State::begins_watching;
  due_ = now + answer_timeout;
  const std::string root = root_of(options_.prefix);
  ask(Kind::watch, "/v3/watch", ask::watch(root, end_of(root), read_.revision + 1));
}

void Conversation::streamed(std::string_view text, Instant now) {
  if (!out_.contains(Kind::watch)) return;
  auto line = answer::watch(text);
  if (!line) return fault(line.error(), now);
  if (line->is_compacted) {
    drop_all();
    return read_anew();
  }
  if (!line->cancelled.empty())
    return fault({.code = 0, .text = "the watch: " + line->cancelled}, now);
  if (line->is_created && state_ == State::begins_watching) {
    state_ = State::in_touch;
    backoff_ = backoff_first;
    login_is_fresh_ = false;
    due_ = now;
    revision_ = latest_ = read_.revision;
    read_.address = address_;
    read_.epoch = epoch_;
    news_.emplace_back(std::exchange(read_, {}));
  }
  if (!line->events.empty()) take_events(std::move(*line));
}

void Conversation::take_events(WatchLine line) {
  News::Changes changes{.revision = line.revision};
  for (KeyValue& event : line.events) {
    const std::string folder = instances_folder(options_.prefix);
    if (!event.key.starts_with(folder)) {
      if (auto sight = sight_of(event)) changes.fields.push_back(std::move(*sight));
      continue;
    }
    auto instance = read_instance(event.key.substr(folder.size()),
                                  event.is_gone ? R"({"name": ""})" : event.value);
    if (!instance) {
      complain(event.key, std::move(instance.error()));
    } else if (event.is_gone) {
      changes.gone.push_back(instance->id);
    } else {
      changes.came.push_back(std::move(*instance));
    }
  }
  revision_ = std::max(revision_, line.revision);
  news_.emplace_back(std::move(changes));
}

void Conversation::take_keys(std::vector<KeyValue> keys) {
  for (KeyValue& key : keys) {
    if (key.key.starts_with(instances_folder(options_.prefix))) {
      take_instance(std::move(key));
    } else if (auto sight = sight_of(key)) {
      read_bytes_ += size_of(sight->field);
      read_.fields.push_back(std::move(*sight));
    }
  }
}

void Conversation::take_instance(KeyValue key) {
  if (read_.instances.size() >= instances_max) return;
  const std::size_t folder = instances_folder(options_.prefix).size();
  auto instance = read_instance(key.key.substr(folder), key.value);
  if (instance) {
    read_.instances.push_back(std::move(*instance));
  } else {
    complain(key.key, std::move(instance.error()));
  }
}

void Conversation::complain(const std::string& key, std::string why) {
  if (senseless_.size() < reports_max) senseless_.insert(key);
  news_.emplace_back(News::Senseless{key, std::move(why)});
}

void Conversation::forget_complaint(const std::string& key) {
  if (senseless_.erase(key) != 0) news_.emplace_back(News::Senseless{key, {}});
}

// A value that says nothing sensible is none: where it stands, the configuration counts.
std::optional<Sight> Conversation::sight_of(const KeyValue& key) {
  const std::string folder = changes_folder(options_.prefix);
  auto field = key.key.starts_with(folder)
                   ? read_key(std::string_view(key.key).substr(folder.size()))
                   : std::unexpected(std::string("there is nothing of this name"));
  if (key.is_gone) forget_complaint(key.key);
  if (!field) {
    if (!key.is_gone) complain(key.key, std::move(field.error()));
    return std::nullopt;
  }
  Sight sight{.field = {.key = std::move(*field), .value = {}}, .revision = key.revision};
  if (key.is_gone) return sight;
  auto value = read_value(key.value);
  if (value) {
    sight.field.value = std::move(*value);
    forget_complaint(key.key);
  } else {
    complain(key.key, std::move(value.error()));
  }
  return sight;
}

// Each time, whoever else writes into the store: is there a change of ours that the watch is silent
// about?
void Conversation::took_life(EtcdAnswer<Lease> answer, Instant now) {
  if (!answer) return fault(answer.error(), now);
  if (answer->lifetime_seconds == 0) {
    // It ran out, and the others think that we are gone.
    drop_all();
    return get_lease();
  }
  if (out_.contains(Kind::latest)) return;
  const std::string root = root_of(options_.prefix);
  ask(Kind::latest, "/v3/kv/range", ask::latest(root, end_of(root)));
}

void Conversation::took_latest(EtcdAnswer<Range> answer, Instant now) {
  if (!answer) return fault(answer.error(), now);
  const std::int64_t latest = answer->keys.empty() ? 0 : answer->keys.front().revision;
  const bool was_behind = latest_ > revision_;
  latest_ = std::max(latest, revision_);
  news_.emplace_back(News::Behind{latest_});
  if (!was_behind || latest_ <= revision_) return;
  // Twice: the watch had all the time between them.
  drop_all();
  read_anew();
}

void Conversation::took_order(EtcdAnswer<Written> answer, Instant now) {
  if (!order_) return;
  if (!answer && answer.error().code == EtcdFault::invalid_argument &&
      !answer.error().asks_for_login()) {
    news_.emplace_back(News::Refused{order_->id, "etcd refuses it: " + answer.error().text});
    order_.reset();
    return;
  }
  if (!answer) return fault(answer.error(), now);
  const Order order = std::move(*order_);
  order_.reset();
  if (answer->done) {
    news_.emplace_back(News::Shared{order.id, answer->revision});
    return;
  }
  News::InTheWay way{.order = order.id};
  for (const Order::Field& field : order.fields) {
    const std::string key = key_text(options_.prefix, field.wish.key);
    const auto found = std::ranges::find(answer->in_the_way, key, &KeyValue::key);
    if (found == answer->in_the_way.end()) {
      way.fields.push_back({{field.wish.key, std::nullopt}, answer->revision});
    } else if (auto sight = sight_of(*found)) {
      way.fields.push_back(std::move(*sight));
    }
  }
  news_.emplace_back(std::move(way));
}

}  // namespace steelyard::cluster
