#pragma once

#include <memory>

#include "balance/scheme.hpp"
#include "proxy/backend/attempt_plan.hpp"
#include "proxy/backend/limits.hpp"
#include "proxy/backend_pool.hpp"
#include "proxy/client_side.hpp"
#include "proxy/failure.hpp"

// An attempt's connection to its member: from the pool, or a new one within the member's limit,
// with TLS where the member's scheme has it; and back to the pool, or closed.
//
// Threads: the shard's.

namespace steelyard::proxy {

class MemberLink {
 public:
  MemberLink(Exchange& x, Shard::Core& core, const ClientSide& client, const AttemptPlan& plan)
      : x_(x), core_(core), client_(client), plan_(plan) {}
  MemberLink(const MemberLink&) = delete;
  MemberLink& operator=(const MemberLink&) = delete;

  // A connection of an earlier exchange, if there is one that may be used.
  bool take_pooled();
  io::Task<Failure> connect();
  void close() { connection_.reset(); }
  // The exchange becomes a tunnel: the connection is its own from now on.
  std::unique_ptr<BackendConnection> release() { return std::move(connection_); }
  // The exchange is through with it and both messages ended as framed.
  void give_back();
  // The member closed what lay in the pool: a new connection shows whether it lives.
  void give_up_pooled();

  bool is_open() const { return connection_ != nullptr; }
  io::Stream& stream() const { return *connection_->stream; }
  // This connection had served another exchange; and: so had the first one of this attempt.
  bool reused() const { return reused_; }
  bool began_on_pooled() const { return began_on_pooled_; }
  // The member's counters; null for a member that is nobody's.
  MemberCells* cells();

 private:
  BackendPool* find_pool();
  [[nodiscard]] bool may_take_lane() const;
  bool is_tls() const { return balance::is_tls_scheme(plan_.lease.spec().scheme); }
  // Exchanges share connections: the stream is a lane on one.
  bool shares() const { return plan_.lease.spec().scheme.starts_with("h2"); }
  BackendPool::Keeping keeping() const;
  void find_tls();
  void note_source_port();
  [[gnu::noinline]] io::Task<Failure> secure();
  // The other proxy is asked for a connection to the member, within which TLS begins.
  [[gnu::noinline]] io::Task<Failure> ask_remote(Instant deadline);
  void begin_lane();
  // A lane on a connection that another exchange makes, or that is new. False: there was none in
  // time, and this exchange makes one.
  [[gnu::noinline]] io::Task<bool> await_lane(Instant until);
  LaneLine::Place place_in_line(bool may_dial);
  void adopt_pooled(std::unique_ptr<BackendConnection> connection);
  bool sends_body() const { return x_.request.body.has_bytes(); }
  // proxyprotocol=: for whom the connection is made. Before anything else is said on it.
  Failure announce();
  io::DialTarget dial_target() const;
  io::Task<Failure> wait_for_slot(std::shared_ptr<ConnectionGate> gate, Instant until);

  Exchange& x_;
  Shard::Core& core_;
  const ClientSide& client_;
  const AttemptPlan& plan_;
  std::shared_ptr<BackendPool> pool_;
  std::unique_ptr<BackendConnection> connection_;
  bool reused_ = false, began_on_pooled_ = false;
  Duration patience_left_ = settling_patience;  // for all connections of the attempt
  TlsWish tls_;                                 // once find_tls() was here
};

}  // namespace steelyard::proxy
