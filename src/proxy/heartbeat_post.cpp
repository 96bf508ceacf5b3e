#include "proxy/heartbeat_post.hpp"

#include <algorithm>

#include "proxy/body_deadline.hpp"

namespace steelyard::proxy {

namespace {

using config::LogLevel;

constexpr std::string_view module = "heartmonitor";

LocalAnswer note_heartbeat(Exchange& x, Shard::Core& core, std::string_view text) {
  const auto heard = heartbeat::read_message(text, heartbeat::Origin::post);
  if (!heard) {
    core.log_seldom(x, core.malformed_heartbeats, LogLevel::error, module,
                    x.arena.join("malformed heartbeat: it has no ", heard.error(), "="));
    return {.status = 400};
  }
  if (!heard->doubts.empty()) {
    core.log_seldom(x, core.doubtful_heartbeats, LogLevel::warn, module, heard->doubts.front());
  }
  if (!core.parts.group.heartbeats.heard_post(x.client->peer.ip, heard->message, core.now())) {
    core.log_seldom(
        x, core.crowded_heartbeats, LogLevel::error, module,
        "a heartbeat was dropped: there are as many servers as HeartbeatMaxServers allows");
    return {.status = 503};
  }
  return {.status = 200, .text = "OK"};
}

}  // namespace

io::Task<LocalAnswer> take_heartbeat(Exchange& x, Shard::Core& core, ClientSide client,
                                     RequestBody& body) {
  const Instant began = core.now();
  std::string text;
  while (text.size() < heartbeat::message_bytes_max) {
    const auto progress = body.pull();
    if (progress == RequestBody::Progress::finished) break;
    if (progress == RequestBody::Progress::failed)
      co_return LocalAnswer{.status = status_of(body.failure())};
    if (progress == RequestBody::Progress::blocked) {
      io::Wait wait(client.timer,
                    body_deadline(x.server->client, began, body.received(), core.now()));
      if (co_await wait.readable(client.stream) == io::Woken::timed_out)
        co_return LocalAnswer{.status = 408};
      continue;
    }
    const std::size_t room = heartbeat::message_bytes_max - text.size();
    const std::size_t bytes = std::min(body.pending().size(), room);
    text.append(body.pending().substr(0, bytes));
    body.take(body.pending().size());
  }
  co_return note_heartbeat(x, core, text);
}

}  // namespace steelyard::proxy
