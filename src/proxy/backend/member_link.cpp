#include "proxy/backend/member_link.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/proxy_protocol.hpp"
#include "proxy/limits.hpp"
#include "proxy/timeline.hpp"
#include "proxy/web_scheme.hpp"

namespace steelyard::proxy {

namespace {

// Shared between a waiting coroutine and whoever grants it a slot, perhaps on another thread.
struct SlotWait {
  io::Loop* loop;
  io::Wait* wait = nullptr;  // the loop's thread only
  bool granted = false;
  bool abandoned = false;
};

// Whom a forward proxy must not connect to: a page of this server that is for clients on this
// machine would take whoever asks through us for one of them. A connection within a machine has the
// address that was dialed at both ends, unless that is a second one of its network: the one by
// which the client came may be, and those of Listen.
bool is_ourselves(const Exchange& x, const io::Stream& stream) {
  const Endpoint place = stream.dialed();
  const IpAddress& ip = place.ip;
  const bool is_here =
      ip.is_loopback() || ip.is_any() || ip == stream.local().ip || ip == x.client->local.ip;
  return std::ranges::any_of(x.generation->config().listens, [&](const config::Listen& each) {
    return each.port == place.port && (is_here || each.ip == ip);
  });
}

}  // namespace

io::Task<Failure> MemberLink::connect() {
  GateSlot slot;
  reused_ = false;
  expr::Attempt* const noted = open_attempt(x_);
  if (noted != nullptr) noted->slot_at = core_.now();
  const Instant acquired_by = plan_.times.acquire ? core_.now() + *plan_.times.acquire : never;
  const bool may_share = may_take_lane();
  if (may_share && co_await await_lane(acquired_by)) co_return Failure{};
  if (pool_ != nullptr && pool_->gate != nullptr) {
    // A reload may take the pool's gate away while this waits.
    const auto gate = pool_->gate;
    if (!gate->try_enter()) {
      Failure failure = co_await wait_for_slot(gate, acquired_by);
      if (failure || is_open()) co_return failure;
    }
    slot = GateSlot(gate);
  }
  const Instant began = core_.now();
  if (noted != nullptr) noted->dialed_at = began;
  std::optional<BackendPool::Dialing> dialing;
  if (may_share) dialing.emplace(*pool_);
  io::Dialed dialed = co_await core_.parts.dialer.dial(dial_target(), plan_.times.connect);
  if (!dialed) {
    const bool was_asked = plan_.remote == nullptr && !plan_.transient;
    if (was_asked && plan_.lease.spec().has_watched_name())
      core_.parts.group.look_again_for(plan_.lease.member());
    if (dialed.error().cause == io::DialFailure::Cause::exhausted)
      co_return Failure{Party::none, Cause::exhausted, false, std::move(dialed.error().text)};
    if (dialed.error().cause == io::DialFailure::Cause::barred)
      co_return Failure{Party::none, Cause::blocked, false, std::move(dialed.error().text)};
    const bool unknown = dialed.error().cause == io::DialFailure::Cause::no_such_name;
    co_return Failure{Party::backend, unknown ? Cause::no_such_name : Cause::connect, false,
                      std::move(dialed.error().text)};
  }
  if (x_.route.is_forward && plan_.remote == nullptr && is_ourselves(x_, **dialed))
    co_return Failure{Party::none, Cause::blocked, false, "it leads back to this server"};
  connection_ = std::make_unique<BackendConnection>();
  connection_->slot = std::move(slot);
  connection_->stream = std::move(*dialed);
  if (noted != nullptr) noted->connected_at = core_.now();
  if (pool_ != nullptr) {
    pool_->cells()->connect.observe(core_.now() - began);
    connection_->mark = OpenMark(pool_->cells());
  }
  Failure failure = announce();
  if (!failure && is_tls()) failure = co_await secure();
  if (failure) co_return failure;
  if (shares()) begin_lane();
  note_source_port();
  co_return Failure{};
}

// The note proxy-source-port, for logs. The port of a Unix socket is 0, as in httpd.
void MemberLink::note_source_port() {
  if (!leaves_notes(plan_.lease.spec().scheme)) return;
  std::optional<std::uint16_t>& port = connection_->source_port;
  if (!port) port = connection_->stream->local().port;
  x_.notes.set("proxy-source-port", x_.arena.decimal(*port));
}

// It is the first of what a fresh connection sends: there is room for it, or the connection broke.
Failure MemberLink::announce() {
  const balance::ProxyProtocol protocol = plan_.lease.spec().proxy_protocol;
  if (protocol == balance::ProxyProtocol::none) return {};
  const auto version =
      protocol == balance::ProxyProtocol::v1 ? http::ProxyVersion::v1 : http::ProxyVersion::v2;
  std::array<char, http::proxy_line_bytes_max> room;
  const std::size_t size =
      http::write_proxy_header(version, x_.client_endpoint(), x_.client->local, room);
  const std::string_view header(room.data(), size);
  const io::IoResult result = connection_->stream->write(std::span(&header, 1));
  if (result.status == io::IoStatus::ok && result.bytes == size) return {};
  connection_.reset();
  return {Party::backend, Cause::connect, false, "the connection broke before its PROXY header"};
}

BackendPool* MemberLink::find_pool() {
  const bool is_current = x_.generation == core_.generation;
  if (!plan_.transient) pool_ = core_.pool_of(plan_.lease.member(), plan_.lease.spec(), is_current);
  return pool_.get();
}

MemberCells* MemberLink::cells() {
  if (pool_ == nullptr && find_pool() == nullptr) return nullptr;
  return pool_->cells().get();
}

// A connection of an earlier exchange. One that was idle for long may be closing right now; a
// request that cannot be repeated is not risked on it.
// Without a context of its own an exchange must not speak through another host's connection, with
// its certificate and its checks.
bool MemberLink::may_take_lane() const {
  return shares() && pool_ != nullptr && plan_.reuses && !(is_tls() && tls_.context == nullptr);
}

bool MemberLink::take_pooled() {
  if (find_pool() == nullptr || !plan_.reuses) return false;
  const bool repeats = http::is_idempotent(x_.request.method_id);
  if (is_tls()) {
    find_tls();
    if (tls_.context == nullptr) return false;  // since a reload
  }
  const Duration ttl = keeping().idle_max;
  if (ttl != Duration{}) pool_->expire(core_.now() - ttl);
  const Instant idle_after = repeats ? Instant::min() : core_.now() - trusted_idle_time;
  auto connection =
      shares() ? pool_->take_lane(idle_after, sends_body(), tls_) : pool_->take(idle_after, tls_);
  if (connection == nullptr) return false;
  adopt_pooled(std::move(connection));
  return true;
}

void MemberLink::adopt_pooled(std::unique_ptr<BackendConnection> connection) {
  connection_ = std::move(connection);
  reused_ = began_on_pooled_ = true;
  if (expr::Attempt* const noted = open_attempt(x_)) {
    noted->pooled = true;
    noted->connected_at = core_.now();
  }
  pool_->cells()->reuses.add();
  note_source_port();
}

io::DialTarget MemberLink::dial_target() const {
  const balance::MemberSpec& spec = plan_.lease.spec();
  const config::ProxySettings& proxy = x_.server->proxy;
  io::DialTarget target;
  target.source = proxy.source_address;
  if (plan_.remote != nullptr) {
    target.host = plan_.remote->host;
    target.port = plan_.remote->port;
    return target;
  }
  if (spec.address) {
    target.addresses = std::make_shared<const std::vector<IpAddress>>(1, *spec.address);
    target.addresses_are_all = true;
  } else if (spec.has_watched_name()) {
    target.addresses = plan_.lease.member().addresses().list();
  }
  target.host = spec.host;
  target.port = spec.port;
  target.unix_path = spec.unix_socket_path;
  target.barred = proxy.blocked_addresses;
  target.address_ttl = spec.address_ttl;
  target.keep_alive_probes = spec.tcp_keepalive;
  target.receive_buffer_bytes = static_cast<std::uint32_t>(
      spec.receive_buffer_bytes.value_or(static_cast<int>(proxy.receive_buffer_bytes)));
  return target;
}

io::Task<Failure> MemberLink::wait_for_slot(std::shared_ptr<ConnectionGate> gate, Instant until) {
  io::Wait wait(client_.timer, until);
  auto state = std::make_shared<SlotWait>(SlotWait{&core_.parts.loop, &wait});
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
  const auto ticket = gate->enter_or_queue([state, gate] {
    state->loop->post([state, gate] {
      if (state->abandoned) return gate->leave();
      state->granted = true;
      if (state->wait != nullptr) state->wait->wake(io::Woken::ready);
    });
  });
  if (!ticket) co_return Failure{};
  Leave leave{state, gate, *ticket};
  // A lane of a connection that there is will do, too.
  std::optional<LaneLine::Stay> stay;
  if (may_take_lane()) stay.emplace(pool_->lane_line(), place_in_line(false), wait);
  // Not before the queue: a connection that became idle meanwhile would keep its slot.
  core_.parts.group.ask_for_room(&plan_.lease.member(), core_);
  co_await wait.called();
  if (auto lane = stay ? stay->take_lane() : nullptr) {
    adopt_pooled(std::move(lane));
    co_return Failure{};
  }
  leave.used = state->granted;
  if (leave.used) co_return Failure{};
  co_return Failure{Party::backend, Cause::pool_exhausted, false,
                    "all connections to the member are in use"};
}

void MemberLink::give_up_pooled() {
  connection_.reset();
  pool_->close_all();
  reused_ = false;
}

void MemberLink::give_back() {
  // A lane is through; its connection is in the pool already.
  if (shares()) return close();
  // Another shard's exchange waits for a slot: the connection makes room for it.
  const bool fits = plan_.reuses && pool_ != nullptr && connection_->stream->settle();
  if (!fits || connection_->slot.is_wanted()) return close();
  pool_->put(std::move(connection_), core_.now(), keeping());
}

BackendPool::Keeping MemberLink::keeping() const {
  const balance::PoolSpec& pool = plan_.lease.spec().pool;
  return {static_cast<std::size_t>(
              pool.connections_soft_max.value_or(pool.connections_max.value_or(1 << 20))),
          pool.idle_max.value_or(std::chrono::seconds(0))};
}

}  // namespace steelyard::proxy
