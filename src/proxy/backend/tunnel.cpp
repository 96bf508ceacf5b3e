#include "proxy/backend/tunnel.hpp"

#include "io/next_turn.hpp"
#include "proxy/limits.hpp"
#include "proxy/reply.hpp"

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

}  // namespace

void open_tunnel(Exchange& x, Workspace& workspace, std::string_view to_client,
                 std::string_view to_member) {
  x.keep_client = false;
  x.head_sent = true;
  // Before what is said first makes the buffers as small as itself.
  workspace.backend_body.clear();
  workspace.backend_body.make_room(relay_buffer_bytes, relay_buffer_bytes);
  workspace.backend_body.append(to_client);
  forget_heads(x, workspace);
  workspace.client_body.make_room(relay_buffer_bytes, relay_buffer_bytes);
  const std::string_view said = workspace.client_head.data();
  x.bytes.received += static_cast<std::int64_t>(said.size());
  workspace.client_body.append(to_member);
  workspace.client_body.append(said);
  workspace.client_head.consume(said.size());
}

io::Task<> Tunnel::run(Duration idle_max) {
  Lane up{client_.stream, stream_, client_.workspace.client_body};
  Lane down{stream_, client_.stream, client_.workspace.backend_body};
  while (true) {
    up.step();
    down.step();
    x_.bytes.received += static_cast<std::int64_t>(up.read);
    x_.bytes.sent += static_cast<std::int64_t>(down.written);
    member_.add_transferred(static_cast<std::int64_t>(up.written));
    member_.add_read(static_cast<std::int64_t>(down.read));
    // RFC 8441 5: a stream tells its client of a connection that broke.
    if ((up.broken || down.broken) && speaks_http2(x_)) client_.stream.reset();
    if (up.broken || down.broken || (up.ended && down.ended)) break;
    if (up.may_go_on() || down.may_go_on()) {
      co_await io::NextTurn(core_.parts.loop);
      continue;
    }
    up.let_go();
    down.let_go();
    io::Wait wait(client_.timer, core_.now() + idle_max);
    if (up.starved) wait.readable(client_.stream);
    if (down.full) wait.writable(client_.stream);
    if (down.starved) wait.readable(stream_);
    if (up.full) wait.writable(stream_);
    if (co_await wait.called() == io::Woken::timed_out) break;
  }
  // The last words of the client may wait for room in the member's socket.
  while (up.ended && down.ended && !stream_.settle()) {
    io::Wait wait(client_.timer, core_.now() + idle_max);
    if (co_await wait.writable(stream_) == io::Woken::timed_out) break;
  }
}

}  // namespace steelyard::proxy
