#include "names/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "io/address_cache.hpp"
#include "names/limits.hpp"

namespace steelyard::names {

namespace {

using balance::NameMeaning;
using config::LogLevel;

bool same_set(std::vector<IpAddress> some, std::vector<IpAddress> others) {
  std::ranges::sort(some);
  std::ranges::sort(others);
  return some == others;
}

// It goes into URLs and Host fields.
bool is_host_name(std::string_view text) {
  constexpr std::size_t length_max = 253;
  return !text.empty() && text.size() <= length_max && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '-' || c == '_' || c == '.';
  });
}

std::vector<balance::Service> services_in(const io::NameReply& reply) {
  std::vector<balance::Service> services;
  for (const io::ServiceRecord& record : reply.services) {
    std::string host = to_lower(record.target);
    if (host.ends_with('.')) host.pop_back();
    if (!is_host_name(host)) continue;
    services.push_back({record.priority, record.weight, record.port, std::move(host)});
  }
  std::ranges::sort(services);
  return services;
}

}  // namespace

Watcher::Watch::Watch(Watcher& watcher, WatchKey key) : watcher_(watcher), key_(std::move(key)) {
  clock_.arm(watcher_.parts_.loop.timers(), watcher_.parts_.loop.now());
}

Watcher::Watch::~Watch() {
  if (under_way_) --watcher_.under_way_;
}

void Watcher::Watch::set_listeners(std::vector<Listener> listeners) {
  std::set<std::pair<balance::Balancer*, balance::Member*>> told;
  for (const Listener& listener : listeners_) told.insert(listener.key());
  listeners_ = std::move(listeners);
  if (!settled_) return;
  for (const Listener& listener : listeners_) {
    if (!told.contains(listener.key())) tell(listener);
  }
}

void Watcher::Watch::look_again() {
  const Instant now = watcher_.parts_.loop.now();
  if (under_way_ || last_end_ == Instant::min()) return;
  const Instant earliest = std::max(now, last_end_ + look_again_pause);
  if (earliest < clock_.deadline()) clock_.arm(watcher_.parts_.loop.timers(), earliest);
}

void Watcher::Watch::due() {
  io::Loop& loop = watcher_.parts_.loop;
  if (under_way_) {
    fail("the lookup did not end");
    lookup_ = {};
    under_way_ = false;
    --watcher_.under_way_;
    return;
  }
  if (watcher_.under_way_ >= lookups_under_way_max) {
    clock_.arm(loop.timers(), loop.now() + crowded_pause);
    return;
  }
  ++watcher_.under_way_;
  under_way_ = true;
  clock_.arm(loop.timers(), loop.now() + lookup_time_max);
  lookup_ = look_up();
  lookup_.start();
}

io::Task<> Watcher::Watch::look_up() {
  const auto question = key_.meaning == NameMeaning::services ? io::NameQuestion::services
                                                              : io::NameQuestion::addresses;
  io::NameReply reply = co_await watcher_.parts_.resolver.ask(key_.name, question);
  finish(std::move(reply));
}

void Watcher::Watch::finish(io::NameReply reply) {
  under_way_ = false;
  --watcher_.under_way_;
  if (reply.empty()) {
    fail(reply.fault.empty() ? "the answer is empty" : std::move(reply.fault));
  } else {
    take(std::move(reply));
  }
}

// How long an answer counts that its records give so long.
Duration Watcher::Watch::answer_life(std::optional<Duration> said) const {
  if (!key_.ttl) return io::AddressCache::bounded(said);
  return std::max<Duration>(*key_.ttl, io::AddressCache::ttl_min);
}

void Watcher::Watch::take(io::NameReply reply) {
  io::Loop& loop = watcher_.parts_.loop;
  last_end_ = loop.now();
  const bool is_first = addresses_ == nullptr && services_.empty();
  const bool for_ever = key_.ttl == balance::address_ttl_for_ever;
  if (for_ever) {
    clock_.disarm();
  } else {
    clock_.arm(loop.timers(), loop.now() + answer_life(reply.ttl));
  }
  const std::string before = places();
  bool changed = is_first;
  if (key_.meaning == NameMeaning::services) {
    auto services = services_in(reply);
    if (services.empty()) return fail("the answer is empty");
    changed = changed || services != services_;
    services_ = std::move(services);
  } else {
    const std::size_t most = key_.meaning == NameMeaning::one_member ? addresses_of_member_max
                                                                     : balance::members_of_name_max;
    std::vector<IpAddress>& found = reply.addresses;
    if (found.size() > most) {
      // The same ones every time, whatever order they come in.
      std::ranges::sort(found);
      found.resize(most);
    }
    changed = changed || !same_set(found, *addresses_);
    if (changed) addresses_ = std::make_shared<const std::vector<IpAddress>>(std::move(found));
  }
  const bool was_silent = !logged_fault_.empty();
  fault_.clear();
  logged_fault_.clear();
  failures_ = 0;
  settled_ = true;
  if (changed && !is_first) {
    watcher_.log(LogLevel::notice,
                 fmt::format("{} leads to {} now, no longer to {}", key_.name, places(), before));
  } else if (was_silent) {
    watcher_.log(LogLevel::notice, fmt::format("{} is answered again: {}", key_.name, places()));
  } else if (is_first) {
    watcher_.log(LogLevel::info, fmt::format("{} leads to {}", key_.name, places()));
  }
  if (changed) {
    for (const Listener& listener : listeners_) tell(listener);
  }
  watcher_.tell_if_settled();
}

void Watcher::Watch::fail(std::string fault) {
  io::Loop& loop = watcher_.parts_.loop;
  last_end_ = loop.now();
  Duration pause = retry_first;
  for (int i = 0; i < failures_ && pause < retry_max; ++i) pause *= 2;
  ++failures_;
  clock_.arm(loop.timers(), loop.now() + std::min(pause, retry_max));
  fault_ = std::move(fault);
  const bool has_answer = addresses_ != nullptr || !services_.empty();
  if (fault_ != logged_fault_) {
    logged_fault_ = fault_;
    watcher_.log(
        LogLevel::warn,
        has_answer ? fmt::format("looking up {} failed: {}; it goes on leading to {}", key_.name,
                                 fault_, places())
                   : fmt::format("looking up {} failed: {}; it leads nowhere until it is answered",
                                 key_.name, fault_));
  }
  settled_ = true;
  if (!has_answer) {
    for (const Listener& listener : listeners_) tell(listener);
  }
  watcher_.tell_if_settled();
}

void Watcher::Watch::tell(const Listener& listener) {
  const Instant now = watcher_.parts_.loop.now();
  balance::Balancer& balancer = *listener.balancer;
  const bool has_answer = addresses_ != nullptr || !services_.empty();
  if (key_.meaning == NameMeaning::one_member && has_answer) {
    balancer.take_addresses(listener.member, addresses_, now);
  } else if (has_answer) {
    balancer.take_answer(
        key_.meaning, key_.name,
        {.addresses = addresses_ ? *addresses_ : std::vector<IpAddress>(), .services = services_},
        now);
    watcher_.members_changed();
  } else if (listener.member) {
    balancer.name_failed(listener.member, fault_, now);
  } else {
    // The configured members stand for themselves until there is an answer.
    for (const balance::MemberView& view : balancer.members()) {
      if (view.spec->meaning == key_.meaning && view.spec->host == key_.name)
        balancer.name_failed(view.member, fault_, now);
    }
  }
}

std::string Watcher::Watch::places() const {
  std::string text;
  const auto add = [&text](std::string place) { text += (text.empty() ? "" : ", ") + place; };
  if (addresses_ != nullptr) {
    for (const IpAddress& address : *addresses_) add(address.text());
  }
  for (const balance::Service& service : services_) {
    add(fmt::format("{}:{} (priority {}, weight {})", service.host, service.port, service.priority,
                    service.weight));
  }
  return text;
}

}  // namespace steelyard::names
