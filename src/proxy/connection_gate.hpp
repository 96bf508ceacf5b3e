#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "balance/member.hpp"

// The limit on connections to one member (`max`), across all shards. A slot is an open connection,
// busy or idle. Who finds no slot waits in one queue, first come first served.
//
// Invariants: 1. never more slots are taken than the limit.
//             2. a slot that is given back while somebody waits passes to the first who waits.
// Threads: any.

namespace steelyard::proxy {

class ConnectionGate {
 public:
  explicit ConnectionGate(std::uint32_t slots) : slots_(slots) {}

  // Called with the slot taken, from whatever thread gave it back.
  using Grant = std::function<void()>;
  using Ticket = std::uint64_t;

  bool try_enter();
  // Nothing: a slot was free and is taken. Otherwise the caller stands in the queue.
  std::optional<Ticket> enter_or_queue(Grant grant);
  // False: the slot was granted already and is the caller's to use or give back.
  bool leave_queue(Ticket ticket);
  void leave();
  bool anyone_waits() const;
  std::size_t waiting() const;
  // Of those who wait so many more, or less, will have what they need without a slot of their own:
  // a lane on a connection of their shard. Who says so takes it back once they know that they have
  // it, or that it does not come.
  void count_helped(std::int64_t change);
  std::size_t helped() const;
  // There is one whom nothing but a slot helps, on whatever shard.
  bool anyone_waits_in_vain() const;
  // Slots that this makes free go to those who wait.
  void set_slots(std::uint32_t slots);

 private:
  struct Waiting {
    Ticket ticket;
    Grant grant;
  };
  bool may_enter() const { return taken_ < slots_ && waiting_.empty(); }
  // The first who waits gets a slot that was taken for him.
  Grant hand_over();

  mutable std::mutex lock_;
  std::uint32_t slots_, taken_ = 0;
  Ticket next_ticket_ = 1;
  std::deque<Waiting> waiting_;
  std::int64_t helped_ = 0;
};

// The gates of the members that have a limit. Kept by name-independent identity: the member object.
class GateRegistry {
 public:
  std::shared_ptr<ConnectionGate> gate_of(const balance::Member& member, std::uint32_t slots);
  // The member's, if it has one by now.
  std::shared_ptr<const ConnectionGate> find(const balance::Member& member) const;

 private:
  mutable std::mutex lock_;
  std::map<const balance::Member*, std::weak_ptr<ConnectionGate>> gates_;
};

}  // namespace steelyard::proxy
