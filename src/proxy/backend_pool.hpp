#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "balance/lease.hpp"
#include "base/time.hpp"
#include "io/stream.hpp"
#include "proxy/connection_gate.hpp"

// Connections of one shard to one member, kept for reuse: the one used last is taken first.
//
// Invariants: 1. a connection in the pool is silent and was open when it was put in; it is looked
//                at again before it is handed out.
//             2. a connection belongs to one exchange or lies in the pool.
// Threads: the shard's.

namespace steelyard::proxy {

// A slot of the member's gate, given back when the connection dies.
class GateSlot {
 public:
  GateSlot() = default;
  explicit GateSlot(std::shared_ptr<ConnectionGate> gate) : gate_(std::move(gate)) {}
  GateSlot(GateSlot&&) noexcept = default;
  GateSlot& operator=(GateSlot&& other) noexcept {
    give_back();
    gate_ = std::move(other.gate_);
    return *this;
  }
  ~GateSlot() { give_back(); }

 private:
  void give_back() {
    if (gate_) std::exchange(gate_, nullptr)->leave();
  }
  std::shared_ptr<ConnectionGate> gate_;
};

struct BackendConnection {
  GateSlot slot;
  std::unique_ptr<io::Stream> stream;  // dies before its slot is given back
  std::uint32_t served = 0;            // exchanges completed on it
  Instant idle_since{};
  std::uint64_t sent_bytes = 0;  // by all exchanges
  // What the peer's system had confirmed before any of them; nullopt: nobody can tell.
  std::optional<std::uint64_t> confirmed_at_first;
};

class BackendPool {
 public:
  explicit BackendPool(balance::MemberRef member) : member_(std::move(member)) {}

  const balance::MemberRef& member() const { return member_; }

  // The connection used last that is still open; nullptr: none.
  std::unique_ptr<BackendConnection> take();
  // `soft_max` and `idle_max` (zero: no limit) are smax and ttl: what is too old above smax goes.
  void put(std::unique_ptr<BackendConnection> connection, Instant now, std::size_t soft_max,
           Duration idle_max);
  void close_all() { idle_.clear(); }
  void close_oldest() {
    if (!idle_.empty()) idle_.erase(idle_.begin());
  }
  std::size_t idle_count() const { return idle_.size(); }

  // The gate when the member has a limit.
  std::shared_ptr<ConnectionGate> gate;

 private:
  balance::MemberRef member_;
  std::vector<std::unique_ptr<BackendConnection>> idle_;  // oldest first
};

}  // namespace steelyard::proxy
