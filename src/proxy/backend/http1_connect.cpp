#include <utility>

#include "proxy/backend/http1_attempt.hpp"
#include "proxy/limits.hpp"

// Getting a connection to the member: from the pool, or a new one within the member's limit.

namespace steelyard::proxy {

namespace {

// Shared between a waiting coroutine and whoever grants it a slot, perhaps on another thread.
struct SlotWait {
  io::Loop* loop;
  io::Wait* wait = nullptr;  // the loop's thread only
  bool granted = false;
  bool abandoned = false;
};

}  // namespace

io::Task<Failure> Http1Attempt::connect() {
  pool_ = &core_.pool_of(plan_.member, plan_.spec);
  if (plan_.reuses) {
    connection_ = pool_->take();
    // A connection that was idle for long may be closing right now; a request that cannot be
    // repeated is not risked on it.
    if (connection_ && !http::is_idempotent(x_.request.method_id) &&
        connection_->idle_since + trusted_idle_time < core_.now() &&
        !connection_->confirmed_at_first) {
      connection_.reset();
    }
    if (connection_) {
      reused_ = true;
      connected_ = true;
      co_return Failure{};
    }
  }
  GateSlot slot;
  if (pool_->gate) {
    if (!pool_->gate->try_enter()) {
      const Failure failure = co_await wait_for_slot(*pool_);
      if (failure) co_return failure;
    }
    slot = GateSlot(pool_->gate);
  }
  const balance::MemberSpec& spec = plan_.spec;
  io::DialTarget target;
  target.host = spec.host;
  target.port = spec.port;
  target.unix_path = spec.unix_socket_path;
  target.source = x_.server->proxy.source_address;
  target.address_ttl = spec.address_ttl;
  target.keep_alive_probes = spec.tcp_keepalive;
  target.receive_buffer_bytes = static_cast<std::uint32_t>(
      spec.receive_buffer_bytes.value_or(static_cast<int>(x_.server->proxy.receive_buffer_bytes)));
  io::Dialed dialed = co_await core_.parts.dialer.dial(target, plan_.times.connect);
  if (!dialed) {
    const bool unknown = dialed.error().cause == io::DialFailure::Cause::no_such_name;
    co_return Failure{Party::backend, unknown ? Cause::no_such_name : Cause::connect, false, false,
                      std::move(dialed.error().text)};
  }
  connection_ = std::make_unique<BackendConnection>();
  connection_->slot = std::move(slot);
  connection_->stream = std::move(*dialed);
  connection_->confirmed_at_first = connection_->stream->confirmed_bytes();
  connected_ = true;
  co_return Failure{};
}

io::Task<Failure> Http1Attempt::wait_for_slot(BackendPool& pool) {
  core_.parts.group.ask_for_room(&plan_.member, core_);
  io::Wait wait(client_.timer, plan_.times.acquire ? core_.now() + *plan_.times.acquire : never);
  auto state = std::make_shared<SlotWait>(SlotWait{&core_.parts.loop, &wait});
  const auto gate = pool.gate;
  // Whoever dies here while a grant is on its way gives the slot back there.
  struct Leave {
    std::shared_ptr<SlotWait> state;
    std::shared_ptr<ConnectionGate> gate;
    ConnectionGate::Ticket ticket;
    bool used = false;
    ~Leave() {
      state->wait = nullptr;
      if (used) return;
      if (state->granted) {
        gate->leave();
        return;
      }
      if (!gate->leave_queue(ticket)) state->abandoned = true;
    }
  };
  const auto ticket = gate->queue([state, gate] {
    state->loop->post([state, gate] {
      if (state->abandoned) return gate->leave();
      state->granted = true;
      if (state->wait != nullptr) state->wait->wake(io::Woken::ready);
    });
  });
  Leave leave{state, gate, ticket};
  co_await wait.called();
  leave.used = state->granted;
  if (leave.used) co_return Failure{};
  co_return Failure{Party::backend, Cause::pool_exhausted, false, false,
                    "all connections to the member are in use"};
}

}  // namespace steelyard::proxy
