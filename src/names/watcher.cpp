#include "names/watcher.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "names/watch.hpp"

namespace steelyard::names {

namespace {

using balance::NameMeaning;

using Listeners = std::map<WatchKey, std::vector<Listener>>;

// Members as they are now, and configured members that stand for what a name leads to.
void listen_for(const proxy::Group& group, Listeners& listeners) {
  for (const balance::MemberView& view : group.state->members()) {
    if (view.spec->meaning != NameMeaning::one_member || !view.spec->has_watched_name()) continue;
    listeners[{NameMeaning::one_member, view.spec->host, view.spec->address_ttl}].push_back(
        {group.state, view.member});
  }
  std::set<WatchKey> asked;
  for (const balance::MemberSpec& member : group.spec->members) {
    if (member.meaning == NameMeaning::one_member) continue;
    // Which members there are is never settled for ever, nor for each connection anew.
    const bool follows = !member.address_ttl || member.address_ttl->count() <= 0;
    WatchKey key{member.meaning, member.host, follows ? std::nullopt : member.address_ttl};
    if (asked.insert(key).second) listeners[std::move(key)].push_back({group.state, {}});
  }
}

template <class Predicate>
bool any_member(const proxy::Generation& generation, Predicate predicate) {
  for (const proxy::ServerGroups& groups : generation.groups()) {
    for (const auto* list : {&groups.balancers, &groups.backends}) {
      for (const proxy::Group& group : *list) {
        if (std::ranges::any_of(group.spec->members, predicate)) return true;
        const auto now = group.state->spec();
        if (std::ranges::any_of(now->members, predicate)) return true;
      }
    }
  }
  return false;
}

}  // namespace

bool has_names(const proxy::Generation& generation) {
  return any_member(generation, &balance::MemberSpec::has_watched_name);
}

bool has_members_by_name(const proxy::Generation& generation) {
  return any_member(generation, [](const balance::MemberSpec& member) {
    return member.meaning != NameMeaning::one_member;
  });
}

Watcher::Watcher(WatcherParts parts)
    : parts_(std::move(parts)), collects_(std::make_shared<bool>(false)) {}

Watcher::~Watcher() = default;

void Watcher::adopt(const std::shared_ptr<const proxy::Generation>& generation) {
  generation_ = generation;
  collect();
}

void Watcher::collect() {
  Listeners wanted;
  std::set<const balance::Balancer*> seen;
  for (const proxy::ServerGroups& groups : generation_->groups()) {
    for (const auto* list : {&groups.balancers, &groups.backends}) {
      for (const proxy::Group& group : *list) {
        if (seen.insert(group.state.get()).second) listen_for(group, wanted);
      }
    }
  }
  by_member_.clear();
  std::map<WatchKey, std::unique_ptr<Watch>> known;
  for (auto& watch : watches_) known.emplace(watch->key(), std::move(watch));
  watches_.clear();
  for (auto& [key, listeners] : wanted) {
    const auto found = known.find(key);
    auto watch =
        found != known.end() ? std::move(found->second) : std::make_unique<Watch>(*this, key);
    for (const Listener& listener : listeners) {
      if (listener.member) by_member_[listener.member.get()] = watch.get();
    }
    watch->set_listeners(std::move(listeners));
    watches_.push_back(std::move(watch));
  }
}

// Not at once: a watch that tells of its answer may be what collect() ends.
void Watcher::members_changed() {
  if (parts_.members_changed) parts_.members_changed();
  if (*collects_) return;
  *collects_ = true;
  parts_.loop.defer([this, pending = std::weak_ptr<bool>(collects_)] {
    const auto still = pending.lock();
    if (!still) return;  // the watcher is gone
    *still = false;
    collect();
  });
}

void Watcher::when_settled(std::function<void()> settled) {
  settled_ = std::move(settled);
  tell_if_settled();
}

void Watcher::tell_if_settled() {
  if (!settled_) return;
  for (const auto& watch : watches_) {
    if (watch->key().meaning != NameMeaning::one_member && !watch->is_settled()) return;
  }
  std::exchange(settled_, nullptr)();
}

void Watcher::look_again(const balance::MemberRef& member) {
  const auto found = by_member_.find(member.get());
  if (found != by_member_.end()) found->second->look_again();
}

void Watcher::log(config::LogLevel level, const std::string& text) {
  const config::Server& server = *generation_->config().servers.front();
  if (level > server.log_levels.of("proxy")) return;
  proxy::ErrorLine line;
  line.level = level;
  line.module = "proxy";
  line.text = text;
  line.when = parts_.loop.wall_now();
  parts_.log.error(server.error_log, line);
}

}  // namespace steelyard::names
