#include "proxy/heartbeat_post.hpp"

#include "proxy/small_body.hpp"

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
  return {.status = 200, .text = "OK", .has_text = true};
}

}  // namespace

io::Task<LocalAnswer> take_heartbeat(Exchange& x, Shard::Core& core, ClientSide client,
                                     RequestBody& body) {
  const SmallBody read =
      co_await read_small_body(x, core, client, body, heartbeat::message_bytes_max);
  if (read.status != 0) co_return LocalAnswer{.status = read.status};
  co_return note_heartbeat(x, core, read.text);
}

}  // namespace steelyard::proxy
