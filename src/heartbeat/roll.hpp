// The servers that were heard, by address, at most so many at a time.
//
// A server that was silent for `silence_max` is taken off. Time is an argument.
//
// Threads: the owner's.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"
#include "heartbeat/message.hpp"
#include "heartbeat/servers.hpp"

namespace steelyard::heartbeat {

class Roll {
 public:
  static constexpr Duration silence_max = std::chrono::seconds(30);
  // A full roll is not gone through for every stranger.
  static constexpr Duration sweep_period = std::chrono::seconds(1);

  explicit Roll(std::size_t servers_max) : servers_max_(servers_max) {}

  // Those heard first stay when there are more than the new limit.
  void limit(std::size_t servers_max) { servers_max_ = servers_max; }

  // False: there is no room for one more, and nobody on the roll was silent for long enough.
  bool note(const IpAddress& ip, const Message& message, Instant now);
  // True when somebody was taken off.
  bool drop_silent(Instant now);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::vector<Server> servers() const;

 private:
  struct Entry {
    Message message;
    Instant seen_at;
  };

  std::size_t servers_max_;
  std::map<IpAddress, Entry> entries_;
  Instant next_sweep_ = Instant::min();  // of a full roll
};

}  // namespace steelyard::heartbeat
