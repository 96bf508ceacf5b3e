#include "proxy/backend/tunnel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/next_turn.hpp"
#include "proxy/backend/attempt.hpp"
#include "proxy/decision_log.hpp"
#include "proxy/ending.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

struct Way {
  io::Stream& from;
  io::Stream& to;
  ReadBuffer& buffer;  // bytes read and not yet written
};

// What there is to know of one direction. A silent tunnel keeps two of these.
struct Lane {
  std::uint32_t read = 0, written = 0;  // by the last step
  bool ended = false;                   // `from` has nothing more to say and `to` was told
  bool broken = false;
  bool starved = false, full = false;
  bool broken_at_source = false;
  std::int32_t error = 0;  // of what broke it

  // Moves what goes, within one turn's budget.
  void step(const Way& way) {
    starved = full = false;
    read = written = 0;
    while (may_go_on() && written < tunnel_bytes_a_turn &&
           (way.buffer.empty() ? pull(way) : push(way))) {
    }
  }
  bool may_go_on() const { return !ended && !broken && !starved && !full; }

 private:
  bool push(const Way& way) {
    const std::string_view pieces[] = {way.buffer.data()};
    const io::IoResult result = way.to.write(pieces);
    note_break(result);
    full = result.status == io::IoStatus::would_block;
    if (result.status != io::IoStatus::ok) return false;
    way.buffer.consume(result.bytes);
    written += static_cast<std::uint32_t>(result.bytes);
    return true;
  }

  void note_break(const io::IoResult& result) {
    broken = result.status == io::IoStatus::failed;
    error = result.error;
  }

  bool pull(const Way& way) {
    starved = !way.from.may_be_readable();
    if (starved) return false;
    way.buffer.make_room(relay_buffer_bytes, relay_buffer_bytes);
    const io::IoResult result = way.from.read(way.buffer.room());
    note_break(result);
    broken_at_source = broken;
    starved = result.status == io::IoStatus::would_block;
    if (result.status == io::IoStatus::end) {
      way.to.end_writing();
      ended = true;
    }
    if (result.status != io::IoStatus::ok) return false;
    way.buffer.filled(result.bytes);
    read += static_cast<std::uint32_t>(result.bytes);
    return true;
  }
};

// Silence needs no memory.
void let_go(ReadBuffer& buffer) {
  if (buffer.empty()) buffer.release();
}

bool is_over(const Exchange& x, const Lane& up, const Lane& down) {
  if (!up.ended && !down.ended) return false;
  return (up.ended && down.ended) || x.has_switch("proxy-nohalfclose");
}

std::string_view end_of(const Lane& up, const Lane& down) {
  if (up.ended && down.ended) return "both sides closed it";
  return up.ended ? "the client closed it" : "the backend closed it";
}

// What is read and what is written of a connection that broke both tell of it.
std::string break_of(const Lane& up, const Lane& down) {
  const Lane& broken = up.broken ? up : down;
  const bool is_clients = (&broken == &up) == broken.broken_at_source;
  return ending_words({io::IoStatus::failed, 0, broken.error}, {}) + ": the connection to the " +
         (is_clients ? "client" : "backend") + " broke";
}

// Orderly ends are told to who debugs, others to who wants to know.
void tell_end(const Exchange& x, Shard::Core& core, const Lane& up, const Lane& down) {
  const bool is_broken = up.broken || down.broken;
  const auto level = is_broken ? config::LogLevel::info : config::LogLevel::debug;
  log_tunnel_end(x, core, level,
                 [&] { return is_broken ? break_of(up, down) : std::string(end_of(up, down)); });
}

void tell_silence(const Exchange& x, Shard::Core& core, Duration idle) {
  log_tunnel_end(x, core, config::LogLevel::info, [&] {
    return fmt::format("{}: nobody said a word for {} s", time_is_up,
                       std::chrono::duration<double>(idle).count());
  });
}

// A tunnel may be silent for hours: of the way to it nothing is kept that no log asks for.
void forget_heads(Exchange& x, Workspace& workspace) {
  x.reason = x.arena.copy(x.response.reason);
  const int status = x.response.status;
  x.response = {};
  x.response.status = status;
  workspace.backend_head.release();
  workspace.to_backend.release();
  workspace.to_client.release();
  // A copy has no room to spare.
  x.request.fields = http::FieldList(x.request.fields);
  x.environment = expr::Environment(x.environment);
}

// RFC 8441 5.1: nobody proves anything here. RFC 9110 9.3.6: a length would be the tunnel's.
void drop_proof(http::FieldList& fields) {
  fields.remove("Sec-WebSocket-Accept");
  fields.remove(http::FieldId::content_length);
}

}  // namespace

void open_tunnel(Exchange& x, Workspace& workspace, std::string_view to_client,
                 std::string_view to_member) {
  x.keep_client = false;
  x.head_sent = true;
  workspace.backend_body.clear();
  // Before what is said first makes the buffers as small as itself.
  workspace.backend_body.make_room(relay_buffer_bytes, relay_buffer_bytes);
  workspace.client_body.make_room(relay_buffer_bytes, relay_buffer_bytes);
  workspace.backend_body.append(to_client);
  const std::string_view said = workspace.client_head.data();
  x.bytes.received += static_cast<std::int64_t>(said.size());
  workspace.client_body.append(to_member);
  workspace.client_body.append(said);
  workspace.client_head.consume(said.size());
}

// The member's head goes to the client, and each peer gets what the other said behind its head.
void Attempt::begin_tunnel() {
  Workspace& workspace = client_.workspace;
  x_.status = 101;
  if (!x_.client->websocket_accept.empty()) drop_proof(x_.response.fields);
  http::HeadText& head = workspace.to_client;
  write_interim_head(x_, head);
  head.drop_tail(2);
  head.append("Connection: Upgrade\r\nUpgrade: ").append(dialect_.upgrade()).append("\r\n\r\n");
  // What the member said behind its head follows it.
  head.append(workspace.backend_head.data());
  plan_.lease.member().add_read(static_cast<std::int64_t>(workspace.backend_head.data().size()));
  open_tunnel(x_, workspace, head.view());
  forget_heads(x_, workspace);
  account();
  tunnel_ = std::make_unique<Tunnel>(link_.release(), plan_.times.tunnel);
}

io::Task<> Tunnel::run(Shard::Core& core, ClientSide client) {
  Exchange& x = client.workspace.exchange;
  balance::Member& member = x.leases.back().member();
  Lane up, down;
  while (true) {
    up.step({client.stream, stream(), client.workspace.client_body});
    down.step({stream(), client.stream, client.workspace.backend_body});
    x.bytes.received += static_cast<std::int64_t>(up.read);
    x.bytes.sent += static_cast<std::int64_t>(down.written);
    member.add_transferred(static_cast<std::int64_t>(up.written));
    member.add_read(static_cast<std::int64_t>(down.read));
    // RFC 8441 5: a stream tells its client of a connection that broke.
    if ((up.broken || down.broken) && speaks_http2(x)) client.stream.reset();
    if (up.broken || down.broken || is_over(x, up, down)) {
      tell_end(x, core, up, down);
      break;
    }
    if (up.may_go_on() || down.may_go_on()) {
      co_await io::NextTurn(core.parts.loop);
      continue;
    }
    let_go(client.workspace.client_body);
    let_go(client.workspace.backend_body);
    io::Wait wait(client.timer, core.now() + idle_);
    if (up.starved) wait.readable(client.stream);
    if (down.full) wait.writable(client.stream);
    if (down.starved) wait.readable(stream());
    if (up.full) wait.writable(stream());
    if (co_await wait.called() == io::Woken::timed_out) {
      tell_silence(x, core, idle_);
      break;
    }
  }
  if (is_over(x, up, down) && !stream().settle()) co_await settle(core, client.timer);
  member_.reset();
}

io::Task<> Tunnel::settle(Shard::Core& core, io::WaitTimer& timer) {
  while (!stream().settle()) {
    io::Wait wait(timer, core.now() + idle_);
    if (co_await wait.writable(stream()) == io::Woken::timed_out) co_return;
  }
}

}  // namespace steelyard::proxy
