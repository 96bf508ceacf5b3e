#pragma once

#include <functional>
#include <map>
#include <memory>

#include "io/dialer.hpp"
#include "io/loop.hpp"
#include "proxy/generation.hpp"
#include "proxy/log_sink.hpp"
#include "proxy/shard_group.hpp"

// Looks after the names of members, on a loop of its own: every name is looked up before a request
// needs it and again when its answer's time is over. What names lead to reaches the data path as
// lists that are replaced as a whole (balance::KnownAddresses) and, with resolve=, as members that
// come and go.
//
// Invariants: 1. an answer is only ever replaced by another one: a name that stops leading anywhere
//                leads where it did.
//             2. a name has at most one lookup under way.
//             3. the log hears of changes, not of lookups.
// Threads: the loop's.

namespace steelyard::names {

struct WatcherParts {
  io::Loop& loop;
  io::Resolver& resolver;
  proxy::LogSink& log;
  // Members came or went without a reload.
  std::function<void()> members_changed;
};

// Whether there is any name to look after, in the configuration or among added members.
bool has_names(const proxy::Generation& generation);
// Whether some of its members are what a name leads to: before the first answer they cannot serve.
bool has_members_by_name(const proxy::Generation& generation);

class Watcher {
 public:
  explicit Watcher(WatcherParts parts);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  void adopt(const std::shared_ptr<const proxy::Generation>& generation);
  // `settled` runs once, when every name of a member with resolve= was looked up, maybe at once.
  void when_settled(std::function<void()> settled);
  void look_again(const balance::MemberRef& member);

  std::size_t name_count() const { return watches_.size(); }

 private:
  class Watch;

  void collect();
  void members_changed();
  void tell_if_settled();
  void log(config::LogLevel level, const std::string& text);

  WatcherParts parts_;
  std::shared_ptr<const proxy::Generation> generation_;
  std::size_t under_way_ = 0;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::map<const balance::Member*, Watch*> by_member_;
  std::function<void()> settled_;
  std::shared_ptr<bool>
      collects_;  // a collect() is deferred while true; false: the watcher is gone
};

}  // namespace steelyard::names
