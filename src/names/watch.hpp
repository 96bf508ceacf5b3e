#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/balancer.hpp"
#include "io/dialer.hpp"
#include "names/watcher.hpp"

// One name that is looked up, as long as somebody wants to know where it leads.
//
//   ask ──answer──▶ good: told to all, kept ──its time is over──▶ ask
//    └──nothing──▶ what was good stays good; who never had an answer is told why ──pause──▶ ask
//
// Threads: the loop's.

namespace steelyard::names {

// What is asked and for how long its answer counts: members that agree in both share a watch.
struct WatchKey {
  balance::NameMeaning meaning = balance::NameMeaning::one_member;
  std::string name;
  std::optional<std::chrono::seconds> ttl;  // addressttl=
  auto operator<=>(const WatchKey&) const = default;
};

// Who is told.
struct Listener {
  std::shared_ptr<balance::Balancer> balancer;
  balance::MemberRef member;  // none: the balancer has a member with resolve=
  auto key() const { return std::pair(balancer.get(), member.get()); }
};

class Watcher::Watch {
 public:
  Watch(Watcher& watcher, WatchKey key);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  [[nodiscard]] const WatchKey& key() const { return key_; }
  // Who is new among them is told what is known.
  void set_listeners(std::vector<Listener> listeners);
  void look_again();
  // The first lookup is over, whatever it said.
  [[nodiscard]] bool is_settled() const { return settled_; }

 private:
  class Clock final : public io::Timer {
   public:
    explicit Clock(Watch& watch) : watch_(watch) {}

   private:
    void expired() override { watch_.due(); }
    Watch& watch_;
  };

  void due();
  io::Task<> look_up();
  void finish(io::NameReply reply);
  void take(io::NameReply reply);
  void fail(std::string fault);
  void tell(const Listener& listener);
  [[nodiscard]] Duration answer_life(std::optional<Duration> said) const;
  [[nodiscard]] std::string places() const;

  Watcher& watcher_;
  const WatchKey key_;
  std::vector<Listener> listeners_;
  balance::AddressList addresses_;
  std::vector<balance::Service> services_;
  std::string fault_;  // of the last lookup; empty: it was answered
  std::string logged_fault_;
  int failures_ = 0;  // in a row
  bool settled_ = false, under_way_ = false;
  Instant last_end_ = Instant::min();
  Clock clock_{*this};
  io::Task<> lookup_;
};

}  // namespace steelyard::names
