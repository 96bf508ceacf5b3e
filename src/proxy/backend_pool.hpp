#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "balance/lease.hpp"
#include "base/time.hpp"
#include "io/stream.hpp"
#include "proxy/connection_gate.hpp"
#include "proxy/counters.hpp"
#include "tls/client_context.hpp"

// Connections of one shard to one member, kept for reuse: the one used last is taken first.
//
// Invariants: 1. a connection in the pool is silent and was open when it was put in; it is looked
//                at again before it is handed out.
//                A peer that closes meanwhile frees it at once.
//             2. a connection belongs to one exchange or lies in the pool.
//             3. an exchange holds the pool that it will give its connection back to: a reload may
//                retire it meanwhile.
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
  // Somebody waits for a slot like this one.
  bool is_wanted() const { return gate_ != nullptr && gate_->anyone_waits(); }

 private:
  void give_back() {
    if (gate_) std::exchange(gate_, nullptr)->leave();
  }
  std::shared_ptr<ConnectionGate> gate_;
};

// An open connection in the member's counters.
class OpenMark {
 public:
  OpenMark() = default;
  explicit OpenMark(std::shared_ptr<MemberCells> cells) : cells_(std::move(cells)) {
    cells_->open.add(1);
  }
  OpenMark(OpenMark&&) noexcept = default;
  OpenMark& operator=(OpenMark&& other) noexcept {
    std::swap(cells_, other.cells_);
    return *this;
  }
  ~OpenMark() {
    if (cells_) cells_->open.add(-1);
  }

 private:
  std::shared_ptr<MemberCells> cells_;
};

struct BackendConnection {
  GateSlot slot;
  OpenMark mark;
  std::unique_ptr<io::Stream> stream;  // dies before its slot is given back
  Instant idle_since{};
  std::uint32_t addresses_version = 0;            // of the member's, when its own was among them
  std::shared_ptr<const tls::ClientContext> tls;  // how TLS is spoken on it; null: not at all
  std::string tls_host;                           // whom it was made for
};

// What a connection with TLS has to be made by and for.
struct TlsWish {
  const tls::ClientContext* context = nullptr;  // null: no TLS
  std::string_view host;

  bool is_met_by(const BackendConnection& connection) const {
    return connection.tls != nullptr && connection.tls_host == host &&
           (connection.tls.get() == context || connection.tls->identity() == context->identity());
  }
};

class BackendPool final : private io::IdleWatcher {
 public:
  BackendPool(balance::MemberRef member, std::shared_ptr<MemberCells> cells)
      : member_(std::move(member)), cells_(std::move(cells)) {}
  ~BackendPool() { close_all(); }

  const balance::MemberRef& member() const { return member_; }
  // The member's on this shard.
  const std::shared_ptr<MemberCells>& cells() const { return cells_; }

  // The connection used last that is still open and leads where the member's name does now;
  // nullptr: none. When all were idle since before `idle_after`, the oldest makes room for the one
  // that the caller makes instead. Only one that meets `wish` fits.
  std::unique_ptr<BackendConnection> take(Instant idle_after, const TlsWish& wish = {});
  // `soft_max` and `idle_max` (zero: no limit) are smax and ttl: what is too old above smax goes.
  void put(std::unique_ptr<BackendConnection> connection, Instant now, std::size_t soft_max,
           Duration idle_max);
  void close_all();
  void close_oldest();
  // The member is gone from the configuration: what comes back from its last exchanges is closed.
  void retire() {
    retired_ = true;
    close_all();
  }

  // The gate when the member has a limit.
  std::shared_ptr<ConnectionGate> gate;

 private:
  bool leads_to_member(BackendConnection& connection) const;
  // Lays the one used last among those that meet it on top. False: there is none.
  bool bring_up(const TlsWish& wish);
  // A peer that ends or says something unasked: its connection is of no use.
  void idle_stream_stirred(io::Stream& stream) override;

  void count_idle() { cells_->idle.set(static_cast<std::int64_t>(idle_.size())); }

  balance::MemberRef member_;
  std::shared_ptr<MemberCells> cells_;
  bool retired_ = false;
  std::vector<std::unique_ptr<BackendConnection>> idle_;  // oldest first
};

}  // namespace steelyard::proxy
