#include <algorithm>

#include "proxy/backend/http1_attempt.hpp"
#include "proxy/limits.hpp"

// After a 101 (Switching Protocols) the two peers talk past us: bytes are passed on in both
// directions until both ended or the line was idle for too long.

namespace steelyard::proxy {

namespace {

// One direction: bytes read and not yet written.
struct Lane {
  io::Stream& from;
  io::Stream& to;
  ReadBuffer& buffer;
  bool ended = false;  // `from` has nothing more to say and `to` was told
  bool broken = false;
  bool starved = false, full = false;

  bool step() {
    bool moved = false;
    starved = full = false;
    while (!ended && !broken) {
      if (!buffer.empty()) {
        const std::string_view pieces[] = {buffer.data()};
        const io::IoResult written = to.write(pieces);
        if (written.status == io::IoStatus::failed) broken = true;
        if (written.status == io::IoStatus::would_block) full = true;
        if (written.status != io::IoStatus::ok) return moved;
        buffer.consume(written.bytes);
        moved = true;
        continue;
      }
      buffer.make_room(relay_buffer_bytes, relay_buffer_bytes);
      const io::IoResult got = from.read(buffer.room());
      if (got.status == io::IoStatus::would_block) starved = true;
      if (got.status == io::IoStatus::failed) broken = true;
      if (got.status == io::IoStatus::end) {
        to.end_writing();
        ended = true;
      }
      if (got.status != io::IoStatus::ok) return moved;
      buffer.filled(got.bytes);
      moved = true;
    }
    return moved;
  }
};

}  // namespace

io::Task<Failure> Http1Attempt::tunnel() {
  Workspace& workspace = client_.workspace;
  x_.keep_client = false;
  x_.status = 101;
  x_.reason = x_.response.reason;
  http::HeadText& head = workspace.to_client;
  write_interim_head(x_, head);
  head.drop_tail(2);
  head.append("Connection: Upgrade\r\nUpgrade: ").append(upgrade_).append("\r\n\r\n");
  // What the member said behind its head follows it.
  head.append(workspace.backend_head.data());
  workspace.backend_head.clear();
  workspace.backend_body.clear();
  workspace.backend_body.append(head.view());
  x_.head_sent = true;
  // What the client said behind its head is the tunnel's.
  workspace.client_body.append(workspace.client_head.data());
  workspace.client_head.consume(workspace.client_head.data().size());
  Lane up{client_.stream, *connection_->stream, workspace.client_body};
  Lane down{*connection_->stream, client_.stream, workspace.backend_body};
  const Duration idle = std::max(plan_.times.client, plan_.times.backend);
  while (true) {
    for (bool moved = true; moved;) {
      moved = up.step();
      moved = down.step() || moved;
    }
    if (up.broken || down.broken || (up.ended && down.ended)) break;
    blocked_ = {up.starved, down.full, down.starved, up.full};
    const Failure late = co_await park(core_.now() + idle);
    if (late) break;
  }
  account();
  connection_.reset();
  co_return Failure{};
}

}  // namespace steelyard::proxy
