#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.hpp"
#include "io/stream.hpp"
#include "proxy/connection_gate.hpp"
#include "proxy/counters.hpp"
#include "tls/client_context.hpp"

// An open connection to a member, with its place within the member's limit and in its counters.
//
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
  std::optional<std::uint16_t> source_port;       // of this end, once it was asked for
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

}  // namespace steelyard::proxy
