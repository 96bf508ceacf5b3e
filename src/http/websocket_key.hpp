// The proof in a WebSocket's opening handshake over HTTP/1 (RFC 6455 4.1, 4.2.2): who asks says a
// random key, and who answers shows by something made of it that it knows what it is asked for.
// Threads: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace steelyard::http {

struct WebsocketKey {
  std::string asked;     // Sec-WebSocket-Key
  std::string accepted;  // Sec-WebSocket-Accept
};

// Of sixteen bytes that nobody foresees.
[[nodiscard]] WebsocketKey make_websocket_key(std::uint64_t first, std::uint64_t second);
// What the key has to be answered with.
[[nodiscard]] std::string websocket_accept(std::string_view key);

}  // namespace steelyard::http
