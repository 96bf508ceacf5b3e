#include "proxy/client/http1_connection.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "proxy/bought_time.hpp"
#include "proxy/client/http2_session.hpp"
#include "proxy/client/serving.hpp"
#include "proxy/limits.hpp"
#include "tls/hosts.hpp"

namespace steelyard::proxy {

ClientConnection::ClientConnection(Shard::Core& core, std::unique_ptr<io::Stream> stream,
                                   const Endpoint& peer)
    : core_(core), stream_(std::move(stream)), timer_(core.timers()), life_(live()) {
  facts_.process = &core.parts.process;
  facts_.peer = peer;
  facts_.local = stream_->local();
  facts_.peer_text_bytes =
      static_cast<std::uint8_t>(peer.ip.write(facts_.peer_text.data(), facts_.peer_text.size()));
  facts_.local_text_bytes = static_cast<std::uint8_t>(
      facts_.local.ip.write(facts_.local_text.data(), facts_.local_text.size()));
}

ClientConnection::~ClientConnection() = default;

const config::Server& ClientConnection::first_server() const {
  if (first_server_ == nullptr || first_server_of_ != core_.adoptions) {
    first_server_of_ = core_.adoptions;
    first_server_ = &core_.generation->hosts().group(facts_.local).first();
  }
  return *first_server_;
}

io::Task<> ClientConnection::live() {
  const End end = co_await talk();
  if (end.tunnel) {
    co_await run(*end.tunnel);
    end_request();
  }
  // A client that has its answer finds the line about it on its way to the log.
  core_.parts.log.turn_ended();
  stream_->end_writing();
  if (!stream_->settle()) co_await wait_until_sent();
  if (end.next == Next::linger) co_await linger();
  facts_.tls = nullptr;
  stream_.reset();
  if (workspace_) core_.give_back(std::move(workspace_));
  core_.retire(*this);
}

io::Task<ClientConnection::End> ClientConnection::talk() {
  Next next = expects_proxy_header() ? co_await read_proxy_header() : Next::another;
  if (next == Next::another && start_tls()) next = co_await greet();
  if (next == Next::another && has_chosen_http2()) next = co_await speak_http2();
  while (next == Next::another) {
    const HeadEnd end = co_await read_head();
    if (end == HeadEnd::http2) {
      next = co_await speak_http2();
    } else if (end == HeadEnd::complete && asks_for_http2()) {
      next = co_await switch_to_http2();
    } else if (end == HeadEnd::complete) {
      take_head();
      Serving::End served = co_await Serving::serve(core_, side());
      next = next_step(served.received_all);
      if (served.tunnel) co_return End{next, std::move(served.tunnel)};
      end_request();
    } else {
      next = co_await refuse_head(end);
    }
    if (core_.draining && next == Next::another) next = Next::close;
  }
  co_return End{next};
}

io::Task<ClientConnection::Next> ClientConnection::refuse_head(HeadEnd end) {
  if (end == HeadEnd::timed_out) co_return co_await answer_timeout();
  if (end == HeadEnd::fault) co_return co_await answer_fault();
  co_return Next::close;
}

io::Task<> ClientConnection::wait_until_sent() {
  const Instant deadline = core_.now() + first_server().client.timeout;
  while (!stream_->settle()) {
    io::Wait wait(timer_, deadline);
    if (co_await wait.writable(*stream_) == io::Woken::timed_out) co_return;
  }
}

Instant ClientConnection::idle_deadline() const {
  const config::ClientSettings& settings = first_server().client;
  const bool first = facts_.requests_before == 0;
  const Duration patience = first ? settings.timeout : settings.keep_alive_timeout;
  // KeepAliveTimeout 0: only what is here already is served.
  const bool limited = !first || patience.count() > 0;
  return limited ? core_.now() + patience : never;
}

// RequestReadTimeout: `first`, and more for what was received, up to `most`.
Instant ClientConnection::head_deadline(Instant began) const {
  const config::ClientSettings& settings = first_server().client;
  const config::ReadTimeout& limit = settings.read_header;
  Duration allowed = settings.timeout;
  if (limit.first.count() > 0) {
    allowed = limit.first;
    if (limit.bytes_per_second != 0) {
      allowed += bought_time(limit, workspace_->client_head.data().size());
      if (limit.most.count() > 0) allowed = std::min(allowed, limit.most);
    }
  }
  return began + allowed;
}

io::Task<ClientConnection::HeadEnd> ClientConnection::read_head() {
  bool began = workspace_ && !workspace_->client_head.empty();
  if (began) {
    workspace_->client_head.compact();
    begin_request();
  }
  while (true) {
    // Until the first byte of a request nothing is held but the connection itself.
    if (!began) {
      if (workspace_) core_.give_back(std::move(workspace_));
      io::Wait wait(timer_, idle_deadline());
      if (co_await wait.readable(*stream_) == io::Woken::timed_out) co_return HeadEnd::closed;
      workspace_ = core_.borrow_workspace();
      begin_request();
      began = true;
    }
    // The workspace may be another one after each wait.
    ReadBuffer& buffer = workspace_->client_head;
    const Preface preface = facts_.requests_before == 0 ? look_for_preface() : Preface::none;
    if (preface == Preface::whole) co_return HeadEnd::http2;
    if (preface == Preface::none && !buffer.empty()) {
      const auto progress = reader_.read(buffer.data(), exchange().request);
      if (!progress) {
        fault_ = progress.error();
        co_return HeadEnd::fault;
      }
      if (*progress == http::HeadProgress::complete) co_return HeadEnd::complete;
    }
    if (!buffer.make_room(head_buffer_bytes, head_buffer_bytes_max)) {
      fault_ = {400, http::RequestFaultCode::too_many_fields, {}};
      co_return HeadEnd::fault;
    }
    const io::IoResult result = stream_->read(buffer.room());
    if (result.status == io::IoStatus::ok) {
      buffer.filled(result.bytes);
      continue;
    }
    if (result.status != io::IoStatus::would_block) {
      // httpd: without a request line there is nobody to answer.
      if (!reader_.has_line()) co_return HeadEnd::closed;
      fault_ = {400, http::RequestFaultCode::cut_short, {}};
      co_return HeadEnd::fault;
    }
    began = !buffer.empty();
    if (!began) continue;
    io::Wait wait(timer_, head_deadline(exchange().began_at));
    if (co_await wait.readable(*stream_) == io::Woken::timed_out) co_return HeadEnd::timed_out;
  }
}

void ClientConnection::begin_request() {
  begin_exchange(exchange(), core_, facts_);
  reader_.reset();
  reader_.set_limits(first_server().client.limits);
}

void ClientConnection::take_head() {
  if (exchange().request.connection.upgrade) fit_head();
  Exchange& x = exchange();
  x.request_line = x.request.line;
  x.bytes.received = static_cast<std::int64_t>(x.request.head_bytes);
  workspace_->client_head.consume(x.request.head_bytes);
}

io::Task<> ClientConnection::run(Tunnel& tunnel) { return tunnel.run(core_, side()); }

// A tunnel keeps its exchange for hours. It begins anew in memory that no larger one has grown,
// with the head in a buffer of its own size.
void ClientConnection::fit_head() {
  auto fitting = core_.borrow_workspace(Shard::Core::Memory::fresh);
  fitting->client_head.append(workspace_->client_head.data());
  Exchange& x = fitting->exchange;
  begin_exchange(x, core_, facts_);
  x.began_at = exchange().began_at;
  x.began = exchange().began;
  reader_.reset();
  const auto progress = reader_.read(fitting->client_head.data(), x.request);
  CHECK(progress && *progress == http::HeadProgress::complete);
  core_.give_back(std::exchange(workspace_, std::move(fitting)));
}

ClientConnection::Next ClientConnection::next_step(bool received_all) const {
  const Exchange& x = workspace_->exchange;
  if (x.client_gone || x.broken_off) return Next::close;
  if (!received_all) return Next::linger;
  if (x.keep_client) return Next::another;
  // A client that expected to go on may be sending already; see linger().
  return x.request.asks_keep_alive() ? Next::linger : Next::close;
}

void ClientConnection::end_request() {
  finish_exchange(exchange(), core_);
  ++facts_.requests_before;
  // What was read beyond a chunked body is the next request's.
  Workspace& workspace = *workspace_;
  if (!workspace.client_body.empty()) {
    workspace.client_head.append(workspace.client_body.data());
    workspace.client_body.clear();
  }
}

// Closing with unread bytes in the socket makes the system send a reset, which may destroy the
// answer before the client has read it (RFC 9112 9.6).
io::Task<> ClientConnection::linger() {
  const Instant deadline = core_.now() + linger_time;
  char dropped[4096];
  std::size_t bytes = 0;
  while (bytes < linger_bytes_max) {
    const io::IoResult result = stream_->read(dropped);
    if (result.status == io::IoStatus::ok) {
      bytes += result.bytes;
      continue;
    }
    if (result.status != io::IoStatus::would_block) co_return;
    io::Wait wait(timer_, deadline);
    if (co_await wait.readable(*stream_) == io::Woken::timed_out) co_return;
  }
}

}  // namespace steelyard::proxy
