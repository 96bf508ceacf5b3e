#include <algorithm>

#include "io/next_turn.hpp"
#include "proxy/backend/attempt.hpp"
#include "proxy/limits.hpp"

// After a 101 (Switching Protocols) the two peers talk past us: bytes are passed on in both
// directions until both ended or the line was idle for too long. All of them count: in the access
// log (httpd: %I, %O) and for the member (bytraffic).

namespace steelyard::proxy {

namespace {

// One direction: bytes read and not yet written.
struct Lane {
  io::Stream& from;
  io::Stream& to;
  ReadBuffer& buffer;
  std::uint64_t read = 0, written = 0;  // by the last step
  bool ended = false;                   // `from` has nothing more to say and `to` was told
  bool broken = false;
  bool starved = false, full = false;

  // Moves what goes, within one turn's budget.
  void step() {
    starved = full = false;
    read = written = 0;
    while (may_go_on() && written < tunnel_bytes_a_turn && (buffer.empty() ? pull() : push())) {
    }
  }
  // Silence needs no memory.
  void let_go() {
    if (buffer.empty()) buffer.release();
  }
  bool may_go_on() const { return !ended && !broken && !starved && !full; }

 private:
  bool push() {
    const std::string_view pieces[] = {buffer.data()};
    const io::IoResult result = to.write(pieces);
    broken = result.status == io::IoStatus::failed;
    full = result.status == io::IoStatus::would_block;
    if (result.status != io::IoStatus::ok) return false;
    buffer.consume(result.bytes);
    written += result.bytes;
    return true;
  }

  bool pull() {
    buffer.make_room(relay_buffer_bytes, relay_buffer_bytes);
    const io::IoResult result = from.read(buffer.room());
    broken = result.status == io::IoStatus::failed;
    starved = result.status == io::IoStatus::would_block;
    if (result.status == io::IoStatus::end) {
      to.end_writing();
      ended = true;
    }
    if (result.status != io::IoStatus::ok) return false;
    buffer.filled(result.bytes);
    read += result.bytes;
    return true;
  }
};

// A tunnel may be silent for hours: of the way to it nothing is kept that no log asks for.
void forget_heads(Exchange& x, Workspace& workspace) {
  x.reason = x.arena.copy(x.response.reason);
  const int status = x.response.status;
  x.response.clear();
  x.response.status = status;
  workspace.backend_head.release();
  workspace.to_backend.release();
  workspace.to_client.release();
}

// RFC 8441 5.1: nobody proves anything here. RFC 9110 9.3.6: a length would be the tunnel's.
void drop_proof(http::FieldList& fields) {
  fields.remove("Sec-WebSocket-Accept");
  fields.remove(http::FieldId::content_length);
}

}  // namespace

io::Task<Failure> Attempt::tunnel() {
  Workspace& workspace = client_.workspace;
  x_.keep_client = false;
  x_.status = 101;
  if (!x_.client->websocket_accept.empty()) drop_proof(x_.response.fields);
  http::HeadText& head = workspace.to_client;
  write_interim_head(x_, head);
  head.drop_tail(2);
  head.append("Connection: Upgrade\r\nUpgrade: ").append(dialect_.upgrade()).append("\r\n\r\n");
  // What the member said behind its head follows it.
  head.append(workspace.backend_head.data());
  plan_.lease.member().add_read(static_cast<std::int64_t>(workspace.backend_head.data().size()));
  workspace.backend_body.clear();
  // Before the head makes the buffer as small as itself.
  workspace.backend_body.make_room(relay_buffer_bytes, relay_buffer_bytes);
  workspace.backend_body.append(head.view());
  forget_heads(x_, workspace);
  x_.head_sent = true;
  // What the client said behind its head is the tunnel's.
  workspace.client_body.make_room(relay_buffer_bytes, relay_buffer_bytes);
  workspace.client_body.append(workspace.client_head.data());
  workspace.client_head.consume(workspace.client_head.data().size());
  Lane up{client_.stream, link_.stream(), workspace.client_body};
  Lane down{link_.stream(), client_.stream, workspace.backend_body};
  x_.bytes.received += static_cast<std::int64_t>(up.buffer.data().size());
  const Duration idle = std::max(plan_.times.client, plan_.times.backend);
  while (true) {
    up.step();
    down.step();
    x_.bytes.received += static_cast<std::int64_t>(up.read);
    x_.bytes.sent += static_cast<std::int64_t>(down.written);
    plan_.lease.member().add_transferred(static_cast<std::int64_t>(up.written));
    plan_.lease.member().add_read(static_cast<std::int64_t>(down.read));
    // RFC 8441 5: a stream tells its client of a connection that broke.
    if ((up.broken || down.broken) && speaks_http2(x_)) client_.stream.reset();
    if (up.broken || down.broken || (up.ended && down.ended)) break;
    if (up.may_go_on() || down.may_go_on()) {
      co_await io::NextTurn(core_.parts.loop);
      continue;
    }
    up.let_go();
    down.let_go();
    blocked_ = {up.starved, down.full, down.starved, up.full};
    io::Wait wait(client_.timer, core_.now() + idle);
    if (co_await until_unblocked(wait) == io::Woken::timed_out) break;
  }
  // The last words of the client may wait for room in the member's socket.
  while (up.ended && down.ended && !link_.stream().settle()) {
    blocked_ = {.backend_write = true};
    io::Wait wait(client_.timer, core_.now() + idle);
    if (co_await until_unblocked(wait) == io::Woken::timed_out) break;
  }
  account();
  link_.close();
  co_return Failure{};
}

}  // namespace steelyard::proxy
